package skeleton_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/pkg/channel/skeleton"
)

const secret = "a secret of some length"

// office is a post office: it takes cards and shows each id once.
func office(t *testing.T) (url string, shown func() []string) {
	var mu sync.Mutex
	var texts []string
	ids := map[string]bool{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var c skeleton.Card
		if json.NewDecoder(r.Body).Decode(&c) != nil || r.Header.Get("Authorization") != "Bearer "+secret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if !ids[c.ID] {
			ids[c.ID], texts = true, append(texts, c.Text)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(texts)
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, channeltest.Harness{
		Name: "Postcard", Counterpart: channeltest.OurFake,
		Without: map[string]string{
			"OldProofIsRefused":          "the post office sends a secret along; it covers no time",
			"TwoSecretsAreLive":          "a sample: one secret",
			"ProviderTimeIsKept":         "a card bears no date",
			"RetryAfterIsObeyed":         "a sample of one inbox; its answers in TestAnswersOfTheOffice",
			"RefusedTokenNeedsAttention": "TestAnswersOfTheOffice",
			"RevokedTokenIsNoticed":      "a sample: it has no registry to tell",
			"LostAnswerIsUnknown":        "TestAnswersOfTheOffice",
			"ServerErrorIsTried":         "TestAnswersOfTheOffice",
			"HealthTellsInAndOut":        "a sample: it has no registry to tell",
		},
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			url, shown := office(t)
			a, err := skeleton.New(skeleton.Config{Inbox: "cards", Secret: secret, SendURL: url}, intake, client)
			if err != nil {
				t.Fatal(err)
			}
			in := httptest.NewServer(a)
			t.Cleanup(in.Close)
			return channeltest.Subject{
				Adapter: a, Shown: shown,
				Hook: &channeltest.Hook{Handler: a, Secrets: [2]string{secret, secret}, Request: func(id, text, secret string, _ time.Time) *http.Request {
					body, _ := json.Marshal(skeleton.Card{From: "Ada, Lovelace Lane 1", Text: text})
					r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
					r.Header.Set("Authorization", "Bearer "+secret)
					r.Header.Set("Card-Id", id)
					return r
				}},
				Deliver: func(ctx context.Context, id, text string) error {
					body, _ := json.Marshal(skeleton.Card{From: "Ada, Lovelace Lane 1", Text: text})
					return deliver(ctx, in.URL, id, body)
				},
			}
		},
		Outbound: func(channeltest.Subject) channel.Outbound {
			return channel.Outbound{Inbox: "cards", Customer: "c1", To: channel.Address{Kind: skeleton.Name, Address: "Ada, Lovelace Lane 1"}}
		},
	})
}

// client has connections of its own: httptest.Server.Close ends idle ones of the
// default transport, also those another test is about to write to.
var client = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}

func deliver(ctx context.Context, url, id string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Card-Id", id)
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return fmt.Errorf("answer %s", resp.Status)
	}
	return nil
}

func TestAnswersOfTheOffice(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{200: "sent", 400: "failed", 401: "attention", 429: "wait 7s", 503: "again"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if code == http.StatusTooManyRequests {
				w.Header().Set("Retry-After", "7")
			}
			w.WriteHeader(code)
		}))
		defer s.Close()
		a, err := skeleton.New(skeleton.Config{Inbox: "cards", Secret: secret, SendURL: s.URL}, &channeltest.Intake{}, s.Client())
		if err != nil {
			t.Fatal(err)
		}
		r, err := a.Send(t.Context(), channel.Outbound{ID: "1", Inbox: "cards"})
		got := string(r.State)
		var wait *channel.RetryAfterError
		switch {
		case errors.As(err, &wait):
			got = "wait " + wait.After.Truncate(time.Second).String()
		case errors.Is(err, channel.ErrNeedsAttention):
			got = "attention"
		case err != nil:
			got = "again"
		}
		if got != want {
			t.Errorf("%d: %s, want %s", code, got, want)
		}
	}
}

func TestWrongSecret(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	a, err := skeleton.New(skeleton.Config{Inbox: "cards", Secret: secret, SendURL: "http://127.0.0.1"}, in, client)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range []string{"", "Bearer ", "Bearer x", "Bearer " + secret + "x"} {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader([]byte("{}")))
		r.Header.Set("Authorization", header)
		r.Header.Set("Card-Id", "1")
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%q: %d", header, w.Code)
		}
	}
	if len(in.Taken()) != 0 {
		t.Error("something got in")
	}
}
