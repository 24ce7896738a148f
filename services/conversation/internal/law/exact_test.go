package law_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/handle"
	"github.com/weftline/weftline/services/internal/handleid"
)

// plain draws nothing: these histories are written down.
type plain struct{}

func (plain) Draw(string, int) int { return 0 }

// write is an input of one message that a test writes itself.
func (w *world) write(id string, m channel.Message) input {
	w.clock = w.clock.Add(time.Minute)
	m.ID = id
	in := w.input(id, m.From, "", []channel.Item{{Message: &m}})
	w.inputs = append(w.inputs, in)
	return in
}

// must runs a task to its end.
func (w *world) must(it intent) {
	if err := w.settle(it); err != nil {
		w.t.Fatalf("%s: %v", it.name, err)
	}
	if err := w.view.CatchUp(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) handleOf(a channel.Address) string { return handleid.Of(w.keys, a) }

// moving gives a handle to somebody; settled says whether the mover settles it.
func (w *world) moving(id string, a channel.Address, to string, validFrom time.Time, settled bool) intent {
	h := w.handleOf(a)
	return intent{name: id, run: func(ctx context.Context, p *process) error {
		own, err := p.claims.Reload(ctx, "default", h)
		if err != nil {
			return err
		}
		own, err = p.claims.Move(ctx, "default", handle.Move{
			ID: id, Handle: h, At: w.clock, From: own.Customer, Tenure: own.Tenure, To: to, ValidFrom: validFrom,
		}, claim.Author{Actor: "ag"})
		if err != nil || !settled {
			return err
		}
		_, err = p.settle.Handle(ctx, "default", own)
		return err
	}}
}

var (
	ada = channel.Message{From: senders[0], Assurance: 1, Content: channel.Content{Text: "hello"}}
	// visitor is logged in: he proves to be whoever owns that login.
	visitor = channel.Message{
		From: senders[2], Assurance: 4, Content: channel.Content{Text: "hello"},
		ClaimsHandle: &channel.Address{Kind: "external", Scope: "widget", Address: "sub0"},
	}
)

// scenario runs a written history and says what it breaks.
func scenario(f faults, play func(w *world) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			c, ok := r.(caught)
			if !ok {
				panic(r)
			}
			err = c.error
		}
	}()
	return play(newWorld(catching{}, plain{}, f))
}

// TestExactToken (C-11): a first message was cut off after the claim. It comes
// again while the handle moves. In every order of their steps the message is in
// one place; without the comparison of tokens it is not.
func TestExactToken(t *testing.T) {
	t.Parallel()
	const most = 30 // steps of one of them
	play := func(f faults) (orders, broken int, first error) {
		for stop := range most {
			for steps := range most {
				reached, err := interleave(f, stop, steps)
				if !reached {
					break
				}
				if orders++; err != nil {
					if broken++; first == nil {
						first = err
					}
				}
			}
		}
		return orders, broken, first
	}
	if n, broken, err := play(faults{}); err != nil || n < 20 {
		t.Errorf("%d of %d orders break the law: %v", broken, n, err)
	} else {
		t.Logf("%d orders are sound", n)
	}
	if n, broken, err := play(faults{NoToken: true}); err == nil {
		t.Errorf("without the token none of %d orders breaks a law", n)
	} else {
		t.Logf("without the token %d of %d orders break it: %v", broken, n, err)
	}
}

// interleave lets a delivery go some steps, then a move some, then the delivery
// to its end, then the move. reached is false when one of them had ended before.
func interleave(f faults, stop, steps int) (reached bool, err error) {
	reached = true
	err = scenario(f, func(w *world) error {
		in := w.write("m", ada)
		cut := w.newProcess(0) // claims the handle, and crashes before it appends
		cut.start(w.deliver(in).run)
		for over := false; !over; {
			if _, over = cut.wait(); over {
				break
			}
			if len(w.made) == 1 {
				cut.resume <- crashBefore
			} else {
				cut.resume <- goOn
			}
		}
		tasks := []intent{w.deliver(in), w.moving("mv", senders[0], "other", time.Time{}, true)}
		procs := []*process{w.newProcess(0), w.newProcess(0)}
		over := []bool{false, false}
		for i, p := range procs {
			p.start(tasks[i].run)
			_, over[i] = p.wait()
		}
		goes := func(i, n int) {
			for ; n > 0 && !over[i]; n-- {
				procs[i].resume <- goOn
				_, over[i] = procs[i].wait()
			}
			reached = reached && n == 0
		}
		goes(0, stop)
		goes(1, steps)
		whole := reached
		goes(0, 1<<10)
		goes(1, 1<<10)
		reached = whole
		w.finish()
		return errors.Join(w.once(), w.inOrder())
	})
	return reached, err
}

