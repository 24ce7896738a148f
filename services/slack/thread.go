package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/hosted"
)

const colThreads = "slack_threads"

// maxThreads bounds what is remembered beside the store.
const maxThreads = 20_000

// threads knows in which threads of channels the app was mentioned: what is
// said below a mention is said to it, whether it is mentioned again or not. With
// hosted.Deps.State it outlives the process. It holds ids of channels and times, and nobody's name.
type threads struct {
	state docstore.Store

	mu       sync.Mutex
	declared bool
	known    map[string]bool // by inbox, channel and first message
}

func newThreads(d hosted.Deps) *threads { return &threads{state: d.State, known: map[string]bool{}} }

// storeWait is how long a request of Slack's, which is to be thanked within three seconds, waits for the store.
const storeWait = time.Second

func (t *threads) note(inboxID, thread string) error {
	key := inboxID + "/" + thread
	t.remember(key)
	if t.state == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeWait)
	defer cancel()
	b, err := json.Marshal(map[string]string{"thread": thread})
	if err == nil {
		err = t.declare(ctx)
	}
	if err == nil {
		err = t.state.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: colThreads, Doc: docstore.Doc{ID: key, JSON: b}}}})
	}
	if err != nil {
		return fmt.Errorf("note a thread: %w", err)
	}
	return nil
}

// has says whether the app was mentioned in a thread. Where the store does not
// answer it is taken for one: a message too much is better than one lost.
func (t *threads) has(inboxID, thread string) (bool, error) {
	key := inboxID + "/" + thread
	t.mu.Lock()
	known := t.known[key]
	t.mu.Unlock()
	if known || t.state == nil {
		return known, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeWait)
	defer cancel()
	err := t.declare(ctx)
	if err == nil {
		_, err = t.state.Get(ctx, colThreads, key)
	}
	if err != nil && !errors.Is(err, docstore.ErrNotFound) {
		return true, fmt.Errorf("look for a thread: %w", err)
	}
	if err == nil {
		t.remember(key)
	}
	return err == nil, nil
}

func (t *threads) remember(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) >= maxThreads {
		clear(t.known)
	}
	t.known[key] = true
}

func (t *threads) declare(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.declared {
		return nil
	}
	if err := t.state.Declare(ctx, docstore.Collection{Name: colThreads}); err != nil {
		return err
	}
	t.declared = true
	return nil
}
