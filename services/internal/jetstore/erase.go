package jetstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/subject"
)

// What follows removes what was appended. It is for erasure alone: nothing else
// ever takes a commit out of the log. Sequences are not used again, the locks
// of the streams stay as they are, and readers see a gap.

// Purge removes the commits of a stream before a sequence. The last commit of a
// stream must stay: it is the lock. JetStream frees the place of what it removes
// when it rewrites a block of its files; until then ciphertext may lie there.
func (s *Store) Purge(ctx context.Context, tenant, stream string, before uint64) error {
	name, subj := s.subject(tenant, stream)
	if before <= 1 {
		return nil // 0 would mean all
	}
	st, err := s.stream(ctx, name)
	if err == nil {
		err = st.Purge(ctx, jetstream.WithPurgeSubject(subj), jetstream.WithPurgeSequence(before))
	}
	if err != nil {
		return fmt.Errorf("purge %s before %d: %w", stream, before, err)
	}
	return nil
}

// Delete removes single commits and writes random bytes over them. It costs a
// rewrite of a file each. One that is not there is no error.
func (s *Store) Delete(ctx context.Context, partition int, seqs ...uint64) error {
	if err := s.exists(partition); err != nil {
		return err
	}
	st, err := s.stream(ctx, subject.EvtStream(partition))
	if err != nil {
		return fmt.Errorf("delete commits of partition %d: %w", partition, err)
	}
	for _, seq := range seqs {
		// A delete of what was deleted is refused without a code to tell by, so look first.
		_, err := ask(ctx, func(ctx context.Context) (*jetstream.RawStreamMsg, error) { return st.GetMsg(ctx, seq) })
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err == nil {
			err = st.SecureDeleteMsg(ctx, seq)
		}
		if err != nil {
			return fmt.Errorf("delete commit %d of partition %d: %w", seq, partition, err)
		}
	}
	return nil
}

// DropSnapshot forgets the snapshot of a stream.
func (s *Store) DropSnapshot(ctx context.Context, tenant, stream string) error {
	st, err := s.stream(ctx, "KV_"+SnapBucket)
	if err == nil {
		err = st.Purge(ctx, jetstream.WithPurgeSubject("$KV."+SnapBucket+"."+tenant+"."+stream))
	}
	if err != nil {
		return fmt.Errorf("drop snapshot of %s: %w", stream, err)
	}
	return nil
}

func (s *Store) stream(ctx context.Context, name string) (jetstream.Stream, error) {
	return ask(ctx, func(ctx context.Context) (jetstream.Stream, error) { return s.js.Stream(ctx, name) })
}
