package jetstore

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/subject"
)

// gapStream is where placeholders lie for a moment. No aggregate has this name.
const gapStream = "lost.gap"

// fillAtOnce is how many placeholders are on their way at once.
const fillAtOnce = 256

// Fill uses up the sequences of a partition up to one, after a loss: no later
// commit gets a number that was given before, so that positions, cursors and
// guards of documents stay right. Readers see a gap, as after an erasure.
// Nobody else may use the log meanwhile; when it failed, call it again.
func (s *Store) Fill(ctx context.Context, partition int, to uint64) error {
	if err := s.exists(partition); err != nil {
		return err
	}
	name, subj := subject.EvtStream(partition), subject.Evt(partition, subject.DefaultTenant, gapStream)
	st, err := s.stream(ctx, name)
	if err != nil {
		return fmt.Errorf("fill partition %d: %w", partition, err)
	}
	head, err := s.Head(ctx, partition)
	if err != nil {
		return err
	}
	for head < to {
		n := min(fillAtOnce, to-head)
		acks := make([]jetstream.PubAckFuture, 0, n)
		for range n {
			ack, err := s.js.PublishAsync(subj, nil)
			if err != nil {
				return fmt.Errorf("fill partition %d: %w", partition, err)
			}
			acks = append(acks, ack)
		}
		for _, ack := range acks {
			select {
			case a := <-ack.Ok():
				head = max(head, a.Sequence)
			case err := <-ack.Err():
				return fmt.Errorf("fill partition %d: %w", partition, err)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	if err := st.Purge(ctx, jetstream.WithPurgeSubject(subj)); err != nil {
		return fmt.Errorf("fill partition %d: %w", partition, err)
	}
	return nil
}

// DropSnapshots forgets those of all streams: they may know of commits that are lost.
func (s *Store) DropSnapshots(ctx context.Context) error {
	st, err := s.stream(ctx, "KV_"+SnapBucket)
	if err == nil {
		err = st.Purge(ctx)
	}
	if err != nil {
		return fmt.Errorf("drop snapshots: %w", err)
	}
	return nil
}
