package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/telegram"
)

func (f *fake) args(method string) map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last[method]
}

func TestWebhookIsRegisteredFake(t *testing.T) {
	t.Parallel()
	b := start(t, &channeltest.Intake{}, "auto", nil)
	hostedtest.Wait(t, "setWebhook", func() bool { return b.args("setWebhook") != nil })
	want := map[string]any{
		"url": "https://hub.example/hooks/telegram/bot", "secret_token": oldSecret,
		"allowed_updates": []any{"message", "edited_message", "message_reaction", "callback_query", "my_chat_member"},
	}
	for _, in := range []string{"bot", "other"} { // the fake keeps the last of both
		hostedtest.Wait(t, "health", func() bool { return b.inboxes.Health(in).State == "ok" })
	}
	got := b.args("setWebhook")
	got["url"] = strings.Replace(got["url"].(string), "/other", "/bot", 1)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}

// A pressed button is answered in the answer to the webhook, once it is stored.
func TestPressedIsAnsweredFake(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	b := start(t, in, "webhook", nil)
	press := map[string]any{"update_id": 1, "callback_query": map[string]any{"id": "42", "from": ada(), "chat_instance": "1", "data": "yes"}}
	in.Fail(errors.New("full"))
	if w := b.post(press); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "answerCallbackQuery") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	in.Fail(nil)
	w := b.post(press)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"callback_query_id":"42"`) || !strings.Contains(w.Body.String(), `"method":"answerCallbackQuery"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if id := in.Taken()[0].ProviderID; id != "pressed:42" {
		t.Error(id)
	}
}

func TestPressedIsAnsweredPollingFake(t *testing.T) {
	t.Parallel()
	b := start(t, &channeltest.Intake{}, "polling", nil)
	if err := b.enqueue(t.Context(), map[string]any{"callback_query": map[string]any{"id": "42", "from": ada(), "chat_instance": "1", "data": "yes"}}); err != nil {
		t.Fatal(err)
	}
	if got := b.args("answerCallbackQuery")["callback_query_id"]; got != "42" {
		t.Errorf("%v", got)
	}
}

// The offset outlives the process; after a quiet week it is not used, because
// Telegram counts anew then, perhaps below it.
func TestOffsetIsDurableFake(t *testing.T) {
	t.Parallel()
	state, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { state.Close() })
	f := newFake(t)
	in := &channeltest.Intake{}
	run := func(now func() time.Time, during func()) {
		inboxes := onlyInbox(f)
		a := telegram.New(hosted.Deps{Intake: in, Inboxes: inboxes, Client: f.Client(), State: state, Now: now})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx) }()
		during()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	asked := func() []int64 {
		f.mu.Lock()
		defer f.mu.Unlock()
		return append([]int64(nil), f.offsets...)
	}
	run(time.Now, func() {
		if err := f.enqueue(t.Context(), said("m1", "one", time.Now())); err != nil {
			t.Fatal(err)
		}
	})
	n := len(asked())
	run(time.Now, func() { hostedtest.Wait(t, "a question", func() bool { return len(asked()) > n }) })
	if got := asked()[n]; got != 5002 {
		t.Errorf("asked from %d", got)
	}
	n = len(asked())
	run(func() time.Time { return time.Now().Add(7 * 24 * time.Hour) }, func() { hostedtest.Wait(t, "a question", func() bool { return len(asked()) > n }) })
	if got := asked()[n]; got != 0 {
		t.Errorf("after a week asked from %d", got)
	}
	if len(in.Taken()) != 1 {
		t.Errorf("%d inputs", len(in.Taken()))
	}
}

func TestTwoReadersAreToldApartFake(t *testing.T) {
	t.Parallel()
	b := prepare(t, &channeltest.Intake{}, "polling", nil)
	b.conflict = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
	t.Cleanup(b.run())
	hostedtest.Wait(t, "health", func() bool {
		h := b.inboxes.Health("bot")
		return h.State == "needs_attention" && strings.Contains(h.Detail, "another program reads this bot's messages")
	})
}

func TestGroupsAreSaidAndNothingIsSentFake(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	b := start(t, in, "webhook", nil)
	hostedtest.Wait(t, "health", func() bool { return b.inboxes.Health("bot").State == "ok" })
	b.post(map[string]any{"update_id": 9, "message": map[string]any{
		"message_id": 1, "from": ada(), "date": 1, "text": "hi", "chat": map[string]any{"id": -100123, "type": "supergroup", "title": "Shop fans"},
	}})
	if h := b.inboxes.Health("bot"); h.State != "ok" || !strings.Contains(h.Detail, "Shop fans") {
		t.Errorf("%+v", h)
	}
	out := outbound(channeltest.Subject{})
	out.ID, out.Content.Text, out.To = "r1", "hello", channel.Address{Kind: "telegram_group", Scope: "bot", Address: "-100123"}
	if r, err := b.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateFailed || b.args("sendMessage") != nil {
		t.Errorf("%+v, %v", r, err)
	}
	out = outbound(channeltest.Subject{})
	out.ID, out.Content.Text = "r2", "hello"
	if _, err := b.adapter.Send(t.Context(), out); err != nil || !strings.Contains(b.inboxes.Health("bot").Detail, "Shop fans") {
		t.Errorf("a good send hides it: %+v, %v", b.inboxes.Health("bot"), err)
	}
}

