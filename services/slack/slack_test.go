package slack_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/slack"
)

func (f *fake) args(method string) map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last[method]
}

// set changes what the fake does, while it may be called.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (a *app) healthy(state, word string) func() bool {
	return func() bool {
		h := a.inboxes.Health("shop")
		return h.State == state && strings.Contains(h.Detail, word)
	}
}

// slack-go's verifier is not Slack's own, but many apps rely on it: what it takes we take, what it refuses we refuse.
func TestSignaturesAreThoseOfSlackGo(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	a := start(t, in, nil)
	for name, change := range map[string]func(r *http.Request, body *[]byte){
		"good":     func(*http.Request, *[]byte) {},
		"tampered": func(_ *http.Request, body *[]byte) { *body = append(*body, ' ') },
		"no version": func(r *http.Request, _ *[]byte) {
			r.Header.Set("X-Slack-Signature", strings.TrimPrefix(r.Header.Get("X-Slack-Signature"), "v0="))
		},
		"no hex":     func(r *http.Request, _ *[]byte) { r.Header.Set("X-Slack-Signature", "v0=xyz") },
		"none":       func(r *http.Request, _ *[]byte) { r.Header.Del("X-Slack-Signature") },
		"no time":    func(r *http.Request, _ *[]byte) { r.Header.Del("X-Slack-Request-Timestamp") },
		"other time": func(r *http.Request, _ *[]byte) { r.Header.Set("X-Slack-Request-Timestamp", "1764235200") },
		"upper case": func(r *http.Request, _ *[]byte) {
			r.Header.Set("X-Slack-Signature", "v0="+strings.ToUpper(r.Header.Get("X-Slack-Signature")[3:]))
		},
		"six minutes": func(r *http.Request, body *[]byte) {
			*r = *hookRequest(oldSecret, time.Now().Add(-6*time.Minute), said("1", "hi", time.Now()))
			*body, _ = io.ReadAll(r.Body)
		},
	} {
		r := hookRequest(oldSecret, time.Now(), said("1", "hi", time.Now()))
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		change(r, &body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		v, theirs := slackgo.NewSecretsVerifier(r.Header, oldSecret)
		if theirs == nil {
			if _, err := v.Write(body); err != nil {
				t.Fatal(err)
			}
			theirs = v.Ensure()
		}
		w := httptest.NewRecorder()
		a.mux.ServeHTTP(w, r)
		if (theirs == nil) != (w.Code == http.StatusOK) {
			t.Errorf("%s: slack-go says %v, we answer %d", name, theirs, w.Code)
		}
	}
}

// Slack tries an address with a signed challenge, which is given back and not kept.
func TestTheChallengeIsGivenBackFake(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	a := start(t, in, nil)
	challenge := map[string]any{"token": "x", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P", "type": "url_verification"}
	w := a.post(challenge)
	if w.Code != http.StatusOK || w.Body.String() != challenge["challenge"] || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") || len(in.Taken()) != 0 {
		t.Errorf("%d %q, %d stored", w.Code, w.Body, len(in.Taken()))
	}
	w = httptest.NewRecorder()
	if a.mux.ServeHTTP(w, hookRequest("another secret of nobody", time.Now(), challenge)); w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "3eZ") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

func TestAnAppThatIsTakenOutNeedsAttentionFake(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	a := start(t, in, nil)
	hostedtest.Wait(t, "what to copy", a.healthy("ok", "https://hub.example/hooks/slack/shop"))
	for event, word := range map[string]string{"app_uninstalled": "taken out", "tokens_revoked": "revoked"} {
		a.post(wrapped("Ev1", map[string]any{"type": event, "tokens": map[string]any{"bot": []string{"UXXXXXXXX"}}}))
		if !a.healthy("needs_attention", word)() {
			t.Errorf("%s: %+v", event, a.inboxes.Health("shop"))
		}
	}
	a.post(map[string]any{"type": "app_rate_limited", "team_id": team, "minute_rate_limited": 1518467820})
	if !a.healthy("needs_attention", "drops events")() || len(in.Taken()) != 0 {
		t.Errorf("%+v", a.inboxes.Health("shop"))
	}
	a.inboxes.Set("shop", "bot_token", otherToken)
	hostedtest.Wait(t, "health with a new token", a.healthy("ok", ""))
}

// A look at the token does not hide what Slack has told, nor a scope that is missing.
func TestTroubleIsNotHiddenFake(t *testing.T) {
	t.Parallel()
	a := prepare(t, &channeltest.Intake{}, nil)
	f := a.fake
	a.adapter.LookEvery(10 * time.Millisecond)
	a.run(t)
	looked := func() int {
		f.mu.Lock()
		defer f.mu.Unlock()
		n := 0
		for _, c := range f.calls {
			if c == "auth.test" {
				n++
			}
		}
		return n
	}
	out := outbound(channeltest.Subject{})
	out.ID, out.Content.Text, out.InReplyTo = "r1", "hello", adaDM+":1764235200.000123"
	hostedtest.Wait(t, "the first look", func() bool { return looked() > 0 }) // before it the settings are new, and nothing was told
	f.set(func() {
		f.refuses["chat.postMessage"] = map[string]any{"ok": false, "error": "missing_scope", "needed": "chat:write"}
	})
	if _, err := a.adapter.Send(t.Context(), out); !errors.Is(err, channel.ErrNeedsAttention) {
		t.Fatal(err)
	}
	n := looked()
	hostedtest.Wait(t, "looks", func() bool { return looked() > n+3 })
	if !a.healthy("needs_attention", "chat:write")() {
		t.Errorf("%+v", a.inboxes.Health("shop"))
	}
	f.set(func() { delete(f.refuses, "chat.postMessage") })
	if r, err := a.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateSent || a.inboxes.Health("shop").State != "ok" {
		t.Errorf("%+v, %v, %+v", r, err, a.inboxes.Health("shop"))
	}
}

// An answer goes where it was asked: directly, into the thread of direct
// messages, into the thread of a channel; and a first message opens the direct messages.
func TestAnswersGoWhereItWasAskedFake(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change          func(*channel.Outbound)
		channel, thread any
	}{
		"first": {func(*channel.Outbound) {}, adaDM, nil},
		"direct": {func(o *channel.Outbound) {
			o.InReplyTo, o.References = "D0OLD:1764235200.000123", []string{"D0OLD:1764235200.000123"}
		}, "D0OLD", nil},
		"direct thread": {func(o *channel.Outbound) {
			o.InReplyTo, o.References = adaDM+":1764235300.000300", []string{adaDM + ":1764235200.000123", adaDM + ":1764235300.000300"}
		}, adaDM, "1764235200.000123"},
		"channel": {func(o *channel.Outbound) {
			o.InReplyTo, o.Thread = "C0HELP:1764235300.000300", "C0HELP:1764235200.000200"
		}, "C0HELP", "1764235200.000200"},
	} {
		a := start(t, &channeltest.Intake{}, nil)
		out := outbound(channeltest.Subject{})
		out.ID, out.Content.Text = "r1", "Tom & Jerry <3 *stars*"
		c.change(&out)
		r, err := a.adapter.Send(t.Context(), out)
		if err != nil || r.State != channel.StateSent || !strings.HasPrefix(r.ProviderID, c.channel.(string)+":") {
			t.Errorf("%s: %+v, %v", name, r, err)
			continue
		}
		got := a.args("chat.postMessage")
		if got["channel"] != c.channel || got["thread_ts"] != c.thread || got["text"] != "Tom &amp; Jerry &lt;3 *stars*" || got["mrkdwn"] != false {
			t.Errorf("%s: %v", name, got)
		}
		if opened := a.args("conversations.open") != nil; opened != (name == "first") {
			t.Errorf("%s: opened %t", name, opened)
		}
	}
}

