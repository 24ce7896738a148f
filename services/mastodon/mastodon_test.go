package mastodon_test

import (
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
	"github.com/weftline/weftline/services/mastodon"
)

// Where it was is on disk; what came while nobody listened is taken in, more than a page of it, in order and once.
func TestCursorIsDurableFake(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	state, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { state.Close() })
	f.mention(said("old", "long ago", "direct", time.Now()))
	deps := hosted.Deps{Intake: &channeltest.Intake{}, State: state, Keys: crypt.NewDeterministic("test")}
	d := prepare(t, f, deps)
	stop := d.run()
	d.listening(2)
	if err := f.confirmed(t.Context(), f.mention(said("one", "one", "direct", time.Now()))); err != nil {
		t.Fatal(err)
	}
	stop()
	if n := len(d.intake.Taken()); n != 1 {
		t.Errorf("%d inputs, want 1: the account's past is none", n)
	}
	var want []string
	for i := range 95 {
		name := fmt.Sprint("away", i)
		f.mention(said(name, name, "direct", time.Now()))
		want = append(want, "status:"+number(name))
	}
	deps.Intake = &channeltest.Intake{}
	d = prepare(t, f, deps)
	t.Cleanup(d.run())
	hostedtest.Wait(t, "all", func() bool { return len(d.intake.Taken()) >= 95 })
	var got []string
	for _, raw := range d.intake.Taken() {
		got = append(got, raw.ProviderID)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	// It knows still who wrote the first, although the deletion does not say so.
	d.listening(4)
	d.mu.Lock()
	d.tell("delete", number("one"))
	d.mu.Unlock()
	if c := d.item("deleted:").Change; c.From.Address != "ada@far.test" || c.Target != number("one") {
		t.Errorf("%+v", c)
	}
}

// A stream that breaks, or says nothing, loses nothing.
func TestAStreamThatEndsFake(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	d := prepare(t, f, hosted.Deps{Intake: &channeltest.Intake{}})
	d.adapter.QuietFor(200 * time.Millisecond)
	d.adapter.LookEvery(time.Hour)
	t.Cleanup(d.run())
	d.listening(2)
	f.hangUp()
	d.mu.Lock()
	d.silent = true
	d.mu.Unlock()
	f.mention(said("gone", "while it was down", "direct", time.Now()))
	d.item("status:" + number("gone")) // by the next connection
	f.mention(said("quiet", "unheard", "direct", time.Now()))
	d.item("status:" + number("quiet")) // because that says nothing
}

// What the stream tells while a question is open is one question more, and an edit waits until its post was asked for.
func TestManyNotificationsAreOneQuestionFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	held := make(chan struct{})
	d.mu.Lock()
	before := d.asked
	d.held = held
	d.mu.Unlock()
	for i := range 60 {
		name := fmt.Sprint("burst", i)
		d.mention(said(name, name, "direct", time.Now()))
	}
	d.edit("burst59", "corrected")
	d.mention(said("last", "last", "direct", time.Now()))
	hostedtest.Wait(t, "the first question", func() bool { d.mu.Lock(); defer d.mu.Unlock(); return d.asked > before })
	d.mu.Lock()
	d.held = nil
	d.mu.Unlock()
	close(held)
	if m := d.item("status:" + number("burst59") + "@"); m.Change == nil {
		t.Errorf("%+v", m)
	}
	d.item("status:" + number("last"))
	if n := len(d.intake.Taken()); n != 62 {
		t.Errorf("%d inputs, want 62", n)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.asked - before; n > 30 { // one for each would be more than 60; pages and what came late are some
		t.Errorf("asked %d times", n)
	}
}

// Without a word from the stream the notifications are looked at by the clock: those that the instance filters are told by nobody.
func TestFilteredNotificationsFake(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	d := prepare(t, f, hosted.Deps{Intake: &channeltest.Intake{}})
	d.adapter.LookEvery(20 * time.Millisecond)
	t.Cleanup(d.run())
	d.listening(2)
	d.mu.Lock()
	d.silent = true
	s := said("stranger", "hello", "direct", time.Now())
	d.notify("mention", s)
	d.notifications[len(d.notifications)-1]["filtered"] = true
	d.mu.Unlock()
	d.item("status:" + number("stranger"))
}

func TestVisibilityIsKeptFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	for _, c := range []struct{ said, setting, want string }{
		{"direct", "", "direct"},
		{"direct", "same", "direct"},
		{"private", "same", "direct"},
		{"unlisted", "", "unlisted"},
		{"public", "", "unlisted"},
		{"public", "same", "public"},
		{"public", "direct", "direct"},
		{"newer kind", "same", "direct"},
	} {
		name := c.said + c.setting
		if err := d.confirmed(t.Context(), d.mention(said(name, "hello", c.said, time.Now()))); err != nil {
			t.Fatal(err)
		}
		d.inboxes.Set("desk", "public_answers", c.setting)
		m := d.item("status:" + number(name)).Message
		if threaded := m.Thread != ""; threaded != (c.said != "direct") {
			t.Errorf("%s: thread %q", c.said, m.Thread)
		}
		out := outbound()
		out.ID, out.Content.Text, out.InReplyTo = "r"+name, "hi", m.ID
		if r, err := d.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateSent {
			t.Fatalf("%+v, %v", r, err)
		}
		d.mu.Lock()
		got := d.posted[len(d.posted)-1]
		d.mu.Unlock()
		if got["visibility"] != c.want || got["in_reply_to_id"] != number(name) {
			t.Errorf("%s, %s: answered %v to %v", c.said, c.setting, got["visibility"], got["in_reply_to_id"])
		}
	}
}

// What answers our answer is in the thread that began it.
func TestAThreadIsItsFirstPostFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	d.mention(said("first", "It is broken!", "public", time.Now()))
	m := d.item("status:" + number("first")).Message
	out := outbound()
	out.ID, out.Content.Text, out.InReplyTo = "r1", "Oh no.", m.ID
	r, err := d.adapter.Send(t.Context(), out)
	if err != nil || r.State != channel.StateSent {
		t.Fatalf("%+v, %v", r, err)
	}
	next := said("second", "Yes!", "public", time.Now())
	next["in_reply_to_id"] = r.ProviderID
	d.mention(next)
	again := d.item("status:" + number("second")).Message
	if m.Thread != m.ID || again.Thread != m.ID || !reflect.DeepEqual(again.References, []string{r.ProviderID}) {
		t.Errorf("%q, %q, %v", m.Thread, again.Thread, again.References)
	}
}

func TestAPostThatIsGoneFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	for name, visibility := range map[string]string{"d": "direct", "p": "public"} {
		d.mention(said(name, "hello", visibility, time.Now()))
		d.item("status:" + number(name))
		d.mu.Lock()
		delete(d.statuses, number(name))
		d.mu.Unlock()
		out := outbound()
		out.ID, out.Content.Text, out.InReplyTo = "r"+name, "hi", number(name)
		r, err := d.adapter.Send(t.Context(), out)
		if want := map[string]channel.State{"d": channel.StateSent, "p": channel.StateFailed}[name]; err != nil || r.State != want {
			t.Errorf("%s: %+v, %v", visibility, r, err)
		}
	}
}

// Names in an answer make nobody a recipient, and count as the instance counts them.
func TestNamesAndAddressesFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	out := outbound()
	link := "https://shop.test/" + strings.Repeat("a", 200)
	out.ID, out.Content.Text = "r1", strings.Repeat("x", 400)+" "+link+" ask @bob@far.test or mail ada@far.test"
	if r, err := d.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateSent {
		t.Fatalf("%+v, %v", r, err)
	}
	shown := strings.Join(d.Shown(), " ")
	if n := len(d.Shown()); n != 2 || !strings.Contains(d.Shown()[0], link) {
		t.Errorf("%d posts, the address in %q", n, d.Shown()[0])
	}
	if !strings.Contains(shown, "@\u2060bob@far.test") || !strings.Contains(shown, "mail ada@far.test") || !strings.Contains(shown, link) {
		t.Errorf("%q", shown)
	}
	for _, text := range []string{"a@b.test", "https://x.test/@ada", "no names"} {
		if got := mastodon.Silenced(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// After an hour the instance has forgotten the key: what was posted is looked for.
func TestAnOldSendIsLookedForFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	out := outbound()
	out.ID, out.Content.Text, out.At = "r1", "On its way,\n\nreally <b>", time.Now().Add(-2*time.Hour)
	first, err := d.adapter.Send(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	clear(d.keys)
	d.mu.Unlock()
	again, err := d.adapter.Send(t.Context(), out)
	if err != nil || again.ProviderID != first.ProviderID || len(d.Shown()) != 1 {
		t.Errorf("%+v, %v, shown %d times", again, err, len(d.Shown()))
	}
}

func TestRateLimitResetFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	at := time.Now().Add(90 * time.Second).UTC().Format("2006-01-02T15:04:05.000000Z")
	d.API("other").Script(channeltest.Answer{Status: 429, Header: http.Header{"X-Ratelimit-Reset": {at}}, Body: `{"error":"Too many requests"}`})
	out := outbound()
	out.ID, out.Content.Text = "r1", "hello"
	_, err := d.adapter.Send(t.Context(), out)
	if after, ok := errors.AsType[*channel.RetryAfterError](err); !ok || after.After < 60*time.Second || after.After > 90*time.Second {
		t.Errorf("%v", err)
	}
}

func TestFavouritesAreReactionsFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	d.mu.Lock()
	d.notify("favourite", said("ours", "x", "public", time.Now()))
	d.mu.Unlock()
	if c := d.item("favourite:").Change; c.Action != channel.Reacted || c.Emoji != "⭐" || c.Target != number("ours") || c.From.Address != "ada@far.test" {
		t.Errorf("%+v", c)
	}
}

