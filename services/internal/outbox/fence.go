package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/docstore"
)

const (
	fenceCollection = "outbox_fence"
	fenceID         = "restored"
)

// detailRestored is what people read beside a reply behind the fence.
const detailRestored = "the hub was restored from a backup: whether this was sent is not known"

// fence is stored: names stay.
type fence struct {
	Until time.Time `json:"until"`
}

// Fence is for whoever puts an older copy of state in place, before anything
// runs on it. The records in it may lack sends that took place after the copy
// was made, so a message asked for (Outbound.At) at or before until is not sent
// unless its channel's send is idempotent. If its record has no outcome, it is
// reported as unknown, once, and a person may try again. A later fence takes
// the place of an earlier one. Durable as state is.
func Fence(ctx context.Context, state docstore.Store, until time.Time) error {
	b, err := json.Marshal(fence{until.UTC()})
	if err != nil {
		return fmt.Errorf("write outbox fence: %w", err)
	}
	if err := state.Declare(ctx, docstore.Collection{Name: fenceCollection}); err != nil {
		return fmt.Errorf("declare outbox fence: %w", err)
	}
	op := docstore.Op{Collection: fenceCollection, Doc: docstore.Doc{ID: fenceID, JSON: b}}
	if err := state.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}}); err != nil {
		return fmt.Errorf("write outbox fence: %w", err)
	}
	return nil
}

// loadFence returns the zero time when there is no fence.
func loadFence(ctx context.Context, state docstore.Store) (time.Time, error) {
	if err := state.Declare(ctx, docstore.Collection{Name: fenceCollection}); err != nil {
		return time.Time{}, fmt.Errorf("declare outbox fence: %w", err)
	}
	d, err := state.Get(ctx, fenceCollection, fenceID)
	if errors.Is(err, docstore.ErrNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read outbox fence: %w", err)
	}
	var f fence
	if err := json.Unmarshal(d.JSON, &f); err != nil {
		return time.Time{}, fmt.Errorf("read outbox fence: %w", err)
	}
	return f.Until, nil
}

// behind says whether a message without an outcome must not be sent: what is
// known of it is older than the world.
func (o *outbox) behind(asked time.Time, rec record) bool {
	return !o.fence.IsZero() && !asked.After(o.fence) && !rec.State.final()
}

// lost ends a message of which nobody knows whether it went out.
func (r record) lost(detail string, now time.Time) record {
	r.State, r.Doubt, r.Due = stateLost, true, time.Time{}
	r.Unknowns = 2
	r.Result, r.Detail, r.Provider = channel.StateUnknown, detail, ""
	return r.touch(now)
}
