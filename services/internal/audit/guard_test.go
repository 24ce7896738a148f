package audit_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"pgregory.net/rapid"

	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
)

type recorded []audit.Entry

func (r *recorded) Record(_ context.Context, e audit.Entry) error {
	*r = append(*r, e)
	return nil
}

func TestGuard(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	var got recorded
	reg := prometheus.NewRegistry()
	const limit = 10
	g := audit.NewGuard(limit, &got, slog.New(slog.DiscardHandler), reg, func() time.Time { return now })
	as := func(who actor.Actor) context.Context { return actor.With(t.Context(), who) }
	owner := as(actor.Actor{ID: "olga", Kind: actor.KindAgent, Owner: true})
	reads := func(ctx context.Context, thing int) time.Duration {
		t.Helper()
		wait, err := g.Reads(ctx, fmt.Sprint(thing))
		if err != nil {
			t.Fatal(err)
		}
		return wait
	}
	// Reading the same things again is not reading much.
	for range 100 {
		for i := range limit {
			reads(owner, i)
		}
	}
	if len(got) != 0 {
		t.Fatalf("alerted: %v", got)
	}
	for i := limit; i < 5*limit; i++ {
		if reads(owner, i) != 0 {
			t.Fatalf("refused at %d", i)
		}
	}
	if len(got) != 1 || got[0].Action != audit.AlertBulkRead || got[0].Outcome == audit.OutcomeRefused {
		t.Fatalf("%v", got)
	}
	now = now.Add(time.Minute)
	for range 20 {
		if wait := reads(owner, 999); wait != 9*time.Minute {
			t.Fatalf("wait %s", wait)
		}
	}
	if len(got) != 2 || got[1].Outcome != audit.OutcomeRefused || got[1].Reason != "resource_exhausted" {
		t.Fatalf("%v", got)
	}
	if reads(owner, 3) != 0 {
		t.Fatal("what was read may be read")
	}
	if reads(as(actor.Actor{ID: "bob", Kind: actor.KindAgent}), 999) != 0 {
		t.Fatal("somebody else was refused")
	}
	for i := range 6 * limit {
		if reads(as(actor.Actor{ID: "system", Kind: actor.KindSystem}), i) != 0 || reads(t.Context(), i) != 0 {
			t.Fatal("the hub was refused")
		}
	}
	want := `# HELP weftline_audit_bulk_reads_total Alerts about much reading by one actor, and calls refused for it.
# TYPE weftline_audit_bulk_reads_total counter
weftline_audit_bulk_reads_total{result="alert"} 1
weftline_audit_bulk_reads_total{result="refused"} 20
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want)); err != nil {
		t.Fatal(err)
	}
	now = now.Add(9 * time.Minute)
	if reads(owner, 999) != 0 || len(got) != 2 {
		t.Fatal("ten minutes later")
	}
	for i := range limit {
		reads(owner, 2000+i)
	}
	if len(got) != 3 {
		t.Fatalf("the next window: %v", got)
	}
}

// TestLawGuard: nobody reads more than five times the limit of different
// things within ten minutes, however he paces himself.
func TestLawGuard(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1_000_000, 0)
		var got recorded
		limit := rapid.IntRange(1, 4).Draw(t, "limit")
		g := audit.NewGuard(limit, &got, slog.New(slog.DiscardHandler), nil, func() time.Time { return now })
		ctx := actor.With(context.Background(), actor.Actor{ID: "a", Kind: actor.KindAgent})
		type first struct {
			thing string
			at    time.Time
		}
		var firsts []first // readings that began a time of their own
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "seconds")) * time.Second)
			thing := fmt.Sprint(rapid.IntRange(0, 60).Draw(t, "thing"))
			wait, err := g.Reads(ctx, thing)
			if err != nil {
				t.Fatal(err)
			}
			live, known := 0, false
			for _, f := range firsts {
				if now.Sub(f.at) < audit.BulkWindow {
					live++
					known = known || f.thing == thing
				}
			}
			if refuse := !known && live >= 5*limit; refuse != (wait > 0) || wait > audit.BulkWindow {
				t.Fatalf("%d things read, known %v: wait %s", live, known, wait)
			}
			if wait == 0 && !known {
				firsts = append(firsts, first{thing, now})
			}
		}
	})
}
