// Package replay brings in what was said elsewhere, earlier, as if it had
// happened here then: the same events, recorded at their own times, marked as
// imported.
//
//	file ─► read ─► plan (who, which conversation, when) ─► own ─► one writer per customer ─► links
//	        every line checked, by itself        whose handles? claim   its items in time order,
//	        and against the others               what nobody owns       many commits in one append
//
// Ids come from the source's name and its own ids, and a writer reads all of a
// stream before it adds to it: what is there already is not written again,
// wherever an earlier run was cut off.
package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Deps are what an import works with.
type Deps struct {
	Events    eventstore.Store
	Customers *aggregate.Repository[customer.State] // the hub's: snapshots are made with it
	Claims    *claim.Claimer
	Settle    Settler
	Keys      crypt.Keyring
	Blobs     blob.Store
	State     docstore.Store // keeps how far an import is
	// Known says whether the timeline has an entry, of whomever. It must have
	// everything that was stored when the import began.
	Known func(ctx context.Context, tenant, entry string) (bool, error)
	// EventID names business events as their API does.
	EventID func(tenant, source, id string) string
	// Sanitise makes HTML safe to show.
	Sanitise func(html string) string
	// Agent finds an agent by id or e-mail address; nil knows none.
	Agent func(ctx context.Context, ref string) (id string, ok bool)
	// Channel of a configured inbox.
	Channel func(inbox string) (channel string, ok bool)
	Log     *slog.Logger
}

// Config says what to do with a file.
type Config struct {
	Tenant string // "" means the default tenant
	// Inboxes and Agents translate the source's names; the key "" of Inboxes is
	// for all that are not named.
	Inboxes, Agents map[string]string
	// Regions say where numbers without a country code were dialled, by the
	// source's inboxes; "" is for all others. ISO 3166-1 alpha-2.
	Regions map[string]string
	DryRun  bool // say what would be done, and do nothing
	Strict  bool // do nothing when a line is bad
	// Progress, when set, hears now and then how far it is, from one goroutine at a time.
	Progress func(Progress)
}

// Progress says how far an import is.
type Progress struct {
	Phase string `json:"phase"` // read, own, write
	Done  int64  `json:"done"`
	Of    int64  `json:"of"` // 0: not known
	Unit  string `json:"unit"`
}

// BadLine is a line that was not imported, and why.
type BadLine struct {
	Line    int    `json:"line"`
	Origin  string `json:"origin,omitempty"`
	Problem string `json:"problem"`
}

func (b BadLine) String() string {
	if b.Origin != "" {
		return fmt.Sprintf("%s: %s", b.Origin, b.Problem)
	}
	return fmt.Sprintf("line %d: %s", b.Line, b.Problem)
}

// Report says what an import did, or (DryRun) would do.
type Report struct {
	Source string `json:"source"`
	DryRun bool   `json:"dry_run,omitempty"`
	Lines  int    `json:"lines"`

	// What the file holds and could be read.
	Customers     int `json:"customers"`
	Joined        int `json:"joined"` // of them, whose address somebody here owns: their history goes to him
	Conversations int `json:"conversations"`
	Messages      int `json:"messages"` // both directions
	Notes         int `json:"notes"`
	Events        int `json:"events"`
	Links         int `json:"links"`

	Written int `json:"written"` // messages, notes and events that were not here
	Already int `json:"already"` // were here
	Erased  int `json:"erased"`  // of persons who were erased here: not brought back
	Commits int `json:"commits"`

	UnknownAgents  map[string]int `json:"unknown_agents,omitempty"`  // assignee or author nobody here is, and how often
	UnknownInboxes map[string]int `json:"unknown_inboxes,omitempty"` // not configured here: shown, but not answered

	Bad      []BadLine `json:"bad,omitempty"` // the first LimitBad
	BadLines int       `json:"bad_lines"`

	Took time.Duration `json:"took_ns"`
}

// LimitBad is how many bad lines a report names.
const LimitBad = 1000

// Limits of a file.
const (
	LimitRecords = 5_000_000
)

// ErrRefused: a line was bad and the import is strict; nothing was written.
var ErrRefused = errors.New("a line is bad, and -strict allows none: nothing was imported")

// Importer imports files. Safe for concurrent use, one file at a time each.
type Importer struct{ Deps }

// New makes an Importer.
func New(ctx context.Context, d Deps) (*Importer, error) {
	if d.Events == nil || d.Customers == nil || d.Claims == nil || d.Settle == nil || d.Keys == nil || d.Blobs == nil || d.State == nil ||
		d.Known == nil || d.EventID == nil || d.Sanitise == nil || d.Channel == nil || d.Log == nil {
		return nil, errors.New("replay: a dependency is missing")
	}
	if d.Agent == nil {
		d.Agent = func(context.Context, string) (string, bool) { return "", false }
	}
	if err := d.State.Declare(ctx, docstore.Collection{Name: checkpoints, Indexes: []docstore.Index{{Name: byFile, Prefix: []string{"file"}}}}); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	return &Importer{d}, nil
}

// Run imports a file of size bytes. The report is good as far as it got, also
// with an error. Running it again goes on, and adds nothing twice.
func (im *Importer) Run(ctx context.Context, cfg Config, file io.ReaderAt, size int64) (Report, error) {
	began := time.Now()
	if cfg.Tenant == "" {
		cfg.Tenant = subject.DefaultTenant
	}
	r := &run{Importer: im, cfg: cfg, file: file, size: size, report: Report{DryRun: cfg.DryRun}}
	err := r.run(ctx)
	r.report.Took = time.Since(began)
	return r.report, err
}

// run is one import.
type run struct {
	*Importer
	cfg    Config
	file   io.ReaderAt
	size   int64
	digest string // of the file
	plan   plan
	report Report
	tell   teller
	agents agents

	counting sync.Mutex // of report, while many write

	saving sync.Mutex
	marks  []docstore.Op // of finished streams, not saved yet
	saved  time.Time
}

func (r *run) run(ctx context.Context) error {
	r.tell.to = r.cfg.Progress
	if err := r.read(ctx); err != nil {
		return err
	}
	r.settle(ctx)
	if r.cfg.Strict && r.report.BadLines > 0 {
		return ErrRefused
	}
	if err := r.find(ctx); err != nil {
		return err
	}
	if r.cfg.DryRun {
		return nil
	}
	if err := r.claim(ctx); err != nil {
		return err
	}
	if err := r.settled(ctx); err != nil {
		return err
	}
	if err := r.write(ctx, r.group()); err != nil {
		return err
	}
	if err := r.link(ctx); err != nil {
		return err
	}
	return r.forget(ctx)
}

func (r *run) bad(line int, origin string, err error) {
	r.counting.Lock()
	defer r.counting.Unlock()
	r.report.BadLines++
	if len(r.report.Bad) < LimitBad {
		r.report.Bad = append(r.report.Bad, BadLine{Line: line, Origin: origin, Problem: err.Error()})
	}
}
