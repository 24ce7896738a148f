package sms

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// messagebird speaks to the SMS API of MessageBird, which is called Bird today.
type messagebird struct{}

var messagebirdStates = map[string]channel.State{
	"scheduled": "", "buffered": "", "sent": channel.StateSent, "delivered": channel.StateDelivered,
	"expired": channel.StateFailed, "delivery_failed": channel.StateFailed,
}

// admit checks MessageBird-Signature-JWT, which binds the whole address and,
// where there is one, the body.
func (messagebird) admit(c config, r *hosted.Request) error {
	claims, err := readToken(c.signing, []string{"HS256", "HS384", "HS512"}, r.Header.Get("MessageBird-Signature-JWT"), r.At)
	switch {
	case err != nil:
		return err
	case claims.Issuer != "MessageBird":
		return fmt.Errorf("%w: the token is not MessageBird's", hosted.ErrRefused)
	case !hashed(claims.URLHash, []byte(r.URL)):
		return fmt.Errorf("%w: url_hash does not fit; public_url must be the address MessageBird calls", hosted.ErrRefused)
	case claims.PayloadHash == "" && len(r.Body) == 0:
	case !hashed(claims.PayloadHash, r.Body):
		return fmt.Errorf("%w: payload_hash does not fit the body", hosted.ErrRefused)
	}
	return nil
}

// split: reports come as GET with a query; messages as a form or as JSON, as the flow is set.
func (messagebird) split(r *hosted.Request) []input {
	body := r.Body
	if r.Method == http.MethodGet {
		body = []byte(r.Query.Encode())
	}
	v := messagebirdValues(body)
	switch state := v.Get("status"); {
	case v.Get("id") == "":
		return []input{{id: hosted.Name(body), body: body}}
	case state != "" && v.Get("body") == "" && v.Get("message") == "":
		if v.Get("reference") == "" || !news(messagebirdStates, state) {
			return nil // not ours, or no news
		}
		return []input{{id: v.Get("id") + "/" + state, outbound: v.Get("reference"), body: body}}
	}
	return []input{{id: v.Get("id"), from: v.Get("originator"), body: body}}
}

// messagebirdValues reads a form, or a JSON object of texts and numbers, optionally inside "message".
func messagebirdValues(body []byte) url.Values {
	var o map[string]any
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	if d.Decode(&o) != nil {
		v, _ := url.ParseQuery(string(body))
		return v
	}
	v := url.Values{}
	for k, one := range o {
		switch one := one.(type) {
		case string:
			v.Set(k, one)
		case json.Number:
			v.Set(k, one.String())
		}
	}
	return v
}

func (messagebird) parse(raw channel.Raw, with params) ([]channel.Item, error) {
	v := messagebirdValues(raw.Body)
	if with.outbound != "" {
		p := progress{id: v.Get("id"), state: v.Get("status"), at: messagebirdTime(v.Get("statusDatetime"))}
		if code := v.Get("statusErrorCode"); code != "" {
			p.detail = "MessageBird: " + strings.TrimSpace(clip(v.Get("statusReason"), 100)+" (error "+clip(code, 10)+")")
		}
		return p.item(raw, with.outbound, messagebirdStates)
	}
	m := said{id: v.Get("id"), from: v.Get("originator"), to: v.Get("recipient"), text: v.Get("body"), at: messagebirdTime(v.Get("createdDatetime"))}
	if m.text == "" {
		m.text = v.Get("message")
	}
	return m.item(raw, with)
}

func messagebirdTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at
		}
	}
	return time.Time{}
}

func (messagebird) media(config, string) (ours, login bool) { return false, false }

func (messagebird) authorise(c config, r *http.Request) {
	r.Header.Set("Authorization", "AccessKey "+c.keys[0])
}

func (messagebird) probe(ctx context.Context, c config) (*http.Request, error) {
	return http.NewRequestWithContext(ctx, http.MethodGet, c.api+"/balance", nil)
}

func (m messagebird) send(ctx context.Context, a *Adapter, c config, out channel.Outbound) (string, error) {
	body := map[string]any{
		"originator": bare(c.number), "recipients": []string{bare(out.To.Address)}, "body": out.Content.Text, "datacoding": "auto", "reference": out.ID,
	}
	path := "/messages"
	if u := a.callback(out); u != "" {
		body["reportUrl"] = u
	}
	if files := a.handedOut(out); len(files) > 0 { // the MMS API knows neither coding nor reportUrl
		path = "/mms"
		body["mediaUrls"] = files
		delete(body, "datacoding")
		delete(body, "reportUrl")
	}
	r, err := hosted.JSON(ctx, c.api+path, body)
	if err != nil {
		return "", err
	}
	reply, err := a.call(m, c, out, r)
	if err != nil {
		return "", err
	}
	var answer struct {
		ID     string `json:"id"`
		Errors []struct {
			Code        json.Number `json:"code"`
			Description string      `json:"description"`
		} `json:"errors"`
	}
	_ = json.Unmarshal(reply.Body, &answer)
	switch {
	case !reply.OK() && len(answer.Errors) > 0:
		return "", &refusedError{"MessageBird: " + clip(answer.Errors[0].Description, 200) + " (error " + answer.Errors[0].Code.String() + ")"}
	case !reply.OK():
		return "", &refusedError{fmt.Sprintf("MessageBird refuses it (%d)", reply.Status)}
	case answer.ID == "":
		return "", fmt.Errorf("%w: the answer has no id", hosted.ErrUnknown)
	}
	return answer.ID, nil
}
