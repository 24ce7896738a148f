package resolve

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/link"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/internal/docstore"
)

// SimulateDeps are what a simulation works with. It writes to Scratch alone.
type SimulateDeps struct {
	Rules  *Rules
	Events eventstore.Store
	Tenant string
	Keys   interface {
		Opener
		Hasher
	}
	Blocked func(kind, address string) string
	Scratch docstore.Store // empty; dropped by the caller
}

// Change is a pair that the rules would treat otherwise than it is.
type Change struct {
	A       string         `json:"a"`
	B       string         `json:"b"`
	Rule    string         `json:"rule"`
	Reasons []event.Reason `json:"reasons,omitempty"`
	Links   []string       `json:"links,omitempty"` // of what is there: their ids
}

// Report says what would be, compared with what is.
type Report struct {
	Rules   string `json:"rules"` // digest
	Commits int    `json:"commits"`
	// Link and Suggest would be made. Unlink are links rules made that these
	// would not have made; Withdraw are open suggestions of that kind.
	Link     []Change `json:"link"`
	Unlink   []Change `json:"unlink"`
	Suggest  []Change `json:"suggest"`
	Withdraw []Change `json:"withdraw"`
	// Kept are automatic links that stay, Guarded those taken back on the way.
	Kept    int `json:"kept"`
	Guarded int `json:"guarded"`
}

