package replay_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/replay"
)

// move gives ada's address to bob, as an agent does.
func (r *rig) move(key, to string) {
	r.t.Helper()
	own, err := r.Claims.Find(r.t.Context(), "default", email("ada@x.org"))
	if err != nil {
		r.t.Fatal(err)
	}
	p, err := r.Orders.PreviewMove(r.t.Context(), "", own.ID, to, time.Time{})
	if err != nil || p.Refused != nil {
		r.t.Fatal(err, p.Refused)
	}
	if _, err := r.Orders.MoveHandle(r.t.Context(), command.MoveHandle{
		Order: command.Order{Actor: "ag1", Key: key}, Handle: own.ID, To: to, Token: p.Token,
	}); err != nil {
		r.t.Fatal(err)
	}
}

// bob is somebody else, who wrote here.
func (r *rig) bob() string {
	r.t.Helper()
	if err := r.Deliver("email", "support", "b1", channel.Message{From: email("bob@x.org"), Content: channel.Content{Text: "hi"}}); err != nil {
		r.t.Fatal(err)
	}
	return r.ownerOf("bob@x.org")
}

// long is a history of n messages, a reply and a note after each tenth.
func long(n int) (lines []string, entries int) {
	lines = []string{customer("7", "ada@x.org"), conversation("c1", "7", `,"subject":"Hello","status":"pending"`)}
	for i := range n {
		clock := fmt.Sprintf("%02d:%02d:00", 8+i/60, i%60)
		lines = append(lines, message(fmt.Sprintf("m%d", i), "c1", "in", clock, ""))
		entries++
		if i%10 == 9 {
			lines = append(lines, message(fmt.Sprintf("r%d", i), "c1", "out", clock[:6]+"30", `,"author":"grace@shop.test"`),
				fmt.Sprintf(`{"type":"note","id":"n%d","conversation":"c1","at":"%s%s40Z","author":"grace@shop.test","text":"careful"}`, i, day, clock[:6]))
			entries += 2
		}
	}
	return lines, entries
}

// TestAddressMovesWhileItIsImported: whatever moment it is, nothing ends, nothing
// is lost or twice, and every message is with whom the address belongs to when it
// is written.
func TestAddressMovesWhileItIsImported(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]int{"before anything": 1, "in the middle": 2, "near the end": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := setup(t)
			bob := r.bob()
			lines, entries := long(300)
			chunks := 0
			r.before = func(appends []eventstore.Append) {
				if len(appends) < 2 || appends[0].Stream == "customer."+bob {
					return // not a chunk of ada's
				}
				if chunks++; chunks == at {
					r.move("k", bob)
				}
			}
			rep := r.must(lines...)
			if chunks < at {
				t.Fatalf("the move was not reached: %d chunks", chunks)
			}
			if rep.Written != entries || rep.Already != 0 || rep.Erased != 0 {
				t.Errorf("report %+v, want %d written", rep, entries)
			}
			r.whole(bob, 300, 30)
			stays := 0
			for _, c := range r.Commits() {
				for _, e := range c.Events {
					m, ok := e.(event.MessageReceived)
					if !ok || m.Imported == false {
						continue
					}
					switch {
					case m.Tenure == 1 && c.Stream != "customer."+bob:
						stays++
					case m.Tenure != 2 || c.Stream != "customer."+bob:
						t.Fatalf("message of tenure %d in %s", m.Tenure, c.Stream)
					}
				}
			}
			if (stays == 0) != (at == 1) || stays == 300 {
				t.Errorf("%d messages stayed with the former owner", stays)
			}
			r.before = nil
			if again := r.must(lines...); again.Written != 0 || again.Already != entries || again.Commits != 0 {
				t.Errorf("again: %+v", again)
			}
		})
	}
}

// whole checks that everything is there once.
func (r *rig) whole(bob string, messages, notes int) {
	r.t.Helper()
	seen := map[string]int{}
	for _, m := range domaintest.Events[event.MessageReceived](r.Domain) {
		if m.Imported {
			seen[m.Message]++
		}
	}
	if len(seen) != messages {
		r.t.Errorf("%d messages, want %d", len(seen), messages)
	}
	for id, n := range seen {
		if n != 1 {
			r.t.Errorf("message %s is there %d times", id, n)
		}
	}
	if n := len(domaintest.Events[event.ReplyRequested](r.Domain)); n != notes {
		r.t.Errorf("%d replies, want %d", n, notes)
	}
	if n := len(domaintest.Events[event.NoteAdded](r.Domain)); n != notes {
		r.t.Errorf("%d notes, want %d", n, notes)
	}
	_ = bob
}

// TestAddressMovesTwice: to bob and on to a new customer.
func TestAddressMovesTwice(t *testing.T) {
	t.Parallel()
	r := setup(t)
	bob := r.bob()
	lines, entries := long(300)
	moves := 0
	r.before = func(appends []eventstore.Append) {
		if len(appends) < 2 {
			return
		}
		to := []string{bob, ""}
		if theirs := appends[0].Stream == "customer."+bob; moves < 2 && theirs == (moves == 1) {
			moves++
			r.move(fmt.Sprint(moves), to[moves-1])
		}
	}
	if rep := r.must(lines...); moves != 2 || rep.Written != entries {
		t.Errorf("%d moves, report %+v, want %d written", moves, rep, entries)
	}
	r.whole(bob, 300, 30)
	if last := r.ownerOf("ada@x.org"); last == bob || len(r.ofStream("customer."+last)) < entries {
		t.Errorf("%d commits with the last owner", len(r.ofStream("customer."+last)))
	}
}

// TestAddressThatMovedBefore: a move of which nothing was done yet beyond its own
// stream is finished by the import, which then goes on.
func TestAddressThatMovedBefore(t *testing.T) {
	t.Parallel()
	r := setup(t)
	lines, entries := long(20)
	r.must(lines[:3]...)
	own, err := r.Claims.Find(t.Context(), "default", email("ada@x.org"))
	if err != nil {
		t.Fatal(err)
	}
	bob := r.bob()
	r.raw("handle."+own.ID, "half", event.HandleMoved{MoveID: "half", Tenure: 2, From: own.Customer, To: bob, ValidFrom: r.Clock, Reason: "agent"})
	rep, err := r.run(replay.Config{}, lines...)
	if err != nil || rep.BadLines != 0 || rep.Written != entries-1 {
		t.Fatalf("%v %+v", err, rep)
	}
	r.whole(bob, 20, 2)
}
