package telegram_test

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
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/telegram"
)

const (
	oldSecret = "old_secret_of_the_webhook_1234567890"
	newSecret = "new_secret_of_the_webhook_1234567890"
)

// bot is the adapter with its provider.
type bot struct {
	*fake
	inboxes *hostedtest.Registry
	adapter *telegram.Adapter
	mux     *http.ServeMux
	intake  *channeltest.Intake
	run     func() (stop func())
}

func start(t testing.TB, intake channel.Intake, mode string, blobs blob.Store) *bot {
	b := prepare(t, intake, mode, blobs)
	t.Cleanup(b.run())
	return b
}

func prepare(t testing.TB, intake channel.Intake, mode string, blobs blob.Store) *bot {
	b := &bot{fake: newFake(t), mux: http.NewServeMux()}
	b.intake, _ = intake.(*channeltest.Intake)
	settings := func(token string) map[string]string {
		return map[string]string{"bot_token": token, "receive": mode, "webhook_secret": oldSecret + "\n" + newSecret, "api_url": b.URL}
	}
	b.inboxes = hostedtest.Inboxes(
		inbox.Inbox{ID: "bot", Channel: telegram.Name, Name: "Shop", Settings: settings(token)},
		inbox.Inbox{ID: "other", Channel: telegram.Name, Name: "Another", Settings: settings(otherToken)},
	)
	b.adapter = telegram.New(hosted.Deps{Intake: intake, Inboxes: b.inboxes, Client: b.Client(), PublicURL: "https://hub.example", Blobs: blobs, After: b.Clock.After})
	b.adapter.Routes(b.mux)
	b.run = func() func() {
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- b.adapter.Run(ctx) }()
		return func() {
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	return b
}

func hookRequest(secret string, update map[string]any) *http.Request {
	body, err := json.Marshal(update)
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest(http.MethodPost, hosted.HookPath(telegram.Name, "bot"), bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
	return r
}

func (b *bot) post(update map[string]any) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.mux.ServeHTTP(w, hookRequest(newSecret, update))
	return w
}

// numbered is an update as it comes by webhook.
func numbered(id string, update map[string]any) map[string]any {
	update["update_id"] = number(id) % 1_000_000
	return update
}

func changed(id string, action channel.Action) channel.Raw {
	var u map[string]any
	if action == channel.Edited {
		u = said(id, "after", time.Now())
		u["edited_message"] = u["message"]
		u["edited_message"].(map[string]any)["edit_date"] = time.Now().Unix()
		delete(u, "message")
	} else {
		thumb, was, is := map[string]any{"type": "emoji", "emoji": "👍"}, []any{}, []any{}
		if action == channel.Reacted {
			is = append(is, thumb)
		} else {
			was = append(was, thumb)
		}
		u = map[string]any{"message_reaction": map[string]any{
			"chat": adaChat(), "message_id": number(id), "user": ada(), "date": time.Now().Unix(), "old_reaction": was, "new_reaction": is,
		}}
	}
	body, _ := json.Marshal(numbered(id+string(action), u))
	return channel.Raw{Channel: telegram.Name, Inbox: "bot", ProviderID: "change-" + string(action), ReceivedAt: time.Now(), ContentType: telegram.ContentType, Body: body}
}

func outbound(channeltest.Subject) channel.Outbound {
	return channel.Outbound{Inbox: "bot", Customer: "c1", At: time.Now(), To: channel.Address{Kind: telegram.Name, Scope: "bot", Address: fmt.Sprint(adaID)}}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, channeltest.Harness{
		Name: "Telegram", Counterpart: channeltest.OurFake + ", webhook",
		Without: map[string]string{
			"OldProofIsRefused": "Telegram sends a secret along with each update and signs no time; an update that is sent again is recognised by its message's id",
		},
		Outbound: outbound,
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			b := start(t, intake, "webhook", nil)
			deliver := func(id, text string, at time.Time) error {
				if w := b.post(numbered(id, said(id, text, at))); w.Code != http.StatusOK {
					return fmt.Errorf("answer %d", w.Code)
				}
				return nil
			}
			return channeltest.Subject{
				Adapter: b.adapter, Shown: b.Shown, API: b.API("other"), Health: b.inboxes.Reported, Changed: changed,
				Deliver: func(_ context.Context, id, text string) error { return deliver(id, text, time.Now()) },
				SaidAt:  func(_ context.Context, id, text string, at time.Time) error { return deliver(id, text, at) },
				Hook: &channeltest.Hook{
					Handler: b.mux, Secrets: [2]string{oldSecret, newSecret},
					Request: func(id, text, secret string, at time.Time) *http.Request {
						return hookRequest(secret, numbered(id, said(id, text, at)))
					},
				},
			}
		},
	})
}

func TestConformancePollingFake(t *testing.T) {
	t.Parallel()
	const pulls = "the adapter asks for its messages with the bot's token; nobody posts to it"
	channeltest.Run(t, channeltest.Harness{
		Name: "Telegram, polling", Counterpart: channeltest.OurFake + ", long polling",
		Without:  map[string]string{"ForgedIsRefused": pulls, "OldProofIsRefused": pulls, "TwoSecretsAreLive": pulls},
		Outbound: outbound,
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			b := start(t, intake, "polling", nil)
			return channeltest.Subject{
				Adapter: b.adapter, Shown: b.Shown, API: b.API("other"), Health: b.inboxes.Reported, Changed: changed,
				Deliver: func(ctx context.Context, id, text string) error { return b.enqueue(ctx, said(id, text, time.Now())) },
				SaidAt: func(ctx context.Context, id, text string, at time.Time) error {
					return b.enqueue(ctx, said(id, text, at))
				},
			}
		},
	})
}
