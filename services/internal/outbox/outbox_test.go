package outbox_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/outbox"
)

func TestScripts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	busy := answer{err: errors.New("busy")}
	f := newFar(map[string][]answer{
		"failed":  {{state: channel.StateFailed}},
		"retry":   {busy, busy, {err: errors.New("still busy")}, {err: &channel.RetryAfterError{After: time.Millisecond, Err: errors.New("slow down")}}},
		"unknown": {{state: channel.StateUnknown}},
		"lost":    {{state: channel.StateUnknown}, {state: channel.StateUnknown}},
		"mixed":   {busy, {state: channel.StateUnknown}, busy, {state: channel.StateFailed}},
		"strange": {{state: ""}},
	})
	for _, id := range []string{"plain", "failed", "retry", "unknown", "lost", "mixed", "strange"} {
		w.publish(message("email", id, "c-"+id))
	}
	w.start(f, "email", 0)
	f.await(t, "all", func() bool { return w.left("email") == 0 })
	const retrying, unknown, sent, failed = channel.StateRetrying, channel.StateUnknown, channel.StateSent, channel.StateFailed
	for id, want := range map[string][]channel.State{
		"plain":   {sent},
		"failed":  {failed},
		"retry":   {retrying, retrying, retrying, sent}, // once per change of the detail
		"unknown": {unknown, sent},
		"lost":    {unknown, unknown},
		"mixed":   {retrying, unknown, retrying, failed},
		"strange": {unknown, sent},
	} {
		if d := cmp.Diff(want, f.states(id)); d != "" {
			t.Errorf("%s: %s", id, d)
		}
	}
	if d := cmp.Diff([]send{{"unknown", 1, false}, {"unknown", 2, true}}, f.sent("unknown")); d != "" {
		t.Error(d)
	}
	if n := len(f.sent("lost")); n != 2 {
		t.Errorf("lost was sent %d times", n)
	}
	last := f.reports[slices.IndexFunc(f.reports, func(r channel.Receipt) bool { return r.Outbound == "plain" })]
	want := channel.Receipt{Tenant: "default", Channel: "email", Inbox: "support", Outbound: "plain", Customer: "c-plain", State: sent, ProviderID: "p-plain", At: last.At, Attempt: 1}
	if d := cmp.Diff(want, last); d != "" || last.At.IsZero() {
		t.Error(d)
	}
}

// TestCrashAtEachStep kills the process before and after every write, report
// and send, lets another one go on, and checks the rule.
func TestCrashAtEachStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scripts := map[string][]answer{
		"ok":      nil,
		"retry":   {{err: errors.New("busy")}},
		"unknown": {{state: channel.StateUnknown}},
		"failed":  {{state: channel.StateFailed}},
	}
	for name, script := range scripts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for dies := 1; ; dies++ {
				ch := fmt.Sprintf("%s-%d", name, dies)
				f := newFar(map[string][]answer{ch: script})
				w.publish(message(ch, ch, "c1"))
				first := w.start(f, ch, dies)
				f.await(t, "the end of the first process", func() bool {
					select {
					case <-first.dead:
						return true
					default:
						return w.left(ch) == 0
					}
				})
				first.stop()
				completed := w.left(ch) == 0
				second := w.start(f, ch, 0)
				f.await(t, fmt.Sprintf("%s after dying at step %d", name, dies), func() bool { return w.left(ch) == 0 })
				second.stop()
				checkRule(t, f, ch, dies)
				if completed {
					if dies < 5 {
						t.Fatalf("only %d steps", dies)
					}
					return
				}
			}
		})
	}
}

func checkRule(t *testing.T, f *far, id string, dies int) {
	t.Helper()
	states, sends := f.states(id), f.sent(id)
	if len(states) == 0 || len(sends) == 0 {
		t.Fatalf("step %d: lost without a word: sends %v, reports %v", dies, sends, states)
	}
	if end := states[len(states)-1]; end == channel.StateRetrying {
		t.Fatalf("step %d: no end: %v", dies, states)
	}
	doubtful, taken := 0, 0
	for i, s := range sends {
		if taken > 0 && !s.Unknown {
			t.Fatalf("step %d: sent again without telling the channel of the doubt: %v", dies, sends)
		}
		if i > 0 && s.Attempt <= sends[i-1].Attempt {
			t.Fatalf("step %d: attempts do not grow: %v", dies, sends)
		}
		// A temporary error says that it did not go out.
		busy := i < len(f.script[id]) && f.script[id][i].err != nil
		if busy {
			continue
		}
		taken++
		if s.Unknown {
			doubtful++
		}
	}
	if doubtful > 1 {
		t.Fatalf("step %d: sent %d times in doubt: %v", dies, doubtful, sends)
	}
	if taken > 1 && !slices.Contains(states, channel.StateUnknown) {
		t.Fatalf("step %d: sent again without saying so: %v %v", dies, sends, states)
	}
	if i := slices.Index(states, channel.StateSent); i >= 0 {
		for _, s := range states[i:] {
			if s != channel.StateSent {
				t.Fatalf("step %d: %s after sent: %v", dies, s, states)
			}
		}
	}
}

func TestNeverSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := newFar(map[string][]answer{"no": {{state: channel.StateFailed}}})
	p := w.start(f, "email", 0)
	w.publish(message("email", "yes", "c1"))
	w.publish(message("email", "no", "c2"))
	f.await(t, "both", func() bool { return w.left("email") == 0 })
	p.stop()

	// Published again after the stream forgot the id, and by a person's decision.
	again := message("email", "yes", "c1")
	again.Attempt = 2
	w.publish(again)
	again = message("email", "no", "c2")
	again.Attempt = 2
	w.publish(again)
	w.start(f, "email", 0)
	f.await(t, "both again", func() bool { return w.left("email") == 0 })
	if d := cmp.Diff([]send{{"yes", 1, false}}, f.sent("yes")); d != "" {
		t.Errorf("a message that was sent: %s", d)
	}
	if d := cmp.Diff([]send{{"no", 1, false}, {"no", 2, false}}, f.sent("no")); d != "" {
		t.Errorf("a message that failed: %s", d)
	}
}

func TestOthersGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	script := map[string][]answer{}
	var stuck []answer
	for range 1000 {
		stuck = append(stuck, answer{err: errors.New("busy")})
	}
	script["stuck"] = stuck
	f := newFar(script)
	w.publish(message("email", "stuck", "c1"))
	w.publish(message("email", "behind", "c1"))
	paused := message("email", "paused", "c2")
	paused.Inbox = "sales"
	w.publish(paused)
	for i := range 20 {
		w.publish(message("email", fmt.Sprintf("m%d", i), fmt.Sprintf("other%d", i)))
	}
	var mu sync.Mutex
	open := map[string]bool{"support": true}
	w.start(f, "email", 0, func(d *outbox.Deps) {
		s, _ := d.Senders("support")
		d.Concurrency = 1
		d.Policy.MinBackoff, d.Policy.MaxBackoff = time.Hour, time.Hour
		d.Senders = func(inbox string) (channel.Sender, bool) {
			mu.Lock()
			defer mu.Unlock()
			return s, open[inbox]
		}
	})
	f.await(t, "the others", func() bool { return w.left("email") == 3 })
	if len(f.sent("behind")) != 0 || len(f.sent("paused")) != 0 {
		t.Fatal("overtook a message of the same customer, or left a paused inbox")
	}
	mu.Lock()
	open["sales"] = true
	mu.Unlock()
	f.await(t, "the inbox that was paused", func() bool { return slices.Contains(f.states("paused"), channel.StateSent) })
}

func TestIdempotentChannelKeepsNoRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := newFar(map[string][]answer{"a": {{err: errors.New("busy")}}})
	w.publish(message("chat", "a", "c1"))
	w.start(f, "chat", 0, func(d *outbox.Deps) { d.Idempotent, d.State = true, nil })
	f.await(t, "a", func() bool { return w.left("chat") == 0 })
	if d := cmp.Diff([]channel.State{channel.StateRetrying, channel.StateSent}, f.states("a")); d != "" {
		t.Fatal(d)
	}
}

func TestErasedIsDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := newFar(nil)
	w.publish(message("email", "gone", "c1"))
	if err := w.keys.Destroy(within(t), "unit/1"); err != nil {
		t.Fatal(err)
	}
	w.start(f, "email", 0)
	f.await(t, "nothing", func() bool { return w.left("email") == 0 })
	if len(f.sends)+len(f.reports) != 0 {
		t.Fatalf("sends %v, reports %v", f.sends, f.reports)
	}
}

// TestDamagedHoldsNobodyUp: what cannot be decrypted is put aside.
func TestDamagedHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := newFar(nil)
	w.publish(message("email", "damaged", "c1"))
	s, err := w.bus.JS.Stream(within(t), "OUT")
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.GetMsg(within(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteMsg(within(t), 1); err != nil {
		t.Fatal(err)
	}
	m.Data[len(m.Data)-1] ^= 1
	m.Header.Del(jetstream.MsgIDHeader)
	if _, err := w.bus.JS.PublishMsg(within(t), &nats.Msg{Subject: m.Subject, Header: m.Header, Data: m.Data}); err != nil {
		t.Fatal(err)
	}
	w.publish(message("email", "behind", "c1"))
	w.start(f, "email", 0)
	f.await(t, "what is behind", func() bool { return slices.Contains(f.states("behind"), channel.StateSent) })
	if len(f.sent("damaged")) != 0 {
		t.Error("it was sent")
	}
}

func TestPublishRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for field, change := range map[string]func(*channel.Outbound){
		"outbound id":       func(o *channel.Outbound) { o.ID = "" },
		"outbound customer": func(o *channel.Outbound) { o.Customer = "a.b" },
		"the message has":   func(o *channel.Outbound) { o.Content.Text = strings.Repeat("x", 1_001<<10) },
	} {
		out := message("email", "m", "c1")
		change(&out)
		if err := outbox.Publish(within(t), w.bus, w.keys, "unit/1", out); err == nil || !strings.HasPrefix(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