// TestExactClaimIsOfATenure (C-21): a handle was claimed for somebody by proof,
// moved, and released by an erasure; the next proof claims it for him again.
func TestExactClaimIsOfATenure(t *testing.T) {
	t.Parallel()
	play := func(w *world) error {
		w.must(w.deliver(w.write("m1", ada)))
		a := w.people()[0]
		own := handle.Claim{Handle: w.handleOf(*visitor.ClaimsHandle), Tenure: 1, Customer: a, Kind: "external", Assurance: 4}
		w.must(w.claiming(own, *visitor.ClaimsHandle))
		w.must(w.deliver(w.write("m2", visitor))) // claimed for a
		w.must(w.moving("mv", senders[2], "b", time.Time{}, true))
		w.erasures = append(w.erasures, erasure{"e", "b"})
		w.must(w.erasing(w.erasures[0]))
		w.must(w.deliver(w.write("m3", visitor)))
		all, _ := w.histories()
		if got := all[w.handleOf(senders[2])].Last(); got.Customer != a || got.Number != 3 {
			return fmt.Errorf("the handle is of %q in tenure %d, want %s in 3", got.Customer, got.Number, a)
		}
		w.finish()
		return w.once()
	}
	if err := scenario(faults{}, play); err != nil {
		t.Error(err)
	}
}

// TestExactClaimForAnErased (C-22): a proof for a customer who was erased while
// the handle it comes through still names him: a new customer, at once.
func TestExactClaimForAnErased(t *testing.T) {
	t.Parallel()
	play := func(w *world) error {
		w.must(w.deliver(w.write("m1", ada)))
		a := w.people()[0]
		g := *visitor.ClaimsHandle
		w.must(w.claiming(handle.Claim{Handle: w.handleOf(g), Tenure: 1, Customer: a, Kind: "external", Assurance: 4}, g))
		w.must(intent{name: "fence only", run: func(ctx context.Context, p *process) error {
			cmd := customer.Erase{Customer: a, EraseID: "e"}
			_, err := p.customers.Execute(ctx, "default", a, aggregate.Turn[customer.State]{
				ID:     cmd.CommitID(),
				Decide: func(s customer.State) ([]event.Event, error) { return customer.Decide(s, cmd) }, Actor: "system",
			})
			return err
		}})
		before := w.calls
		w.must(w.deliver(w.write("m2", visitor)))
		if n := w.calls - before; n > 40 {
			return fmt.Errorf("took %d loads and appends", n)
		}
		all, _ := w.histories()
		for _, h := range []string{w.handleOf(senders[2]), w.handleOf(g)} {
			if owner := all[h].Last().Customer; owner == a || owner == "" {
				return fmt.Errorf("handle %s is of %q", h, owner)
			}
		}
		w.finish()
		return w.once()
	}
	if err := scenario(faults{}, play); err != nil {
		t.Error(err)
	}
}

// TestExactInPassing (C-28): moved twice at once, the second time from later on.
// The unit is the second owner's, who never had the handle attached: he gets the
// question all the same.
func TestExactInPassing(t *testing.T) {
	t.Parallel()
	play := func(w *world) error {
		w.must(w.deliver(w.write("m1", ada)))
		early := w.clock.Add(-time.Hour)
		w.clock = w.clock.Add(time.Hour)
		w.must(w.moving("mv1", senders[0], "b", early, false))
		w.must(w.moving("mv2", senders[0], "c", w.clock, false))
		w.must(w.deliver(w.write("m2", ada)))
		w.finish()
		return w.heads()
	}
	if err := scenario(faults{}, play); err != nil {
		t.Error(err)
	}
	if err := scenario(faults{NoHeadInPassing: true}, play); err == nil {
		t.Error("an owner passed through needs no successor")
	} else {
		t.Log(err)
	}
}

// TestExactOwnerOfAUnit (C-19): a visitor was claimed for Ada by mistake and
// joined her conversation; he is given to another from before that on. What he
// said is the other's, although the conversation is older than the mistake:
// erasing Ada leaves it readable.
func TestExactOwnerOfAUnit(t *testing.T) {
	t.Parallel()
	play := func(w *world) error {
		w.must(w.deliver(w.write("m1", ada)))
		a := w.people()[0]
		g := *visitor.ClaimsHandle
		w.must(w.claiming(handle.Claim{Customer: a, Assurance: 4}, g))
		between := w.clock.Add(30 * time.Second)
		said := visitor
		said.OccurredAt = w.clock.Add(time.Minute)
		w.must(w.deliver(w.write("m2", said)))
		ms := eventsOf[event.MessageReceived](w)
		if len(ms) != 2 || ms[0].Conversation != ms[1].Conversation {
			return fmt.Errorf("did not join: %+v", ms)
		}
		w.must(w.moving("mv", senders[2], "q", between, true))
		w.erasures = append(w.erasures, erasure{"e", a})
		w.must(w.erasing(w.erasures[0]))
		w.finish()
		return errors.Join(w.shredded(), w.heads())
	}
	if err := scenario(faults{}, play); err != nil {
		t.Error(err)
	}
	if err := scenario(faults{ByConversation: true}, play); err == nil {
		t.Error("the conversation's age breaks nothing")
	} else {
		t.Log(err)
	}
}

// claiming gives a handle to somebody as a proof would have.
func (w *world) claiming(c handle.Claim, a channel.Address) intent {
	return intent{name: "claim", run: func(ctx context.Context, p *process) error {
		_, err := p.claims.Claim(ctx, claim.Request{
			Tenant: "default", Address: a, Customer: c.Customer, Assurance: c.Assurance, Evidence: event.Evidence{Kind: "login", ID: "x"}, Actor: "system",
		})
		return err
	}}
}
