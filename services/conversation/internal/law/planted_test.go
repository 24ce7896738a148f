package law_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/handle"
)

// faults are planted: each takes away one thing the design rests on.
type faults struct {
	NoSeen      bool // the state forgets every message id at once
	NoRecall    bool // the timeline is not asked about what was forgotten
	NoWait      bool // it is asked, but not waited for
	NoClaimLock bool // the claim of a handle does not compare the expected sequence
	NoLock      bool // appends to customers do not
	OwnClock    bool // recorded_at is the wall clock
	NoCommands  bool // the state forgets every command id at once
	NoLattice   bool // the state forgets what the channel said

	// Of moves and erasures. C-… are the counterexamples they were found by.
	NoFence         bool // C-10: a stream takes messages of a tenure that was detached
	NoToken         bool // C-11: the fence is there, but its number is not remembered
	NoReleased      bool // C-12: a release forgets what the erased owner had received
	Purged          bool // no fault: all erased customers' streams are purged, not those of every other history
	NoForget        bool // an erasure leaves handles that have moved away as they are
	NoRemembered    bool // nothing is kept of what came over them
	NoStarted       bool // orders to write first are forgotten with who they went to
	NoEmptyFence    bool // C-13: an empty stream is not fenced by an erasure
	NoHelp          bool // C-14: only the erasure itself releases a handle
	NoTenureCheck   bool // C-15: who answers believes that nothing ever moves
	CustomerKeys    bool // C-8: one data key per customer
	TenureKeys      bool // C-9: one per handle and tenure
	NoStandingOrder bool // C-18: keys are destroyed once, and not when something derives to an erased one later
	ByConversation  bool // C-19: a unit's owner is told by when its conversation began
	NoHead          bool // C-20: what moves has no successor
	NoHeadInPassing bool // C-28: an owner passed through gets no successor
	Canonical       bool // C-25: a proof claims for the person's canonical customer
	NoHandedIDs     bool // the former owner's message ids are not handed over
}

func (f faults) noLock(stream string) bool {
	return f.NoLock && strings.HasPrefix(stream, "customer.") || f.NoClaimLock && strings.HasPrefix(stream, "handle.")
}

// bounds are small, so that forgetting happens in short histories.
func (w *world) bounds() customer.Bounds {
	b := customer.Bounds{Seen: 2, Commands: 100, Closed: 1, All: 3, Replies: 2, Refs: 2, Units: 8}
	if w.entriesOnly {
		b.Commands = 2
	}
	return b
}

func (f faults) customers(b customer.Bounds) aggregate.Model[customer.State] {
	m := aggregate.Customer(b)
	evolve := m.Evolve
	m.Evolve = func(s customer.State, c event.Commit) customer.State {
		before := s
		s = evolve(s, c)
		if f.NoSeen {
			for i := range s.Handles {
				s.Handles[i].Seen = customer.Window{}
			}
		}
		if f.NoCommands {
			s.Commands = customer.Window{}
		}
		if f.NoFence || f.NoToken {
			for _, e := range c.Events {
				left, ok := e.(event.HandleDetached)
				for i := range s.Handles {
					if ok && s.Handles[i].ID == left.Handle {
						s.Handles[i].Fence = 0
						if f.NoFence {
							s.Handles[i].Tenure = before.Handle(left.Handle).Tenure
						}
					}
				}
			}
		}
		if f.NoLattice {
			for _, r := range s.Replies {
				r.State = customer.Queued
			}
		}
		return s
	}
	return m
}

func (f faults) distort(s stepStore, a eventstore.Append) eventstore.Append {
	if f.OwnClock {
		a.Commit.RecordedAt = s.p.w.clock.Add(s.p.skew)
	}
	if f.NoRemembered || f.NoStarted {
		a = rewriteKept(a, f.NoRemembered, f.NoStarted)
	}
	switch id := a.Commit.ID; {
	case f.NoReleased && strings.HasPrefix(id, "release:"):
		return rewrite(a, func(e event.Event) event.Event {
			r := e.(event.HandleReleased)
			r.Seen = nil
			return r
		})
	case f.NoHandedIDs && strings.HasPrefix(id, "attach:"):
		return rewrite(a, func(e event.Event) event.Event {
			if h, ok := e.(event.HandleAttached); ok {
				h.Seen, h.Forgot = nil, false
				return h
			}
			return e
		})
	case f.Canonical && strings.HasPrefix(id, "claim:") && s.p.w.merged != nil:
		return rewrite(a, func(e event.Event) event.Event {
			c := e.(event.HandleClaimed)
			c.Customer = s.p.w.merged.graph.Canonical(c.Customer)
			return c
		})
	case (f.NoHead || f.NoHeadInPassing && s.inPassing(id)) && strings.HasPrefix(id, "attach:"):
		return rewrite(a, func(e event.Event) event.Event {
			switch e.(type) {
			case event.ConversationOpened, event.ConversationReopened, event.ConversationCarried:
				return nil
			}
			return e
		})
	}
	return a
}

