package line_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/line"
)

// shop is the adapter with its provider.
type shop struct {
	*fake
	inboxes *hostedtest.Registry
	adapter *line.Adapter
	mux     *http.ServeMux
	run     func() (stop func())
}

func start(t testing.TB, intake channel.Intake) *shop {
	s := prepare(t, intake, "https://hub.example")
	t.Cleanup(s.run())
	return s
}

func prepare(t testing.TB, intake channel.Intake, public string) *shop {
	s := &shop{fake: newFake(t), mux: http.NewServeMux()}
	settings := func(token string) map[string]string {
		return map[string]string{"channel_access_token": token, "channel_secret": oldSecret + "\n" + newSecret, "api_url": s.URL, "data_api_url": s.URL}
	}
	other := settings(otherToken)
	other["webhook"] = "by_hand" // the fake knows one address
	s.inboxes = hostedtest.Inboxes(
		inbox.Inbox{ID: "shop", Channel: line.Name, Name: "Shop", Settings: settings(token)},
		inbox.Inbox{ID: "other", Channel: line.Name, Name: "Another", Settings: other},
	)
	s.adapter = line.New(hosted.Deps{Intake: intake, Inboxes: s.inboxes, Client: s.Client(), PublicURL: public, After: s.Clock.After})
	s.adapter.Routes(s.mux)
	s.run = func() func() {
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- s.adapter.Run(ctx) }()
		return func() {
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	return s
}

func hookRequest(secret string, events ...map[string]any) *http.Request {
	body, err := json.Marshal(map[string]any{"destination": account, "events": events})
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest(http.MethodPost, hosted.HookPath(line.Name, "shop"), bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("X-Line-Signature", sign(secret, body))
	return r
}

func (s *shop) post(events ...map[string]any) int {
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, hookRequest(newSecret, events...))
	return w.Code
}

func unsent(id string, _ channel.Action) channel.Raw {
	body, _ := json.Marshal(happened("unsend", "U"+id, time.Now(), map[string]any{"unsend": map[string]any{"messageId": id}}))
	return channel.Raw{Channel: line.Name, Inbox: "shop", ProviderID: "01HU" + id, ReceivedAt: time.Now(), ContentType: line.ContentType, Body: body}
}

func outbound(channeltest.Subject) channel.Outbound {
	return channel.Outbound{Inbox: "shop", Customer: "c1", At: time.Now(), To: channel.Address{Kind: line.Name, Scope: "shop", Address: ada}}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, channeltest.Harness{
		Name: "LINE", Counterpart: channeltest.OurFake + "; the vendor's SDK accepts the signatures and calls the fake in the tests with the build tag rig",
		Without: map[string]string{
			"OldProofIsRefused": "LINE signs the body and no time; an event that is sent again is recognised by its webhookEventId",
		},
		Outbound: outbound,
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			s := start(t, intake)
			deliver := func(id, text string, at time.Time) error {
				if code := s.post(said(id, text, at)); code != http.StatusOK {
					return fmt.Errorf("answer %d", code)
				}
				return nil
			}
			return channeltest.Subject{
				Adapter: s.adapter, Shown: s.Shown, API: s.API("other"), Health: s.inboxes.Reported, Changed: unsent,
				Deliver: func(_ context.Context, id, text string) error { return deliver(id, text, time.Now()) },
				SaidAt:  func(_ context.Context, id, text string, at time.Time) error { return deliver(id, text, at) },
				Hook: &channeltest.Hook{
					Handler: s.mux, Secrets: [2]string{oldSecret, newSecret}, Covers: true,
					Request: func(id, text, secret string, at time.Time) *http.Request {
						return hookRequest(secret, said(id, text, at))
					},
				},
			}
		},
	})
}
