package jetstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/eventstore"
)

// snapHead is seq and version, eight bytes each, before the state.
const snapHead = 16

// LoadSnapshot implements eventstore.Snapshots.
func (s *Store) LoadSnapshot(ctx context.Context, tenant, stream string) (eventstore.Snapshot, bool, error) {
	entry, err := ask(ctx, func(ctx context.Context) (jetstream.KeyValueEntry, error) {
		return s.snap.Get(ctx, tenant+"."+stream)
	})
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return eventstore.Snapshot{}, false, nil
	}
	if err != nil {
		return eventstore.Snapshot{}, false, fmt.Errorf("load snapshot of %s: %w", stream, err)
	}
	b := entry.Value()
	if len(b) < snapHead {
		return eventstore.Snapshot{}, false, nil // unreadable is as good as lost
	}
	return eventstore.Snapshot{
		Seq: binary.BigEndian.Uint64(b), V: int(binary.BigEndian.Uint64(b[8:])), State: b[snapHead:],
	}, true, nil
}

// SaveSnapshot implements eventstore.Snapshots. Keys need no cleaning: the
// parts of tenant and stream are plain tokens.
func (s *Store) SaveSnapshot(ctx context.Context, tenant, stream string, snap eventstore.Snapshot) error {
	if len(snap.State) > eventstore.MaxCommitBytes {
		return fmt.Errorf("save snapshot of %s: state is %d bytes, limit is %d", stream, len(snap.State), eventstore.MaxCommitBytes)
	}
	b := make([]byte, 0, snapHead+len(snap.State))
	b = binary.BigEndian.AppendUint64(b, snap.Seq)
	b = binary.BigEndian.AppendUint64(b, uint64(snap.V))
	if _, err := ask(ctx, func(ctx context.Context) (uint64, error) {
		return s.snap.Put(ctx, tenant+"."+stream, append(b, snap.State...))
	}); err != nil {
		return fmt.Errorf("save snapshot of %s: %w", stream, err)
	}
	return nil
}
