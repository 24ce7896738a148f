package meta

import (
	"cmp"
	"errors"
	"strconv"

	"github.com/weftline/weftline/pkg/channel"
)

// watermark is a point in time until which everything was delivered or read
// (Messenger: "message_deliveries", "message_reads"). Instagram's
// "messaging_seen" names the last message instead; its own time is the point.
type watermark struct {
	Until jsonNumber `json:"watermark"`
	MID   string     `json:"mid"`
}

// seenID is the input's id: the same watermark again says nothing new.
func (ev dmEvent) seenID() string {
	what, w := "delivery", ev.Delivery
	if ev.Read != nil {
		what, w = "read", ev.Read
	}
	return what + ":" + ev.Sender.ID + ":" + string(cmp.Or(w.Until, ev.Timestamp))
}

func (ev dmEvent) seen(raw channel.Raw, of channel.Address) (*channel.Receipt, error) {
	state, w := channel.StateDelivered, ev.Delivery
	if ev.Read != nil {
		state, w = channel.StateRead, ev.Read
	}
	ms, err := strconv.ParseInt(string(cmp.Or(w.Until, ev.Timestamp)), 10, 64)
	if err != nil || ms <= 0 {
		return nil, errors.New("watermark: is missing")
	}
	return &channel.Receipt{Channel: raw.Channel, Inbox: raw.Inbox, To: of, State: state, At: moment(raw, ms, true)}, nil
}
