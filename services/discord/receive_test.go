package discord_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
)

// texts are what customers said, in the order in which it was stored, each as often as it was.
func (d *desk) texts() (all []string) {
	d.t.Helper()
	for _, raw := range d.intake.Taken() {
		items, err := d.adapter.Parse(raw)
		if err != nil {
			d.t.Fatal(err)
		}
		if m := items[0].Message; m != nil {
			all = append(all, m.Content.Text)
		}
	}
	return all
}

// Discord hangs up now and then: the session goes on, and tells what was missed.
func TestASessionGoesOnFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	d.says("1", "before")
	d.hangUp(shop, 4000, false)
	d.write("2", "meanwhile", time.Now())
	hostedtest.Wait(t, "the gateway", func() bool { return d.listening(shop) == 1 })
	d.says("3", "after")
	d.tell("MESSAGE_CREATE", "not a message")
	d.mu.Lock()
	for _, s := range d.sessions {
		if s.bot == shop && s.ws != nil {
			s.ws.WriteJSON(map[string]any{"op": 7, "d": nil})
		}
	}
	d.mu.Unlock()
	hostedtest.Wait(t, "resuming", func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return slices.ContainsFunc(d.sessions, func(s *session) bool { return s.bot == shop && s.resumed == 2 && s.ws != nil })
	})
	d.says("4", "again")
	if got := d.texts(); !slices.Equal(got, []string{"before", "meanwhile", "after", "again"}) {
		t.Errorf("%q", got)
	}
	if n := len(d.sessions); n != 2 { // the shop's and another's
		t.Errorf("%d sessions", n)
	}
}

// A session that is over: what was said since is listed, page by page, each once and in order.
func TestWhatNoSessionToldIsListedFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	d.says("first", "first")
	want := []string{"first"}
	d.mu.Lock()
	d.offline = true
	d.mu.Unlock()
	d.hangUp(shop, 4009, true)
	for i := range 250 {
		text := fmt.Sprintf("missed %d", i)
		d.write(text, text, time.Now())
		want = append(want, text)
	}
	d.mu.Lock()
	d.said[adaDM] = append(d.said[adaDM], d.message(adaDM, d.bots[token], "of the bot itself", time.Now()))
	d.offline = false
	d.mu.Unlock()
	hostedtest.Wait(t, "all that was missed", func() bool { return len(d.texts()) >= len(want) })
	d.says("last", "last")
	if got := d.texts(); !slices.Equal(got, append(want, "last")) {
		t.Errorf("%d texts: %.300q", len(got), got)
	}
}

// Somebody nobody knew wrote while no session told of it: when he writes again, both are there, in order.
func TestAStrangerIsListedFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	d.mu.Lock()
	d.offline = true
	d.mu.Unlock()
	d.write("1", "hello?", time.Now())
	d.mu.Lock()
	d.offline = false
	d.mu.Unlock()
	d.says("2", "anybody there?")
	if got := d.texts(); !slices.Equal(got, []string{"hello?", "anybody there?"}) {
		t.Errorf("%q", got)
	}
}

// The process ends and another goes on where it was; nothing of a person is on disk in clear.
func TestAnotherProcessGoesOnFake(t *testing.T) {
	t.Parallel()
	state, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { state.Close() })
	f, in := newFake(t), &channeltest.Intake{}
	deps := hosted.Deps{Intake: in, State: state, Keys: crypt.NewDeterministic("test")}
	d := prepare(t, f, deps)
	stop := d.run()
	d.connected()
	d.says("1", "before")
	stop()
	d.write("2", "told when the session goes on", time.Now())
	d = prepare(t, f, deps)
	stop = d.run()
	d.await("message:" + adaDM + ":" + d.id("2"))
	stop()
	f.hangUp(shop, 4000, true)
	f.mu.Lock()
	f.offline = true
	f.mu.Unlock()
	d.write("3", "listed", time.Now())
	f.mu.Lock()
	f.offline = false
	f.mu.Unlock()
	d = prepare(t, f, deps)
	t.Cleanup(d.run())
	d.await("message:" + adaDM + ":" + d.id("3"))
	// What was stored when the process ended may be stored again, under the same id: the hub drops it.
	if got := slices.Compact(d.texts()); !slices.Equal(got, []string{"before", "told when the session goes on", "listed"}) {
		t.Errorf("%q", got)
	}
}

// A gateway that does not answer heartbeats is left, and the session goes on elsewhere.
func TestAGatewayThatIsDeadIsLeftFake(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.beat, f.silent = 30, true
	d := prepare(t, f, hosted.Deps{Intake: &channeltest.Intake{}})
	t.Cleanup(d.run())
	hostedtest.Wait(t, "a second connection", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return slices.ContainsFunc(f.sessions, func(s *session) bool { return s.bot == shop && s.resumed > 1 })
	})
	f.mu.Lock()
	f.silent, f.beat = false, 41250
	f.mu.Unlock()
	f.hangUp(shop, 4000, false)
	hostedtest.Wait(t, "the gateway", func() bool { return f.listening(shop) == 1 })
	d.says("1", "still here")
}

