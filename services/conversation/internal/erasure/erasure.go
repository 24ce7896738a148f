// Package erasure makes a person unreadable, everywhere, and keeps it so.
//
//	requested ─► fenced ─► released ─► shredded ─► cleaned ─► purged ─► done
//	             erase:<c>  release:   plan, ledger, erased:<c>  log,
//	             in his     <h>:<n>    then keys     read models, databases,
//	             stream     per handle               queues, files backups
//
// Progress is a document in the state store, so whoever comes resumes, and every
// step may be taken any number of times. A step that another writer meets half
// done (a message finds the fence and its handle not yet released) is taken by
// that writer: Release.
//
// A handle that has moved away is settled before that, and what he had over it
// stays known in its stream (settle.Settler.Forget): nothing else tells of it.
//
// After that a standing order holds: Watch follows the log, and what comes to
// derive to somebody erased (a move that lands late, a claim in flight) is
// destroyed too.
//
// What is destroyed is planned before any key goes, because afterwards nothing
// says any more which files a message had. The plan and the ledger hold ids, key
// names and keyed hashes, never a word of anybody's.
package erasure

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/estate"
	"github.com/weftline/weftline/services/conversation/internal/handle"
	"github.com/weftline/weftline/services/conversation/internal/position"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/underway"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/intake"
	"github.com/weftline/weftline/services/internal/ledger"
	"github.com/weftline/weftline/services/internal/natsbus"
)

// Log is an event store that commits can be taken out of.
type Log interface {
	eventstore.Store
	// Purge removes the commits of a stream before a sequence.
	Purge(ctx context.Context, tenant, stream string, before uint64) error
	// Delete removes single commits and writes over them.
	Delete(ctx context.Context, partition int, seqs ...uint64) error
	DropSnapshot(ctx context.Context, tenant, stream string) error
}

// Keys is a keyring that says which of its keys are gone.
type Keys interface {
	crypt.Keyring
	Destroyed(ctx context.Context, name string) (bool, error)
}

// Blobs is a blob store that says under which key a blob is.
type Blobs interface {
	blob.Store
	DataKey(ctx context.Context, key string) (string, error)
}

// Originals are the inputs in IN.
type Originals interface {
	Trace(ctx context.Context, ref string) (intake.Trace, error)
	Remove(ctx context.Context, ref string) error
}

// Gone is what a Cleaner must forget.
type Gone struct {
	Tenant        string
	Customers     []string
	Handles       []string // ids of handles released; somebody else may get them later
	Conversations []string
	Replies       []string
}

// Cleaner is a part of the hub that keeps something of customers of its own:
// drafts, uploads, marks. Forget may be called again for the same.
type Cleaner interface {
	Forget(ctx context.Context, gone Gone) error
}

// Ledger remembers what was destroyed, apart from everything that a backup
// would bring back.
type Ledger interface {
	Add(entries ...ledger.Entry) error
	Entries() ([]ledger.Entry, error)
}

// Copies are the backups this hub knows of.
type Copies interface {
	// Erase destroys the keys of the ledger in all of them.
	Erase(ctx context.Context) error
}

// Persons says who is one person; nil: everybody is one of his own.
type Persons interface {
	Members(customer string) []string
}

// Record is what the audit log gets.
type Record struct {
	Actor    string
	Action   string // erase.customer, erase.hold_placed, …
	Customer string
	Object   string
	IDs      map[string]string
	// Why is what somebody wrote, to be sealed under the keys WhyKeys.
	Why     string
	WhyKeys []string
}

// Audit keeps records; nil: nobody does.
type Audit interface {
	Record(ctx context.Context, r Record) error
}

// Exports are archives that hold customers; nil: there are none.
type Exports interface {
	Of(ctx context.Context, customer string) (keys, blobs []string, err error)
}

// Underway are fetched files whose message is not stored; nil: there are none.
type Underway interface {
	All(ctx context.Context) ([]underway.File, error)
	End(ctx context.Context, blobs ...string) error
}

// Feed forgets what it holds ready of streams.
type Feed interface{ Forget(streams ...string) }

// Deps are what a Service works with. Copies, Persons, Audit, Exports, Cleaners, Underway and Feed may be nil.
type Deps struct {
	Tenant    string
	Log       Log
	Customers *aggregate.Repository[customer.State]
	Handles   *aggregate.Repository[handle.State]
	Keys      Keys
	Blobs     Blobs
	Originals Originals
	Bus       *natsbus.Bus
	State     docstore.Store
	Live      *readmodel.Live
	Feed      Feed
	Underway  Underway
	Ledger    Ledger
	Copies    Copies
	Cleaners  []Cleaner
	Persons   Persons
	Audit     Audit
	Exports   Exports
	// Forget does what is left to do about a handle before anything of a former
	// owner goes: the head of an open question goes along with it, and what he had
	// over it stays known in the handle's stream (settle.Settler.Forget).
	Forget func(ctx context.Context, tenant, handle string) error
	// Scrub are databases deleted bytes must leave, besides State and the read models.
	Scrub []docstore.Store
	// Policies of retention.
	Policies []Policy
	NewID    func() string
	Now      func() time.Time // nil: time.Now
	Slog     *slog.Logger
	// Step, in tests, hears of every step once it is durable.
	Step func(name string)
}

// Service erases. One process runs it; the others may ask and help.
type Service struct {
	Deps
	streams *estate.Reader
	unsaved *position.Lazy // of Watch
	wake    chan struct{}
	running sync.Mutex // held by whoever takes steps

	mu     sync.Mutex
	erased map[string]bool // customers whose erasure was asked for
	moved  map[string]bool // handles that came to one of them by a move
}

// New declares the collections and loads who was erased.
func New(ctx context.Context, d Deps) (*Service, error) {
	if d.Log == nil || d.Customers == nil || d.Handles == nil || d.Keys == nil || d.Blobs == nil || d.Originals == nil ||
		d.Bus == nil || d.State == nil || d.Live == nil || d.Ledger == nil || d.Forget == nil || d.NewID == nil || d.Slog == nil {
		return nil, errors.New("erasure: a dependency is missing")
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Step == nil {
		d.Step = func(string) {}
	}
	s := &Service{
		Deps: d, streams: &estate.Reader{Events: d.Log, Tenant: d.Tenant}, wake: make(chan struct{}, 1),
		erased: map[string]bool{}, moved: map[string]bool{},
	}
	s.unsaved = &position.Lazy{Store: d.State, Name: s.Watch().Name(), Whose: "standing order", Log: d.Slog}
	if err := s.declare(ctx); err != nil {
		return nil, err
	}
	return s, s.load(ctx)
}