// Simulate goes through the whole log with other rules, and says what they
// would have made of it. What agents did counts as it was done: their links,
// their unlinks and their refusals.
func Simulate(ctx context.Context, d SimulateDeps) (Report, error) {
	s := &simulation{tenant: d.Tenant, real: map[string]link.State{}, made: map[string]link.State{}, graph: person.New(), why: map[string][]event.Reason{}}
	s.report.Rules = d.Rules.Digest()
	var err error
	s.resolver, err = New(ctx, Deps{
		Rules: d.Rules, Persons: s, Writer: s, Store: d.Scratch, Keys: d.Keys, Blocked: d.Blocked, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return Report{}, err
	}
	for c, err := range inOrder(ctx, d.Events) {
		if err != nil {
			return Report{}, err
		}
		if c.Tenant != d.Tenant {
			continue
		}
		s.report.Commits++
		if err := s.commit(ctx, c); err != nil {
			return Report{}, fmt.Errorf("simulate commit %d of partition %d: %w", c.Seq, c.Partition, err)
		}
	}
	s.compare()
	return s.report, nil
}

// simulation is a world in which the rules were always these: the Persons and
// the Writer of a resolver.
type simulation struct {
	tenant   string
	resolver *Resolver
	graph    *person.Graph
	now      time.Time
	real     map[string]link.State // by pair: what is
	made     map[string]link.State // what would be
	why      map[string][]event.Reason
	linked   []string // customers of links just made, for the guard
	report   Report
}

func (s *simulation) commit(ctx context.Context, c eventstore.Commit) error {
	s.now = c.RecordedAt
	kind, id, _ := strings.Cut(c.Stream, ".")
	switch {
	case kind == "link":
		events, err := codec.Decode(c)
		if err != nil {
			return err
		}
		s.real[id] = link.Evolve(s.real[id], event.Commit{Events: events})
		for _, ev := range events {
			s.agents(id, ev)
		}
	case slices.ContainsFunc(c.Records, func(r eventstore.Record) bool {
		return r.Type == "customer.erased" || r.Type == "customer.erasure_done"
	}):
		s.graph.Apply(c.Stream, event.CustomerErased{})
	}
	batch, err := gather([]eventstore.Commit{c})
	if err != nil {
		return err
	}
	if kind == "link" {
		batch = nil // what rules did is what is in question
	}
	if err := s.resolver.index.write(ctx, s.resolver.rules.Shared, batch); err != nil {
		return err
	}
	for _, n := range batch {
		if err := s.resolver.decide(ctx, n); err != nil {
			return err
		}
	}
	for len(s.linked) > 0 {
		customer := s.linked[0]
		s.linked = s.linked[1:]
		if err := s.resolver.guard(ctx, news{Commit: c}, customer, false); err != nil {
			return err
		}
	}
	return nil
}

// agents takes over what people decided.
func (s *simulation) agents(pair string, ev event.Event) {
	switch e := ev.(type) {
	case event.Linked:
		s.why[e.Link] = e.Reasons
		if e.Rule == link.RuleAgent {
			s.apply(pair, ev)
		}
	case event.LinkSuggested:
		s.why[e.Suggestion] = e.Reasons
	case event.LinkRefused:
		s.apply(pair, ev)
	case event.Unlinked:
		if strings.HasPrefix(e.Reason, link.ReasonGuard) {
			return
		}
		s.apply(pair, event.LinkRefused{Evidence: link.Keys(s.why[e.Link])})
		if _, made := s.made[pair].Link(e.Link); made {
			s.apply(pair, ev)
		}
	}
}

func (s *simulation) apply(pair string, ev event.Event) {
	s.made[pair] = link.Evolve(s.made[pair], event.Commit{Events: []event.Event{ev}})
	s.graph.ApplyAt("link."+pair, s.now, ev)
	if e, ok := ev.(event.Linked); ok {
		s.linked = append(s.linked, e.A)
	}
}

// Graph implements Persons.
func (s *simulation) Graph() *person.Graph { return s.graph }

// WaitFor implements Persons: the graph is never behind.
func (s *simulation) WaitFor(context.Context, int, uint64) error { return nil }

func (s *simulation) do(a, b string, c link.Command) error {
	pair := person.PairID(a, b)
	events, err := link.Decide(s.made[pair], c)
	for _, ev := range events {
		s.apply(pair, ev)
	}
	return err
}

// Link implements Writer.
func (s *simulation) Link(_ context.Context, _ string, c link.Make, _ Cause) error {
	s.why[c.Link] = c.Reasons
	return s.do(c.A, c.B, c)
}

// Suggest implements Writer.
func (s *simulation) Suggest(_ context.Context, _ string, c link.Suggest, _ Cause) error {
	s.why[c.Suggestion] = c.Reasons
	return s.do(c.A, c.B, c)
}

// Undo implements Writer.
func (s *simulation) Undo(_ context.Context, _, a, b string, c link.Undo, _ Cause) error {
	s.report.Guarded++
	return s.do(a, b, c)
}

// Share implements Writer: a handle is marked where the log says so.
func (s *simulation) Share(context.Context, string, string, string, Cause) error { return nil }

// compare sets what would be beside what is.
func (s *simulation) compare() {
	pairs := slices.Sorted(maps.Keys(s.made))
	for pair := range s.real {
		if _, ok := s.made[pair]; !ok {
			pairs = append(pairs, pair)
		}
	}
	slices.Sort(pairs)
	for _, pair := range pairs {
		is, would := s.real[pair], s.made[pair]
		auto := automatic(is)
		_, linkedNow := is.Linked()
		_, linkedThen := would.Linked()
		made := automatic(would)
		switch {
		case linkedThen && !linkedNow && len(made) > 0:
			s.report.Link = append(s.report.Link, s.change(pair, made[0].ID, made[0].Rule))
		case !linkedThen && len(auto) > 0:
			c := s.change(pair, auto[0].ID, auto[0].Rule)
			for _, l := range auto {
				c.Links = append(c.Links, l.ID)
			}
			s.report.Unlink = append(s.report.Unlink, c)
		case linkedThen && linkedNow && len(auto) > 0:
			s.report.Kept++
		}
		now, then := open(is), open(would)
		if len(then) > 0 && len(now) == 0 {
			s.report.Suggest = append(s.report.Suggest, s.change(pair, then[0].ID, ""))
		}
		if len(now) > 0 && len(then) == 0 && !linkedThen {
			s.report.Withdraw = append(s.report.Withdraw, s.change(pair, now[0].ID, ""))
		}
	}
}

func (s *simulation) change(pair, id, rule string) Change {
	a, b, _ := strings.Cut(pair, ".")
	c := Change{A: a, B: b, Rule: rule, Reasons: s.why[id]}
	if rule == "" {
		c.Rule = "suggestion"
	}
	return c
}

// automatic are the active links that rules made.
func automatic(st link.State) []link.Link {
	return slices.DeleteFunc(slices.Clone(st.Links), func(l link.Link) bool { return l.Undone || l.Rule == link.RuleAgent })
}

// open are suggestions nobody has answered, in this world or in that.
func open(st link.State) []link.Suggestion {
	return slices.DeleteFunc(slices.Clone(st.Suggestions), func(v link.Suggestion) bool {
		return v.Closed || !slices.ContainsFunc(v.Evidence, func(k string) bool { return !slices.Contains(st.Refused, k) })
	})
}

// inOrder are the commits of all partitions as they were recorded, up to the
// heads at the beginning.
func inOrder(ctx context.Context, events eventstore.Store) func(yield func(eventstore.Commit, error) bool) {
	return func(yield func(eventstore.Commit, error) bool) {
		const batch = 1000
		heads, read := make([]uint64, events.Partitions()), make([][]eventstore.Commit, events.Partitions())
		next := make([]uint64, events.Partitions())
		for p := range heads {
			head, err := events.Head(ctx, p)
			if err != nil {
				yield(eventstore.Commit{}, fmt.Errorf("head of partition %d: %w", p, err))
				return
			}
			heads[p], next[p] = head, 1
		}
		for {
			first := -1
			for p := range read {
				if len(read[p]) == 0 && next[p] <= heads[p] {
					commits, err := events.Read(ctx, p, next[p], batch)
					if err != nil {
						yield(eventstore.Commit{}, fmt.Errorf("read partition %d: %w", p, err))
						return
					}
					next[p] = heads[p] + 1
					if n := len(commits); n > 0 && commits[n-1].Seq < heads[p] {
						next[p] = commits[n-1].Seq + 1
					}
					read[p] = slices.DeleteFunc(commits, func(c eventstore.Commit) bool { return c.Seq > heads[p] })
				}
				if len(read[p]) > 0 && (first < 0 || cmp.Or(read[p][0].RecordedAt.Compare(read[first][0].RecordedAt), p-first) < 0) {
					first = p
				}
			}
			if first < 0 {
				return
			}
			c := read[first][0]
			read[first] = read[first][1:]
			if !yield(c, nil) {
				return
			}
		}
	}
}
