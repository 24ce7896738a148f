package slack_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/slack"
)

// app is the adapter with its provider.
type app struct {
	*fake
	inboxes *hostedtest.Registry
	adapter *slack.Adapter
	mux     *http.ServeMux
}

func start(t testing.TB, intake channel.Intake, blobs blob.Store) *app {
	a := prepare(t, intake, blobs)
	a.run(t)
	return a
}

func prepare(t testing.TB, intake channel.Intake, blobs blob.Store) *app {
	a := &app{fake: newFake(t), mux: http.NewServeMux()}
	settings := func(token string) map[string]string {
		return map[string]string{"bot_token": token, "signing_secret": oldSecret + "\n" + newSecret, "channels": "all", "api_url": a.URL + "/api"}
	}
	a.inboxes = hostedtest.Inboxes(
		inbox.Inbox{ID: "shop", Channel: slack.Name, Name: "Shop", Settings: settings(token)},
		inbox.Inbox{ID: "other", Channel: slack.Name, Name: "Another", Settings: settings(otherToken)},
	)
	a.adapter = slack.New(hosted.Deps{Intake: intake, Inboxes: a.inboxes, Client: a.Client(), PublicURL: "https://hub.example", Blobs: blobs, After: a.Clock.After})
	a.adapter.Routes(a.mux)
	return a
}

func (a *app) run(t testing.TB) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.adapter.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func signature(secret, stamp string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(m, "v0:%s:%s", stamp, body)
	return "v0=" + hex.EncodeToString(m.Sum(nil))
}

func hookRequest(secret string, at time.Time, event map[string]any) *http.Request {
	body, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	stamp := fmt.Sprint(at.Unix())
	r := httptest.NewRequest(http.MethodPost, hosted.HookPath(slack.Name, "shop"), bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", signature(secret, stamp, body))
	return r
}

func (a *app) post(event map[string]any) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	a.mux.ServeHTTP(w, hookRequest(newSecret, time.Now(), event))
	return w
}

// firsts keeps the ts that a message had first: Slack sends one again under its own.
type firsts struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (f *firsts) of(id string, at time.Time) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if was, ok := f.at[id]; ok {
		return was
	}
	f.at[id] = at
	return at
}

func changed(first *firsts) func(string, channel.Action) channel.Raw {
	return func(id string, action channel.Action) channel.Raw {
		at := first.of(id, time.Now())
		ts := stamp(id, at)
		before := said(id, "before", at)["event"].(map[string]any)
		var ev map[string]any
		switch action {
		case channel.Edited:
			after := said(id, "after", at)["event"].(map[string]any)
			after["edited"] = map[string]any{"user": ada, "ts": ts}
			ev = map[string]any{"type": "message", "subtype": "message_changed", "channel": adaDM, "channel_type": "im", "ts": "1.2", "event_ts": "1.2", "message": after, "previous_message": before}
		case channel.Deleted:
			ev = map[string]any{"type": "message", "subtype": "message_deleted", "channel": adaDM, "channel_type": "im", "ts": "1.2", "event_ts": "1.2", "deleted_ts": ts, "previous_message": before}
		default:
			ev = map[string]any{"type": "reaction_added", "user": ada, "reaction": "thumbsup", "item_user": ada, "event_ts": "1.2", "item": map[string]any{"type": "message", "channel": adaDM, "ts": ts}}
			if action == channel.Unreacted {
				ev["type"] = "reaction_removed"
			}
		}
		body, _ := json.Marshal(wrapped("EvC"+string(action), ev))
		return channel.Raw{Channel: slack.Name, Inbox: "shop", ProviderID: "EvC" + string(action), ReceivedAt: time.Now(), ContentType: slack.ContentType, Body: body}
	}
}

func outbound(channeltest.Subject) channel.Outbound {
	return channel.Outbound{Inbox: "shop", Customer: "c1", At: time.Now(), To: channel.Address{Kind: slack.Name, Scope: team, Address: ada}}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, channeltest.Harness{
		Name: "Slack", Counterpart: channeltest.OurFake + "; the vendor's SDK calls it in the tests with the build tag rig",
		Outbound: outbound,
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			a := start(t, intake, nil)
			first := &firsts{at: map[string]time.Time{}}
			deliver := func(id, text string, at time.Time) error {
				if w := a.post(said(id, text, first.of(id, at))); w.Code != http.StatusOK {
					return fmt.Errorf("answer %d", w.Code)
				}
				return nil
			}
			return channeltest.Subject{
				Adapter: a.adapter, Shown: a.Shown, API: a.API("other"), Health: a.inboxes.Reported, Changed: changed(first),
				Deliver: func(_ context.Context, id, text string) error { return deliver(id, text, time.Now()) },
				SaidAt:  func(_ context.Context, id, text string, at time.Time) error { return deliver(id, text, at) },
				Hook: &channeltest.Hook{
					Handler: a.mux, Secrets: [2]string{oldSecret, newSecret}, Timed: true, Covers: true,
					Request: func(id, text, secret string, at time.Time) *http.Request {
						return hookRequest(secret, at, said(id, text, first.of(id, time.Now())))
					},
				},
			}
		},
	})
}
