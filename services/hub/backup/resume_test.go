package backup_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/services/internal/intake"
)

// goOn lets a restored hub run until nothing is left to do, and checks that the
// world outside got nothing twice and that every reply has an outcome.
func goOn(t *testing.T, h *hub, f *far) {
	t.Helper()
	f.mu.Lock()
	before := len(f.sent)
	f.mu.Unlock()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.serve(ctx, f) }()
	await(t, "the restored hub", func() bool { return h.idle(t) })
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.sent) != before {
		t.Errorf("%d replies were sent after the restore, by itself", len(f.sent)-before)
	}
	for id, n := range f.sent {
		if n != 1 {
			t.Errorf("%s was sent %d times", id, n)
		}
	}
	outcomes := map[string]int{}
	for p := range partitions {
		all, err := h.events.Read(within(t), p, 1, 100_000)
		if err != nil {
			t.Fatal(err)
		}
		replies, told := map[string]bool{}, map[string]string{}
		for _, c := range all {
			var r struct{ ID, Reply, State string }
			if err := json.Unmarshal(c.Records[0].Data, &r); err != nil {
				t.Fatal(err)
			}
			switch c.Records[0].Type {
			case "reply":
				replies[r.ID] = true
			case "receipt":
				told[r.Reply] = r.State
			}
		}
		for id := range replies {
			outcomes[told[id]]++
		}
	}
	if outcomes[""] > 0 || outcomes["sent"] == 0 {
		t.Errorf("outcomes of replies: %v, want each to have one", outcomes)
	}
	t.Logf("outcomes of replies: %v", outcomes)
}

// idle says whether everything that is in the streams has been handled.
func (h *hub) idle(t *testing.T) bool {
	ctx := within(t)
	out, err := h.bus.JS.Stream(ctx, "OUT")
	if err != nil {
		t.Fatal(err)
	}
	if out.CachedInfo().State.Msgs > 0 {
		return false
	}
	for p := range partitions {
		c, err := h.bus.JS.Consumer(ctx, fmt.Sprintf("IN-%d", p), "conversation")
		if err != nil {
			t.Fatal(err)
		}
		i := c.CachedInfo()
		head, err := h.events.Head(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		at, err := h.state.Checkpoint(ctx, "policy", p)
		if err != nil {
			t.Fatal(err)
		}
		if i.NumPending > 0 || i.NumAckPending > 0 || at < head {
			return false
		}
	}
	return true
}

// checkInputs: what was acknowledged before the backup is there, can be read,
// and is in the log exactly once; no cursor is ahead.
func checkInputs(t *testing.T, h *hub, want []string) {
	t.Helper()
	ctx := within(t)
	refs := map[string]string{}
	for p := range partitions {
		s, err := h.bus.JS.Stream(ctx, fmt.Sprintf("IN-%d", p))
		if err != nil {
			t.Fatal(err)
		}
		for seq := uint64(1); seq <= s.CachedInfo().State.LastSeq; seq++ {
			ref := fmt.Sprintf("in/%d/%d", p, seq)
			raw, err := h.intake.Open(ctx, ref)
			if err != nil {
				if !strings.Contains(err.Error(), intake.ErrNoInput.Error()) { // a receipt, or used up
					t.Fatalf("%s: %v", ref, err)
				}
				continue
			}
			if !strings.HasPrefix(string(raw.Body), "mail "+raw.ProviderID) {
				t.Fatalf("%s: body of %d bytes is not that of %s", ref, len(raw.Body), raw.ProviderID)
			}
			refs[raw.ProviderID] = ref
		}
	}
	commits := map[string]int{}
	for p := range partitions {
		all, err := h.events.Read(ctx, p, 1, 100_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if id, ok := strings.CutPrefix(c.ID, "input-"); ok {
				commits[id]++
			}
		}
	}
	for id := range refs {
		if commits[id] != 1 {
			t.Errorf("input %s is in the log %d times", id, commits[id])
		}
	}
	for _, id := range want {
		if refs[id] == "" {
			t.Errorf("input %s was acknowledged before the backup and is lost", id)
		}
	}
	for i := range 3 {
		box := fmt.Sprintf("box%d", i)
		d, err := h.state.Get(ctx, "cursors", box)
		if err != nil {
			t.Fatal(err)
		}
		var c struct{ Last int }
		if err := json.Unmarshal(d.JSON, &c); err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= c.Last; n++ {
			if id := fmt.Sprintf("%s-%d", box, n); refs[id] == "" {
				t.Errorf("the cursor of %s is at %d, and %s is lost", box, c.Last, id)
			}
		}
	}
	checkTimers(t, h)
}

// checkTimers: one for each reply of which the log knows, gone off or not.
func checkTimers(t *testing.T, h *hub) {
	t.Helper()
	s, err := h.bus.JS.Stream(within(t), "TIMERS")
	if err != nil {
		t.Fatal(err)
	}
	var msgs uint64
	waiting, fired := 0, 0
	await(t, "a due timer to go off", func() bool {
		i, err := s.Info(within(t), jetstream.WithSubjectFilter(">"))
		if err != nil {
			t.Fatal(err)
		}
		msgs, waiting, fired = i.State.Msgs, 0, 0
		for subj := range i.State.Subjects {
			if strings.HasPrefix(subj, "fired.") {
				fired++
			} else {
				waiting++
			}
		}
		return fired > 0
	})
	if waiting == 0 {
		t.Errorf("%d timers wait and %d went off", waiting, fired)
	}
	t.Logf("%d inputs, %d timers wait, %d went off", msgs, waiting, fired)
}