// inPassing says whether an attachment is of a tenure that is over already.
func (s stepStore) inPassing(id string) bool {
	f := strings.Split(id, ":")
	all, _ := s.p.w.histories()
	return len(f) == 3 && fmt.Sprint(all[f[1]].Last().Number) != f[2]
}

// rewrite changes the events of an append; nil drops one.
func rewrite(a eventstore.Append, change func(event.Event) event.Event) eventstore.Append {
	events, err := codec.Decode(a.Commit)
	if err != nil {
		panic(err)
	}
	var out []event.Event
	for _, e := range events {
		if e = change(e); e != nil {
			out = append(out, e)
		}
	}
	if a.Commit.Records, err = codec.Encode(out); err != nil {
		panic(err)
	}
	return a
}

// handles is what those who answer know of handles.
func (f faults) handles() aggregate.Model[handle.State] {
	m := aggregate.Handle()
	if f.NoTenureCheck {
		evolve := m.Evolve
		m.Evolve = func(s handle.State, c event.Commit) handle.State {
			c.Events = slices.DeleteFunc(slices.Clone(c.Events), func(e event.Event) bool {
				_, moved := e.(event.HandleMoved)
				return moved
			})
			return evolve(s, c)
		}
	}
	return m
}

// answering is what those who answer know of customers.
func (f faults) answering(b customer.Bounds) aggregate.Model[customer.State] {
	m := f.customers(b)
	if f.NoTenureCheck {
		evolve := m.Evolve
		m.Evolve = func(s customer.State, c event.Commit) customer.State {
			c.Events = slices.DeleteFunc(slices.Clone(c.Events), func(e event.Event) bool {
				_, left := e.(event.HandleDetached)
				return left
			})
			return evolve(s, c)
		}
	}
	return m
}

// caught is how a history ends that breaks a law on its way.
type caught struct{ error }

type catching struct{}

func (catching) Fatal(args ...any)            { panic(caught{errors.New(fmt.Sprint(args...))}) }
func (catching) Fatalf(f string, args ...any) { panic(caught{fmt.Errorf(f, args...)}) }

// breaks runs one history with a fault and says which law it breaks, if any.
func breaks(seed uint64, f faults, law func(*world) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			c, ok := r.(caught)
			if !ok {
				panic(r)
			}
			err = c.error
		}
	}()
	w := newWorld(catching{}, randomSource{rand.New(rand.NewPCG(seed, 1))}, f)
	w.run(60)
	w.finish()
	return law(w)
}

type randomSource struct{ *rand.Rand }

func (s randomSource) Draw(_ string, n int) int { return s.IntN(n) }

// TestPlantedFaultsAreCaught: a law that never falls says nothing.
func TestPlantedFaultsAreCaught(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault faults
		law   func(*world) error
	}{
		"no seen window":            {faults{NoSeen: true}, (*world).once},
		"no recall":                 {faults{NoRecall: true}, (*world).once},
		"recall without waiting":    {faults{NoWait: true}, (*world).once},
		"no claim lock":             {faults{NoClaimLock: true}, (*world).once},
		"no lock":                   {faults{NoLock: true}, (*world).once},
		"every hub its own clock":   {faults{OwnClock: true}, (*world).inOrder},
		"commands are forgotten":    {faults{NoCommands: true}, (*world).twice},
		"the delivery is forgotten": {faults{NoLattice: true}, (*world).twice},

		"C-8: a key per customer":                   {faults{CustomerKeys: true}, (*world).shredded},
		"C-9: a key per handle and tenure":          {faults{TenureKeys: true}, (*world).shredded},
		"C-10: no fence":                            {faults{NoFence: true}, (*world).once},
		"C-12: an erasure frees the ids":            {faults{NoReleased: true, Purged: true}, (*world).once},
		"C-13: an empty stream is not fenced":       {faults{NoEmptyFence: true}, (*world).shredded},
		"C-14: nobody helps to release":             {faults{NoHelp: true}, (*world).once},
		"C-15: a reply does not ask for the tenure": {faults{NoTenureCheck: true}, (*world).whereAsked},
		"C-18: no standing order":                   {faults{NoStandingOrder: true}, (*world).shredded},
		"C-20: no successor":                        {faults{NoHead: true}, (*world).heads},
		"C-28: no successor in passing":             {faults{NoHeadInPassing: true}, (*world).heads},
		"what moved away is not kept known":         {faults{NoForget: true, Purged: true}, (*world).once},
		"what moved away is kept empty":             {faults{NoRemembered: true, Purged: true}, (*world).once},
		"orders to write first are forgotten":       {faults{NoStarted: true, Purged: true}, (*world).twice},
		"ids are not handed over":                   {faults{NoHandedIDs: true}, (*world).once},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const most = 3000
			for seed := range uint64(most) {
				if err := breaks(seed, tc.fault, tc.law); err != nil {
					t.Logf("history %d: %v", seed, err)
					return
				}
			}
			t.Errorf("not caught in %d histories", most)
		})
	}
}
