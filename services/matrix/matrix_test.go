package matrix_test

import (
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
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
	"github.com/weftline/weftline/services/matrix"
)

// Where it was is on disk: another process goes on there, with no event twice or left out.
func TestCursorIsDurableFake(t *testing.T) {
	t.Parallel()
	h := newHomeserver(t)
	state, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { state.Close() })
	p := fakePlace(h)
	p.state = state
	first := prepare(t, p, &channeltest.Intake{})
	stop := first.run()
	room := first.ada.direct(first.bot, nil)
	hostedtest.Wait(t, "the room", func() bool { return first.joined(room, first.bot) })
	said := first.ada.say(room, "one")
	reaction := first.ada.react(room, said, "👍")
	first.item(reaction)
	hostedtest.Wait(t, "the next since", func() bool { return h.acknowledged(first.bot, reaction) })
	stop()
	taken := len(first.intake.Taken())
	next := first.ada.say(room, "two")
	back := first.ada.redact(room, reaction)

	second := prepare(t, p, &channeltest.Intake{})
	t.Cleanup(second.run())
	if c := second.item(back).Change; c == nil || c.Action != channel.Unreacted || c.Emoji != "👍" {
		t.Errorf("what a reaction was is forgotten: %+v", c)
	}
	second.item(next)
	if n := len(second.intake.Taken()); taken != 2 || n != 2 {
		t.Errorf("%d events, then %d, want 2 and 2", taken, n)
	}
	// It knows the room although nothing has come from it in this process but this.
	if !second.adapter.Knows(t.Context(), "desk", first.ada.user) {
		t.Error("the customer's room is forgotten")
	}
}

// What is not stored is asked for again.
func TestSinceStaysUntilStoredFake(t *testing.T) {
	t.Parallel()
	h := newHomeserver(t)
	d := meet(t, prepare(t, fakePlace(h), &channeltest.Intake{}))
	d.intake.Fail(errors.New("disk is full"))
	event := d.ada.say(d.room, "hello")
	hostedtest.Wait(t, "trouble", func() bool { return strings.Contains(d.inboxes.Health("desk").Detail, "disk is full") })
	if h.acknowledged(d.bot, event) {
		t.Error("acknowledged before it was stored")
	}
	d.intake.Fail(nil)
	d.item(event)
	hostedtest.Wait(t, "health", func() bool { return d.inboxes.Health("desk").State == "ok" })
}

// A homeserver that knows our since no more is read anew; what was taken in is not taken in again.
func TestAForgottenSinceFake(t *testing.T) {
	t.Parallel()
	h := newHomeserver(t)
	d := meet(t, prepare(t, fakePlace(h), &channeltest.Intake{}))
	d.item(d.ada.say(d.room, "one"))
	h.mu.Lock()
	h.lost = true
	h.mu.Unlock()
	d.item(d.ada.say(d.room, "two"))
	d.item(d.ada.say(d.room, "three"))
	var got []string
	for _, raw := range d.intake.Taken() {
		got = append(got, raw.ProviderID)
	}
	if slices.Sort(got); len(slices.Compact(got)) != 3 || len(got) != 3 {
		t.Errorf("%v", got)
	}
}

// An account's old rooms are no news: only what came after its last word is.
func TestAnOldAccountsHistoryIsLeftFake(t *testing.T) {
	t.Parallel()
	h := newHomeserver(t)
	d := prepare(t, fakePlace(h), &channeltest.Intake{})
	_, token := h.account("desk")
	bot := newCustomer(t, h.URL, token)
	room := d.ada.direct(d.bot, nil)
	bot.call(http.MethodPost, "/join/"+room, map[string]any{}, nil)
	d.ada.say(room, "long ago")
	bot.say(room, "answered long ago")
	open := d.ada.say(room, "still open")
	t.Cleanup(d.run())
	d.item(open)
	if n := len(d.intake.Taken()); n != 1 {
		t.Errorf("%d events are taken in, want the one that nobody answered", n)
	}
}

