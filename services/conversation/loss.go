package conversation

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/erasure"
	"github.com/weftline/weftline/services/conversation/internal/policy"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/resolve"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Followed is the greatest position in a partition that a follower of the log
// has stored: the log was at least that long.
func Followed(ctx context.Context, views, state docstore.Store, partition int) (uint64, error) {
	st, err := readmodel.LoadState(ctx, views)
	if err != nil {
		return 0, err
	}
	var most uint64
	for _, at := range []struct {
		store docstore.Store
		name  string
	}{
		{views, readmodel.NamesOf(st.Current).Checkpoint},
		{state, (*policy.Policy)(nil).Name()},
		{state, erasure.Watch{}.Name()},
	} {
		seq, err := at.store.Checkpoint(ctx, at.name, partition)
		if err != nil {
			return 0, err
		}
		most = max(most, seq)
	}
	return most, nil
}

// ForgetLost makes everything that is folded from the log anew, after commits
// at its end were lost. rules is Config.Rules. No service may run.
func ForgetLost(ctx context.Context, views docstore.Store, events eventstore.Store, keys crypt.Keyring, rules string, log *slog.Logger) error {
	r, err := resolve.Load(rules)
	if err != nil {
		return err
	}
	if err := resolve.Forget(ctx, views, r.Digest()); err != nil {
		return err
	}
	// A rebuild that was interrupted may have seen what is lost: the next one must not go on with it.
	st, err := readmodel.LoadState(ctx, views)
	if err != nil {
		return err
	}
	if st.Building != 0 {
		st.BuildingSchema = 0
		if err := readmodel.SaveState(ctx, views, &st); err != nil {
			return err
		}
	}
	if _, err := Rebuild(ctx, views, events, keys, 0, nil, log); err != nil {
		return fmt.Errorf("build the read models anew: %w", err)
	}
	return nil
}
