package law_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// starting writes first to Ada's address, always with the same key.
func (w *world) starting(into *command.Result) intent {
	return intent{name: "start", run: func(ctx context.Context, p *process) error {
		r, err := p.orders.StartConversation(ctx, command.StartConversation{
			Order: command.Order{Tenant: "default", Actor: "ag", Key: "k"},
			Kind:  senders[0].Kind, Address: senders[0].Address, Inbox: "widget", Subject: "s", Text: "t",
		})
		if into != nil {
			*into = r
		}
		return err
	}}
}

// erase orders an erasure and sees it through.
func (w *world) erases(id string) {
	e := erasure{"erase-" + id, id}
	w.erasures = append(w.erasures, e)
	w.must(w.erasing(e))
}

// added says that a task leaves no commit.
func (w *world) adds(it intent, want int) error {
	before := len(w.all())
	err := w.settle(it)
	if n := len(w.all()) - before; n != want {
		return errors.Join(err, fmt.Errorf("%s: %d commits more, want %d", it.name, n, want))
	}
	return err
}

// TestExactOrderOfAnErased: the customer an order to write first had made was
// erased. The same order again is refused, and makes nobody: whoever has the
// address then.
func TestExactOrderOfAnErased(t *testing.T) {
	t.Parallel()
	refused := func(w *world) error {
		var erased *customer.ErasedError
		if err := w.adds(w.starting(nil), 0); !errors.As(err, &erased) || erased.Order == "" {
			return fmt.Errorf("the order again: %w", err)
		}
		return nil
	}
	for name, tc := range map[string]struct {
		fault faults
		play  func(w *world, first command.Result) error
	}{
		"the address is nobody's": {faults{NoStarted: true}, func(w *world, first command.Result) error {
			w.erases(first.Customer)
			return refused(w)
		}},
		"the address is a new customer's": {faults{NoStarted: true}, func(w *world, first command.Result) error {
			w.erases(first.Customer)
			w.must(w.deliver(w.write("m1", ada)))
			return refused(w)
		}},
		"the address had moved away": {faults{NoForget: true}, func(w *world, first command.Result) error {
			w.must(w.moving("mv", senders[0], "b", w.clock, true))
			w.erases(first.Customer)
			return refused(w)
		}},
		"the next owner was erased too": {faults{NoStarted: true}, func(w *world, first command.Result) error {
			w.must(w.moving("mv", senders[0], "b", w.clock, true))
			w.erases(first.Customer)
			w.erases("b")
			return refused(w)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play := func(w *world) error {
				var first command.Result
				w.must(w.starting(&first))
				w.clock = w.clock.Add(time.Minute)
				return tc.play(w, first)
			}
			if err := scenario(faults{Purged: true}, play); err != nil {
				t.Error(err)
			}
			tc.fault.Purged = true
			if err := scenario(tc.fault, play); err == nil {
				t.Error("the planted fault is not caught")
			}
		})
	}
}

