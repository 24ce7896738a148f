// Package export writes everything about a customer into one archive: for the
// customer who asks what is known of him, and for whoever moves away.
//
//	customers.json         who he is: handles with evidence and tenures, attributes, links
//	conversations.jsonl    one conversation a line
//	timeline.jsonl         everything that happened, opened, in the order of its stream
//	attachments/ originals/  files as they came
//	index.html             the same for reading: no scripts, nothing fetched
//	manifest.json          SHA-256 of every file, and what could not be read
//
// It holds what derives to the customers named (package estate) and nothing of
// others. At rest it is cut into blobs under a key of its own; when it expires,
// the key is destroyed.
package export

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/estate"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Life is how long an export is kept.
const Life = 24 * time.Hour

// MaxCustomers is how many customers one export may name.
const MaxCustomers = 50

// Links says which links a customer has now; nil: none are known.
type Links interface {
	Edges(customer string) []person.Edge
}

// Originals opens what arrived.
type Originals interface {
	Open(ctx context.Context, ref string) (channel.Raw, error)
}

// Deps are what a Service works with. Links and Audit may be nil.
type Deps struct {
	Tenant    string
	Streams   *estate.Reader
	Keys      crypt.Keyring
	Blobs     blob.Store
	Originals Originals
	// Parts finds who can open the parts of a channel's originals.
	Parts func(channel string) (channel.PartOpener, bool)
	State docstore.Store
	Links Links
	// Audit hears who exported whom, and who fetched it.
	Audit func(ctx context.Context, action, actor, customer, object string) error
	Now   func() time.Time // nil: time.Now
	Log   *slog.Logger
}

// Service makes exports. One process runs it.
type Service struct {
	Deps
	wake chan struct{}
}

// New declares its collection.
func New(ctx context.Context, d Deps) (*Service, error) {
	if d.Streams == nil || d.Keys == nil || d.Blobs == nil || d.Originals == nil || d.Parts == nil || d.State == nil || d.Log == nil {
		return nil, errors.New("export: a dependency is missing")
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Audit == nil {
		d.Audit = func(context.Context, string, string, string, string) error { return nil }
	}
	s := &Service{Deps: d, wake: make(chan struct{}, 1)}
	return s, s.declare(ctx)
}

// Write writes an archive of the customers straight to w.
func (s *Service) Write(ctx context.Context, customers []string, w io.Writer) error {
	return newArchive(s, w).write(ctx, customers)
}