func TestRefusalsInWordsFake(t *testing.T) {
	t.Parallel()
	a := start(t, &channeltest.Intake{}, nil)
	for want, change := range map[string]func(*channel.Outbound){
		"not a Slack user's id":       func(o *channel.Outbound) { o.To.Address = "ada" },
		"which thread":                func(o *channel.Outbound) { o.Thread = "media:7" },
		"is empty":                    func(o *channel.Outbound) { o.Content.Text = " " },
		"11 messages":                 func(o *channel.Outbound) { o.Content.Text = strings.Repeat("x", 40_001) },
		"11 files":                    func(o *channel.Outbound) { o.Content.Attachments = make([]channel.Attachment, 11) },
		"does not know this customer": func(o *channel.Outbound) { o.To.Address = "U0NOBODY" },
		"invite it (not_in_channel)": func(*channel.Outbound) {
			a.API("").Script(channeltest.Answer{Status: 200, Body: `{"ok":false,"error":"not_in_channel"}`})
		},
		"Slack refuses it (as_user_odd)": func(*channel.Outbound) {
			a.API("").Script(channeltest.Answer{Status: 200, Body: `{"ok":false,"error":"as_user_odd"}`})
		},
	} {
		out := outbound(channeltest.Subject{})
		out.ID, out.Content.Text = "r-"+want, "hello"
		change(&out)
		if r, err := a.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateFailed || !strings.Contains(r.Detail, want) {
			t.Errorf("%s: %+v, %v", want, r, err)
		}
	}
	out := outbound(channeltest.Subject{})
	out.ID, out.Content.Text = "r", "hello"
	for body, check := range map[string]func(channel.Receipt, error) bool{
		`{"ok":false,"error":"token_revoked"}`:    func(_ channel.Receipt, err error) bool { return errors.Is(err, channel.ErrNeedsAttention) },
		`{"ok":false,"error":"account_inactive"}`: func(_ channel.Receipt, err error) bool { return errors.Is(err, channel.ErrNeedsAttention) },
		`{"ok":false,"error":"invalid_auth"}`:     func(_ channel.Receipt, err error) bool { return errors.Is(err, channel.ErrNeedsAttention) },
		`{"ok":false,"error":"service_unavailable"}`: func(_ channel.Receipt, err error) bool {
			return err != nil && !errors.Is(err, channel.ErrNeedsAttention)
		},
		`{"ok":false,"error":"fatal_error"}`: func(r channel.Receipt, err error) bool { return err == nil && r.State == channel.StateUnknown },
		`half an ans`:                        func(r channel.Receipt, err error) bool { return err == nil && r.State == channel.StateUnknown },
		`{"ok":false,"error":"ratelimited"}`: func(_ channel.Receipt, err error) bool {
			_, ok := errors.AsType[*channel.RetryAfterError](err)
			return ok
		},
	} {
		a.API("").Script(channeltest.Answer{Status: 200, Body: body})
		if r, err := a.adapter.Send(t.Context(), out); !check(r, err) {
			t.Errorf("%s: %+v, %v", body, r, err)
		}
	}
}

