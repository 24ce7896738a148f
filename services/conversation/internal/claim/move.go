package claim

import (
	"context"

	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/handle"
)

// Author is who gives an order about a handle.
type Author struct {
	Actor, Trace string
	Cause        string
}

// Move gives a handle to another customer; see handle.Move for what is
// refused. What follows from it in the customers' streams is package settle's.
func (c *Claimer) Move(ctx context.Context, tenant string, cmd handle.Move, by Author) (Owned, error) {
	return c.order(ctx, tenant, cmd.Handle, cmd, by)
}

// Qualify says what kind of address a handle is.
func (c *Claimer) Qualify(ctx context.Context, tenant string, cmd handle.Qualify, by Author) (Owned, error) {
	return c.order(ctx, tenant, cmd.Handle, cmd, by)
}

// Release ends the tenure of an erased owner. Nothing happens when it is over.
func (c *Claimer) Release(ctx context.Context, tenant string, cmd handle.Release, by Author) (Owned, error) {
	return c.order(ctx, tenant, cmd.Handle, cmd, by)
}

// Remember keeps known what an erased former owner had. Nothing happens when it is.
func (c *Claimer) Remember(ctx context.Context, tenant string, cmd handle.Remember, by Author) (Owned, error) {
	return c.order(ctx, tenant, cmd.Handle, cmd, by)
}

// NewCustomer gives an id for a customer who is yet to come.
func (c *Claimer) NewCustomer() string { return c.newID() }

func (c *Claimer) order(ctx context.Context, tenant, id string, cmd handle.Command, by Author) (Owned, error) {
	out, err := c.handles.Execute(ctx, tenant, id, aggregate.Turn[handle.State]{
		ID:     cmd.CommitID(),
		Decide: func(s handle.State) ([]event.Event, error) { return handle.Decide(s, cmd) },
		Fill:   c.fillMove,
		Actor:  by.Actor, Cause: by.Cause, Trace: by.Trace,
	})
	return Owned{ID: id, State: out.State}, err
}
