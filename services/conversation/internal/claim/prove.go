package claim

import (
	"context"

	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/handle"
)

// Prove notes that the owner was shown to control a handle, once per proof
// (ev.ID). The level never falls by it.
func (c *Claimer) Prove(ctx context.Context, tenant string, o Owned, level int, ev event.Evidence, actor string) error {
	cmd := handle.Prove{Handle: o.ID, Tenure: o.Tenure, Assurance: level, Evidence: ev}
	_, err := c.handles.Execute(ctx, tenant, o.ID, aggregate.Turn[handle.State]{
		ID:     cmd.CommitID(),
		Decide: func(s handle.State) ([]event.Event, error) { return handle.Decide(s, cmd) },
		Actor:  actor, Cause: ev.ID,
	})
	return err
}
