package law_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/handle"
	"github.com/weftline/weftline/services/conversation/internal/tenure"
)

// histories are the periods of all handles, as the log tells.
func (w *world) histories() (out map[string]tenure.History, ids []string) {
	out = map[string]tenure.History{}
	states := map[string]handle.State{}
	for _, c := range w.all() {
		id := c.of("handle")
		if id == "" {
			continue
		}
		if _, ok := states[id]; !ok {
			ids = append(ids, id)
		}
		states[id] = handle.Evolve(states[id], c.Commit)
	}
	for id, s := range states {
		out[id] = s.Periods
	}
	return out, ids
}

func (w *world) periods() (n int) {
	all, _ := w.histories()
	for _, h := range all {
		n += len(h)
	}
	return n
}

// people are the customers that own or owned a handle; some have no commit yet.
func (w *world) people() (ids []string) {
	all, handles := w.histories()
	for _, h := range handles {
		for _, p := range all[h] {
			if p.Customer != "" && !slices.Contains(ids, p.Customer) {
				ids = append(ids, p.Customer)
			}
		}
	}
	return ids
}

// move draws a move of any handle to anybody, or to a new customer, from now on
// or from some time before. Whether it is allowed is the domain's to say.
func (w *world) move() *intent {
	_, handles := w.histories()
	if len(handles) == 0 {
		return nil
	}
	people := append(w.people(), fmt.Sprintf("line%d", len(w.commands)))
	h, to := handles[w.draw.Draw("handle", len(handles))], people[w.draw.Draw("to", len(people))]
	if w.draw.Draw("first handle", 2) == 0 {
		h = handles[0] // chains are rare otherwise
	}
	settled, settles := w.draw.Draw("settled before", 2) == 0, w.draw.Draw("settles", 3) > 0
	back := time.Duration(w.draw.Draw("valid from", 4)) * 90 * time.Second
	id, changed := fmt.Sprintf("move%d", len(w.commands)), false
	return &intent{"move " + id + " of " + h + " to " + to, func(ctx context.Context, p *process) error {
		own, err := p.claims.Reload(ctx, "default", h)
		if err != nil {
			return err
		}
		if settled { // else it meets a move that is half done
			own, err = p.settle.Handle(ctx, "default", own)
		}
		if err != nil || !own.Owned() {
			return err
		}
		now := p.w.clock.Add(p.skew)
		from := now.Add(-back)
		if from.Before(own.ValidFrom) && !now.Before(own.ValidFrom) {
			from = own.ValidFrom
		}
		own, err = p.claims.Move(ctx, "default", handle.Move{
			ID: id, Handle: h, At: now, From: own.Customer, Tenure: own.Tenure, To: to, ValidFrom: from,
		}, claim.Author{Actor: "ag"})
		if err != nil {
			return err
		}
		if changed = true; settles {
			_, err = p.settle.Handle(ctx, "default", own)
		}
		return err
	}, &changed, nil}
}

// erasure is one that was ordered.
type erasure struct {
	id, customer string
}

// erase draws an erasure of one customer.
func (w *world) erase() *intent {
	people := w.people()
	if len(people) == 0 || len(w.erasures) == 3 || w.badly != nil {
		return nil
	}
	e := erasure{fmt.Sprintf("erase%d", len(w.erasures)), people[w.draw.Draw("whom", len(people))]}
	w.erasures = append(w.erasures, e)
	return ptr(w.erasing(e))
}

// erasing is the saga as far as the laws need it: the fence, what follows for
// every handle, the keys.
func (w *world) erasing(e erasure) intent {
	return intent{name: "erase " + e.customer, run: func(ctx context.Context, p *process) error {
		p.erasing = true
		defer func() { p.erasing = false }()
		cmd := customer.Erase{Customer: e.customer, EraseID: e.id}
		st, err := p.customers.Load(ctx, "default", e.customer)
		if err != nil {
			return err
		}
		if w.faults.NoEmptyFence && !st.Exists { // planted
			return w.releasing(ctx, p, e)
		}
		if _, err := p.customers.Execute(ctx, "default", e.customer, aggregate.Turn[customer.State]{
			ID:     cmd.CommitID(),
			Decide: func(s customer.State) ([]event.Event, error) { return customer.Decide(s, cmd) },
			Actor:  "system",
		}); err != nil {
			return err
		}
		all, handles := w.histories()
		for _, h := range handles {
			if slices.ContainsFunc(all[h], func(p tenure.Period) bool { return p.Customer == e.customer }) {
				if err := w.known(ctx, p, h); err != nil {
					return err
				}
			}
		}
		if err := w.erasureDone(ctx, p, e); err != nil {
			return err
		}
		if done := w.swept[e.id]; !w.faults.NoStandingOrder || !done {
			w.sweep()
		}
		w.swept[e.id] = true
		return nil
	}}
}

