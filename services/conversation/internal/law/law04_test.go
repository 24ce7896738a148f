package law_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/person"
)

// recorder keeps what was drawn, so that the same history can be played again.
type recorder struct {
	source
	drawn []int
}

func (r *recorder) Draw(label string, n int) int {
	d := r.source.Draw(label, n)
	r.drawn = append(r.drawn, d)
	return d
}

// replay draws what was drawn before.
type replay struct {
	drawn []int
	at    int
}

func (r *replay) Draw(string, int) int { r.at++; return r.drawn[r.at-1] }

// merging is a world whose customers are linked and unlinked while it goes on.
type merging struct {
	graph  *person.Graph
	links  []event.Linked
	onePer bool // C-23, planted: a pair has one link, others are swallowed
	whole  bool // planted: whole conversations are shown, not fragments
}

// link draws a merge by hand or by proof of any two.
func (m *merging) link(draw source, people []string) {
	if len(people) < 2 {
		return
	}
	a, b := people[draw.Draw("a", len(people))], people[draw.Draw("b", len(people))]
	if a == b {
		return
	}
	l := event.Linked{Link: fmt.Sprintf("l%d", len(m.links)), A: min(a, b), B: max(a, b), Rule: "agent"}
	m.links = append(m.links, l)
	if m.onePer && len(m.graph.Between([]string{l.A, l.B})) > 0 {
		return
	}
	m.graph.Apply("link."+l.A+"."+l.B, l)
}

func (m *merging) unlink(l event.Linked) {
	m.graph.Apply("link."+l.A+"."+l.B, event.Unlinked{Link: l.Link})
}

// topics are what is shown as one: fragments (what one customer has of a
// conversation) of one person that share a conversation or a topic.
func (w *world) topics(m *merging) (shown [][]string, owners map[string]string) {
	all, _ := w.histories()
	units := w.units()
	topicOf := map[string]string{}
	owners = map[string]string{}    // message → customer
	node := map[string]string{}     // message → fragment
	groups := map[string][]string{} // person and topic → messages
	for _, c := range w.all() {
		for _, e := range c.Events {
			if e, ok := e.(event.ConversationOpened); ok {
				topicOf[e.Conversation] = e.Topic
			}
		}
	}
	for _, msg := range eventsOf[event.MessageReceived](w) {
		u := units[msg.Unit]
		owners[msg.Message], _ = all[u.handle].Owner(u.tenure, u.opened)
		whose := owners[msg.Message]
		if m.whole {
			whose = u.stored
		}
		node[msg.Message] = m.graph.Canonical(whose) + " " + topicOf[msg.Conversation]
		groups[node[msg.Message]] = append(groups[node[msg.Message]], msg.Message)
	}
	for _, k := range slices.Sorted(maps.Keys(groups)) {
		shown = append(shown, groups[k])
	}
	return shown, owners
}

// pure says that a shown topic holds one person's messages only.
func (w *world) pure(m *merging) error {
	shown, owners := w.topics(m)
	for _, topic := range shown {
		for _, msg := range topic {
			if a, b := m.graph.Canonical(owners[topic[0]]), m.graph.Canonical(owners[msg]); a != b {
				return fmt.Errorf("a topic shows messages of %s and %s", a, b)
			}
		}
	}
	return nil
}

// streams are all commits by stream, without what only says where they are.
func (w *world) streams() map[string][]string {
	out := map[string][]string{}
	for _, c := range w.all() {
		text, err := json.Marshal(c.Events)
		if err != nil {
			w.t.Fatal(err)
		}
		out[c.Stream] = append(out[c.Stream], fmt.Sprintf("%s %s %s", c.ID, c.At, text))
	}
	return out
}

// steps is a history without interleavings; link is called between its steps.
func (w *world) steps(n int, between func()) {
	for range n {
		if it := w.next(); it != nil {
			w.note("%s: %v", it.name, w.settle(*it))
		}
		w.clock = w.clock.Add(time.Duration(w.draw.Draw("tick", 60)) * time.Second)
		w.view.advance(w.draw.Draw("partition", w.store.Partitions()), w.draw.Draw("lag", 4))
		between()
	}
	w.finish()
}

