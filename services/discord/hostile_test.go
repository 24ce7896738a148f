package discord_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/discord"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
)

const (
	bob   = "700000000000000002"
	bobDM = "500000000000000003" // Bob and the shop
)

// hijack answers calls instead of the fake.
func (f *fake) hijack(instead func(w http.ResponseWriter, r *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.instead = instead
}

// raw puts a frame, as it is, on the shop's connection.
func (f *fake) raw(kind int, frame string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sessions {
		if s.bot == shop && s.ws != nil {
			s.ws.WriteMessage(kind, []byte(frame))
		}
	}
}

// missed is what Ada writes while no session tells of it; the one before is over.
func (d *desk) missed(name, text string) {
	d.mu.Lock()
	d.offline = true
	d.mu.Unlock()
	d.hangUp(shop, 4009, true)
	d.write(name, text, time.Now())
	d.mu.Lock()
	d.offline = false
	d.mu.Unlock()
}

func isList(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/messages")
}

// A gateway that says no hello holds up nobody who wants to stop: a settings change waits for the one before to end.
func TestAGatewayThatIsMuteIsLeftAtOnceFake(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	var mute atomic.Int32
	hold := make(chan struct{})
	t.Cleanup(func() { close(hold) })
	f.hijack(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/gateway") {
			return false
		}
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return true
		}
		defer ws.Close()
		mute.Add(1)
		<-hold
		return true
	})
	stop := prepare(t, f, hosted.Deps{Intake: &channeltest.Intake{}}).run()
	hostedtest.Wait(t, "connections", func() bool { return mute.Load() >= 2 })
	done := make(chan struct{})
	go func() { stop(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second): // Hello is waited for 30 s
		t.Error("who waits for hello cannot be stopped")
	}
}

// A frame that cannot be read comes again with every resumption: the session is given up, and what it did not tell is listed.
func TestAFrameThatCannotBeReadEndsItsSessionFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	d.says("1", "before")
	first := d.current()
	d.mu.Lock()
	s := d.sessions[slices.IndexFunc(d.sessions, func(s *session) bool { return s.id == first })]
	s.events = append(s.events, map[string]any{"op": 0, "s": "seven", "t": "MESSAGE_CREATE", "d": nil})
	s.ws.WriteJSON(s.events[len(s.events)-1])
	d.mu.Unlock()
	d.write("2", "behind it", time.Now())
	hostedtest.Wait(t, "another session", func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return slices.ContainsFunc(d.sessions, func(s *session) bool { return s.bot == shop && s.id != first && s.ws != nil })
	})
	d.await("message:" + adaDM + ":" + d.id("2"))
}

// A gateway that hangs up on everybody it has welcomed is asked ever less often, and people hear of it.
func TestAGatewayThatHangsUpAgainAndAgainIsTroubleFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				d.hangUp(shop, 4000, false)
			}
		}
	}()
	hostedtest.Wait(t, "words", func() bool { return d.inboxes.Health("desk").State == "connecting" })
}

// What is no answer of Discord's own says nothing of a conversation: it is asked again, and nothing is passed over.
func TestAListThatIsNoneIsAskedForAgainFake(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"a page of Cloudflare's": {403, "<html>Sorry, you have been blocked</html>"},
		"null":                   {200, "null"},
		"a page":                 {200, "<html>hello</html>"},
		"an object":              {200, "{}"},
		"a redirect":             {304, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := start(t, &channeltest.Intake{})
			d.says("1", "before")
			var asked atomic.Int32
			d.hijack(func(w http.ResponseWriter, r *http.Request) bool {
				if !isList(r) || asked.Add(1) > 1 {
					return false
				}
				w.WriteHeader(answer.status)
				io.WriteString(w, answer.body)
				return true
			})
			d.missed("2", "missed")
			d.await("message:" + adaDM + ":" + d.id("2"))
		})
	}
}

// A conversation that cannot be listed holds up neither others nor what is said in it now.
func TestAConversationThatCannotBeListedHoldsNobodyUpFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	d.mu.Lock()
	d.places[bobDM] = place{shop, bob, 1}
	d.mu.Unlock()
	d.says("1", "before")
	var broken atomic.Bool
	broken.Store(true)
	d.hijack(func(w http.ResponseWriter, r *http.Request) bool {
		if !broken.Load() || !isList(r) || !strings.Contains(r.URL.Path, adaDM) {
			return false
		}
		w.WriteHeader(http.StatusInternalServerError)
		return true
	})
	d.missed("2", "missed")
	hostedtest.Wait(t, "the gateway", func() bool { return d.listening(shop) == 1 })
	d.write("3", "now", time.Now())
	d.mu.Lock()
	d.dispatch(shop, "MESSAGE_CREATE", d.written("bob", bobDM, "of another", time.Now()))
	d.mu.Unlock()
	d.await("message:" + adaDM + ":" + d.id("3"))
	d.await("message:" + bobDM + ":" + d.id("bob"))
	broken.Store(false)
	d.await("message:" + adaDM + ":" + d.id("2"))
}

