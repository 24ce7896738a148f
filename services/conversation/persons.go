package conversation

import (
	"context"
	"fmt"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/handle"
	"github.com/weftline/weftline/services/conversation/internal/identity"
	"github.com/weftline/weftline/services/conversation/internal/resolve"
	"github.com/weftline/weftline/services/internal/blocklist"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/handleid"
)

// openPersons: who is one person, by rules and by agents' orders.
func (s *Service) openPersons(ctx context.Context) error {
	d := s.deps
	rules, err := resolve.Load(s.cfg.Rules)
	if err != nil {
		return err
	}
	cfg := aggregate.Config{Now: s.cfg.Now}
	links := aggregate.New(cfg, aggregate.Link(), d.Events, d.Snapshots, s.log)
	joins := aggregate.New(cfg, aggregate.Join(), d.Events, d.Snapshots, s.log)
	if s.ties, err = identity.New(identity.Deps{
		Links: links, Joins: joins, Reads: lookup{s.reader, s.live}, Keys: d.Keys,
	}); err != nil {
		return err
	}
	s.resolver, err = resolve.New(ctx, resolve.Deps{
		Rules: rules, Persons: s.live, Writer: resolve.Streams{Links: links, Mark: s.share}, Store: d.Views, Keys: d.Keys, Blocked: s.blocked, Log: s.log,
	})
	return err
}

// share marks a handle that several proven owners had as a line of its own.
func (s *Service) share(ctx context.Context, tenant, id, reason string, by resolve.Cause) error {
	_, err := s.commands.QualifyHandle(ctx, command.Order{
		Tenant: tenant, Actor: resolve.Actor, Key: reason + "/" + by.Commit, Trace: by.Trace,
	}, id, handle.Shared)
	return err
}

// variants are the keyed hashes by which addresses that may be one are found:
// of the address as it is compared, and of its folded forms.
func (s *Service) variants(a channel.Address) []string {
	forms := handleid.Variants(a.Kind, a.Address)
	if a.Scope != "" || len(forms) == 0 && a.Kind != "email" && a.Kind != "phone" {
		return nil
	}
	out := []string{s.deps.Keys.Hash("match", a.Kind, handleid.Normalise(a.Kind, a.Address))}
	for _, f := range forms {
		out = append(out, s.deps.Keys.Hash("match", a.Kind, f))
	}
	return out
}

// blocked names the list an address is on that says nothing about who a person
// is. Our own addresses and numbers are on one as long as an inbox has them.
func (s *Service) blocked(kind, address string) string {
	if s.deps.Own != nil && s.deps.Own(channel.Address{Kind: kind, Address: address}) {
		return blocklist.Own
	}
	return blocklist.Reason(kind, handleid.Normalise(kind, address))
}

// CheckRules says what is wrong with a file of rules; "" is the built-in one.
func CheckRules(path string) error {
	_, err := resolve.Load(path)
	return err
}

// Rules are those it recognises persons by, as YAML.
func (s *Service) Rules() []byte { return s.resolver.Rules().Source() }

// What operators see of a simulation.
type (
	SimulateReport = resolve.Report
	SimulateChange = resolve.Change
)

// Simulate says what other rules (YAML) would have made of the whole log,
// compared with what is. It writes to scratch alone, an empty store.
func (s *Service) Simulate(ctx context.Context, rules []byte, scratch docstore.Store) (SimulateReport, error) {
	parsed, err := resolve.Parse(rules)
	if err != nil {
		return SimulateReport{}, fmt.Errorf("rules: %w", err)
	}
	return resolve.Simulate(ctx, resolve.SimulateDeps{
		Rules: parsed, Events: s.deps.Events, Tenant: s.cfg.Tenant, Keys: s.deps.Keys, Blocked: s.blocked, Scratch: scratch,
	})
}