// What others post is in the stream, too: it is not ours.
func TestOtherPeoplesPostsAreLeftFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	d.edit("nobody's", "x")
	d.mu.Lock()
	d.tell("delete", "4711")
	d.tell("update", "{}")
	d.tell("status.update", "not json")
	d.mu.Unlock()
	if err := d.confirmed(t.Context(), d.mention(said("m", "hello", "direct", time.Now()))); err != nil {
		t.Fatal(err)
	}
	if n := len(d.intake.Taken()); n != 1 {
		t.Errorf("%d inputs, want 1", n)
	}
}

func TestFilesFake(t *testing.T) {
	t.Parallel()
	blobs, err := blob.NewDir(t.TempDir(), crypt.NewDeterministic("test"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	f := newFake(t)
	f.processing = 1
	d := prepare(t, f, hosted.Deps{Intake: &channeltest.Intake{}, Blobs: blobs})
	key, _, err := blobs.Put(t.Context(), "k", strings.NewReader("png"), 100)
	if err != nil {
		t.Fatal(err)
	}
	out := outbound()
	out.ID, out.Content.Attachments = "r1", []channel.Attachment{{Name: "a.png", ContentType: "image/png", Size: 3, Blob: key}}
	if r, err := d.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateSent {
		t.Fatalf("%+v, %v", r, err)
	}
	if files := f.posted[0]["media_attachments"].([]any); len(files) != 1 || string(f.media["m1"]) != "png" {
		t.Errorf("%v", f.posted[0])
	}
	out.ID, out.Content.Attachments[0].ContentType = "r2", "text/plain"
	if r, err := d.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateFailed || !strings.Contains(r.Detail, "content type is invalid") {
		t.Errorf("%+v, %v", r, err)
	}
	f.media["/system/media/cat.png"] = []byte("a cat")
	rc, err := d.adapter.Fetch(t.Context(), "desk", channel.Attachment{Remote: f.URL + "/system/media/cat.png"})
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	if b, err := io.ReadAll(rc); err != nil || string(b) != "a cat" {
		t.Errorf("%q, %v", b, err)
	}
	for _, gone := range []string{f.URL + "/system/none.png", "file:///etc/passwd", f.URL + "/api/v1/asks-for-a-login"} {
		if _, err := d.adapter.Fetch(t.Context(), "desk", channel.Attachment{Remote: gone}); !errors.Is(err, channel.ErrGone) {
			t.Errorf("%s: %v", gone, err)
		}
	}
	if d.inboxes.Health("desk").State == "needs_attention" {
		t.Error("a stranger's server makes the inbox need attention")
	}
}

func TestARevokedTokenFake(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	d := prepare(t, f, hosted.Deps{Intake: &channeltest.Intake{}})
	d.inboxes.Set("desk", "access_token", "revoked")
	t.Cleanup(d.run())
	hostedtest.Wait(t, "attention", func() bool { return d.inboxes.Health("desk").State == "needs_attention" })
	hostedtest.Wait(t, "the other", func() bool { return d.inboxes.Health("other").State == "ok" })
}

func TestSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	check := mastodon.Channel(nil).Check
	for want, s := range map[string]map[string]string{
		"instance: is missing":                   {"access_token": "x"},
		"instance: \"mastodon.test\" is not":     {"instance": "mastodon.test", "access_token": "x"},
		"access_token: is missing":               {"instance": "https://m.test"},
		"access_token: holds white space":        {"instance": "https://m.test", "access_token": "Bearer hunter2"},
		"public_answers: \"loud\" is not one of": {"instance": "https://m.test", "access_token": "x", "public_answers": "loud"},
	} {
		if err := check(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", s, err, want)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a secret is in %v", err)
		}
	}
}

func TestSettingsAreTriedFake(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	test := mastodon.Channel(f.Client()).Test
	if err := test(t.Context(), inbox.Inbox{ID: "desk", Settings: settings(f, token)}); err != nil {
		t.Error(err)
	}
	if err := test(t.Context(), inbox.Inbox{ID: "desk", Settings: settings(f, "wrong")}); !errors.Is(err, channel.ErrNeedsAttention) {
		t.Error(err)
	}
	steps := mastodon.Channel(f.Client()).Steps
	if done := steps(t.Context(), inbox.Inbox{ID: "desk", Settings: settings(f, token)}); len(done) != 1 || done[0].Err != nil || !strings.Contains(done[0].Detail, "@") {
		t.Errorf("steps %+v", done)
	}
	if done := steps(t.Context(), inbox.Inbox{ID: "desk", Settings: settings(f, "wrong")}); len(done) != 1 || !errors.Is(done[0].Err, channel.ErrNeedsAttention) {
		t.Errorf("steps %+v", done)
	}
}
