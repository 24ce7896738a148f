package ingest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Refutations knows through which inboxes a refuted message ever came. The id
// of a message is of its inbox, so where none ever came, no message can have
// been stored with its other possible sender: nothing has to be looked at.
// Safe for concurrent use.
type Refutations struct {
	state docstore.Store
	now   func() time.Time
	all   bool // the log is older than the marks: one may have come through any

	mu   sync.Mutex
	seen map[string]refuted
}

type refuted struct {
	ever bool
	at   time.Time // when it was looked up
}

const (
	refutations = "refutations"
	// marked is the document that says since when marks are set.
	marked = "!since"
	// recheck is how long "none" is believed: another process may have had one.
	recheck = time.Minute
)

// NewRefutations reads where a log has marks. One that is older than they are,
// from a hub before, is taken to have had one in every inbox. now may be nil.
func NewRefutations(ctx context.Context, state docstore.Store, events eventstore.Store, now func() time.Time) (*Refutations, error) {
	if now == nil {
		now = time.Now
	}
	r := &Refutations{state: state, now: now, seen: map[string]refuted{}}
	if err := state.Declare(ctx, docstore.Collection{Name: refutations}); err != nil {
		return nil, fmt.Errorf("declare refutations: %w", err)
	}
	_, err := state.Get(ctx, refutations, marked)
	if !errors.Is(err, docstore.ErrNotFound) {
		return r, err
	}
	for p := range events.Partitions() {
		head, err := events.Head(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("head of partition %d: %w", p, err)
		}
		r.all = r.all || head > 0
	}
	if r.all {
		return r, nil // and so it stays
	}
	return r, r.put(ctx, marked)
}

func (r *Refutations) put(ctx context.Context, id string) error {
	op := docstore.Op{Collection: refutations, Doc: docstore.Doc{ID: id, JSON: []byte(`{}`)}}
	if err := r.state.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}}); err != nil {
		return fmt.Errorf("note a refuted sender: %w", err)
	}
	return nil
}

func refutedIn(tenant, inbox string) string {
	return tenant + "/" + base64.RawURLEncoding.EncodeToString([]byte(inbox))
}

// Ever says whether a refuted message may have come through the inbox.
func (r *Refutations) Ever(ctx context.Context, tenant, inbox string) (bool, error) {
	id := refutedIn(tenant, inbox)
	r.mu.Lock()
	known, ok := r.seen[id]
	r.mu.Unlock()
	if r.all || known.ever {
		return true, nil
	}
	now := r.now()
	if ok && now.Sub(known.at) < recheck {
		return false, nil
	}
	_, err := r.state.Get(ctx, refutations, id)
	if err != nil && !errors.Is(err, docstore.ErrNotFound) {
		return false, fmt.Errorf("look for refuted senders: %w", err)
	}
	r.remember(id, err == nil, now)
	return err == nil, nil
}

// Note says that one comes; durable when it returns. It is called before the
// message is stored.
func (r *Refutations) Note(ctx context.Context, tenant, inbox string) error {
	if ever, err := r.Ever(ctx, tenant, inbox); err != nil || ever {
		return err
	}
	id := refutedIn(tenant, inbox)
	if err := r.put(ctx, id); err != nil {
		return err
	}
	r.remember(id, true, r.now())
	return nil
}

// remember never takes back that there was one: a look that began before it is late.
func (r *Refutations) remember(id string, ever bool, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[id] = refuted{ever || r.seen[id].ever, at}
}