// TestExactOrderOfALivingOne: the order's customer lives, although his address
// went to somebody who was erased and is nobody's now. The same order again is
// the earlier one, and no new customer is made for it.
func TestExactOrderOfALivingOne(t *testing.T) {
	t.Parallel()
	if err := scenario(faults{Purged: true}, func(w *world) error {
		var first, again command.Result
		w.must(w.starting(&first))
		w.clock = w.clock.Add(time.Minute)
		w.must(w.moving("mv", senders[0], "b", w.clock, true))
		w.erases("b")
		if err := w.adds(w.starting(&again), 0); err != nil {
			return err
		}
		if !again.Repeated || again.Customer != first.Customer || again.Entry != first.Entry {
			return fmt.Errorf("the order again: %+v", again)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// TestExactWhatMovedAwayComesAgain: Ada's address had moved to another before she
// was erased. What she had written comes again: the other, who has forgotten
// which ids were handed over to him, does not take it in.
func TestExactWhatMovedAwayComesAgain(t *testing.T) {
	t.Parallel()
	play := func(w *world) error {
		in := w.write("m1", ada)
		w.must(w.deliver(in))
		a := w.people()[0]
		w.clock = w.clock.Add(time.Hour)
		w.must(w.moving("mv", senders[0], "b", w.clock, true))
		for i := range 6 { // b's window is two to four ids long
			w.must(w.deliver(w.write(fmt.Sprintf("b%d", i), ada)))
		}
		w.erases(a)
		if w.gone.before["customer."+a] == 0 {
			return errors.New("his stream was not purged")
		}
		if err := w.adds(w.deliver(in), 0); err != nil {
			return err
		}
		w.finish()
		return errors.Join(w.once(), w.shredded())
	}
	if err := scenario(faults{Purged: true}, play); err != nil {
		t.Error(err)
	}
	for name, f := range map[string]faults{"nothing is kept": {NoRemembered: true}, "what moved away is left as it is": {NoForget: true}} {
		f.Purged = true
		if err := scenario(f, play); err == nil {
			t.Errorf("%s, and nothing is broken", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
}

// TestExactWhatAFormerOwnerHas: a message is Bob's, who lives; his address went
// to Ada, who was erased, and is nobody's. It comes again: nobody is claimed for,
// and its original stays where it is.
func TestExactWhatAFormerOwnerHas(t *testing.T) {
	t.Parallel()
	if err := scenario(faults{Purged: true}, func(w *world) error {
		in := w.write("m1", ada)
		w.must(w.deliver(in))
		w.clock = w.clock.Add(time.Hour)
		w.must(w.moving("mv", senders[0], "a", w.clock, true))
		w.must(w.deliver(w.write("m2", ada)))
		w.erases("a")
		if r := eventsOf[event.HandleReleased](w); len(r) != 1 || len(r[0].Seen) != 1 {
			return fmt.Errorf("released with %+v", r)
		}
		return w.adds(w.deliver(in), 0)
	}); err != nil {
		t.Error(err)
	}
}

// TestExactAnOldProofComesAgain: Bob proved the address, which went to Ada, who
// was erased, and is a third one's now, who has proven nothing. Bob's message
// comes again: it says nothing of the third one.
func TestExactAnOldProofComesAgain(t *testing.T) {
	t.Parallel()
	if err := scenario(faults{Purged: true}, func(w *world) error {
		proven := ada
		proven.Assurance = 3
		in := w.write("m1", proven)
		w.must(w.deliver(in))
		w.clock = w.clock.Add(time.Hour)
		w.must(w.moving("mv", senders[0], "a", w.clock, true))
		w.must(w.deliver(w.write("m2", ada)))
		w.erases("a")
		w.must(w.deliver(w.write("m3", ada)))
		if c := eventsOf[event.HandleClaimed](w); len(c) != 2 || c[1].Tenure != 3 || c[1].Assurance != 1 {
			return fmt.Errorf("claimed with %+v", c)
		}
		if err := w.adds(w.deliver(in), 0); err != nil {
			return err
		}
		own := w.write("m4", proven)
		return w.adds(w.deliver(own), 2) // his own does: the message, and the level
	}); err != nil {
		t.Error(err)
	}
}

// TestExactAnOldLoginComesAgain: Bob's browser proved a login, which went to Ada,
// who was erased, and is nobody's now. What Bob wrote comes again: the login does
// not come to him.
func TestExactAnOldLoginComesAgain(t *testing.T) {
	t.Parallel()
	if err := scenario(faults{Purged: true}, func(w *world) error {
		in := w.write("m1", visitor)
		w.must(w.deliver(in))
		w.clock = w.clock.Add(time.Hour)
		w.must(w.moving("mv", *visitor.ClaimsHandle, "a", w.clock, true))
		w.must(w.deliver(w.write("m2", ada)))
		w.erases("a")
		if err := w.adds(w.deliver(in), 0); err != nil {
			return err
		}
		again := w.write("m3", visitor)
		return w.adds(w.deliver(again), 3) // he proves it anew: the claim, the handle with him, the message
	}); err != nil {
		t.Error(err)
	}
}
