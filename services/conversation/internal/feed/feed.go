// Package feed is the live end of the log for consoles: every durable thing
// that happens, as callers see it, with a cursor to resume from.
//
//	runner ─► Apply ─► window of commits ─┬─► subscriber  (replays from the store up to
//	                                      └─► subscriber   the window, then reads it live)
//
// A commit waits in the window unopened; the first subscriber that comes to it
// builds its events, all others share them. Nothing here waits for a projection.
package feed

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/subject"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/cursor"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/view"
	"github.com/weftline/weftline/services/internal/peer"
)

// Errors a subscriber branches on, as it would in another process.
var (
	// ErrReset: it cannot go on from this cursor (forged, of another hub, from
	// the future, too far behind). Fetch anew and begin at the head. It is a *ResetError.
	ErrReset = peer.ErrReset
	// ErrSlow: the subscriber fell out of the window. Subscribe again with the last cursor.
	ErrSlow = peer.ErrSlow
)

// ResetError says why and where the head is.
type ResetError struct {
	Reason string
	Head   string // cursor
}

func (e *ResetError) Error() string        { return ErrReset.Error() + ": " + e.Reason }
func (e *ResetError) Is(target error) bool { return target == ErrReset }

// Config of a Feed. Zero values take the defaults.
type Config struct {
	Tenant string // "" means the default tenant
	// MaxReplay is how far behind a cursor may be, in commits; default 5,000.
	MaxReplay uint64
	// Window and WindowBytes bound the commits kept for live subscribers; default 4,096 and 32 MiB.
	Window      int
	WindowBytes int
	// Rows, with Keys, are read models to take conversations' rows from; without
	// them events carry no rows.
	Rows *readmodel.Live
	// Place, when set, puts a row where it belongs: person, name and topic, as
	// far as links and joins are projected.
	Place func(ctx context.Context, row *readmodel.Conversation, shown *inboxv1.Conversation) error
	Keys  readmodel.Keys
	Log   *slog.Logger // may be nil
}

// Feed serves any number of subscribers from one reader. Safe for concurrent use.
type Feed struct {
	cfg    Config
	store  eventstore.Store
	decode readmodel.Decoder
	view   *view.Viewer
	mac    cursor.MAC

	handles handleCache
	kept    []kept // rows, by partition

	mu      sync.Mutex
	head    []uint64 // last commit in or before the window, by partition
	first   uint64   // number of window[0], counted from 0 since the start
	window  []*item
	bytes   int
	changed chan struct{} // closed and replaced when the window grows
}

// New makes a Feed that begins at the end of the store.
func New(ctx context.Context, cfg Config, store eventstore.Store, decode readmodel.Decoder, viewer *view.Viewer, mac cursor.MAC) (*Feed, error) {
	if cfg.Tenant == "" {
		cfg.Tenant = subject.DefaultTenant
	}
	if cfg.MaxReplay == 0 {
		cfg.MaxReplay = 5000
	}
	if cfg.Window <= 0 {
		cfg.Window = 4096
	}
	if cfg.WindowBytes <= 0 {
		cfg.WindowBytes = 32 << 20
	}
	f := &Feed{
		cfg: cfg, store: store, decode: decode, view: viewer, mac: mac,
		head: make([]uint64, store.Partitions()), changed: make(chan struct{}),
		handles: handleCache{docs: map[string]*readmodel.Handle{}}, kept: make([]kept, store.Partitions()),
	}
	for p := range f.head {
		head, err := store.Head(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("begin live feed at partition %d: %w", p, err)
		}
		f.head[p] = head
	}
	return f, nil
}

// Name of the sink.
func (f *Feed) Name() string { return "feed" }

// Checkpoint is where the runner goes on.
func (f *Feed) Checkpoint(_ context.Context, partition int) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.head[partition], nil
}

// Apply takes commits of a partition, in order. It never fails and never waits.
func (f *Feed) Apply(_ context.Context, partition int, commits []eventstore.Commit) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range commits {
		if c.Seq <= f.head[partition] {
			continue
		}
		before := append([]uint64(nil), f.head...)
		f.head[partition] = c.Seq
		f.handles.forget(c.Stream)
		it := &item{commit: c, before: cursor.Cursor{Seqs: before}, size: size(c)}
		f.window, f.bytes = append(f.window, it), f.bytes+it.size
	}
	for len(f.window) > f.cfg.Window || f.bytes > f.cfg.WindowBytes && len(f.window) > 1 {
		f.bytes -= f.window[0].size
		f.window[0] = nil
		f.window = f.window[1:]
		f.first++
	}
	close(f.changed)
	f.changed = make(chan struct{})
	return nil
}

func size(c eventstore.Commit) int {
	n := 256
	for _, r := range c.Records {
		n += len(r.Data)
	}
	return n
}

// Head is the cursor of what has been taken so far.
func (f *Feed) Head(context.Context) (string, error) { return f.headCursor(), nil }

func (f *Feed) headCursor() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return cursor.Cursor{Seqs: f.head}.Encode(f.mac)
}

// snapshot is the head and the number of the item that will follow it.
func (f *Feed) snapshot() (head []uint64, next uint64, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]uint64(nil), f.head...), f.first + uint64(len(f.window)), f.changed
}

// from returns up to n items beginning with a number; ok is false when that one has left the window.
func (f *Feed) from(next uint64, n int) (items []*item, changed <-chan struct{}, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if next < f.first {
		return nil, nil, false
	}
	rest := f.window[next-f.first:]
	return append([]*item(nil), rest[:min(n, len(rest))]...), f.changed, true
}
