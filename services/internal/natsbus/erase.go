package natsbus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// LastSeq is the last sequence a stream has used.
func (b *Bus) LastSeq(ctx context.Context, stream string) (uint64, error) {
	s, err := b.JS.Stream(ctx, stream)
	if err != nil {
		return 0, fmt.Errorf("look up stream %s: %w", stream, err)
	}
	return s.CachedInfo().State.LastSeq, nil
}

// Purge removes the messages on a subject (wildcards allowed) from a stream,
// those up to a sequence when upTo is not 0. For erasure.
func (b *Bus) Purge(ctx context.Context, stream, subj string, upTo uint64) error {
	s, err := b.JS.Stream(ctx, stream)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", stream, err)
	}
	opts := []jetstream.StreamPurgeOpt{jetstream.WithPurgeSubject(subj)}
	if upTo > 0 {
		opts = append(opts, jetstream.WithPurgeSequence(upTo+1))
	}
	if err := s.Purge(ctx, opts...); err != nil {
		return fmt.Errorf("purge stream %s: %w", stream, err)
	}
	return nil
}

// Erase takes one message out of a stream and writes random bytes over it. One
// that is not there is no error. A consumer that has not handled it yet passes it over.
func (b *Bus) Erase(ctx context.Context, stream string, seq uint64) error {
	s, err := b.JS.Stream(ctx, stream)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", stream, err)
	}
	// A delete of what was deleted is refused without a code to tell by, so look first.
	_, err = s.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	if err == nil {
		err = s.SecureDeleteMsg(ctx, seq)
	}
	if err != nil {
		return fmt.Errorf("erase message %d of stream %s: %w", seq, stream, err)
	}
	return nil
}

// Stored is a message as EachOn shows it.
type Stored struct {
	Seq     uint64
	Subject string
	Data    []byte
}

// EachOn calls fn with every message a stream has on a subject (wildcards
// allowed) from a sequence on, oldest first, up to what it has now.
func (b *Bus) EachOn(ctx context.Context, stream, subj string, from uint64, fn func(Stored) error) error {
	s, err := b.JS.Stream(ctx, stream)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", stream, err)
	}
	for last := s.CachedInfo().State.LastSeq; from <= last; {
		m, err := s.GetMsg(ctx, max(from, 1), jetstream.WithGetMsgSubject(subj))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read stream %s: %w", stream, err)
		}
		if m.Sequence > last {
			return nil
		}
		if err := fn(Stored{Seq: m.Sequence, Subject: m.Subject, Data: m.Data}); err != nil {
			return err
		}
		from = m.Sequence + 1
	}
	return nil
}
