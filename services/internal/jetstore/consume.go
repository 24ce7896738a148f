package jetstore

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/subject"
)

// Follow implements eventstore.Store with an ordered consumer, which recreates
// itself after a reconnect or a gap.
func (s *Store) Follow(ctx context.Context, partition int, after uint64) iter.Seq2[eventstore.Commit, error] {
	return func(yield func(eventstore.Commit, error) bool) {
		if err := s.exists(partition); err != nil {
			yield(eventstore.Commit{}, err)
			return
		}
		for c, err := range s.consume(ctx, subject.EvtStream(partition), "", after+1) {
			if err != nil && ctx.Err() != nil {
				return
			}
			if err != nil {
				err = fmt.Errorf("follow partition %d: %w", partition, err)
			}
			if !yield(c.Commit, err) || err != nil {
				return
			}
		}
	}
}

// consumed is a commit and how many were waiting behind it.
type consumed struct {
	eventstore.Commit
	pending uint64
}

func (s *Store) consume(ctx context.Context, name, filter string, from uint64) iter.Seq2[consumed, error] {
	return func(yield func(consumed, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(consumed{}, err)
			return
		}
		cfg := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from}
		if filter != "" {
			cfg.FilterSubjects = []string{filter}
		}
		consumer, err := ask(ctx, func(ctx context.Context) (jetstream.Consumer, error) {
			return s.js.OrderedConsumer(ctx, name, cfg)
		})
		if err != nil {
			yield(consumed{}, fmt.Errorf("create consumer: %w", err))
			return
		}
		// 64 MB pending make the client drop messages; large commits count by bytes.
		messages, err := consumer.Messages(jetstream.PullMaxMessagesWithBytesLimit(1000, 16<<20))
		if err != nil {
			yield(consumed{}, fmt.Errorf("start consumer: %w", err))
			return
		}
		defer messages.Stop()
		for {
			m, err := messages.Next(jetstream.NextContext(ctx))
			if err != nil {
				yield(consumed{}, fmt.Errorf("next message: %w", err))
				return
			}
			c, err := fromConsumer(m)
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

func fromConsumer(m jetstream.Msg) (consumed, error) {
	meta, err := m.Metadata()
	if err != nil {
		return consumed{}, fmt.Errorf("message metadata: %w", err)
	}
	c, err := decode(m.Subject(), meta.Sequence.Stream, m.Headers(), m.Data())
	return consumed{Commit: c, pending: meta.NumPending}, err
}

// pageByConsumer reads what direct get would, where a stream has it switched off.
func (s *Store) pageByConsumer(ctx context.Context, name string, q query) ([]eventstore.Commit, uint64, error) {
	filter := q.NextFor
	if filter == "" {
		filter = ">"
	}
	waiting, err := s.waiting(ctx, name, filter, q.Seq)
	if err != nil || waiting == 0 {
		return nil, 0, err
	}
	var commits []eventstore.Commit
	for c, err := range s.consume(ctx, name, filter, q.Seq) {
		if err != nil {
			return nil, 0, err
		}
		commits = append(commits, c.Commit)
		if c.pending == 0 || len(commits) == q.Batch {
			return commits, c.pending, nil
		}
	}
	return nil, 0, errors.New("consumer ended early")
}

// waiting is how many messages match from a sequence on. An ordered consumer
// would wait for the first one for ever.
func (s *Store) waiting(ctx context.Context, name, filter string, from uint64) (uint64, error) {
	consumer, err := ask(ctx, func(ctx context.Context) (jetstream.Consumer, error) {
		return s.js.CreateConsumer(ctx, name, jetstream.ConsumerConfig{
			DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from, FilterSubject: filter,
			AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1,
		})
	})
	if err != nil {
		return 0, fmt.Errorf("count messages: %w", err)
	}
	info := consumer.CachedInfo()
	if _, err := ask(ctx, func(ctx context.Context) (any, error) {
		return nil, s.js.DeleteConsumer(ctx, name, info.Name)
	}); err != nil {
		return 0, fmt.Errorf("count messages: %w", err)
	}
	return info.NumPending, nil
}
