package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"
	"time"

	"github.com/weftline/weftline/services/internal/docstore"
)

// Collections. None can be rebuilt from events; losing one costs receipts and
// waiting times, never a message.
const (
	colVisitor = "chat_visitors" // by inbox/visitor
	colHandle  = "chat_handles"  // by handle id
	colUpload  = "chat_uploads"  // by upload id
)

type visitorState struct {
	Sub   string `json:"sub,omitempty"`   // the login this browser's visitor id belongs to
	Spoke bool   `json:"spoke,omitempty"` // something was said anonymously
	Told  bool   `json:"told,omitempty"`  // agents were told of the login
	// Asked: the form before the chat was answered, with these fields.
	Asked bool     `json:"asked,omitempty"`
	Given []string `json:"given,omitempty"`
}

// handleState: positions only grow.
type handleState struct {
	High      string `json:"high,omitempty"`      // of the newest outbound message handled
	Delivered string `json:"delivered,omitempty"` // reported up to
	Read      string `json:"read,omitempty"`      // reported up to
	Mailed    string `json:"mailed,omitempty"`    // sent by mail or SMS up to
	// Mail and Phone are where he is written to when he has left, Asked is an
	// address that is not proven yet, Last the kind of the one proven last.
	Mail  *address `json:"mail,omitempty"`
	Phone *address `json:"phone,omitempty"`
	Asked *address `json:"asked,omitempty"`
	Last  string   `json:"last,omitempty"`
}

type uploadState struct {
	Inbox   string    `json:"inbox"`
	Address string    `json:"address"`
	Blob    string    `json:"blob"`
	Name    string    `json:"name"`
	Type    string    `json:"type"`
	Size    int64     `json:"size"`
	At      time.Time `json:"at"`
	Used    bool      `json:"used,omitempty"` // a message may name it
}

func declare(ctx context.Context, state docstore.Store) error {
	var all []docstore.Collection
	for _, name := range []string{colVisitor, colHandle, colUpload, colFollow} {
		all = append(all, docstore.Collection{Name: name})
	}
	if err := state.Declare(ctx, all...); err != nil {
		return fmt.Errorf("declare chat state: %w", err)
	}
	return nil
}

// load reads a document into v; a missing one leaves v as it is.
func (a *Adapter) load(ctx context.Context, col, id string, v any) (found bool, err error) {
	d, err := a.d.State.Get(ctx, col, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", col, err)
	}
	if err := json.Unmarshal(d.JSON, v); err != nil {
		return false, fmt.Errorf("decode %s: %w", col, err)
	}
	return true, nil
}

func (a *Adapter) store(ctx context.Context, col, id string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", col, err)
	}
	err = a.d.State.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: col, Doc: docstore.Doc{ID: id, JSON: b}}}})
	if err != nil {
		return fmt.Errorf("write %s: %w", col, err)
	}
	return nil
}

// changeHandle lets fn change a handle's state; false writes nothing.
func (a *Adapter) changeHandle(ctx context.Context, handleID string, fn func(*handleState) bool) error {
	defer a.locks.lock(handleID)()
	var h handleState
	if _, err := a.load(ctx, colHandle, handleID, &h); err != nil {
		return err
	}
	if !fn(&h) {
		return nil
	}
	return a.store(ctx, colHandle, handleID, h)
}

// striped are locks by key.
type striped [64]sync.Mutex

func (s *striped) lock(key string) (unlock func()) {
	h := fnv.New32a()
	h.Write([]byte(key))
	m := &s[h.Sum32()%uint32(len(s))]
	m.Lock()
	return m.Unlock
}