func TestARoomOfManyIsNobodysAddressFake(t *testing.T) {
	t.Parallel()
	h := newHomeserver(t)
	d := prepare(t, fakePlace(h), &channeltest.Intake{})
	_, token := h.account("desk")
	bot := newCustomer(t, h.URL, token)
	room := d.ada.direct(d.bot, map[string]any{"invite": []string{d.bot, d.third}, "name": "Team"})
	bot.call(http.MethodPost, "/join/"+room, map[string]any{}, nil)
	event := d.ada.say(room, "hello all")
	t.Cleanup(d.run())
	m := d.item(event).Message
	if m.From.Kind != "matrix_room" || m.From.Name != "Team" || m.Assurance != 0 || m.Content.Text != "Ada: hello all" || !reflect.DeepEqual(m.Flags, []string{"list", "auto_reply"}) {
		t.Errorf("%+v", m)
	}
	hostedtest.Wait(t, "the inbox to leave", func() bool { return d.membership(room, d.bot) == "leave" })
}

func TestAnInvitationIsTriedAgainFake(t *testing.T) {
	t.Parallel()
	h := newHomeserver(t)
	serve := h.Serve
	refusals := 2
	h.Serve = func(w http.ResponseWriter, r *http.Request, body []byte) {
		h.mu.Lock()
		no := strings.Contains(r.URL.Path, "/join/") && refusals > 0
		if no {
			refusals--
		}
		h.mu.Unlock()
		if no { // the homeserver of who invited is down
			deny(w, http.StatusBadGateway, "M_UNKNOWN", "Failed to make_join via any server")
			return
		}
		serve(w, r, body)
	}
	d := prepare(t, fakePlace(h), &channeltest.Intake{})
	d.adapter.RetryEvery(10 * time.Millisecond)
	t.Cleanup(d.run())
	room := d.ada.direct(d.bot, nil)
	d.item(d.ada.say(room, "hello"))
}

// Whatever somebody writes into an event or an invitation, those after it come in; the event is kept as unread.
func TestAPoisonedEventFake(t *testing.T) {
	t.Parallel()
	h := newHomeserver(t)
	d := prepare(t, fakePlace(h), &channeltest.Intake{})
	t.Cleanup(d.run())
	room := d.ada.direct(d.bot, map[string]any{"initial_state": []any{
		map[string]any{"type": "m.room.name", "content": map[string]any{"name": 5}},
	}})
	poison := d.ada.send(room, "m.room.message", "", map[string]any{"msgtype": "m.text", "body": map[string]any{"not": "a text"}})
	after := d.ada.say(room, "hello")
	d.item(after)
	raw, ok := d.taken(poison)
	if !ok {
		t.Fatal("it is lost")
	}
	if items, err := d.adapter.Parse(raw); err == nil {
		t.Errorf("%+v", items)
	}
}

// A 429's delay may be in the body alone ("M_LIMIT_EXCEEDED").
func TestRetryAfterMsFake(t *testing.T) {
	t.Parallel()
	h := newHomeserver(t)
	d := meet(t, prepare(t, fakePlace(h), &channeltest.Intake{}))
	h.API("second").Script(channeltest.Answer{Status: 429, Body: `{"errcode":"M_LIMIT_EXCEEDED","error":"Too many requests","retry_after_ms":9000}`})
	out := outboundTo(d.ada.user)
	out.ID, out.Content.Text = "r1", "hello"
	_, err := d.adapter.Send(t.Context(), out)
	if after, ok := errors.AsType[*channel.RetryAfterError](err); !ok || after.After != 9*time.Second {
		t.Errorf("%v", err)
	}
}

