package resolve

import (
	"context"

	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/link"
	"github.com/weftline/weftline/services/conversation/internal/person"
)

// Actor of everything rules do.
const Actor = "rule"

// Streams write into link streams.
type Streams struct {
	Links *aggregate.Repository[link.State]
	// Mark says that a handle is shared. Nil: nothing is marked.
	Mark func(ctx context.Context, tenant, handle, reason string, by Cause) error
}

var _ Writer = Streams{}

// Link implements Writer.
func (s Streams) Link(ctx context.Context, tenant string, c link.Make, by Cause) error {
	return s.turn(ctx, tenant, c.A, c.B, c, by)
}

// Suggest implements Writer.
func (s Streams) Suggest(ctx context.Context, tenant string, c link.Suggest, by Cause) error {
	return s.turn(ctx, tenant, c.A, c.B, c, by)
}

// Undo implements Writer.
func (s Streams) Undo(ctx context.Context, tenant, a, b string, c link.Undo, by Cause) error {
	return s.turn(ctx, tenant, a, b, c, by)
}

// Share implements Writer.
func (s Streams) Share(ctx context.Context, tenant, handle, reason string, by Cause) error {
	if s.Mark == nil {
		return nil
	}
	return s.Mark(ctx, tenant, handle, reason, by)
}

func (s Streams) turn(ctx context.Context, tenant, a, b string, c link.Command, by Cause) error {
	_, err := s.Links.Execute(ctx, tenant, person.PairID(a, b), aggregate.Turn[link.State]{
		ID:     c.CommitID(),
		Decide: func(st link.State) ([]event.Event, error) { return link.Decide(st, c) },
		Actor:  Actor, Cause: by.Commit, Trace: by.Trace,
	})
	return err
}