// A list without end is taken page by page, beside what others say.
func TestAListWithoutEndHoldsNobodyUpFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	d.mu.Lock()
	d.places[bobDM] = place{shop, bob, 1}
	d.mu.Unlock()
	d.says("1", "before")
	d.hijack(func(w http.ResponseWriter, r *http.Request) bool {
		if !isList(r) || !strings.Contains(r.URL.Path, adaDM) {
			return false
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		var page []any
		for range 100 {
			page = append(page, d.message(adaDM, person(ada, "ada", "Ada Lovelace", false), "again", time.Now()))
		}
		give(w, page)
		return true
	})
	d.missed("2", "missed")
	hostedtest.Wait(t, "many", func() bool { return len(d.intake.Taken()) > 150 })
	d.mu.Lock()
	d.dispatch(shop, "MESSAGE_CREATE", d.written("bob", bobDM, "of another", time.Now()))
	d.mu.Unlock()
	d.await("message:" + bobDM + ":" + d.id("bob"))
}

// Only what is behind in the session moves it on: what has no sequence, or an old one, does not put it back.
func TestASequenceDoesNotGoBackFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	s, seq := d.write("1", "before", time.Now())
	if err := d.confirmed(t.Context(), s, seq); err != nil {
		t.Fatal(err)
	}
	d.raw(1, `{"op":0,"t":"MESSAGE_CREATE","d":{}}`)
	d.raw(2, `{"op":0,"s":-5,"t":"SOMETHING_NEW","d":7}`)
	for _, id := range []string{"11", "12"} { // once the second is safe the first was done with
		d.raw(1, `{"op":0,"s":1,"t":"MESSAGE_CREATE","d":{"id":"`+id+`","channel_id":"`+adaDM+`","channel_type":1,"author":{"id":"`+ada+`"},"content":"old"}}`)
		d.await("message:" + adaDM + ":" + id)
	}
	d.mu.Lock()
	s.acked, s.owed = 0, true
	if s.ws != nil {
		s.ws.WriteJSON(map[string]any{"op": 1, "d": nil})
	}
	d.mu.Unlock()
	hostedtest.Wait(t, "a heartbeat", func() bool { d.mu.Lock(); defer d.mu.Unlock(); return s.acked != 0 })
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.acked < seq {
		t.Errorf("the heartbeat says %d, not %d", s.acked, seq)
	}
}

// Another bot in the same inbox has conversations of its own: the one that the bot before had is not its to write to.
func TestAnotherBotWritesInItsOwnConversationFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	d.says("1", "hello")
	d.inboxes.Set("desk", "bot_token", otherToken)
	out := outbound()
	out.ID, out.Content.Text, out.InReplyTo = "r1", "an answer", adaDM+":"+d.id("1")
	r, err := d.adapter.Send(t.Context(), out)
	if err != nil || !strings.HasPrefix(r.ProviderID, otherDM+":") {
		t.Errorf("%+v, %v", r, err)
	}
}

// Whatever is asked for, there is a pause, and it ends within a day.
func TestPausesHaveBounds(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"retry_after":0}`, `{"retry_after":-7}`, `{"retry_after":1e-300}`, `{"retry_after":NaN}`, `{"retry_after":"soon"}`, `<html>`, `null`, `[]`} {
		for _, header := range []string{"0", "-1", "Thu, 01 Jan 1970 00:00:00 GMT"} {
			r := hosted.Reply{Status: 429, Body: []byte(body), Header: http.Header{"Retry-After": {header}}}
			if got := discord.Delay(r); got < 50*time.Millisecond && !(got == 0 && header == "-1") { // which hosted reads as a minute
				t.Errorf("%s, %s: %v", body, header, got)
			}
		}
	}
	if got := discord.Delay(hosted.Reply{Status: 429, Body: []byte(`{"retry_after":1e300}`)}); got != 24*time.Hour {
		t.Error(got)
	}
	for answer, want := range map[string]time.Duration{
		`{"session_start_limit":{"remaining":0,"reset_after":4611686018427387904}}`: 24 * time.Hour,
		`{"session_start_limit":{"remaining":0,"reset_after":-1}}`:                  0,
		`{"session_start_limit":{"remaining":0,"reset_after":1500}}`:                1500 * time.Millisecond,
		`{"session_start_limit":{"remaining":1,"reset_after":1500}}`:                0,
		`{}`: 0,
	} {
		if got, err := discord.FullFor(answer); err != nil || got != want {
			t.Errorf("%s: %v, %v", answer, got, err)
		}
	}
}

// A live test that was answered by something else than Discord does not pass.
func TestALiveTestReadsWhatIsAnsweredFake(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/applications/@me", "/gateway/bot"} {
		for _, answer := range []string{"null", "{}", "[]", "<html>hello</html>", `{"id":5,"url":7}`, `{"id":"x","url":"https://x.test"}`} {
			f := newFake(t)
			f.hijack(func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, path) {
					return false
				}
				io.WriteString(w, answer)
				return true
			})
			steps := discord.Channel(f.Client()).Steps(t.Context(), inbox.Inbox{ID: "desk", Channel: discord.Name, Settings: settings(f, token)})
			if !slices.ContainsFunc(steps, func(s inbox.Step) bool { return s.Err != nil && strings.Contains(s.Err.Error(), "API address") }) {
				b, _ := json.Marshal(steps)
				t.Errorf("%s answers %s: %s %v", path, answer, b, steps)
			}
		}
	}
}
