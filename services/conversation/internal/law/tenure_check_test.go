package law_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/tenure"
	"github.com/weftline/weftline/services/internal/crypt"
)

// inTime yields all commits in the order they were made.
func (w *world) inTime() (out []stored) {
	byStream := map[string][]stored{}
	for _, c := range w.all() {
		byStream[c.Stream] = append(byStream[c.Stream], c)
	}
	for _, name := range w.made {
		out = append(out, byStream[name][0])
		byStream[name] = byStream[name][1:]
	}
	return out
}

// fenced says that at no time two living customers had a handle attached, and
// that nothing but what leaves came into an erased one's stream.
func (w *world) fenced() error {
	attached := map[string]map[string]bool{} // handle → customers
	erased := map[string]bool{}
	for _, c := range w.inTime() {
		id := c.of("customer")
		for _, e := range c.Events {
			switch e := e.(type) {
			case event.HandleAttached:
				if attached[e.Handle] == nil {
					attached[e.Handle] = map[string]bool{}
				}
				attached[e.Handle][id] = true
				for other := range attached[e.Handle] {
					if other != id && !erased[other] {
						return fmt.Errorf("handle %s is attached to %s and %s at once", e.Handle, other, id)
					}
				}
			case event.HandleDetached:
				delete(attached[e.Handle], id)
				continue
			case event.ConversationClosed:
				if e.Reason == "moved" {
					continue
				}
			case event.CustomerErased:
				erased[id] = true
				continue
			case event.ErasureDone:
				continue
			}
			if id != "" && erased[id] {
				return fmt.Errorf("%T came to %s after he was erased", e, id)
			}
		}
	}
	return nil
}

// whereAsked is law 6: a reply goes to the handle of the message it answers, and
// by a tenure that is attached where it is decided; what it answers is, at that
// time, the customer's: stored there or come with its handle.
func (w *world) whereAsked() error {
	all, _ := w.histories()
	units := w.units()
	said := map[string]event.MessageReceived{}
	for _, m := range eventsOf[event.MessageReceived](w) {
		said[m.Message] = m
	}
	attached := map[string]string{}
	for _, c := range w.all() {
		for _, e := range c.Events {
			switch e := e.(type) {
			case event.HandleAttached:
				attached[fmt.Sprintf("%s/%d", e.Handle, e.Tenure)] = c.Stream
			case event.HandleDetached:
				delete(attached, fmt.Sprintf("%s/%d", e.Handle, e.Tenure))
			case event.ReplyRequested:
				if attached[fmt.Sprintf("%s/%d", e.Handle, e.Tenure)] != c.Stream {
					return fmt.Errorf("reply %s was decided in %s after tenure %d of %s had ended there", e.Reply, c.Stream, e.Tenure, e.Handle)
				}
				if e.Answers == "" {
					continue
				}
				m := said[e.Answers]
				if m.Handle != e.Handle {
					return fmt.Errorf("reply %s goes to %s, message %s came over %s", e.Reply, e.Handle, m.Message, m.Handle)
				}
				u := units[m.Unit]
				periods := all[u.handle]
				then := slices.IndexFunc(periods, func(p tenure.Period) bool { return p.Number == e.Tenure && p.Customer != "" })
				if owner, by := periods[:then+1].Owner(u.tenure, u.opened); "customer."+owner != c.Stream || by != e.Tenure {
					return fmt.Errorf("reply %s by tenure %d in %s answers a message of %s by tenure %d", e.Reply, e.Tenure, c.Stream, owner, by)
				}
			}
		}
	}
	return nil
}

// heads is the part of law 8 about moves: when all is settled, every unit that
// left with its handle while its question was open goes on in exactly one
// conversation of its owner, and everywhere else it is closed or has more in it.
func (w *world) heads() error {
	all, _ := w.histories()
	erased := w.erased()
	opened := map[string]map[string]bool{}  // customer → conversations
	carried := map[string]map[string]bool{} // customer/unit → conversations
	passed := map[string]event.Handed{}
	ended := map[string]bool{} // units whose question was closed on their way, by those who had it
	states := map[string]customer.State{}
	for _, c := range w.inTime() {
		id := c.of("customer")
		if id == "" {
			continue
		}
		states[id] = everything.Evolve(states[id], c.Commit)
		add := func(conversation string, units []event.Handed) {
			for _, h := range units {
				key := id + " " + h.Unit
				if carried[key] == nil {
					carried[key] = map[string]bool{}
				}
				carried[key][conversation] = true
			}
		}
		for _, e := range c.Events {
			switch e := e.(type) {
			case event.HandleDetached:
				for _, h := range e.Handed {
					passed[h.Unit] = h
					delete(ended, h.Unit)
				}
			case event.ConversationClosed:
				for key, in := range carried {
					if who, unit, _ := strings.Cut(key, " "); who == id && in[e.Conversation] && e.Reason != "moved" {
						ended[unit] = true
					}
				}
			case event.ConversationOpened:
				if opened[id] == nil {
					opened[id] = map[string]bool{}
				}
				if opened[id][e.Conversation] {
					return fmt.Errorf("conversation %s was opened twice", e.Conversation)
				}
				opened[id][e.Conversation] = true
				add(e.Conversation, e.Carried)
			case event.ConversationCarried:
				add(e.Conversation, e.Carried)
			}
		}
	}
	for key, h := range passed {
		u, ok := parseUnit(key)
		if !ok {
			return fmt.Errorf("handed over: %q", key)
		}
		owner, _ := all[u.handle].Owner(u.tenure, h.OpenedAt)
		if owner == "" || erased[owner] {
			continue
		}
		heads := carried[owner+" "+key]
		if len(heads) == 0 && ended[key] {
			continue // it was no open question any more when the handle moved on
		}
		if len(heads) != 1 {
			return fmt.Errorf("unit %s of %s goes on in %d conversations there", key, owner, len(heads))
		}
		for conv := range heads {
			if _, ok := states[owner].Conversation(conv); !ok {
				return fmt.Errorf("unit %s goes on in %s, which %s has not", key, conv, owner)
			}
		}
	}
	for id, s := range states {
		for _, v := range s.Conversations {
			left := 0
			for _, u := range v.Units {
				if u.Left {
					left++
				}
			}
			if left > 0 && left == len(v.Units) && v.Status == customer.Open && !w.reopened(v.ID) {
				return fmt.Errorf("conversation %s of %s is open, and all of it has gone", v.ID, id)
			}
		}
	}
	return nil
}

