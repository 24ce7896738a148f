package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// skew is how far Twilio's clock and ours may differ, and how long a message
// may take to be listed.
const skew = 2 * time.Minute

var errUnclear = errors.New("the list of messages does not say which one it is")

// look lists what was sent to the number since the message was asked for. The
// text is its mark: Twilio keeps no id of ours. The same text twice within
// skew of one another is left unclear.
func (t twilio) look(ctx context.Context, a *Adapter, c config, out channel.Outbound) (channel.Receipt, error) {
	since := out.At.Add(-skew).UTC()
	// Newest first. No filter by date: that is the date sent, which a queued message has not.
	q := url.Values{"To": {out.To.Address}, "PageSize": {"100"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, twilioMessages(c)+"?"+q.Encode(), nil)
	if err != nil {
		return channel.Receipt{}, hosted.Scrub(err)
	}
	t.authorise(c, r)
	reply, err := a.caller.Do(out.Inbox, r)
	if err != nil {
		return channel.Receipt{}, fmt.Errorf("look up a message: %w", err)
	}
	var page struct {
		Messages []struct {
			SID, Body, Direction string
			NumMedia             string `json:"num_media"`
			DateCreated          string `json:"date_created"`
		} `json:"messages"`
		Next string `json:"next_page_uri"`
	}
	if !reply.OK() || json.Unmarshal(reply.Body, &page) != nil {
		return channel.Receipt{}, fmt.Errorf("look up a message: Twilio answers %d", reply.Status)
	}
	var found []string
	whole := page.Next == ""
	for _, m := range page.Messages {
		at, err := time.Parse(time.RFC1123Z, m.DateCreated)
		whole = whole || err == nil && at.Before(since)
		if err != nil || at.Before(since) || m.Body != out.Content.Text || !twilioFiles(m.NumMedia, out) || m.Direction == "inbound" {
			continue
		}
		if at.Before(out.At.Truncate(time.Second)) {
			return channel.Receipt{}, errUnclear
		}
		found = append(found, m.SID)
	}
	switch {
	case len(found) == 1:
		return hosted.Result(out, a.now(), found[0], nil)
	case len(found) > 1, !whole, a.now().Sub(out.At) < skew:
		return channel.Receipt{}, errUnclear
	}
	return channel.Receipt{}, nil // it never arrived
}

// twilioFiles says whether a listed message has as many files; it may not say how many.
func twilioFiles(has string, out channel.Outbound) bool {
	return has == strconv.Itoa(len(out.Content.Attachments)) || has == ""
}
