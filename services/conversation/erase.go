package conversation

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/weftline/weftline/services/conversation/internal/erasure"
	"github.com/weftline/weftline/services/conversation/internal/estate"
	"github.com/weftline/weftline/services/conversation/internal/export"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/rpc"
	"github.com/weftline/weftline/services/conversation/internal/underway"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/intake"
	"github.com/weftline/weftline/services/internal/ledger"
)

// What the rest of the hub has to do with an erasure.
type (
	// Gone is what a Cleaner must forget.
	Gone = erasure.Gone
	// Cleaner keeps something of customers of its own.
	Cleaner = erasure.Cleaner
	// CleanerFunc is one function of it.
	CleanerFunc func(ctx context.Context, gone Gone) error
	// RetentionPolicy says how long an inbox keeps closed conversations.
	RetentionPolicy = erasure.Policy
	// RetentionFigures are what a run would destroy, or did.
	RetentionFigures = erasure.Figures
	// AuditRecord is what Erasure.Audit gets.
	AuditRecord = erasure.Record
)

// Forget implements Cleaner.
func (f CleanerFunc) Forget(ctx context.Context, gone Gone) error { return f(ctx, gone) }

// Erasure is what erasing stands on beside the target's own parts. All may be nil.
type Erasure struct {
	// Ledger outlives backups. Without one, a restored backup brings people back.
	Ledger   erasure.Ledger
	Copies   erasure.Copies
	Cleaners []Cleaner
	Audit    erasure.Audit
	Scrub    []docstore.Store
	Policies []RetentionPolicy
	// Step, in tests, hears of every durable step of an erasure.
	Step func(name string)
}

// openErasure makes who erases: before ingest, which helps him.
func (s *Service) openErasure(ctx context.Context) (err error) {
	d := s.deps
	log, ok1 := d.Events.(erasure.Log)
	keys, ok2 := d.Keys.(erasure.Keys)
	blobs, ok3 := d.Blobs.(erasure.Blobs)
	originals, ok4 := d.Originals.(erasure.Originals)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return errors.New("conversation: a dependency cannot be erased from")
	}
	if s.underway, err = underway.New(ctx, d.State); err != nil {
		return err
	}
	e := d.Erasure
	if e.Ledger == nil {
		e.Ledger = forgetful{}
	}
	if e.Audit == nil && d.Audit != nil {
		e.Audit = auditor{d.Audit}
	}
	s.deps.Erasure.Audit = e.Audit
	if s.exports, err = export.New(ctx, export.Deps{
		Tenant: s.cfg.Tenant, Streams: &estate.Reader{Events: d.Events, Tenant: s.cfg.Tenant}, Keys: d.Keys, Blobs: d.Blobs,
		Originals: d.Originals, Parts: d.Parts, State: d.State, Links: persons{s.live}, Audit: s.exported, Now: s.cfg.Now, Log: s.log,
	}); err != nil {
		return err
	}
	e.Cleaners = append([]Cleaner{CleanerFunc(func(ctx context.Context, gone Gone) error {
		return errors.Join(s.exports.Forget(ctx, gone.Customers), s.proofs.Forget(ctx, gone.Tenant, gone.Customers))
	})}, e.Cleaners...)
	s.erasure, err = erasure.New(ctx, erasure.Deps{
		Tenant: s.cfg.Tenant, Log: log, Customers: s.customers, Handles: s.handles, Keys: keys, Blobs: blobs, Originals: originals,
		Persons: persons{s.live}, Bus: d.Bus, State: d.State, Live: s.live, Feed: s.feed, Underway: s.underway, Ledger: e.Ledger, Copies: e.Copies, Cleaners: e.Cleaners,
		Audit: e.Audit, Exports: s.exports, Forget: s.settler.Forget, Scrub: e.Scrub, Policies: e.Policies, NewID: newID, Now: s.cfg.Now, Slog: s.log, Step: e.Step,
	})
	if err != nil {
		return err
	}
	s.discard = func(ctx context.Context, ref string) error {
		t, err := originals.Trace(ctx, ref)
		if errors.Is(err, intake.ErrNoInput) {
			return nil
		}
		if err == nil && t.Blob != "" {
			err = blobs.Delete(ctx, t.Blob)
		}
		if err != nil {
			return err
		}
		return originals.Remove(ctx, ref)
	}
	return nil
}

// exported tells the audit log of an export.
func (s *Service) exported(ctx context.Context, action, actor, customer, object string) error {
	if s.deps.Erasure.Audit == nil {
		return nil
	}
	return s.deps.Erasure.Audit.Record(ctx, AuditRecord{Actor: actor, Action: action, Customer: customer, Object: object})
}

// Export writes an archive of the customers to w.
func (s *Service) Export(ctx context.Context, customers []string, w io.Writer) error {
	for _, id := range customers {
		if _, err := s.reader.Customer(ctx, id); err != nil {
			return fmt.Errorf("customer %s: %w", id, err)
		}
		if err := s.exported(ctx, "export.customer", "operator", id, "file"); err != nil {
			return err
		}
	}
	return s.exports.Write(ctx, customers, w)
}

// persons answers from the read models that serve now.
type persons struct{ live *readmodel.Live }

func (p persons) Members(customer string) []string    { return p.live.Graph().Members(customer) }
func (p persons) Edges(customer string) []person.Edge { return p.live.Graph().Edges(customer) }

// auditor writes what erasing and exporting tell into the audit log.
type auditor struct{ log rpc.Audit }

func (a auditor) Record(ctx context.Context, r AuditRecord) error {
	e := audit.Entry{Action: r.Action, Customer: r.Customer, Object: r.Object, IDs: r.IDs, Why: r.Why, WhyKeys: r.WhyKeys}
	if who, ok := actor.From(ctx); !ok || who.ID != r.Actor { // told later, for whoever ordered it
		switch e.Actor, e.Kind = r.Actor, actor.KindAgent; r.Actor {
		case "system", "retention":
			e.Kind = actor.KindSystem
		case "operator":
			e.Kind = audit.KindOperator
		}
	}
	return a.log.RecordSync(ctx, e)
}

// forgetful is a ledger that keeps nothing.
type forgetful struct{}

func (forgetful) Add(...ledger.Entry) error        { return nil }
func (forgetful) Entries() ([]ledger.Entry, error) { return nil, nil }

// replay does again what this data does not know, before anything is read.
func (s *Service) replay(ctx context.Context) error {
	n, err := s.erasure.Replay(ctx)
	if err != nil {
		return fmt.Errorf("erase again what was erased after this copy was made: %w", err)
	}
	if n > 0 {
		s.log.Info("erased again what was erased after this copy was made", "entries", n)
	}
	return nil
}

// PreviewRetention is the dry run of the retention policies.
func (s *Service) PreviewRetention(ctx context.Context) ([]RetentionFigures, error) {
	return s.erasure.PreviewRetention(ctx)
}

// Retain runs the retention policies now.
func (s *Service) Retain(ctx context.Context) ([]RetentionFigures, error) {
	return s.erasure.Retire(ctx, "operator")
}
