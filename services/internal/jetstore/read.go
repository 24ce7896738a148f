package jetstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/subject"
)

// A page of a direct get. The server sends it in one go.
const (
	pageCommits = 256
	pageBytes   = 4 << 20
	maxRead     = 2000
)

// longTail is how many commits, after a first page, are read by a consumer. It
// finds its place once, beside the connection's other requests; every page of a
// direct get counts anew what is behind it, and the connection waits meanwhile.
const longTail = 1000

// Load implements eventstore.Store. In a replicated stream a follower may
// answer and lag behind by moments; the lock in Append covers that.
func (s *Store) Load(ctx context.Context, tenant, stream string, after uint64) iter.Seq2[eventstore.Commit, error] {
	return func(yield func(eventstore.Commit, error) bool) {
		name, subj := s.subject(tenant, stream)
		for {
			commits, pending, err := s.page(ctx, name, query{Seq: after + 1, NextFor: subj, Batch: pageCommits, MaxBytes: pageBytes})
			if err != nil {
				yield(eventstore.Commit{}, fmt.Errorf("load %s: %w", stream, err))
				return
			}
			for _, c := range commits {
				if err := ctx.Err(); err != nil {
					yield(eventstore.Commit{}, err)
					return
				}
				if !yield(c, nil) {
					return
				}
				after = c.Seq
			}
			if pending == 0 || len(commits) == 0 {
				return
			}
			if pending > longTail {
				for c, err := range s.tail(ctx, name, subj, after) {
					if err != nil {
						err = fmt.Errorf("load %s: %w", stream, err)
					}
					if !yield(c, err) || err != nil {
						return
					}
				}
				return
			}
		}
	}
}

// Read implements eventstore.Store. An end is confirmed by the leader, so a
// follower that lags behind never looks like one.
func (s *Store) Read(ctx context.Context, partition int, from uint64, limit int) ([]eventstore.Commit, error) {
	if err := s.exists(partition); err != nil {
		return nil, err
	}
	if limit < 1 {
		return nil, ctx.Err()
	}
	name := subject.EvtStream(partition)
	q := query{Seq: max(from, 1), Batch: min(limit, maxRead), MaxBytes: 2 * pageBytes}
	commits, _, err := s.page(ctx, name, q)
	if err == nil && len(commits) == 0 {
		var there uint64
		there, _, err = s.leaderGet(ctx, name, map[string]any{"seq": q.Seq, "next_by_subj": fmt.Sprintf("evt.%d.>", partition)})
		if err == nil && there != 0 {
			commits, _, err = s.pageByConsumer(ctx, name, q)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read partition %d: %w", partition, err)
	}
	return commits, nil
}

// Head implements eventstore.Store.
func (s *Store) Head(ctx context.Context, partition int) (uint64, error) {
	if err := s.exists(partition); err != nil {
		return 0, err
	}
	name := subject.EvtStream(partition)
	info, err := streamInfo(ctx, s.js, name)
	if err == nil && info == nil {
		err = fmt.Errorf("stream %s: %w", name, jetstream.ErrStreamNotFound)
	}
	if err != nil {
		return 0, fmt.Errorf("head of partition %d: %w", partition, err)
	}
	return info.State.LastSeq, nil
}

// Extent is the last sequence of a partition, and how many up to it are not
// there any more: erased, or lost.
func (s *Store) Extent(ctx context.Context, partition int) (last, gone uint64, err error) {
	if err := s.exists(partition); err != nil {
		return 0, 0, err
	}
	name := subject.EvtStream(partition)
	info, err := streamInfo(ctx, s.js, name)
	if err == nil && info == nil {
		err = fmt.Errorf("stream %s: %w", name, jetstream.ErrStreamNotFound)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("extent of partition %d: %w", partition, err)
	}
	return info.State.LastSeq, info.State.LastSeq - info.State.Msgs, nil
}

// page reads commits and says how many there are after them.
func (s *Store) page(ctx context.Context, name string, q query) ([]eventstore.Commit, uint64, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	msgs, pending, err := s.direct.get(ctx, name, q)
	if errors.Is(err, errNoDirect) {
		return s.pageByConsumer(ctx, name, q)
	}
	if err != nil {
		return nil, 0, err
	}
	commits := make([]eventstore.Commit, 0, len(msgs))
	for _, m := range msgs {
		seq, err := strconv.ParseUint(m.Header.Get(jetstream.SequenceHeader), 10, 64)
		if err != nil {
			return nil, 0, fmt.Errorf("message without a sequence: %w", err)
		}
		c, err := decode(m.Header.Get(jetstream.SubjectHeader), seq, m.Header, m.Data)
		if err != nil {
			return nil, 0, err
		}
		commits = append(commits, c)
	}
	return commits, pending, nil
}

// decode makes a commit of a stored message.
func decode(subj string, seq uint64, header nats.Header, body []byte) (eventstore.Commit, error) {
	c, err := eventstore.Decode(body)
	if err != nil {
		return eventstore.Commit{}, fmt.Errorf("commit %d on %s: %w", seq, subj, err)
	}
	if c.Partition, c.Tenant, c.Stream, err = subject.ParseEvt(subj); err != nil {
		return eventstore.Commit{}, fmt.Errorf("commit %d: %w", seq, err)
	}
	c.Seq = seq
	// The lock it was appended under is kept with the message.
	if prev := header.Get(jetstream.ExpectedLastSubjSeqHeader); prev != "" {
		if c.Prev, err = strconv.ParseUint(prev, 10, 64); err != nil {
			return eventstore.Commit{}, fmt.Errorf("commit %d on %s: previous sequence: %w", seq, subj, err)
		}
	}
	return c, nil
}
