package line_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/line"
)

func (f *fake) args(what string) map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last[what]
}

// set changes what the fake does, while it may be called.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (s *shop) healthy(state, word string) func() bool {
	return func() bool {
		h := s.inboxes.Health("shop")
		return h.State == state && strings.Contains(h.Detail, word) && (word != "" || h.Detail == "")
	}
}

// A token and a secret are all it takes; the address is entered again when somebody changes it.
func TestWebhookIsEnteredAndLookedAfterFake(t *testing.T) {
	t.Parallel()
	s := prepare(t, &channeltest.Intake{}, "https://hub.example")
	s.adapter.LookEvery(20 * time.Millisecond)
	t.Cleanup(s.run())
	const want = "https://hub.example/hooks/line/shop"
	ours := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.hook == want
	}
	hostedtest.Wait(t, "the webhook", ours)
	hostedtest.Wait(t, "all well", s.healthy("ok", ""))
	s.set(func() { s.hook = "https://another.example/" })
	hostedtest.Wait(t, "the webhook again", ours)
	s.set(func() { s.active = false })
	hostedtest.Wait(t, "words about the switch", s.healthy("needs_attention", "Use webhook"))
	s.set(func() { s.active = true })
	hostedtest.Wait(t, "all well", s.healthy("ok", ""))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.puts != 2 {
		t.Errorf("entered %d times", s.puts)
	}
}

func TestWithoutAPublicAddressItIsSaidWhatToCopyFake(t *testing.T) {
	t.Parallel()
	s := prepare(t, &channeltest.Intake{}, "http://127.0.0.1:8080")
	t.Cleanup(s.run())
	hostedtest.Wait(t, "words", s.healthy("ok", "/hooks/line/shop"))
	if s.args("PUT /v2/bot/channel/webhook/endpoint") != nil {
		t.Error("an address that LINE cannot reach is entered")
	}
	hostedtest.Wait(t, "words", func() bool {
		return strings.HasSuffix(s.inboxes.Health("other").Detail, "/hooks/line/other")
	})
}

// LINE tries an address with a signed request without events.
func TestAnEmptyRequestIsThankedFake(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	s := start(t, in)
	if code := s.post(); code != http.StatusOK || len(in.Taken()) != 0 {
		t.Errorf("%d, %d stored", code, len(in.Taken()))
	}
	w := httptest.NewRecorder()
	r := hookRequest("0000000000000000", said("1", "hi", time.Now()))
	if s.mux.ServeHTTP(w, r); w.Code != http.StatusUnauthorized {
		t.Error(w.Code)
	}
}

// What is delivered again has the same id; several people are several inputs;
// what says nothing is thanked for and not kept.
func TestOneRequestOfSeveralEventsFake(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	s := start(t, in)
	now := time.Now()
	first := said("1", "hi", now)
	again := said("1", "hi", now)
	again["deliveryContext"] = map[string]any{"isRedelivery": true}
	bob := said("2", "hi", now)
	bob["source"] = map[string]any{"type": "user", "userId": "U0000000000000000000000000000000b"}
	link := happened("accountLink", "3", now, map[string]any{"link": map[string]any{"result": "ok", "nonce": "x"}})
	friend := happened("follow", "4", now, map[string]any{"follow": map[string]any{"isUnblocked": false}})
	if code := s.post(first, bob, link, friend, again); code != http.StatusOK {
		t.Fatal(code)
	}
	var ids, peeks []string
	for _, r := range in.Taken() {
		ids, peeks = append(ids, r.ProviderID), append(peeks, r.Peek.Address)
	}
	if !reflect.DeepEqual(ids, []string{"01H1", "01H2", "01H1"}) || !reflect.DeepEqual(peeks, []string{ada, "U0000000000000000000000000000000b", ada}) {
		t.Errorf("%v, %v", ids, peeks)
	}
	if code := s.post(map[string]any{"type": 7}); code != http.StatusOK || len(in.Taken()) != 4 {
		t.Errorf("an event that cannot be read: %d, %d stored", code, len(in.Taken()))
	}
}

func TestGroupsAreSaidAndNothingIsSentFake(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	s := start(t, in)
	hostedtest.Wait(t, "health", s.healthy("ok", ""))
	group := map[string]any{"type": "group", "groupId": "Ca56f94637c0000000000000000000000", "userId": ada}
	e := said("1", "hello all", time.Now())
	e["source"] = group
	join := happened("join", "2", time.Now(), map[string]any{"source": group})
	s.post(join, e)
	if !s.healthy("ok", "in a group")() || len(in.Taken()) != 1 {
		t.Errorf("%+v, %d stored", s.inboxes.Health("shop"), len(in.Taken()))
	}
	out := outbound(channeltest.Subject{})
	out.ID, out.Content.Text, out.To = "r1", "hello", channel.Address{Kind: "line_group", Scope: "shop", Address: "Ca56f94637c0000000000000000000000"}
	if r, err := s.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateFailed || s.args("POST /v2/bot/message/push") != nil {
		t.Errorf("%+v, %v", r, err)
	}
	s.post(happened("leave", "3", time.Now(), map[string]any{"source": group}))
	if !s.healthy("ok", "")() {
		t.Errorf("%+v", s.inboxes.Health("shop"))
	}
}

