package projection

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/weftline/weftline/pkg/eventstore"
)

// Replay brings one sink from its checkpoint up to what is in the store now,
// all partitions at once, and returns: to rebuild beside a running sink, and
// for tests. It gives up at the first error of a partition.
func Replay(ctx context.Context, store eventstore.Store, sink Sink) error {
	errs := make([]error, store.Partitions())
	var all sync.WaitGroup
	for p := range errs {
		all.Go(func() {
			if err := replay(ctx, store, sink, p); err != nil {
				errs[p] = fmt.Errorf("replay partition %d into %s: %w", p, sink.Name(), err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func replay(ctx context.Context, store eventstore.Store, sink Sink, partition int) error {
	head, err := store.Head(ctx, partition)
	if err != nil {
		return err
	}
	at, err := sink.Checkpoint(ctx, partition)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	limit := Config{}.withDefaults().MaxCatchUp
	for at < head {
		commits, err := store.Read(ctx, partition, at+1, limit)
		if err != nil || len(commits) == 0 {
			return err
		}
		if err := sink.Apply(ctx, partition, commits); err != nil {
			return err
		}
		at = commits[len(commits)-1].Seq
	}
	return nil
}
