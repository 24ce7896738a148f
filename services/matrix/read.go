package matrix

import (
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

// transaction is the id under which step i of a message is sent.
func transaction(outbound string, i int) string {
	return "weftline." + outbound + "." + string(rune('a'+i))
}

// outboundOf is the message that a transaction is of: the homeserver returns
// it, to the session that sent it, with the event.
func outboundOf(transaction string) (string, bool) {
	s, ok := strings.CutPrefix(transaction, "weftline.")
	if !ok || len(s) < 3 || s[len(s)-2] != '.' {
		return "", false
	}
	return s[:len(s)-2], true
}

// read finds what the customer has read ("Receipts"): everything up to the event that he has read last.
func (f *follower) read(b *batch, p *place, roomID string, u update) {
	for _, ephemeral := range u.Ephemeral.Events {
		var content map[string]map[string]map[string]struct {
			At int64 `json:"ts"`
		}
		if ephemeral.Type != "m.receipt" || unmarshal(ephemeral.Content, &content) != nil {
			continue
		}
		for event, kinds := range content {
			for user, receipt := range kinds["m.read"] {
				if !same(user, f.me) {
					f.readUpTo(b, p, roomID, event, receipt.At)
				}
			}
		}
	}
}

func (f *follower) readUpTo(b *batch, p *place, roomID, event string, ms int64) {
	n := 0
	for i, s := range p.Unread {
		if s.Event == event {
			n = i + 1
		}
	}
	if event == p.Last { // the newest of all, whoever wrote it
		n = len(p.Unread)
	}
	if n == 0 {
		p.Read = event // it may be heard of before its event is
		return
	}
	at := time.UnixMilli(ms).UTC()
	if ms <= 0 || at.After(b.at) {
		at = b.at
	}
	for _, s := range p.Unread[:n] {
		b.receipts = append(b.receipts, channel.Receipt{
			Channel: Name, Inbox: f.id, Outbound: s.Outbound, ProviderID: refOf(roomID, s.Event), State: channel.StateRead, At: at,
		})
	}
	p.Unread = p.Unread[n:]
}
