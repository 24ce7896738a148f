package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// plivo speaks to Plivo's Message API, version 1.
type plivo struct{}

var plivoStates = map[string]channel.State{
	"queued": "", "sent": channel.StateSent, "delivered": channel.StateDelivered, "read": channel.StateRead,
	"undelivered": channel.StateFailed, "failed": channel.StateFailed, "rejected": channel.StateFailed,
}

// split: of a message in several parts each part is reported on. Delivered is
// news when the last part is; a failed part fails the message.
func (plivo) split(r *hosted.Request) []input {
	v, err := url.ParseQuery(string(r.Body))
	id := v.Get("MessageUUID")
	if err != nil || id == "" {
		return []input{{id: hosted.Name(r.Body)}}
	}
	state := v.Get("Status")
	if state == "" {
		return []input{{id: id, from: v.Get("From")}}
	}
	part, of := plivoPart(v.Get("PartInfo"))
	if r.Query.Get("outbound") == "" || !news(plivoStates, state) || part < of && plivoStates[state] != channel.StateFailed {
		return nil
	}
	return []input{{id: id + "/" + state, outbound: r.Query.Get("outbound")}}
}

// plivoPart reads "1 of 2"; 1, 1 where it does not say.
func plivoPart(s string) (part, of int) {
	a, b, ok := strings.Cut(s, " of ")
	part, errA := strconv.Atoi(a)
	of, errB := strconv.Atoi(b)
	if !ok || errA != nil || errB != nil {
		return 1, 1
	}
	return part, of
}

func (plivo) parse(raw channel.Raw, with params) ([]channel.Item, error) {
	v, err := url.ParseQuery(string(raw.Body))
	if err != nil {
		return nil, fmt.Errorf("the body is not a form: %w", errors.Unwrap(err))
	}
	if state := v.Get("Status"); state != "" {
		p := progress{id: v.Get("MessageUUID"), state: state}
		if parent := v.Get("ParentMessageUUID"); parent != "" {
			p.id = parent
		}
		if code := v.Get("ErrorCode"); code != "" && code != "000" {
			p.detail = plivoSays(code)
		}
		if part, of := plivoPart(v.Get("PartInfo")); of > 1 && p.detail != "" {
			p.detail = fmt.Sprintf("part %d of %d: %s", part, of, p.detail)
		}
		return p.item(raw, with.outbound, plivoStates)
	}
	m := said{id: v.Get("MessageUUID"), from: v.Get("From"), to: v.Get("To"), text: v.Get("Text")}
	n, _ := strconv.Atoi(v.Get("MediaCount"))
	for i := range min(max(n, 0), 10) {
		if address := v.Get(fmt.Sprintf("Media%d", i)); address != "" {
			m.files = append(m.files, file(i, "", address))
		}
	}
	return m.item(raw, with)
}

// plivoErrors are of Plivo's "SMS error codes".
var plivoErrors = map[string]string{
	"10": "the message is invalid", "20": "the network is not available", "30": "the network took it for spam", "40": "the source number is invalid",
	"50": "the number is invalid", "60": "the network refuses it", "70": "the network is not available", "80": "the phone cannot be reached",
	"90": "the phone cannot be reached", "110": "the network took it for spam", "200": "the receiver has opted out", "300": "the network does not say why",
}

func plivoSays(code string) string {
	if words := plivoErrors[code]; words != "" {
		return "Plivo: " + words + " (error " + code + ")"
	}
	return "Plivo: error " + clip(code, 10)
}

func (plivo) media(c config, address string) (ours, login bool) {
	if under(c.api, address) {
		return true, true
	}
	return hostOf(address, "plivo.com"), false
}

func (plivo) authorise(c config, r *http.Request) { r.SetBasicAuth(c.account, c.keys[0]) }

func plivoAccount(c config) string { return c.api + "/v1/Account/" + url.PathEscape(c.account) + "/" }

func (plivo) probe(ctx context.Context, c config) (*http.Request, error) {
	return http.NewRequestWithContext(ctx, http.MethodGet, plivoAccount(c), nil)
}

func (p plivo) send(ctx context.Context, a *Adapter, c config, out channel.Outbound) (string, error) {
	body := map[string]any{"src": bare(c.number), "dst": bare(out.To.Address), "text": out.Content.Text}
	if files := a.handedOut(out); len(files) > 0 {
		body["type"], body["media_urls"] = "mms", files
	}
	if u := a.callback(out); u != "" {
		body["url"], body["method"] = u+"?"+url.Values{"outbound": {out.ID}}.Encode(), http.MethodPost
	}
	r, err := hosted.JSON(ctx, plivoAccount(c)+"Message/", body)
	if err != nil {
		return "", err
	}
	reply, err := a.call(p, c, out, r)
	if err != nil {
		return "", err
	}
	var answer struct {
		IDs   []string `json:"message_uuid"`
		Error string   `json:"error"`
	}
	_ = json.Unmarshal(reply.Body, &answer)
	switch {
	case !reply.OK() && answer.Error != "":
		return "", &refusedError{"Plivo: " + clip(answer.Error, 200)}
	case !reply.OK():
		return "", &refusedError{fmt.Sprintf("Plivo refuses it (%d)", reply.Status)}
	case len(answer.IDs) == 0:
		return "", fmt.Errorf("%w: the answer has no id", hosted.ErrUnknown)
	}
	return answer.IDs[0], nil
}