// With a password the hub logs in once, keeps the session sealed, and logs in again when it has ended.
func TestPasswordFake(t *testing.T) {
	t.Parallel()
	h := newHomeserver(t)
	state, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { state.Close() })
	h.account("desk")
	_, adaToken := h.account("ada")
	ada := newCustomer(t, h.URL, adaToken)
	keys := crypt.NewDeterministic("test")
	inboxes := hostedtest.Inboxes(deskOf(h.URL, "desk", "secret"))
	run := func() (*desk, func()) {
		d := prepareWith(t, hosted.Deps{Intake: &channeltest.Intake{}, Inboxes: inboxes, Client: h.Client(), State: state, Keys: keys})
		d.ada, d.bot = ada, "@desk:"+server
		return d, d.run()
	}
	d, stop := run()
	hostedtest.Wait(t, "health", func() bool { return inboxes.Health("desk").State == "ok" })
	room := ada.direct(d.bot, nil)
	d.item(ada.say(room, "one"))
	stop()
	d, stop = run()
	d.item(ada.say(room, "two"))
	logins := func() int { h.mu.Lock(); defer h.mu.Unlock(); return h.logins }
	if n := logins(); n != 1 {
		t.Errorf("%d logins for one session", n)
	}
	stop()
	h.mu.Lock()
	delete(h.tokens, "session_1") // somebody has signed all devices out
	h.mu.Unlock()
	d, stop = run()
	d.item(ada.say(room, "three"))
	hostedtest.Wait(t, "health", func() bool { return inboxes.Health("desk").State == "ok" })
	if n := logins(); n != 2 {
		t.Errorf("%d logins, want a second", n)
	}
	stop()
	h.mu.Lock()
	h.accounts["@desk:"+server] = "another"
	clear(h.tokens)
	h.mu.Unlock()
	_, stop = run()
	defer stop()
	hostedtest.Wait(t, "attention", func() bool {
		got := inboxes.Health("desk")
		return got.State == "needs_attention" && strings.Contains(got.Detail, "user or password")
	})
}

// A token that is revoked while it is followed needs a person.
func TestARevokedTokenFake(t *testing.T) {
	t.Parallel()
	h := newHomeserver(t)
	d := meet(t, prepare(t, fakePlace(h), &channeltest.Intake{}))
	h.mu.Lock()
	delete(h.tokens, "tok_desk")
	h.mu.Unlock()
	d.ada.say(d.room, "hello") // wakes the sync that is held
	hostedtest.Wait(t, "attention", func() bool { return d.inboxes.Health("desk").State == "needs_attention" })
	if d.inboxes.Health("second").State != "ok" {
		t.Error("another account is in trouble, too")
	}
}

func TestFilesFake(t *testing.T) {
	t.Parallel()
	blobs, err := blob.NewDir(t.TempDir(), crypt.NewDeterministic("test"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	for name, old := range map[string]bool{"with a token": false, "as it was before 1.11": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHomeserver(t)
			h.oldMedia = old
			p := fakePlace(h)
			p.blobs = blobs
			d := meet(t, prepare(t, p, &channeltest.Intake{}))
			key, _, err := blobs.Put(t.Context(), "k", strings.NewReader("pdf"), 100)
			if err != nil {
				t.Fatal(err)
			}
			out := outboundTo(d.ada.user)
			out.ID, out.Content.Text = "r1", "Here you are."
			out.Content.Attachments = []channel.Attachment{{Name: "../b.pdf", ContentType: "application/pdf", Size: 3, Blob: key}}
			if r, err := d.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateSent {
				t.Fatalf("%+v, %v", r, err)
			}
			if got := d.ada.shown(d.room); !reflect.DeepEqual(got, []string{"Here you are.", "b.pdf"}) {
				t.Errorf("%q", got)
			}
			all := d.ada.sees(d.room)
			content := all[len(all)-1].Content
			in := d.item(d.ada.send(d.room, "m.room.message", "", content)).Message
			if len(in.Content.Attachments) != 1 || in.Content.Attachments[0].Name != "b.pdf" || in.Content.Text != "" {
				t.Fatalf("%+v", in.Content)
			}
			rc, err := d.adapter.Fetch(t.Context(), "desk", in.Content.Attachments[0])
			if err != nil {
				t.Fatal(err)
			}
			defer rc.Close()
			if b, err := io.ReadAll(rc); err != nil || string(b) != "pdf" {
				t.Errorf("%q, %v", b, err)
			}
			if _, err := d.adapter.Fetch(t.Context(), "desk", channel.Attachment{Remote: "mxc://story.test/none"}); !errors.Is(err, channel.ErrGone) {
				t.Error(err)
			}
			if _, err := d.adapter.Fetch(t.Context(), "desk", channel.Attachment{Remote: "mxc://../../etc"}); !errors.Is(err, channel.ErrGone) {
				t.Error(err)
			}
		})
	}
}