// A rate limit passes by itself. That the month's messages are used up does not: both are 429.
func TestTheMonthIsOverNeedsAttentionFake(t *testing.T) {
	t.Parallel()
	s := prepare(t, &channeltest.Intake{}, "https://hub.example")
	now := time.Now()
	a := line.New(hosted.Deps{Intake: &channeltest.Intake{}, Inboxes: s.inboxes, Client: s.Client(), Now: func() time.Time { return now }})
	s.set(func() { s.spent = true })
	out := outbound(channeltest.Subject{})
	out.ID, out.Content.Text = "r1", "hello"
	if _, err := a.Send(t.Context(), out); !errors.Is(err, channel.ErrNeedsAttention) || !s.healthy("needs_attention", "used up")() {
		t.Fatalf("%v, %+v", err, s.inboxes.Health("shop"))
	}
	if _, err := a.Send(t.Context(), out); err == nil {
		t.Error("LINE is asked again at once")
	}
	s.set(func() { s.spent = false })
	now = now.Add(2 * time.Minute)
	if r, err := a.Send(t.Context(), out); err != nil || r.State != channel.StateSent || s.inboxes.Health("shop").State != "ok" {
		t.Errorf("%+v, %v, %+v", r, err, s.inboxes.Health("shop"))
	}
}

// The key outlives the process, and the second answer has the id of the first.
func TestRetryKeyFake(t *testing.T) {
	t.Parallel()
	s := start(t, &channeltest.Intake{})
	out := outbound(channeltest.Subject{})
	out.ID, out.Content.Text = "r1", strings.Repeat("long ", 1200)
	first, err := s.adapter.Send(t.Context(), out)
	if err != nil || first.State != channel.StateSent || len(s.Shown()) != 2 {
		t.Fatalf("%+v, %v, %d shown", first, err, len(s.Shown()))
	}
	later := line.New(hosted.Deps{Intake: &channeltest.Intake{}, Inboxes: s.inboxes, Client: s.Client()})
	second, err := later.Send(t.Context(), out)
	if err != nil || second.State != channel.StateSent || second.ProviderID != first.ProviderID || len(s.Shown()) != 2 {
		t.Errorf("%+v, %v, %d shown", second, err, len(s.Shown()))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.keys) != 2 || s.keys[0] != s.keys[1] || s.keys[0] != "753e60af-fb88-504c-ae53-f472c9a0b2a1" {
		t.Errorf("keys are %v; they must never change", s.keys)
	}
}

