package resolve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/link"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/conversation/internal/position"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Persons know who is one person, as far as they have followed the log.
type Persons interface {
	Graph() *person.Graph
	// WaitFor returns when the graph has the commit in it.
	WaitFor(ctx context.Context, partition int, seq uint64) error
}

// Writer does what was decided. Everything is idempotent by its id.
type Writer interface {
	Link(ctx context.Context, tenant string, c link.Make, by Cause) error
	Suggest(ctx context.Context, tenant string, c link.Suggest, by Cause) error
	Undo(ctx context.Context, tenant, a, b string, c link.Undo, by Cause) error
	Share(ctx context.Context, tenant, handle, reason string, by Cause) error
}

// Cause is what a decision follows from.
type Cause struct{ Commit, Trace string }

// Hasher makes ids.
type Hasher interface {
	Hash(purpose string, parts ...string) string
}

// Deps are what a Resolver works with.
type Deps struct {
	Rules   *Rules
	Persons Persons
	Writer  Writer
	Store   docstore.Store // of the index and the checkpoint; rebuildable
	Keys    interface {
		Opener
		Hasher
	}
	// Blocked names the list an address is on, "" for none. Nil: there are no lists.
	Blocked func(kind, address string) string
	Log     *slog.Logger
	// NoGuard leaves out what takes links back: for the test that shows what it is for.
	NoGuard bool
}

// Resolver is a projection.Sink.
type Resolver struct {
	rules   *Rules
	persons Persons
	writer  Writer
	index   *index
	keys    interface {
		Opener
		Hasher
	}
	blocked func(kind, address string) string
	log     *slog.Logger
	noGuard bool
	unsaved *position.Lazy
}

// New opens the index.
func New(ctx context.Context, d Deps) (*Resolver, error) {
	if d.Rules == nil || d.Persons == nil || d.Writer == nil || d.Store == nil || d.Keys == nil || d.Log == nil {
		return nil, errors.New("resolve: a dependency is missing")
	}
	x, err := openIndex(ctx, d.Store, d.Rules.Digest())
	if err != nil {
		return nil, err
	}
	return &Resolver{
		rules: d.Rules, persons: d.Persons, writer: d.Writer, index: x, keys: d.Keys,
		blocked: d.Blocked, log: d.Log, noGuard: d.NoGuard,
		unsaved: &position.Lazy{Store: x.store, Name: x.checkpoint, Whose: "resolver", Log: d.Log},
	}, nil
}

// Rules it decides by.
func (r *Resolver) Rules() *Rules { return r.rules }

// Name of the sink.
func (r *Resolver) Name() string { return "resolve" }

// Checkpoint is the last sequence that is decided on.
func (r *Resolver) Checkpoint(ctx context.Context, partition int) (uint64, error) {
	return r.index.store.Checkpoint(ctx, r.index.checkpoint, partition)
}

// Run saves positions until ctx ends, and then once more.
func (r *Resolver) Run(ctx context.Context) error { return r.unsaved.Run(ctx) }

// Apply decides on commits of a partition, in order. The index is written
// first, so that of two facts that meet the later one sees the other. The
// checkpoint is left to Run.
func (r *Resolver) Apply(ctx context.Context, partition int, commits []eventstore.Commit) error {
	batch, err := gather(commits)
	if err != nil {
		return err
	}
	if err := r.index.write(ctx, r.rules.Shared, batch); err != nil {
		return err
	}
	for _, n := range batch {
		if err := r.decide(ctx, n); err != nil {
			return fmt.Errorf("recognise after commit %d of partition %d: %w", n.Seq, n.Partition, err)
		}
	}
	r.unsaved.Put(partition, commits[len(commits)-1].Seq)
	return nil
}

