package unsubscribe_test

import (
	"bytes"
	"context"
	"errors"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/email/unsubscribe"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
)

type safe struct {
	raws []channel.Raw
	fail error
}

func (s *safe) Accept(_ context.Context, inputs ...channel.Raw) error {
	if s.fail == nil {
		s.raws = append(s.raws, inputs...)
	}
	return s.fail
}

func (s *safe) Report(context.Context, ...channel.Receipt) error { return nil }

func world(t *testing.T) (*safe, *http.ServeMux, string) {
	t.Helper()
	keys, s, mux := crypt.NewDeterministic("x"), &safe{}, http.NewServeMux()
	reg := hostedtest.Inboxes(inbox.Inbox{ID: "support", Channel: email.ChannelName, Name: "Shop <Support>"}, inbox.Inbox{ID: "chat", Channel: "chat"})
	unsubscribe.New(unsubscribe.Deps{Intake: s, Inboxes: reg, Keys: keys, Tenant: "default"}).Routes(mux)
	return s, mux, email.UnsubscribePath + "support/" + email.UnsubscribeToken(keys, "default", "support", "01JREPLY", "ada@example.org")
}

func ask(mux *http.ServeMux, method, path, contentType, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, r)
	return rec
}

const form = "application/x-www-form-urlencoded"

// Scanners open every link: looking does nothing.
func TestLookingUnsubscribesNobody(t *testing.T) {
	t.Parallel()
	s, mux, link := world(t)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		rec := ask(mux, method, link+"?List-Unsubscribe=One-Click", "", "")
		if rec.Code != 200 || len(s.raws) != 0 {
			t.Errorf("%s: %d, %d stored", method, rec.Code, len(s.raws))
		}
		if rec.Header().Get("Cache-Control") != "no-store" || rec.Header().Get("Set-Cookie") != "" {
			t.Errorf("headers %v", rec.Header())
		}
	}
	body := ask(mux, http.MethodGet, link, "", "").Body.String()
	if !strings.Contains(body, `<form method="post"><button name="List-Unsubscribe" value="One-Click">`) || !strings.Contains(body, "ada@example.org") || !strings.Contains(body, "Shop &lt;Support&gt;") {
		t.Errorf("page:\n%s", body)
	}
}

func TestOneClickUnsubscribes(t *testing.T) {
	t.Parallel()
	s, mux, link := world(t)
	for _, c := range []struct{ kind, body string }{{form, ""}, {form, "List-Unsubscribe=No"}, {"application/json", `{"List-Unsubscribe":"One-Click"}`}} {
		if rec := ask(mux, http.MethodPost, link, c.kind, c.body); rec.Code != 400 || len(s.raws) != 0 {
			t.Errorf("%s: %d, %d stored", c.body, rec.Code, len(s.raws))
		}
	}
	s.fail = errors.New("disk is full")
	if rec := ask(mux, http.MethodPost, link, form, "List-Unsubscribe=One-Click"); rec.Code != 503 {
		t.Errorf("not stored: %d", rec.Code)
	}
	s.fail = nil
	if rec := ask(mux, http.MethodPost, link, form, "List-Unsubscribe=One-Click"); rec.Code != 200 || !strings.Contains(rec.Body.String(), "You are unsubscribed") {
		t.Errorf("%d\n%s", rec.Code, rec.Body)
	}
	var b bytes.Buffer // RFC 8058 §3.2 allows both encodings
	m := multipart.NewWriter(&b)
	if err := m.WriteField("List-Unsubscribe", "One-Click"); err != nil {
		t.Fatal(err)
	}
	m.Close()
	if rec := ask(mux, http.MethodPost, link, m.FormDataContentType(), b.String()); rec.Code != 200 {
		t.Error(rec.Code)
	}
	if len(s.raws) != 2 || s.raws[0].ProviderID != s.raws[1].ProviderID || s.raws[0].Peek.Address != "ada@example.org" || s.raws[0].Inbox != "support" {
		t.Errorf("stored %+v", s.raws)
	}
}

func TestForgedLinks(t *testing.T) {
	t.Parallel()
	s, mux, link := world(t)
	for _, bad := range []string{link[:len(link)-2] + "00", strings.Replace(link, "/support/", "/other/", 1), strings.Replace(link, "/support/", "/chat/", 1), email.UnsubscribePath + "support/x"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if rec := ask(mux, method, bad, form, "List-Unsubscribe=One-Click"); rec.Code != 404 {
				t.Errorf("%s %s: %d", method, bad, rec.Code)
			}
		}
	}
	if rec := ask(mux, http.MethodPut, link, form, "List-Unsubscribe=One-Click"); rec.Code != 405 {
		t.Errorf("PUT: %d", rec.Code)
	}
	if len(s.raws) != 0 {
		t.Errorf("stored %+v", s.raws)
	}
}
