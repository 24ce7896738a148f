package sms

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// vonage speaks to Vonage's Messages API, version 1.
type vonage struct{}

var vonageStates = map[string]channel.State{
	"submitted": channel.StateSent, "delivered": channel.StateDelivered, "read": channel.StateRead,
	"rejected": channel.StateFailed, "undeliverable": channel.StateFailed,
}

type vonageEvent struct {
	ID        string          `json:"message_uuid"`
	From      string          `json:"from"`
	To        string          `json:"to"`
	Channel   string          `json:"channel"`
	Type      string          `json:"message_type"`
	Text      string          `json:"text"`
	Timestamp time.Time       `json:"timestamp"`
	Status    string          `json:"status"`
	Ref       string          `json:"client_ref"`
	Error     vonageError     `json:"error"`
	Image     json.RawMessage `json:"image"`
	Audio     json.RawMessage `json:"audio"`
	Video     json.RawMessage `json:"video"`
	File      json.RawMessage `json:"file"`
	VCard     json.RawMessage `json:"vcard"`
}

type vonageError struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

// admit checks the bearer token, whose payload_hash binds it to the body.
func (vonage) admit(c config, r *hosted.Request) error {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	claims, err := readToken(c.signing, []string{"HS256"}, token, r.At)
	switch {
	case err != nil:
		return err
	case claims.APIKey != "" && claims.APIKey != c.account:
		return fmt.Errorf("%w: the token is of another account", hosted.ErrRefused)
	case !hashed(claims.PayloadHash, r.Body):
		return fmt.Errorf("%w: payload_hash does not fit the body", hosted.ErrRefused)
	}
	return nil
}

func (vonage) split(r *hosted.Request) []input {
	var e vonageEvent
	switch err := json.Unmarshal(r.Body, &e); {
	case err != nil || e.ID == "":
		return []input{{id: hosted.Name(r.Body)}}
	case e.Status == "":
		return []input{{id: e.ID, from: e.From}}
	case e.Ref == "", !news(vonageStates, e.Status):
		return nil // not ours, or no news
	}
	return []input{{id: e.ID + "/" + e.Status, outbound: e.Ref}}
}

func (vonage) parse(raw channel.Raw, with params) ([]channel.Item, error) {
	var e vonageEvent
	if err := json.Unmarshal(raw.Body, &e); err != nil {
		return nil, err
	}
	if e.Status != "" {
		p := progress{id: e.ID, state: e.Status, at: e.Timestamp, detail: vonageSays(e.Error)}
		return p.item(raw, with.outbound, vonageStates)
	}
	m := said{id: e.ID, from: e.From, to: e.To, text: e.Text, at: e.Timestamp}
	for kind, b := range map[string]json.RawMessage{"image": e.Image, "audio": e.Audio, "video": e.Video, "file": e.File, "vcard": e.VCard} {
		var f struct{ URL, Name, Caption string }
		if kind != e.Type || json.Unmarshal(b, &f) != nil || f.URL == "" {
			continue
		}
		at := file(0, kind+"/", f.URL)
		at.ContentType = ""
		m.files = append(m.files, at)
		if m.text == "" {
			m.text = f.Caption
		}
	}
	return m.item(raw, with)
}

func vonageSays(e vonageError) string {
	switch {
	case e.Detail == "" && e.Title == "":
		return ""
	case e.Detail == "":
		return "Vonage: error " + clip(e.Title, 60)
	}
	return "Vonage: " + clip(e.Detail, 200) + " (" + clip(e.Title, 60) + ")"
}

// media: files stand on Vonage's API hosts, behind the login.
func (vonage) media(c config, address string) (ours, login bool) {
	ours = under(c.api, address) || hostOf(address, "nexmo.com", "vonage.com")
	return ours, ours
}

func (vonage) authorise(c config, r *http.Request) { r.SetBasicAuth(c.account, c.keys[0]) }

func (vonage) probe(ctx context.Context, c config) (*http.Request, error) {
	return http.NewRequestWithContext(ctx, http.MethodGet, c.api+"/v2/applications?page_size=1", nil)
}

// vonageKind is what the Messages API calls a file.
func vonageKind(contentType string) string {
	family, _, _ := strings.Cut(contentType, "/")
	if family == "text" {
		return "vcard"
	}
	return family
}

func (v vonage) send(ctx context.Context, a *Adapter, c config, out channel.Outbound) (string, error) {
	body := map[string]any{
		"message_type": "text", "channel": "sms", "from": bare(c.number), "to": bare(out.To.Address), "text": out.Content.Text, "client_ref": out.ID,
	}
	if files := a.handedOut(out); len(files) > 0 {
		kind := vonageKind(out.Content.Attachments[0].ContentType)
		what := map[string]string{"url": files[0]}
		if out.Content.Text != "" {
			what["caption"] = out.Content.Text
		}
		body["channel"], body["message_type"], body[kind] = "mms", kind, what
		delete(body, "text")
	}
	if u := a.callback(out); u != "" {
		body["webhook_url"] = u
	}
	r, err := hosted.JSON(ctx, c.api+"/v1/messages", body)
	if err != nil {
		return "", err
	}
	r.Header.Set("Accept", "application/json")
	reply, err := a.call(v, c, out, r)
	if err != nil {
		return "", err
	}
	var answer struct {
		ID string `json:"message_uuid"`
		vonageError
	}
	_ = json.Unmarshal(reply.Body, &answer)
	switch {
	case !reply.OK() && vonageSays(answer.vonageError) != "":
		return "", &refusedError{vonageSays(answer.vonageError)}
	case !reply.OK():
		return "", &refusedError{fmt.Sprintf("Vonage refuses it (%d)", reply.Status)}
	case answer.ID == "":
		return "", fmt.Errorf("%w: the answer has no id", hosted.ErrUnknown)
	}
	return answer.ID, nil
}
