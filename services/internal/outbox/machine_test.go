package outbox

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weftline/weftline/pkg/channel"
)

// TestMachine walks the machine with any answers of a channel and a crash at
// any time, and checks the rule of the package comment.
func TestMachine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := Policy{}.withDefaults()
		start := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
		now := start
		var rec record
		var stale bool
		round, sends, unanswered, lastAttempt := 1, 0, 0, 0
		rec, _ = rec.enter(round)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if rec.State.final() {
				if rec.State == stateSent {
					before := rec
					if rec, stale = rec.enter(round + 1); stale || rec != before {
						t.Fatalf("a new round forgot that the message was sent: %+v", rec)
					}
					return
				}
				if rec.State == stateLost && unanswered != 2 {
					t.Fatalf("lost after %d doubtful sends", unanswered)
				}
				round++
				doubt := rec.Doubt
				rec, _ = rec.enter(round)
				if doubt && !rec.Doubt {
					t.Fatal("a new round forgot the doubt")
				}
				unanswered = 0
				continue
			}
			if rec.State == stateOpen { // a crash left it so
				rec = p.doubted(rec, "crash", "", now)
				unanswered++
				continue
			}
			if rec.Due.After(now) {
				now = rec.Due
			}
			rec = rec.open(now)
			sends++
			if rec.Attempt <= lastAttempt {
				t.Fatalf("attempt %d after %d", rec.Attempt, lastAttempt)
			}
			lastAttempt = rec.Attempt
			if unanswered > 0 && !rec.Doubt {
				t.Fatal("the sender is not told of the doubt")
			}
			switch rapid.SampledFrom([]string{"sent", "failed", "unknown", "error", "later", "attention", "crash"}).Draw(t, "answer") {
			case "sent":
				rec = p.received(rec, channel.Receipt{State: channel.StateSent}, now)
			case "failed":
				rec = p.received(rec, channel.Receipt{State: channel.StateFailed}, now)
			case "unknown":
				rec = p.received(rec, channel.Receipt{State: channel.StateUnknown}, now)
				unanswered++
			case "error":
				rec, _ = p.erred(rec, errors.New("busy"), start, now)
			case "later":
				rec, _ = p.erred(rec, &channel.RetryAfterError{After: time.Hour, Err: errors.New("slow down")}, start, now)
				if rec.State == stateRetry && !rec.Due.Equal(now.Add(time.Hour)) {
					t.Fatalf("due %s, want in an hour", rec.Due.Sub(now))
				}
			case "attention":
				rec, _ = p.erred(rec, fmt.Errorf("login: %w", channel.ErrNeedsAttention), start, now)
				if rec.State == stateFailed {
					t.Fatal("gave up on an inbox that waits for a person")
				}
			case "crash":
			}
			if unanswered > 2 {
				t.Fatalf("%d doubtful sends in one round", unanswered)
			}
		}
	})
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	p := Policy{}.withDefaults()
	start := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	now, rec, reports := start, record{}, 0
	rec, _ = rec.enter(1)
	for rec.State != stateFailed {
		rec = rec.open(now)
		var report bool
		rec, report = p.erred(rec, errors.New("greylisted"), start, now)
		if report {
			reports++
		}
		if rec.State == stateRetry {
			wait := rec.Due.Sub(now)
			want := min(p.MinBackoff<<min(rec.Tries-1, 20), p.MaxBackoff)
			if wait > want || wait < want*3/4 {
				t.Fatalf("wait %s after %d tries, want %s less at most a quarter", wait, rec.Tries, want)
			}
			now = rec.Due
		}
	}
	if now.Sub(start) < p.GiveUp || now.Sub(start) > p.GiveUp+p.MaxBackoff {
		t.Fatalf("gave up after %s", now.Sub(start))
	}
	if reports != 2 {
		t.Fatalf("%d reports, want one of the delay and one of the end", reports)
	}
	if rec.Result != channel.StateFailed || rec.Detail != "gave up after 120h0m0s: greylisted" {
		t.Fatalf("%+v", rec)
	}
}

func TestRounds(t *testing.T) {
	t.Parallel()
	lost := record{Round: 1, Attempt: 2, Unknowns: 2, State: stateLost, Doubt: true}
	next, stale := lost.enter(2)
	if stale || next != (record{Round: 2, Attempt: 2, Doubt: true}) {
		t.Fatalf("again after lost: %+v %v", next, stale)
	}
	if _, stale := next.enter(1); !stale {
		t.Fatal("an overtaken round is sent")
	}
	if _, stale := lost.enter(1); stale {
		t.Fatal("the same round again is not stale: it is reported again")
	}
}
