package rpc

import (
	"context"
	"fmt"
	"time"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/conversation/internal/repeat"
)

// ListRepeats pages what was counted.
func (s Identity) ListRepeats(ctx context.Context, q *identityv1.ListRepeatsRequest) (*identityv1.ListRepeatsResponse, error) {
	return s.Reader.ListRepeats(ctx, q)
}

// GetRepeats is the repeat meter of a person, or everybody's by day.
func (s Identity) GetRepeats(ctx context.Context, q *identityv1.GetRepeatsRequest) (*identityv1.GetRepeatsResponse, error) {
	out := &identityv1.GetRepeatsResponse{Definition: repeat.Definition}
	var err error
	if n := q.GetDays(); n < 0 || n > query.MaxDays {
		return nil, field("days", fmt.Sprintf("must be 0 to %d", query.MaxDays))
	}
	if q.GetCustomerId() != "" {
		out.Repeats, err = s.Reader.Repeats(ctx, q.GetCustomerId())
	} else {
		out.Repeats, out.Days, err = s.Reader.RepeatDays(ctx, q.GetDays(), time.Now())
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}