// LINE forgets a key after a day: what is lost then is not sent again by itself.
func TestALostAnswerAfterADayIsUnknownFake(t *testing.T) {
	t.Parallel()
	s := start(t, &channeltest.Intake{})
	out := outbound(channeltest.Subject{})
	out.ID, out.Content.Text, out.At = "r1", "hello", time.Now().Add(-25*time.Hour)
	s.API("other").Script(channeltest.Answer{Lost: true})
	if r, err := s.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateUnknown {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestRefusalsInWordsFake(t *testing.T) {
	t.Parallel()
	s := start(t, &channeltest.Intake{})
	for want, change := range map[string]func(*channel.Outbound){
		"not a LINE user's id": func(o *channel.Outbound) { o.To.Address = "ada" },
		"send a link":          func(o *channel.Outbound) { o.Content.Attachments = []channel.Attachment{{Name: "a.png"}} },
		"is empty":             func(o *channel.Outbound) { o.Content.Text = " " },
		"6 messages":           func(o *channel.Outbound) { o.Content.Text = strings.Repeat("x", 25_001) },
		"does not know this customer": func(*channel.Outbound) {
			s.API("other").Script(channeltest.Answer{Status: 400, Body: `{"message":"Failed to send messages"}`})
		},
		"(400: oops; a: b)": func(*channel.Outbound) {
			s.API("other").Script(channeltest.Answer{Status: 400, Body: `{"message":"oops","details":[{"message":"b","property":"a"}]}`})
		},
	} {
		out := outbound(channeltest.Subject{})
		out.ID, out.Content.Text = "r-"+want, "hello"
		change(&out)
		if r, err := s.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateFailed || !strings.Contains(r.Detail, want) {
			t.Errorf("%s: %+v, %v", want, r, err)
		}
	}
	out := outbound(channeltest.Subject{})
	out.ID, out.Content.Text = "r", "hello"
	s.API("other").Script(channeltest.Answer{Status: 403, Body: `{"message":"Access to this API is not available for your account"}`})
	if _, err := s.adapter.Send(t.Context(), out); !errors.Is(err, channel.ErrNeedsAttention) {
		t.Error(err)
	}
}

func TestFetchFake(t *testing.T) {
	t.Parallel()
	s := start(t, &channeltest.Intake{})
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the token goes to strangers")
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(elsewhere.Close)
	s.files["7"], s.waits = []byte("the file"), 1
	_, err := s.adapter.Fetch(t.Context(), "shop", channel.Attachment{Remote: "7"})
	if after, ok := errors.AsType[*channel.RetryAfterError](err); !ok || after.After != 5*time.Second {
		t.Errorf("a file that is not ready: %v", err)
	}
	rc, err := s.adapter.Fetch(t.Context(), "shop", channel.Attachment{Remote: "7"})
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	if got, err := io.ReadAll(rc); err != nil || string(got) != "the file" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := s.adapter.Fetch(t.Context(), "shop", channel.Attachment{Remote: "8"}); !errors.Is(err, channel.ErrGone) {
		t.Error(err)
	}
	// The address of a stranger says nothing of the inbox.
	hostedtest.Wait(t, "health", s.healthy("ok", ""))
	if _, err := s.adapter.Fetch(t.Context(), "shop", channel.Attachment{Remote: strings.Replace(elsewhere.URL, "http:", "https:", 1)}); err == nil {
		t.Error("there is something")
	}
	if !s.healthy("ok", "")() {
		t.Errorf("%+v", s.inboxes.Health("shop"))
	}
}

// Events hold ids alone: the name is asked for once, and a message waits for none.
func TestNamesAreAskedForFake(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	s := start(t, in)
	s.post(said("1", "hi", time.Now()), said("2", "hi", time.Now()))
	for _, raw := range in.Taken() {
		items, err := s.adapter.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		got := s.adapter.Verify(t.Context(), raw, items)
		if m := got[0].Message; m.From.Name != "Ada" || m.Assurance != 2 || items[0].Message.From.Name != "" {
			t.Errorf("%+v", m)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.asked, []string{ada}) {
		t.Errorf("asked for %v", s.asked)
	}
}

func TestTypingFake(t *testing.T) {
	t.Parallel()
	s := start(t, &channeltest.Intake{})
	if err := s.adapter.Typing(t.Context(), "shop", outbound(channeltest.Subject{}).To, true); err != nil {
		t.Fatal(err)
	}
	if got := s.args("POST /v2/bot/chat/loading/start"); got["chatId"] != ada || got["loadingSeconds"] != 5.0 {
		t.Errorf("%v", got)
	}
}

func TestSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	check := line.Channel(nil).Check
	for want, s := range map[string]map[string]string{
		"channel_access_token: is missing":                   {},
		"channel_secret: is missing":                         {},
		"channel_access_token: is not a channel access":      {"channel_access_token": "short", "channel_secret": oldSecret},
		"channel_secret: a secret has 3 characters":          {"channel_access_token": token, "channel_secret": "abc"},
		"channel_secret: holds 3":                            {"channel_access_token": token, "channel_secret": oldSecret + " " + oldSecret + " " + oldSecret},
		"webhook: \"never\" is not one of auto, by_hand":     {"channel_access_token": token, "channel_secret": oldSecret, "webhook": "never"},
		"api_url: \"ftp://x\" is not an address":             {"channel_access_token": token, "channel_secret": oldSecret, "api_url": "ftp://x"},
		"keep_deleted: \"perhaps\" is not one of yes, no":    {"channel_access_token": token, "channel_secret": oldSecret, "keep_deleted": "perhaps"},
		"mask: \"everything\" is not one of":                 {"channel_access_token": token, "channel_secret": oldSecret, "mask": "everything"},
		"data_api_url: \"x\" is not an address such as http": {"channel_access_token": token, "channel_secret": oldSecret, "data_api_url": "x"},
	} {
		if err := check(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", s, err, want)
		} else if strings.Contains(err.Error(), oldSecret) || strings.Contains(err.Error(), token) {
			t.Errorf("a secret is in %v", err)
		}
	}
	if err := check(map[string]string{"channel_access_token": token, "channel_secret": oldSecret}); err != nil {
		t.Error(err)
	}
}

func TestSettingsAreTriedFake(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	in := inbox.Inbox{ID: "shop", Settings: map[string]string{"channel_access_token": token, "channel_secret": oldSecret, "api_url": f.URL}}
	if err := line.Channel(f.Client()).Test(t.Context(), in); err != nil {
		t.Error(err)
	}
	if s := line.Channel(f.Client()).Steps(t.Context(), in); len(s) != 1 || s[0].Err != nil || s[0].Detail != "Shop @216abcde" {
		t.Errorf("%+v", s)
	}
	in.Settings["channel_access_token"] = "anotherTokenOfNobody0123456789"
	if err := line.Channel(f.Client()).Test(t.Context(), in); !errors.Is(err, channel.ErrNeedsAttention) {
		t.Error(err)
	}
}
