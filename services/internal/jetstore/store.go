// Package jetstore is the event store on NATS JetStream.
//
// A partition is a stream EVT-<p>. A commit is one message on the subject of its
// stream, so a decision with several events costs one fsync and is stored whole
// or not at all. JetStream's expected-last-sequence-per-subject is the
// optimistic lock; Nats-Msg-Id guards against a message sent twice.
package jetstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/subject"
)

// Config of the log.
type Config struct {
	// Partitions is fixed when the log is created: 4 on one machine. Open refuses another number later.
	Partitions int
	// Replicas of each partition: 1 (default), 3 or 5. Like all settings of
	// streams that exist already, it is changed with the nats tool, not here.
	Replicas int
	// Existing says that the log was created before, so Open must not create
	// one: a JetStream with the wrong encryption key starts and looks empty.
	Existing bool
}

// Store is an eventstore.Store and eventstore.Snapshots. Safe for concurrent use.
type Store struct {
	nc         *nats.Conn
	js         jetstream.JetStream
	partitions int
	direct     *direct
	snap       jetstream.KeyValue
}

var (
	_ eventstore.Store     = (*Store)(nil)
	_ eventstore.Snapshots = (*Store)(nil)
)

// SnapBucket is the key-value bucket of snapshots. Losing it costs time only.
const SnapBucket = "snap"

// answer is how long the server may be silent before a request counts as lost.
const answer = 5 * time.Second

// Open creates the log on first use and checks it ever after: the number of
// partitions, that none is missing, and that none has settings under which
// acknowledged commits can be lost. It does not own the connection.
func Open(ctx context.Context, js jetstream.JetStream, cfg Config) (*Store, error) {
	if cfg.Partitions < 1 || cfg.Partitions > 64 {
		return nil, fmt.Errorf("open event store: Partitions must be 1 to 64, is %d", cfg.Partitions)
	}
	if cfg.Replicas == 0 {
		cfg.Replicas = 1
	}
	s := &Store{nc: js.Conn(), js: js, partitions: cfg.Partitions}
	var err error
	if s.snap, err = prepare(ctx, js, cfg); err != nil {
		return nil, fmt.Errorf("open event store: %w", err)
	}
	if s.direct, err = newDirect(js); err != nil {
		return nil, fmt.Errorf("open event store: %w", err)
	}
	return s, nil
}

// Close ends the store's subscription; readers that still run fail.
func (s *Store) Close() error {
	if err := s.direct.close(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		return fmt.Errorf("close event store: %w", err)
	}
	return nil
}

// Partitions implements eventstore.Store.
func (s *Store) Partitions() int { return s.partitions }

// PartitionOf implements eventstore.Store.
func (s *Store) PartitionOf(tenant, stream string) int {
	return eventstore.PartitionOf(tenant, stream, s.partitions)
}

func (s *Store) exists(partition int) error {
	if partition < 0 || partition >= s.partitions {
		return fmt.Errorf("partition %d of %d does not exist", partition, s.partitions)
	}
	return nil
}

func (s *Store) subject(tenant, stream string) (name, subj string) {
	p := s.PartitionOf(tenant, stream)
	return subject.EvtStream(p), subject.Evt(p, tenant, stream)
}

// ask makes one request. Requests to a cluster without a leader are dropped, not
// refused, so a patient caller must ask again instead of waiting for the first.
func ask[T any](ctx context.Context, request func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	return request(ctx)
}