// everything is a bound that forgets nothing.
var everything = customer.Bounds{Seen: 1 << 20, Commands: 1 << 20, Closed: 1 << 20, All: 1 << 20, Replies: 1 << 20, Refs: 1 << 20, Units: 1 << 20}

// parseUnit reads event.UnitKey.
func parseUnit(key string) (u unit, ok bool) {
	f := strings.Split(key, "/")
	if len(f) != 4 {
		return u, false
	}
	n, err := strconv.ParseInt(f[3], 10, 64)
	return unit{handle: f[2], tenure: n}, err == nil
}

// reopened says whether an agent or an answer opened a conversation again.
func (w *world) reopened(conversation string) bool {
	return slices.ContainsFunc(eventsOf[event.ConversationReopened](w), func(e event.ConversationReopened) bool {
		return e.Conversation == conversation
	}) || slices.ContainsFunc(eventsOf[event.ConversationWoken](w), func(e event.ConversationWoken) bool {
		return e.Conversation == conversation
	})
}

// shredded is law 9: nothing that derives to an erased customer can be read,
// everything that derives to a living one can, and nobody erased owns a handle.
func (w *world) shredded() error {
	erased := w.erased()
	for _, e := range w.erasures { // all of them have been resumed
		erased[e.customer] = true
	}
	owners := w.derived()
	all, handles := w.histories()
	for _, h := range handles {
		if p := all[h].Last(); p.Customer != "" && erased[p.Customer] {
			return fmt.Errorf("handle %s belongs to %s, who was erased", h, p.Customer)
		}
	}
	read := func(s crypt.Sealed, aad []byte) error {
		if s.Key == "" {
			return nil
		}
		owner, known := owners[s.Key]
		if !known || owner == "" {
			return fmt.Errorf("key %s is nobody's", s.Key)
		}
		_, err := w.keys.Open(context.Background(), s, aad)
		if dead := errors.Is(err, crypt.ErrShredded); dead != erased[owner] || err != nil && !dead {
			return fmt.Errorf("what is under %s of %s (erased: %v): %v", s.Key, owner, erased[owner], err)
		}
		return nil
	}
	for _, c := range w.all() {
		for _, e := range c.Events {
			var err error
			switch e := e.(type) {
			case event.MessageReceived:
				err = read(e.Body, event.MessageAAD(e.Message))
			case event.MessageChanged:
				err = read(e.Body, event.ChangeAAD(e.Change))
			case event.ReplyRequested:
				err = read(e.Body, event.ReplyAAD(e.Reply))
			case event.NoteAdded:
				err = read(e.Body, event.NoteAAD(e.Note))
			case event.HandleAsserted:
				err = read(e.Address, event.AssertionAAD(e.Message, e.Handle))
			case event.ConversationOpened:
				err = read(e.Subject, event.SubjectAAD(e.Conversation))
			case event.HandleClaimed:
				err = read(e.Address, event.AddressAAD(c.of("handle"), e.Tenure))
			case event.HandleMoved:
				err = read(e.Address, event.AddressAAD(c.of("handle"), e.Tenure))
			}
			if err != nil {
				return fmt.Errorf("%s of %s: %w", c.ID, c.Stream, err)
			}
		}
	}
	// What the erased one had comes again, and brings nothing back.
	before := len(w.all())
	for _, in := range w.inputs {
		if err := w.settle(w.deliver(in)); err != nil {
			return err
		}
	}
	if n := len(w.all()); n != before {
		last := w.all()[n-1]
		return fmt.Errorf("redelivery after an erasure: %d commits more, the last is %s in %s: %+v", n-before, last.ID, last.Stream, last.Events)
	}
	return nil
}
