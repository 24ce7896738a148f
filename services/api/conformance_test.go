package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/api"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
)

const (
	oldSecret = "whsec_b2xkIHNlY3JldCBvZiAzMiBieXRlcywgZm9yIHRlc3Q="
	newSecret = "whsec_bmV3IHNlY3JldCBvZiAzMiBieXRlcywgZm9yIHRlc3Q="
)

// backend is an integrator's: it checks our signature with the specification's
// own library, shows each id once, and posts events.
type backend struct {
	*hostedtest.Provider
	t       testing.TB
	inboxes *hostedtest.Registry
	adapter *api.Adapter
	mux     *http.ServeMux
	seen    sync.Map
	events  chan api.Event
	typing  chan string
}

func start(t testing.TB, intake channel.Intake) *backend {
	b := &backend{t: t, events: make(chan api.Event, 1000), typing: make(chan string, 10)}
	b.Provider = (&hostedtest.Provider{Sends: func(*http.Request) bool { return true }, Serve: b.serve}).Start(t)
	settings := func() map[string]string {
		return map[string]string{"signing_secret": oldSecret + "\n" + newSecret, "url": b.URL}
	}
	b.inboxes = hostedtest.Inboxes(
		inbox.Inbox{ID: "app", Channel: api.Name, Name: "App", Settings: settings()},
		inbox.Inbox{ID: "other", Channel: api.Name, Name: "Another", Settings: settings()},
	)
	b.adapter = api.New(hosted.Deps{Intake: intake, Inboxes: b.inboxes, Client: b.Client(), Typing: func(from channel.Address, on bool) {
		b.typing <- fmt.Sprint(from.Kind, " ", from.Scope, " ", from.Address, " ", on)
	}})
	b.mux = http.NewServeMux()
	b.adapter.Routes(b.mux)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.adapter.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *backend) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	check, err := standardwebhooks.NewWebhook(oldSecret)
	if err != nil {
		b.t.Error(err)
	}
	if err := check.Verify(body, r.Header); err != nil {
		b.t.Errorf("our signature is refused: %v", err)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var e api.Event
	if err := json.Unmarshal(body, &e); err != nil {
		b.t.Error(err)
	}
	if _, again := b.seen.LoadOrStore(r.Header.Get("webhook-id"), true); !again {
		b.events <- e
		if e.Type == "message" {
			b.Show(e.Text)
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// request is an event, signed with the specification's own library.
func request(t testing.TB, inboxID, id, secret string, at time.Time, event any) *http.Request {
	body, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, hosted.HookPath(api.Name, inboxID), bytes.NewReader(body))
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", fmt.Sprint(at.Unix()))
	if s, err := standardwebhooks.NewWebhook(secret); err == nil {
		mac, err := s.Sign(id, at, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("webhook-signature", mac)
	}
	return r
}

func (b *backend) post(id string, event any) int {
	w := httptest.NewRecorder()
	b.mux.ServeHTTP(w, request(b.t, "app", id, newSecret, time.Now(), event))
	return w.Code
}

func said(id, text string) api.Event {
	return api.Event{Type: "message", ID: id, From: &api.Party{ID: "user-7", Name: "Ada"}, Text: text}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, channeltest.Harness{
		Name: "API", Counterpart: channeltest.VendorSDK + ": the library of Standard Webhooks signs and verifies",
		Without: map[string]string{"RevokedTokenIsNoticed": "the app is called with a signature, and only when there is something for it"},
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			b := start(t, intake)
			deliver := func(_ context.Context, id string, e api.Event) error {
				if code := b.post(id, e); code != http.StatusOK {
					return fmt.Errorf("answer %d", code)
				}
				return nil
			}
			return channeltest.Subject{
				Adapter: b.adapter, Shown: b.Shown, API: b.API("other"), Health: b.inboxes.Reported,
				Deliver: func(ctx context.Context, id, text string) error { return deliver(ctx, id, said(id, text)) },
				SaidAt: func(ctx context.Context, id, text string, at time.Time) error {
					e := said(id, text)
					e.At = at
					return deliver(ctx, id, e)
				},
				Hook: &channeltest.Hook{
					Handler: b.mux, Secrets: [2]string{oldSecret, newSecret}, Timed: true, Covers: true,
					Request: func(id, text, secret string, at time.Time) *http.Request {
						return request(t, "app", id, secret, at, said(id, text))
					},
				},
				Changed: func(id string, action channel.Action) channel.Raw {
					body, _ := json.Marshal(api.Event{Type: string(action), From: &api.Party{ID: "user-7"}, Message: id, Text: "after", Emoji: "👍"})
					return channel.Raw{Channel: api.Name, Inbox: "app", ProviderID: "change-" + string(action), ReceivedAt: time.Now(), ContentType: api.ContentType + "; vouch=login", Body: body}
				},
			}
		},
		Outbound: func(channeltest.Subject) channel.Outbound {
			return channel.Outbound{Inbox: "app", Customer: "c1", At: time.Now(), To: channel.Address{Kind: api.Name, Scope: "app", Address: "user-7"}}
		},
	})
}
