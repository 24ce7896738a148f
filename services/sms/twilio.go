package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// twilio speaks to Twilio's Messages resource, version 2010-04-01.
type twilio struct{}

var twilioStates = map[string]channel.State{
	"accepted": "", "scheduled": "", "queued": "", "sending": "", "receiving": "", "received": "", "canceled": channel.StateFailed,
	"sent": channel.StateSent, "delivered": channel.StateDelivered, "partially_delivered": channel.StateSent, "read": channel.StateRead,
	"undelivered": channel.StateFailed, "failed": channel.StateFailed,
}

func (twilio) split(r *hosted.Request) []input {
	v, err := url.ParseQuery(string(r.Body))
	sid := v.Get("MessageSid")
	if err != nil || sid == "" {
		return []input{{id: hosted.Name(r.Body)}}
	}
	if state := v.Get("MessageStatus"); state != "" {
		if !news(twilioStates, state) {
			return nil
		}
		return []input{{id: sid + "/" + state, outbound: r.Query.Get("outbound")}}
	}
	return []input{{id: sid, from: v.Get("From")}}
}

func (twilio) parse(raw channel.Raw, with params) ([]channel.Item, error) {
	v, err := url.ParseQuery(string(raw.Body))
	if err != nil {
		return nil, fmt.Errorf("the body is not a form: %w", errors.Unwrap(err))
	}
	if state := v.Get("MessageStatus"); state != "" {
		p := progress{id: v.Get("MessageSid"), state: state}
		if code := v.Get("ErrorCode"); code != "" && code != "0" {
			p.detail = twilioSays(code, v.Get("ErrorMessage"))
		}
		return p.item(raw, with.outbound, twilioStates)
	}
	m := said{id: v.Get("MessageSid"), from: v.Get("From"), to: v.Get("To"), text: v.Get("Body")}
	switch v.Get("OptOutType") { // Advanced Opt-Out has answered already
	case "STOP":
		m.wish = channel.OptOut
	case "START":
		m.wish = channel.OptIn
	case "HELP":
		m.help = true
	}
	n, _ := strconv.Atoi(v.Get("NumMedia"))
	for i := range min(max(n, 0), 10) {
		if address := v.Get(fmt.Sprintf("MediaUrl%d", i)); address != "" {
			m.files = append(m.files, file(i, v.Get(fmt.Sprintf("MediaContentType%d", i)), address))
		}
	}
	return m.item(raw, with)
}

func (twilio) media(c config, address string) (ours, login bool) {
	return under(c.api, address), true
}

func (twilio) authorise(c config, r *http.Request) { r.SetBasicAuth(c.account, c.keys[0]) }

func (twilio) probe(ctx context.Context, c config) (*http.Request, error) {
	return http.NewRequestWithContext(ctx, http.MethodGet, c.api+"/2010-04-01/Accounts/"+url.PathEscape(c.account)+".json", nil)
}

func twilioMessages(c config) string {
	return c.api + "/2010-04-01/Accounts/" + url.PathEscape(c.account) + "/Messages.json"
}

func (t twilio) send(ctx context.Context, a *Adapter, c config, out channel.Outbound) (string, error) {
	v := url.Values{"To": {out.To.Address}, "Body": {out.Content.Text}}
	for _, address := range a.handedOut(out) {
		v.Add("MediaUrl", address)
	}
	if twilioService(c.number) {
		v.Set("MessagingServiceSid", c.number)
	} else {
		v.Set("From", c.number)
	}
	if u := a.callback(out); u != "" {
		v.Set("StatusCallback", u+"?"+url.Values{"outbound": {out.ID}}.Encode())
	}
	r, err := hosted.Form(ctx, twilioMessages(c), v)
	if err != nil {
		return "", err
	}
	reply, err := a.call(t, c, out, r)
	if err != nil {
		return "", err
	}
	var body struct {
		SID     string      `json:"sid"`
		Code    json.Number `json:"code"`
		Message string      `json:"message"`
	}
	_ = json.Unmarshal(reply.Body, &body)
	switch {
	case !reply.OK():
		return "", &refusedError{twilioSays(body.Code.String(), body.Message)}
	case body.SID == "":
		return "", fmt.Errorf("%w: the answer has no id", hosted.ErrUnknown)
	}
	return body.SID, nil
}

// twilioErrors are those that people can do something about (Twilio "Error and warning dictionary").
var twilioErrors = map[string]string{
	"21211": "the number is none", "21408": "the account may not send to this country", "21610": "the receiver has opted out (STOP)",
	"21614": "the number is not a mobile one", "30003": "the phone cannot be reached", "30004": "the receiver blocks messages",
	"30005": "the number is not in use", "30006": "the number is a landline or its network takes no messages",
	"30007": "the network took it for spam", "30008": "the network does not say why", "30034": "the number is not registered for A2P 10DLC",
}

func twilioSays(code, message string) string {
	words := twilioErrors[code]
	if words == "" {
		words = clip(message, 200)
	}
	switch {
	case code == "" && words == "":
		return "Twilio refuses it"
	case words == "":
		return "Twilio: error " + clip(code, 10)
	}
	return "Twilio: " + words + " (error " + clip(code, 10) + ")"
}