// known settles a handle, and keeps known what came over it.
func (w *world) known(ctx context.Context, p *process, h string) error {
	if w.faults.NoForget { // planted: an erasure looks at what is his now only
		_, err := p.settle.Load(ctx, "default", h)
		return err
	}
	return p.settle.Forget(ctx, "default", h)
}

// erasureDone says that all of it is done, and purges.
func (w *world) erasureDone(ctx context.Context, p *process, e erasure) error {
	if _, err := p.customers.Execute(ctx, "default", e.customer, aggregate.Turn[customer.State]{
		ID: "erased:" + e.customer, Actor: "system", Decide: w.tombstone(e),
	}); err != nil {
		return err
	}
	return w.purge(ctx, e)
}

// releasing is an erasure that thinks an empty stream needs no fence.
func (w *world) releasing(ctx context.Context, p *process, e erasure) error {
	all, handles := w.histories()
	for _, h := range handles {
		if last := all[h].Last(); last.Customer == e.customer {
			cmd := handle.Release{Handle: h, Tenure: last.Number, EraseID: e.id}
			if _, err := p.claims.Release(ctx, "default", cmd, claim.Author{Actor: "system"}); err != nil {
				return err
			}
		}
	}
	return nil
}

// resume does what is left of every move and erasure.
func (w *world) resume() {
	for _, e := range w.erasures {
		if err := w.settle(w.erasing(e)); err != nil {
			w.t.Fatalf("resume an erasure: %v\n%s", err, w.report())
		}
	}
	_, handles := w.histories()
	for _, h := range handles {
		if err := w.settle(intent{name: "settle " + h, run: func(ctx context.Context, p *process) error {
			_, err := p.settle.Load(ctx, "default", h)
			return err
		}}); err != nil {
			w.t.Fatalf("settle %s: %v\n%s", h, err, w.report())
		}
	}
}

// sweep destroys the keys of all that derives to an erased customer: the end of
// an erasure, and its standing order.
func (w *world) sweep() {
	erased, all := w.erased(), w.derived()
	units := w.units()
	for key, owner := range all {
		u, isUnit := units[key]
		switch {
		case !isUnit:
		case w.faults.CustomerKeys:
			owner = u.stored
		case w.faults.TenureKeys:
			for other, o := range units {
				if o.handle == u.handle && o.tenure == u.tenure && erased[all[other]] {
					owner = all[other]
				}
			}
		case w.faults.ByConversation:
			owner = w.byConversation(key, u)
		}
		if erased[owner] {
			if err := w.keys.Destroy(context.Background(), key); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

func (w *world) erased() map[string]bool {
	out := map[string]bool{}
	for _, c := range w.all() {
		for _, e := range c.Events {
			if _, ok := e.(event.CustomerErased); ok {
				out[c.of("customer")] = true
			}
		}
	}
	return out
}

// units are when every unit was opened.
func (w *world) units() map[string]unit {
	out := map[string]unit{}
	for _, c := range w.all() {
		for _, e := range c.Events {
			switch e := e.(type) {
			case event.MessageReceived:
				if e.UnitOpened != nil {
					out[e.Unit] = unit{e.Handle, e.Tenure, *e.UnitOpened, c.of("customer")}
				}
			case event.MessageChanged: // a unit of its own
				out[e.Unit] = unit{e.Handle, e.Tenure, e.OccurredAt, c.of("customer")}
			case event.ReplyRequested:
				if e.UnitOpened != nil {
					out[e.Unit] = unit{e.Handle, e.Tenure, *e.UnitOpened, c.of("customer")}
				}
			}
		}
	}
	return out
}

// byConversation is whose a unit would be if its conversation's first word decided.
func (w *world) byConversation(key string, u unit) string {
	first := u.opened
	conversation := strings.Split(key, "/")[1]
	for other, o := range w.units() {
		if strings.Split(other, "/")[1] == conversation && o.opened.Before(first) {
			first = o.opened
		}
	}
	all, _ := w.histories()
	owner, _ := all[u.handle].Owner(u.tenure, first)
	return owner
}

type unit struct {
	handle string
	tenure int64
	opened time.Time
	stored string // the customer whose stream it is in
}

// derived is whose every data key is.
func (w *world) derived() map[string]string {
	all, _ := w.histories()
	out := map[string]string{}
	for key, u := range w.units() {
		out[key], _ = all[u.handle].Owner(u.tenure, u.opened)
	}
	for h, periods := range all {
		for _, p := range periods {
			if p.Customer != "" {
				out[event.AddressKey(h, p.Number)] = p.Customer
			}
		}
	}
	for _, c := range w.all() {
		if id := c.of("customer"); id != "" {
			out[event.CustomerKey(id)] = id
		}
	}
	return out
}
