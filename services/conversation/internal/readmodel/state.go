package readmodel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/internal/docstore"
)

// ErrRebuild: the read models are of another version, or missing; rebuild them.
var ErrRebuild = errors.New("read models must be rebuilt")

// stateCollection and stateID hold which generation serves.
const (
	stateCollection = "projection_state"
	stateID         = "readmodel"
)

// State says which generation serves and which one is being built.
type State struct {
	Current        int `json:"current"`
	Schema         int `json:"schema"`
	Building       int `json:"building,omitempty"`
	BuildingSchema int `json:"building_schema,omitempty"`
	// Dropping are generations nobody serves any more, not removed yet.
	Dropping []int `json:"dropping,omitempty"`

	rev uint64
}

// LoadState reads it; the zero State when there is none.
func LoadState(ctx context.Context, s docstore.Store) (State, error) {
	if err := s.Declare(ctx, docstore.Collection{Name: stateCollection}); err != nil {
		return State{}, fmt.Errorf("declare projection state: %w", err)
	}
	return loadState(ctx, s)
}

// loadState is LoadState where the collection is declared already.
func loadState(ctx context.Context, s docstore.Store) (State, error) {
	d, err := s.Get(ctx, stateCollection, stateID)
	if errors.Is(err, docstore.ErrNotFound) {
		return State{}, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("load projection state: %w", err)
	}
	var st State
	if err := json.Unmarshal(d.JSON, &st); err != nil {
		return State{}, fmt.Errorf("read projection state: %w", err)
	}
	st.rev = d.Seq
	return st, nil
}

// SaveState writes what LoadState read; docstore.ErrStale or ErrExists when someone else did.
func SaveState(ctx context.Context, s docstore.Store, st *State) error {
	b, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("encode projection state: %w", err)
	}
	op := docstore.Op{Collection: stateCollection, Doc: docstore.Doc{ID: stateID, Seq: st.rev + 1, JSON: b}}
	if op.IfRev = st.rev; st.rev == 0 {
		op.Create = true
	}
	if err := s.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}}); err != nil {
		return fmt.Errorf("save projection state: %w", err)
	}
	st.rev++
	return nil
}

// DropGeneration removes the documents and checkpoints of a generation.
func DropGeneration(ctx context.Context, s docstore.Store, n Names) error {
	if err := s.DropCheckpoints(ctx, n.Checkpoint); err != nil {
		return fmt.Errorf("drop checkpoints of %s: %w", n.Checkpoint, err)
	}
	for _, c := range n.All() {
		if err := s.Drop(ctx, c); err != nil {
			return fmt.Errorf("drop %s: %w", c, err)
		}
	}
	return nil
}