// Who is refused for good needs a person, and does not come again by himself.
func TestIntentsThatAreRefusedNeedAttentionFake(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.closing = 4014
	d := prepare(t, f, hosted.Deps{Intake: &channeltest.Intake{}})
	t.Cleanup(d.run())
	hostedtest.Wait(t, "attention", func() bool { return d.inboxes.Health("desk").State == "needs_attention" })
	if h := d.inboxes.Health("desk"); !strings.Contains(h.Detail, "4014") {
		t.Errorf("%+v", h)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(slices.DeleteFunc(slices.Clone(f.asked), func(s string) bool { return s != "GET /gateway/bot" })); n > 2 { // one of each bot
		t.Errorf("asked %d times where to connect", n)
	}
}

// A bot may begin so many sessions a day; beyond that Discord takes its token away.
func TestNoMoreSessionsThanAllowedFake(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.starts = 0
	d := prepare(t, f, hosted.Deps{Intake: &channeltest.Intake{}})
	t.Cleanup(d.run())
	hostedtest.Wait(t, "words", func() bool { return strings.Contains(d.inboxes.Health("desk").Detail, "sessions") })
	if h := d.inboxes.Health("desk"); h.State != "connecting" || len(f.sessions) != 0 {
		t.Errorf("%+v, %d sessions", h, len(f.sessions))
	}
}

func TestOnlyPeoplesDirectMessagesAreTakenFake(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.places["500000000000000009"] = place{shop, ada, 3}
	d := prepare(t, f, hosted.Deps{Intake: &channeltest.Intake{}})
	t.Cleanup(d.run())
	d.connected()
	f.mu.Lock()
	f.dispatch(shop, "MESSAGE_CREATE", f.written("group", "500000000000000009", "to a group", time.Now()))
	f.mu.Unlock()
	kind := func(n int) func(m map[string]any) { return func(m map[string]any) { m["type"] = n } }
	d.says("pin", "", kind(6))
	d.says("poll", "", kind(46))
	d.says("server", "to everybody", func(m map[string]any) { m["guild_id"] = "1" })
	d.says("bot", "of a program", func(m map[string]any) { m["author"].(map[string]any)["bot"] = true })
	d.says("hook", "of a webhook", func(m map[string]any) { m["webhook_id"] = "1" })
	d.says("call", "", kind(3))
	if got := d.texts(); !slices.Equal(got, []string{"Tried to call; calls are not taken here."}) {
		t.Errorf("%q", got)
	}
	if h := d.inboxes.Health("desk"); h.State != "ok" || !strings.Contains(h.Detail, "group") {
		t.Errorf("%+v", h)
	}
}

// Discord tells of previews as of edits: an edit has a time of its own, and is one.
func TestPreviewsAreNoEditsFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	d.says("1", "https://x.test")
	d.mu.Lock()
	preview := d.written("1", adaDM, "", time.Now())
	preview["embeds"] = []any{map[string]any{"title": "a page"}}
	d.mu.Unlock()
	d.tell("MESSAGE_UPDATE", preview)
	d.change("1", channel.Edited)
	s, seq := d.tell("MESSAGE_UPDATE", preview) // which is edited now, and seen once more
	if err := d.confirmed(t.Context(), s, seq); err != nil {
		t.Fatal(err)
	}
	ids := map[string]int{}
	for _, raw := range d.intake.Taken() {
		ids[strings.SplitN(raw.ProviderID, ":", 2)[0]]++
	}
	if c := d.item("edit:").Change; c.Content.Text != "after" || ids["message"] != 1 || len(ids) != 2 {
		t.Errorf("%v, %+v", ids, c)
	}
}

// A deletion names nobody: of a message of ours it is not the customer's.
func TestOurOwnMessagesAreNotTheCustomersToDeleteFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	d.says("1", "hello")
	out := outbound()
	out.ID, out.Content.Text = "r1", "an answer"
	r, err := d.adapter.Send(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	_, ours, _ := strings.Cut(r.ProviderID, ":")
	d.tell("MESSAGE_DELETE", map[string]any{"id": ours, "channel_id": adaDM})
	d.change("1", channel.Deleted)
	if c := d.item("delete:").Change; c.Target != adaDM+":"+d.id("1") || c.From.Name != "Ada Lovelace" {
		t.Errorf("%+v", c)
	}
	if n := len(d.intake.Taken()); n != 2 {
		t.Errorf("%d inputs", n)
	}
}

// Reactions of one person to one message are told apart by their place in the session: he may give, take back and give again.
func TestReactionsComeAndGoFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	d.says("1", "hello")
	d.change("1", channel.Reacted)
	d.change("1", channel.Unreacted)
	s, seq := d.change("1", channel.Reacted)
	d.tell("MESSAGE_REACTION_ADD", map[string]any{"user_id": shop, "channel_id": adaDM, "message_id": d.id("1"), "emoji": map[string]any{"name": "👀"}})
	if err := d.confirmed(t.Context(), s, seq+1); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, raw := range d.intake.Taken()[1:] {
		ids[raw.ProviderID] = true
	}
	if len(ids) != 3 {
		t.Errorf("%v", ids)
	}
}

func TestACustomerTypesFake(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var shown []string
	d := prepare(t, newFake(t), hosted.Deps{Intake: &channeltest.Intake{}, Typing: func(from channel.Address, on bool) {
		mu.Lock()
		defer mu.Unlock()
		shown = append(shown, fmt.Sprint(from.Kind, " ", from.Scope, " ", from.Address, " ", on))
	}})
	t.Cleanup(d.run())
	d.connected()
	types := func(at time.Time) {
		s, seq := d.tell("TYPING_START", map[string]any{"user_id": ada, "channel_id": adaDM, "timestamp": at.Unix()})
		if err := d.confirmed(t.Context(), s, seq); err != nil {
			t.Fatal(err)
		}
	}
	types(time.Now()) // nobody knows yet who that is
	d.says("1", "hello")
	types(time.Now().Add(-time.Minute)) // told again, and long over
	types(time.Now())
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"discord desk " + ada + " false", "discord desk " + ada + " true"}; !slices.Equal(shown, want) {
		t.Errorf("%q", shown)
	}
}
