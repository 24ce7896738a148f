package console

import (
	"context"
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/internal/docstore"
)

// ActiveAgents reads from the state store, for targets that run without the console, whether
// an id is that of an agent who may log in.
func ActiveAgents(ctx context.Context, state docstore.Store) (func(ctx context.Context, id string) (bool, error), error) {
	if err := state.Declare(ctx, collections...); err != nil {
		return nil, fmt.Errorf("declare console collections: %w", err)
	}
	return func(ctx context.Context, id string) (bool, error) {
		if id == "" || len(id) > docstore.MaxID {
			return false, nil
		}
		d, err := state.Get(ctx, "agents", id)
		if errors.Is(err, docstore.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("read agent: %w", err)
		}
		a, err := decodeAgent(d)
		return err == nil && !a.Disabled, err
	}, nil
}