// An answer shows that the message was read; typing is shown in the customer's room.
func TestReadAndTypingAreShownFake(t *testing.T) {
	t.Parallel()
	h := newHomeserver(t)
	d := meet(t, prepare(t, fakePlace(h), &channeltest.Intake{}))
	event := d.ada.say(d.room, "hello")
	in := d.item(event).Message
	out := outboundTo(d.ada.user)
	out.ID, out.Content.Text, out.InReplyTo, out.Automatic = "r1", "hi", in.ID, true
	if r, err := d.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateSent {
		t.Fatalf("%+v, %v", r, err)
	}
	all := d.ada.sees(d.room)
	if all[len(all)-1].Content["msgtype"] != "m.notice" {
		t.Error("what no human wrote does not say so")
	}
	if err := d.adapter.Typing(t.Context(), "desk", out.To, true); err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if reads := h.rooms[d.room].reads; len(reads) != 1 || reads[0].event != event || reads[0].user != d.bot {
		t.Errorf("%+v", reads)
	}
	if !h.typing[d.room+" "+d.bot] {
		t.Error("nobody is typing")
	}
}

func TestSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	check := matrix.Channel(nil).Check
	for want, s := range map[string]map[string]string{
		"homeserver: is missing":                {"access_token": "x"},
		"homeserver: \"ftp://x\"":               {"homeserver": "ftp://x", "access_token": "x"},
		"access_token: is missing, and so are":  {"homeserver": "https://m.test"},
		"access_token: is given as well as":     {"homeserver": "https://m.test", "access_token": "x", "user": "y"},
		"access_token: holds white space":       {"homeserver": "https://m.test", "access_token": "Bearer x"},
		"password: is missing":                  {"homeserver": "https://m.test", "user": "y"},
		"user: is missing":                      {"homeserver": "https://m.test", "password": "hunter2"},
		"keep_deleted: \"maybe\" is not one of": {"homeserver": "https://m.test", "access_token": "x", "keep_deleted": "maybe"},
	} {
		if err := check(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", s, err, want)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a secret is in %v", err)
		}
	}
	for _, s := range []map[string]string{{"homeserver": "https://m.test/", "access_token": "x"}, {"homeserver": "https://m.test", "user": "y", "password": "z"}} {
		if err := check(s); err != nil {
			t.Error(err)
		}
	}
}

func TestSettingsAreTriedFake(t *testing.T) {
	t.Parallel()
	h := newHomeserver(t)
	_, token := h.account("desk")
	test := matrix.Channel(h.Client()).Test
	if err := test(t.Context(), inbox.Inbox{ID: "desk", Settings: map[string]string{"homeserver": h.URL, "access_token": token}}); err != nil {
		t.Error(err)
	}
	if err := test(t.Context(), inbox.Inbox{ID: "desk", Settings: map[string]string{"homeserver": h.URL, "access_token": "wrong"}}); !errors.Is(err, channel.ErrNeedsAttention) {
		t.Error(err)
	}
	steps := matrix.Channel(h.Client()).Steps
	known := steps(t.Context(), inbox.Inbox{ID: "desk", Settings: map[string]string{"homeserver": h.URL, "access_token": token}})
	if len(known) != 1 || known[0].Err != nil || !strings.HasPrefix(known[0].Detail, "@desk:") {
		t.Errorf("steps %+v", known)
	}
	if said := steps(t.Context(), deskOf(h.URL, "desk", "secret")); len(said) != 1 || said[0].Err != nil || !strings.HasPrefix(said[0].Detail, "@desk:") {
		t.Errorf("steps %+v", said)
	}
	if err := test(t.Context(), deskOf(h.URL, "desk", "wrong")); !errors.Is(err, channel.ErrNeedsAttention) {
		t.Error(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.tokens) != 1 || h.logins != 1 {
		t.Errorf("a session of the trial stays open: %v", h.tokens)
	}
}
