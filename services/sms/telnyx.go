package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// telnyx speaks to Telnyx's Messaging API, version 2.
type telnyx struct{}

// telnyxTag marks our tag, in which the id of a message comes back.
const telnyxTag = "weftline:"

var telnyxStates = map[string]channel.State{
	"queued": "", "sending": "", "sent": channel.StateSent, "delivered": channel.StateDelivered, "delivery_unconfirmed": channel.StateSent,
	"sending_failed": channel.StateFailed, "delivery_failed": channel.StateFailed, "expired": channel.StateFailed,
}

type telnyxEvent struct {
	Data struct {
		ID         string    `json:"id"`
		Type       string    `json:"event_type"`
		OccurredAt time.Time `json:"occurred_at"`
		Payload    struct {
			ID   string `json:"id"`
			From struct {
				Number string `json:"phone_number"`
			} `json:"from"`
			To []struct {
				Number string `json:"phone_number"`
				Status string `json:"status"`
			} `json:"to"`
			Text       string    `json:"text"`
			ReceivedAt time.Time `json:"received_at"`
			Tags       []string  `json:"tags"`
			Media      []struct {
				URL  string `json:"url"`
				Type string `json:"content_type"`
			} `json:"media"`
			Errors []telnyxError `json:"errors"`
		} `json:"payload"`
	} `json:"data"`
}

type telnyxError struct {
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

// split: one event is one input, named by the message and, for receipts, the event.
func (telnyx) split(r *hosted.Request) []input {
	var e telnyxEvent
	if json.Unmarshal(r.Body, &e) != nil || e.Data.Payload.ID == "" {
		return []input{{id: hosted.Name(r.Body)}}
	}
	if e.Data.Type == "message.received" {
		return []input{{id: e.Data.Payload.ID, from: e.Data.Payload.From.Number}}
	}
	i := input{id: e.Data.Payload.ID + "/" + e.Data.Type}
	for _, tag := range e.Data.Payload.Tags {
		if out, ok := strings.CutPrefix(tag, telnyxTag); ok {
			i.outbound = out
		}
	}
	if len(e.Data.Payload.To) > 0 {
		if !news(telnyxStates, e.Data.Payload.To[0].Status) {
			return nil
		}
		i.id += "/" + e.Data.Payload.To[0].Status
	}
	if i.outbound == "" {
		return nil // sent by somebody else's use of the account
	}
	return []input{i}
}

func (telnyx) parse(raw channel.Raw, with params) ([]channel.Item, error) {
	var e telnyxEvent
	if err := json.Unmarshal(raw.Body, &e); err != nil {
		return nil, err
	}
	p := e.Data.Payload
	switch e.Data.Type {
	case "message.received":
		m := said{id: p.ID, from: p.From.Number, text: p.Text, at: p.ReceivedAt}
		if m.at.IsZero() {
			m.at = e.Data.OccurredAt
		}
		if len(p.To) > 0 {
			m.to = p.To[0].Number
		}
		for i, f := range p.Media[:min(len(p.Media), 10)] {
			m.files = append(m.files, file(i, f.Type, f.URL))
		}
		return m.item(raw, with)
	case "message.sent", "message.finalized":
		if len(p.To) == 0 {
			return nil, errors.New("the receipt names no receiver")
		}
		r := progress{id: p.ID, state: p.To[0].Status, at: e.Data.OccurredAt}
		if len(p.Errors) > 0 {
			r.detail = telnyxSays(p.Errors[0])
		}
		return r.item(raw, with.outbound, telnyxStates)
	}
	return nil, fmt.Errorf("event %q is not known", clip(e.Data.Type, 60))
}

func telnyxSays(e telnyxError) string {
	words := e.Detail
	if words == "" {
		words = e.Title
	}
	return "Telnyx: " + clip(words, 200) + " (error " + clip(e.Code, 20) + ")"
}

// media: files stand on Telnyx's own hosts or in its bucket, without a login.
func (telnyx) media(c config, address string) (ours, login bool) {
	return under(c.api, address) || hostOf(address, "telnyx.com") || under("https://s3.amazonaws.com/media.telnyx.com", address), false
}

func (telnyx) authorise(c config, r *http.Request) {
	r.Header.Set("Authorization", "Bearer "+c.keys[0])
}

func (telnyx) probe(ctx context.Context, c config) (*http.Request, error) {
	return http.NewRequestWithContext(ctx, http.MethodGet, c.api+"/v2/balance", nil)
}

func (t telnyx) send(ctx context.Context, a *Adapter, c config, out channel.Outbound) (string, error) {
	body := map[string]any{
		"from": c.number, "to": out.To.Address, "text": out.Content.Text, "type": "SMS", "tags": []string{telnyxTag + out.ID},
	}
	if files := a.handedOut(out); len(files) > 0 {
		body["type"], body["media_urls"] = "MMS", files
	}
	if u := a.callback(out); u != "" {
		body["webhook_url"] = u
	}
	r, err := hosted.JSON(ctx, c.api+"/v2/messages", body)
	if err != nil {
		return "", err
	}
	reply, err := a.call(t, c, out, r)
	if err != nil {
		return "", err
	}
	var answer struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
		Errors []telnyxError `json:"errors"`
	}
	_ = json.Unmarshal(reply.Body, &answer)
	switch {
	case !reply.OK() && len(answer.Errors) > 0:
		return "", &refusedError{telnyxSays(answer.Errors[0])}
	case !reply.OK():
		return "", &refusedError{fmt.Sprintf("Telnyx refuses it (%d)", reply.Status)}
	case answer.Data.ID == "":
		return "", fmt.Errorf("%w: the answer has no id", hosted.ErrUnknown)
	}
	return answer.Data.ID, nil
}