// What Slack says of one method does not hold back another.
func TestNamesDoNotHoldBackAnswersFake(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	a := start(t, in, nil)
	a.post(said("1", "hi", time.Now()))
	items, err := a.adapter.Parse(in.Taken()[0])
	if err != nil {
		t.Fatal(err)
	}
	a.set(func() { a.refuses["users.info"] = map[string]any{"ok": false, "error": "ratelimited"} })
	if got := a.adapter.Verify(t.Context(), in.Taken()[0], items); got[0].Message.From.Name != "" {
		t.Errorf("%+v", got[0].Message.From)
	}
	out := outbound(channeltest.Subject{})
	out.ID, out.Content.Text = "r1", "hello"
	if r, err := a.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateSent {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestNamesAreAskedForFake(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	a := start(t, in, nil)
	a.post(said("1", "hi", time.Now()))
	items, err := a.adapter.Parse(in.Taken()[0])
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if m := a.adapter.Verify(t.Context(), in.Taken()[0], items)[0].Message; m.From.Name != "Ada" || m.Assurance != 2 {
			t.Errorf("%+v", m)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(slices.DeleteFunc(slices.Clone(a.calls), func(s string) bool { return s != "users.info" })); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// A text of three parts breaks off: what went out is found by its marks, also
// pages away, and the rest goes on behind it.
func TestLookFindsEveryPartFake(t *testing.T) {
	t.Parallel()
	for _, thread := range []string{"", "C0HELP:1764235200.000200"} {
		a := start(t, &channeltest.Intake{}, nil)
		a.set(func() { a.page = 2 })
		out := outbound(channeltest.Subject{})
		out.ID, out.Thread, out.Content.Text = "r1", thread, strings.Repeat("one ", 1000)+strings.Repeat("two ", 1000)+strings.Repeat("end ", 500)
		if r, err := a.adapter.Look(t.Context(), out); err != nil || r.State != "" {
			t.Errorf("nothing was sent: %+v, %v", r, err)
		}
		a.API("").Script(channeltest.Answer{Lost: true})
		if r, err := a.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateUnknown {
			t.Fatalf("%+v, %v", r, err)
		}
		in, ts := adaDM, ""
		if thread != "" {
			in, ts = "C0HELP", "1764235200.000200"
		}
		a.set(func() {
			for range 5 {
				a.add(in, "something else", map[string]any{"thread_ts": ts})
			}
		})
		if r, err := a.adapter.Look(t.Context(), out); err != nil || r.State != "" {
			t.Fatalf("the first of three: %+v, %v", r, err)
		}
		sent, err := a.adapter.Send(t.Context(), out)
		if err != nil || sent.State != channel.StateSent || len(a.Shown()) != 3 {
			t.Fatalf("%+v, %v, %d shown", sent, err, len(a.Shown()))
		}
		if r, err := a.adapter.Look(t.Context(), out); err != nil || r.State != channel.StateSent || r.ProviderID != sent.ProviderID {
			t.Errorf("all of it: %+v, %v", r, err)
		}
		if got := strings.Fields(strings.Join(a.Shown(), " ")); !slices.Equal(got, strings.Fields(out.Content.Text)) {
			t.Error("the parts are not the text")
		}
	}
}

func TestFilesGoOutAsOneMessageFake(t *testing.T) {
	t.Parallel()
	blobs, err := blob.NewDir(t.TempDir(), crypt.NewDeterministic("test"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	a := start(t, &channeltest.Intake{}, blobs)
	keep := func(data string) string {
		key, _, err := blobs.Put(t.Context(), "k", strings.NewReader(data), 100)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	out := outbound(channeltest.Subject{})
	out.ID, out.Content.Text, out.Thread = "r1", "Here you are.", "C0HELP:1764235200.000200"
	out.Content.Attachments = []channel.Attachment{{Name: "a.png", Blob: keep("png")}, {Name: "../b.pdf", Blob: keep("pdf!")}}
	a.set(func() {
		a.refuses["files.completeUploadExternal"] = map[string]any{"ok": false, "error": "fatal_error"}
	})
	if r, err := a.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateUnknown {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := a.adapter.Look(t.Context(), out); err == nil {
		t.Error("what became of the files is known")
	}
	a.set(func() { delete(a.refuses, "files.completeUploadExternal") })
	r, err := a.adapter.Send(t.Context(), out)
	if err != nil || r.State != channel.StateSent || !strings.HasPrefix(r.ProviderID, "C0HELP:") {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := a.args("files.completeUploadExternal"); got["channel_id"] != "C0HELP" || got["thread_ts"] != "1764235200.000200" {
		t.Errorf("%v", got)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.said["C0HELP"]
	if len(all) != 2 || !reflect.DeepEqual(all[1].files, []string{"a.png=png", "b.pdf=pdf!"}) {
		t.Errorf("%+v", all)
	}
}

func TestFetchFake(t *testing.T) {
	t.Parallel()
	a := start(t, &channeltest.Intake{}, nil)
	a.set(func() { a.files["/files-pri/F0A"] = "the file" })
	for _, remote := range []string{a.URL + "/files-pri/F0A", "id:F0A"} {
		rc, err := a.adapter.Fetch(t.Context(), "shop", channel.Attachment{Remote: remote, ContentType: "application/pdf"})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(rc); err != nil || string(got) != "the file" {
			t.Errorf("%q, %v", got, err)
		}
		rc.Close()
	}
	for _, remote := range []string{a.URL + "/files-pri/F0B", "https://evil.test/files-pri/F0A", "https://slack.com.evil.test/x", "https://u:p@files.slack.com/x", "file:///etc/passwd"} {
		if _, err := a.adapter.Fetch(t.Context(), "shop", channel.Attachment{Remote: remote}); !errors.Is(err, channel.ErrGone) {
			t.Errorf("%s: %v", remote, err)
		}
	}
	// A token without the scope is shown a login page, with 200.
	if _, err := a.adapter.Fetch(t.Context(), "other", channel.Attachment{Remote: a.URL + "/files-pri/F0A", ContentType: "application/pdf"}); !errors.Is(err, channel.ErrNeedsAttention) {
		t.Error(err)
	}
}

func TestSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	check := slack.Channel(nil).Check
	for want, s := range map[string]map[string]string{
		"bot_token: is missing":                      {},
		"signing_secret: is missing":                 {},
		"bot_token: is not a bot's token":            {"bot_token": "secret", "signing_secret": oldSecret},
		"signing_secret: a secret has 3 characters":  {"bot_token": token, "signing_secret": "abc"},
		"signing_secret: holds 3":                    {"bot_token": token, "signing_secret": oldSecret + " " + oldSecret + " " + oldSecret},
		"channels: \"some\" is not one of mentions,": {"bot_token": token, "signing_secret": oldSecret, "channels": "some"},
		"api_url: \"ftp://x\" is not an address":     {"bot_token": token, "signing_secret": oldSecret, "api_url": "ftp://x"},
	} {
		if err := check(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", s, err, want)
		} else if strings.Contains(err.Error(), oldSecret) || strings.Contains(err.Error(), token) {
			t.Errorf("a secret is in %v", err)
		}
	}
	if err := check(map[string]string{"bot_token": token, "signing_secret": oldSecret}); err != nil {
		t.Error(err)
	}
}

func TestSettingsAreTriedFake(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	in := inbox.Inbox{ID: "shop", Settings: map[string]string{"bot_token": token, "signing_secret": oldSecret, "api_url": f.URL + "/api"}}
	if err := slack.Channel(f.Client()).Test(t.Context(), in); err != nil {
		t.Error(err)
	}
	if s := slack.Channel(f.Client()).Steps(t.Context(), in); len(s) != 1 || s[0].Err != nil || s[0].Detail != "hub in Shop" {
		t.Errorf("%+v", s)
	}
	in.Settings["bot_token"] = "xoxb-1234567890-ofNobodyAtAll"
	if err := slack.Channel(f.Client()).Test(t.Context(), in); !errors.Is(err, channel.ErrNeedsAttention) || strings.Contains(err.Error(), "xoxb") {
		t.Error(err)
	}
}