// unmerged plays a history with links, takes all of them back in any order, and
// plays it without. It says what differs.
func unmerged(t reporter, draw source, f faults, m merging) error {
	m.graph = person.New()
	main := &recorder{source: draw}
	with := newWorld(t, main, f)
	with.merged = &m
	wanted := map[string]map[string]bool{} // what active links connect, kept by hand
	active := map[string]event.Linked{}
	var failed error
	with.steps(20, func() {
		switch people := with.people(); draw.Draw("link", 4) {
		case 0:
			before := len(m.links)
			if m.link(draw, people); len(m.links) > before {
				l := m.links[before]
				active[l.Link] = l
			}
		case 1:
			if len(m.links) > 0 {
				l := m.links[draw.Draw("undo", len(m.links))]
				m.unlink(l)
				delete(active, l.Link)
			}
		}
		if len(m.links) == 0 {
			return
		}
		wanted = components(active)
		for _, c := range with.people() {
			for _, o := range m.graph.Members(c) {
				if o != c && !wanted[c][o] {
					failed = fmt.Errorf("%s and %s are one person, and nothing links them", c, o)
				}
			}
			for o := range wanted[c] {
				if !slices.Contains(m.graph.Members(c), o) {
					failed = fmt.Errorf("%s and %s are linked, and not one person", c, o)
				}
			}
		}
		if err := with.pure(&m); err != nil && failed == nil {
			failed = err
		}
	})
	if failed != nil {
		return failed
	}
	order := slices.Clone(m.links)
	for len(order) > 0 {
		i := draw.Draw("order", len(order))
		m.unlink(order[i])
		order = slices.Delete(order, i, i+1)
	}
	never := merging{graph: person.New(), whole: m.whole}
	without := newWorld(t, &replay{drawn: main.drawn}, f)
	without.merged = &never
	without.steps(20, func() {})
	if d := cmp.Diff(without.streams(), with.streams()); d != "" {
		return fmt.Errorf("merged and unmerged differs from never merged (-never +merged)\n%s", d)
	}
	a, _ := without.topics(&never)
	b, _ := with.topics(&m)
	if d := cmp.Diff(a, b); d != "" {
		return fmt.Errorf("topics differ (-never +merged)\n%s", d)
	}
	return nil
}

// components are the customers that links connect, counted anew each time.
func components(links map[string]event.Linked) map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for changed := true; changed; {
		changed = false
		for _, l := range links {
			all := map[string]bool{l.A: true, l.B: true}
			maps.Copy(all, out[l.A])
			maps.Copy(all, out[l.B])
			for c := range all {
				if len(out[c]) != len(all) {
					out[c], changed = maps.Clone(all), true
				}
			}
		}
	}
	return out
}

// TestLaw04UnmergedIsNeverMerged: a history with merges, all taken back in any
// order, is the same history without them, commit by commit and topic by topic;
// at any time a topic shows one person's messages only.
func TestLaw04UnmergedIsNeverMerged(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		if err := unmerged(t, rapidSource{t}, faults{}, merging{}); err != nil {
			t.Fatal(err)
		}
	})
}

// TestPlantedFaultsOfMergesAreCaught: the law above can fall.
func TestPlantedFaultsOfMergesAreCaught(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fault faults
		merge merging
	}{
		"C-23: one link per pair":             {faults{}, merging{onePer: true}},
		"C-25: claimed for the canonical one": {faults{Canonical: true}, merging{}},
		"whole conversations are shown":       {faults{}, merging{whole: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const most = 2000
			for seed := range uint64(most) {
				err := func() (err error) {
					defer func() {
						if c, ok := recover().(caught); ok {
							err = c.error
						}
					}()
					return unmerged(catching{}, randomSource{rand.New(rand.NewPCG(seed, 2))}, tc.fault, tc.merge)
				}()
				if err != nil {
					t.Logf("history %d: %s", seed, strings.SplitN(err.Error(), "\n", 2)[0])
					return
				}
			}
			t.Errorf("not caught in %d histories", most)
		})
	}
}