func (r *Resolver) decide(ctx context.Context, n news) error {
	facts, err := r.facts(ctx, n)
	if err != nil {
		return err
	}
	for _, f := range facts {
		if _, _, err := r.judge(ctx, n.Tenant, f); err != nil {
			return err
		}
	}
	for _, ev := range n.events {
		switch e := ev.(type) {
		case event.Linked:
			err = r.guard(ctx, n, e.A, false)
		case event.HandleClaimed, event.HandleMoved, event.HandleAssured:
			err = r.changed(ctx, n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// judge does what the rules say about a fact. It returns the link it made, or
// why it made none.
func (r *Resolver) judge(ctx context.Context, tenant string, f Fact) (made, refused string, err error) {
	g := r.persons.Graph()
	rule, ok := r.rules.rule(f)
	if !ok || f.A == f.B || g.Erased(f.A) || g.Erased(f.B) {
		return "", refusedRules, nil
	}
	if why, err := r.noEvidence(ctx, f); err != nil || why != "" {
		return "", why, err
	}
	members := g.Members(f.A)
	if other := g.Members(f.B); !contains(members, f.B) {
		members = append(members, other...)
	}
	handles, err := r.index.handlesOf(ctx, members)
	if err != nil {
		return "", "", err
	}
	limit := r.rules.Limits.broken(len(members), handles)
	if limit == limitLogins && !f.shown { // two people who share a browser, a phone or an address
		return "", limit, nil
	}
	reasons, by := f.reasons(limit), Cause{Commit: f.cause, Trace: f.trace}
	a, b := min(f.A, f.B), max(f.A, f.B)
	if rule.Outcome == OutcomeLink && limit == "" {
		id := f.link
		if id == "" {
			id = r.id("link", tenant, a, b, rule, reasons)
		}
		return id, "", r.writer.Link(ctx, tenant, link.Make{Link: id, A: a, B: b, Rule: rule.String(), Reasons: reasons}, by)
	}
	if refused = limit; refused == "" {
		refused = refusedRules
	}
	if contains(g.Members(a), b) {
		return "", refused, nil // nobody need be asked
	}
	c := link.Suggest{Suggestion: r.id("suggestion", tenant, a, b, rule, reasons), A: a, B: b, Rule: rule.String(), Reasons: reasons}
	return "", refused, r.writer.Suggest(ctx, tenant, c, by)
}

// id is made of the rule and what it rests on. Its version is left out: the same
// evidence is the same suggestion.
func (r *Resolver) id(what, tenant, a, b string, rule Rule, reasons []event.Reason) string {
	return r.keys.Hash(what, append([]string{tenant, a, b, rule.Name}, link.Keys(reasons)...)...)
}

// changed: a handle has another owner or level.
func (r *Resolver) changed(ctx context.Context, n news) error {
	h, err := r.index.handle(ctx, n.id)
	if err != nil {
		return err
	}
	if len(h.Proven) >= r.rules.Shared.Owners && h.Qualifier == "" {
		if err := r.writer.Share(ctx, n.Tenant, h.ID, "owners@1", Cause{Commit: n.ID, Trace: n.Trace}); err != nil {
			return err
		}
	}
	if h.Customer == "" {
		return nil
	}
	return r.guard(ctx, n, h.Customer, true)
}

// guard takes back what broke a limit. It runs after the fact, since no lock is
// held over a person: two links that are each within the limits may not be so
// together. It waits until the graph has the commit, so that of two links that
// race the later one is looked at with both.
func (r *Resolver) guard(ctx context.Context, n news, customer string, onlyLogins bool) error {
	if r.noGuard {
		return nil
	}
	if err := r.persons.WaitFor(ctx, n.Partition, n.Seq); err != nil {
		return err
	}
	g := r.persons.Graph()
	members := g.Members(customer)
	if len(members) < 2 {
		return nil
	}
	handles, err := r.index.handlesOf(ctx, members)
	if err != nil {
		return err
	}
	for _, c := range r.rules.Limits.walk(g.Between(members), handles, onlyLogins) {
		r.log.Info("automatic link broke a limit and is taken back", "link", c.Link, "limit", c.limit)
		err := r.writer.Undo(ctx, n.Tenant, c.A, c.B, link.Undo{Link: c.Link, Reason: link.ReasonGuard + c.limit}, Cause{Commit: n.ID, Trace: n.Trace})
		if err != nil {
			return err
		}
	}
	return nil
}

func contains(members []string, c string) bool {
	for _, m := range members {
		if m == c {
			return true
		}
	}
	return false
}
