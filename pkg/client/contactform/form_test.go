package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/client"
)

type recorder struct {
	got  []client.ChannelEvent
	fail error
}

func (r *recorder) Post(_ context.Context, e client.ChannelEvent) error {
	r.got = append(r.got, e)
	return r.fail
}

func TestFormBecomesOneSignedMessage(t *testing.T) {
	t.Parallel()
	hub := &recorder{}
	f := &Form{Channel: hub}
	get := httptest.NewRecorder()
	f.ServeHTTP(get, httptest.NewRequest(http.MethodGet, "/", nil))
	id := regexp.MustCompile(`name="id" value="([A-Z2-7]+)"`).FindStringSubmatch(get.Body.String())
	if len(id) != 2 {
		t.Fatal(get.Body.String())
	}
	typed := url.Values{"id": {id[1]}, "name": {"Ada <b>"}, "email": {"ada@example.org"}, "subject": {"Order"}, "message": {"Where is it?"}}
	post := func(change ...string) (int, string) {
		v := url.Values{}
		for k := range typed {
			v.Set(k, typed.Get(k))
		}
		for i := 0; i+1 < len(change); i += 2 {
			v.Set(change[i], change[i+1])
		}
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(v.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	if code, body := post(); code != 200 || !strings.Contains(body, "Thank you") {
		t.Errorf("%d %s", code, body)
	}
	want := []client.ChannelEvent{{
		Type: "message", ID: id[1], Subject: "Order", Text: "Where is it?",
		From: &client.ChannelID{ID: "form-" + id[1], Name: "Ada <b>", Email: "ada@example.org"},
	}}
	if d := cmp.Diff(want, hub.got); d != "" {
		t.Error(d)
	}
	for _, wrong := range [][]string{
		{"email", "ada"},
		{"email", "Ada <ada@example.org>"},
		{"message", " "},
		{"message", strings.Repeat("x", maxMessage+1)},
		{"name", strings.Repeat("x", maxName+1)},
		{"subject", strings.Repeat("x", maxSubject+1)},
		{"id", "short"},
		{"id", strings.Repeat("A", 25) + `"`},
	} {
		code, body := post(wrong...)
		if code != 422 || !strings.Contains(body, `role="alert"`) || !strings.Contains(body, "Ada &lt;b&gt;") && wrong[0] != "name" {
			t.Errorf("%.30q: %d", wrong, code)
		}
	}
	if code, _ := post("website", "https://spam.example"); code != 200 || len(hub.got) != 1 {
		t.Errorf("a robot's: %d, %d posted", code, len(hub.got))
	}
	hub.fail = client.ErrNotStored
	if code, body := post(); code != 503 || !strings.Contains(body, "Where is it?") {
		t.Errorf("%d: what was typed must stay", code)
	}
	hub.fail = errors.New("no route")
	if code, _ := post(); code != 502 {
		t.Error(code)
	}
}