func TestBlockedFailsInWordsFake(t *testing.T) {
	t.Parallel()
	b := start(t, &channeltest.Intake{}, "webhook", nil)
	b.blocked = true
	out := outbound(channeltest.Subject{})
	out.ID, out.Content.Text = "r1", "hello"
	if r, err := b.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateFailed || r.Detail != "the customer has blocked the bot" {
		t.Errorf("%+v, %v", r, err)
	}
}

// Telegram says how long to wait in the body.
func TestRetryAfterOfTheBodyFake(t *testing.T) {
	t.Parallel()
	b := start(t, &channeltest.Intake{}, "webhook", nil)
	b.API("other").Script(channeltest.Answer{Status: 429, Body: `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 9","parameters":{"retry_after":9}}`})
	out := outbound(channeltest.Subject{})
	out.ID, out.Content.Text = "r1", "hello"
	_, err := b.adapter.Send(t.Context(), out)
	if after, ok := errors.AsType[*channel.RetryAfterError](err); !ok || after.After != 9*time.Second {
		t.Errorf("%v", err)
	}
}

func TestAnswersReferAndFilesGoOutFake(t *testing.T) {
	t.Parallel()
	blobs, err := blob.NewDir(t.TempDir(), crypt.NewDeterministic("test"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	b := start(t, &channeltest.Intake{}, "webhook", blobs)
	keep := func(data string) string {
		key, _, err := blobs.Put(t.Context(), "k", strings.NewReader(data), 100)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	out := outbound(channeltest.Subject{})
	out.ID, out.Content.Text, out.InReplyTo = "r1", "Here you are.", fmt.Sprint(adaID, ":", 7)
	out.Content.Attachments = []channel.Attachment{
		{Name: "a.png", ContentType: "image/png", Size: 3, Blob: keep("png")},
		{Name: "b.pdf", ContentType: "application/pdf", Size: 3, Blob: keep("pdf")},
	}
	r, err := b.adapter.Send(t.Context(), out)
	if err != nil || r.State != channel.StateSent || r.ProviderID != "700001:1" {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := b.args("sendPhoto"); got["photo"] != "a.png=png" || got["caption"] != "Here you are." || got["reply_parameters"] != `{"message_id":7,"allow_sending_without_reply":true}` {
		t.Errorf("%v", got)
	}
	if got := b.args("sendDocument"); got["document"] != "b.pdf=pdf" || got["caption"] != nil || got["reply_parameters"] != nil {
		t.Errorf("%v", got)
	}
}

func TestFetchFake(t *testing.T) {
	t.Parallel()
	b := start(t, &channeltest.Intake{}, "webhook", nil)
	b.files["documents/id1"] = []byte("the file")
	rc, err := b.adapter.Fetch(t.Context(), "bot", channel.Attachment{Remote: "id1"})
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	if got, err := io.ReadAll(rc); err != nil || string(got) != "the file" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := b.adapter.Fetch(t.Context(), "bot", channel.Attachment{Remote: "id2"}); !errors.Is(err, channel.ErrGone) {
		t.Error(err)
	}
	b.Close()
	if _, err := b.adapter.Fetch(t.Context(), "bot", channel.Attachment{Remote: "id1"}); err == nil || strings.Contains(err.Error(), "AAfake") || errors.Is(err, channel.ErrGone) {
		t.Errorf("the token is in %v", err)
	}
}

func TestTypingFake(t *testing.T) {
	t.Parallel()
	b := start(t, &channeltest.Intake{}, "webhook", nil)
	if err := b.adapter.Typing(t.Context(), "bot", outbound(channeltest.Subject{}).To, true); err != nil {
		t.Fatal(err)
	}
	if got := b.args("sendChatAction"); got["action"] != "typing" {
		t.Errorf("%v", got)
	}
}

func TestSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	check := telegram.Channel(nil).Check
	for want, s := range map[string]map[string]string{
		"bot_token: is missing":                                  {},
		"bot_token: is not a bot's token":                        {"bot_token": "secret"},
		"receive: \"push\" is not one of auto, webhook, polling": {"bot_token": token, "receive": "push"},
		"webhook_secret: a secret has 3 characters":              {"bot_token": token, "webhook_secret": "abc"},
		"webhook_secret: may hold":                               {"bot_token": token, "webhook_secret": "0123456789abcdef!"},
		"webhook_secret: holds 3":                                {"bot_token": token, "webhook_secret": oldSecret + " " + oldSecret + " " + oldSecret},
		"api_url: \"ftp://x\" is not an address":                 {"bot_token": token, "api_url": "ftp://x"},
	} {
		if err := check(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", s, err, want)
		} else if strings.Contains(err.Error(), "AAfake") {
			t.Errorf("a secret is in %v", err)
		}
	}
	if err := check(map[string]string{"bot_token": token}); err != nil {
		t.Error(err)
	}
}

func TestSettingsAreTriedFake(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	in := inbox.Inbox{ID: "bot", Settings: map[string]string{"bot_token": token, "api_url": f.URL}}
	if err := telegram.Channel(f.Client()).Test(t.Context(), in); err != nil {
		t.Error(err)
	}
	in.Settings["bot_token"] = "1:AAfakeTokenOfNobody_0123456789"
	if err := telegram.Channel(f.Client()).Test(t.Context(), in); !errors.Is(err, channel.ErrNeedsAttention) {
		t.Error(err)
	}
}

func onlyInbox(f *fake) *hostedtest.Registry {
	return hostedtest.Inboxes(inbox.Inbox{ID: "bot", Channel: telegram.Name, Name: "Shop", Settings: map[string]string{"bot_token": token, "api_url": f.URL}})
}
