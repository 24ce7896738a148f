package jetstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/eventstore"
)

// tail reads a subject from after a sequence to its end, by a consumer of its
// own. Pages are fetched and decoded while the ones before are used.
func (s *Store) tail(ctx context.Context, name, subj string, after uint64) iter.Seq2[eventstore.Commit, error] {
	return func(yield func(eventstore.Commit, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		pages := make(chan tailPage, 1)
		go func() {
			defer close(pages)
			s.fetchTail(ctx, name, subj, after, func(p tailPage) bool {
				select {
				case pages <- p:
					return true
				case <-ctx.Done():
					return false
				}
			})
		}()
		defer func() { // waits for it
			cancel()
			for range pages {
			}
		}()
		for p := range pages {
			for _, c := range p.commits {
				if err := ctx.Err(); err != nil {
					yield(eventstore.Commit{}, err)
					return
				}
				if !yield(c, nil) {
					return
				}
			}
			if p.err != nil {
				yield(eventstore.Commit{}, p.err)
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(eventstore.Commit{}, err)
		}
	}
}

type tailPage struct {
	commits []eventstore.Commit
	err     error
}

// A page of a tail: what the server sends at once.
const (
	tailCommits = 500
	tailBytes   = 4 << 20
)

func (s *Store) fetchTail(ctx context.Context, name, subj string, after uint64, give func(tailPage) bool) {
	consumer, err := ask(ctx, func(ctx context.Context) (jetstream.Consumer, error) {
		return s.js.CreateConsumer(ctx, name, jetstream.ConsumerConfig{
			DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1, FilterSubject: subj,
			AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: 2 * readPatience,
		})
	})
	if err != nil {
		give(tailPage{err: fmt.Errorf("create consumer: %w", unavailable(ctx, err))})
		return
	}
	info := consumer.CachedInfo()
	defer func() { // it would go by itself, later
		_, _ = ask(context.WithoutCancel(ctx), func(ctx context.Context) (any, error) {
			return nil, s.js.DeleteConsumer(ctx, name, info.Name)
		})
	}()
	inbox, answers := s.nc.NewInbox(), make(chan *nats.Msg, 2*tailCommits) // one request at a time and its status: never full
	sub, err := s.nc.ChanSubscribe(inbox, answers)
	if err != nil {
		give(tailPage{err: fmt.Errorf("subscribe to answers: %w", err)})
		return
	}
	defer func() { _ = sub.Unsubscribe() }() // fails with the connection only
	for read, left := uint64(0), info.NumPending; left > 0; {
		msgs, err := s.pull(ctx, name, info.Name, inbox, answers)
		if err != nil {
			give(tailPage{err: err})
			return
		}
		p := tailPage{commits: make([]eventstore.Commit, 0, len(msgs))}
		for _, m := range msgs {
			meta, err := m.Metadata()
			if err == nil && meta.Sequence.Consumer != read+1 {
				err = fmt.Errorf("message %d of the consumer is missing: %w", read+1, eventstore.ErrUnavailable)
			}
			var c eventstore.Commit
			if err == nil {
				c, err = decode(m.Subject, meta.Sequence.Stream, m.Header, m.Data)
			}
			if err != nil {
				p.err = err
				break
			}
			p.commits = append(p.commits, c)
			read, left = read+1, meta.NumPending
		}
		if !give(p) || p.err != nil {
			return
		}
	}
}

// pull asks a consumer for a page, at least one message.
func (s *Store) pull(ctx context.Context, name, consumer, inbox string, answers <-chan *nats.Msg) ([]*nats.Msg, error) {
	body, err := json.Marshal(map[string]any{"batch": tailCommits, "max_bytes": tailBytes, "expires": readPatience, "no_wait": true})
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	err = s.nc.PublishMsg(&nats.Msg{Subject: s.direct.prefix + "CONSUMER.MSG.NEXT." + name + "." + consumer, Reply: inbox, Data: body})
	var msgs []*nats.Msg
	var end *nats.Msg
	if err == nil {
		msgs, end, err = gather(ctx, answers, tailCommits)
	}
	if err == nil && len(msgs) == 0 && end.Header.Get("Description") == "Batch Completed" { // that was the page before
		msgs, end, err = gather(ctx, answers, tailCommits)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(msgs) == 0 { // it was said that there are some
		return nil, fmt.Errorf("read %s: status %s %s: %w", name, end.Header.Get("Status"), end.Header.Get("Description"), eventstore.ErrUnavailable)
	}
	return msgs, nil
}

// unavailable says of a request that the server did not answer it, unless the caller gave up.
func unavailable(ctx context.Context, err error) error {
	if ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout)) {
		return errors.Join(err, eventstore.ErrUnavailable)
	}
	return err
}
