package jetstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/eventstore"
)

// inFlight is how many streams one call of Append publishes to at once.
const inFlight = 128

// patience is how long one append is tried. A cluster takes about six seconds to
// elect a new leader.
const patience = 15 * time.Second

// errCodeInProcess: a message with this id is on its way through a replicated stream.
const errCodeInProcess jetstream.ErrorCode = 10158

// Append implements eventstore.Store. Streams are published to at once, the
// appends of one stream one after another.
func (s *Store) Append(ctx context.Context, appends ...eventstore.Append) []eventstore.Result {
	results := make([]eventstore.Result, len(appends))
	if len(appends) == 1 {
		results[0] = s.append(ctx, appends[0])
		return results
	}
	type key struct{ tenant, stream string }
	chains := map[key][]int{}
	for i, a := range appends {
		k := key{a.Tenant, a.Stream}
		chains[k] = append(chains[k], i)
	}
	slots := make(chan struct{}, inFlight)
	var all sync.WaitGroup
	for _, chain := range chains {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			s.appendChain(ctx, appends, chain, results)
		})
	}
	all.Wait()
	return results
}

func (s *Store) appendChain(ctx context.Context, appends []eventstore.Append, chain []int, results []eventstore.Result) {
	for n, i := range chain {
		a := appends[i]
		if n > 0 {
			before := results[chain[n-1]]
			if before.Err != nil {
				results[i] = eventstore.Result{Partition: before.Partition, Err: before.Err}
				continue
			}
			a.Expect = before.Seq
		}
		results[i] = s.append(ctx, a)
	}
}

func (s *Store) append(ctx context.Context, a eventstore.Append) eventstore.Result {
	r := eventstore.Result{Partition: s.PartitionOf(a.Tenant, a.Stream)}
	body, err := eventstore.Encode(a)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		r.Err = err
		return r
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r.Seq, r.Duplicate, r.Err = s.publish(ctx, a, body)
	if r.Err != nil && !errors.As(r.Err, new(*eventstore.ConflictError)) {
		r.Err = fmt.Errorf("append to %s: %w", a.Stream, r.Err)
	}
	return r
}

// publish sends until the outcome is certain or ctx ends. What came of a
// message that was refused or not answered is asked of the stream's leader.
func (s *Store) publish(ctx context.Context, a eventstore.Append, body []byte) (seq uint64, duplicate bool, err error) {
	name, subj := s.subject(a.Tenant, a.Stream)
	id := messageID(a.Tenant, a.Stream, a.Commit.ID)
	unanswered := false // some attempt was, so "not stored" cannot be claimed any more
	for wait := 5 * time.Millisecond; ; wait *= 2 {
		ack, err := ask(ctx, func(ctx context.Context) (*jetstream.PubAck, error) {
			return s.js.PublishMsg(ctx, &nats.Msg{Subject: subj, Data: body, Header: nats.Header{
				jetstream.MsgIDHeader:               {id},
				jetstream.ExpectedLastSubjSeqHeader: {strconv.FormatUint(a.Expect, 10)},
				jetstream.ExpectedStreamHeader:      {name},
			}})
		})
		if err == nil {
			return ack.Sequence, ack.Duplicate, nil
		}
		refused, stale := classify(err)
		if refused && !stale && !unanswered {
			return 0, false, err
		}
		unanswered = unanswered || !refused
		t, lookErr := s.truth(ctx, name, subj, id, a.Expect)
		switch {
		case lookErr == nil && t.found != 0:
			return t.found, true, nil
		case lookErr == nil && stale && t.last != a.Expect:
			return 0, false, &eventstore.ConflictError{Stream: a.Stream, Expect: a.Expect}
		case wait > 100*time.Millisecond, ctx.Err() != nil:
			return 0, false, unknown(err, lookErr)
		}
		// A replicated stream refuses a right expectation while it is young or
		// the same message is in process; an unanswered one is not there yet.
		// Publishing again is safe: both guards are in the message.
		select {
		case <-ctx.Done():
			return 0, false, unknown(err, ctx.Err())
		case <-time.After(wait):
		}
	}
}

// classify says whether the server refused the message, and if so, because of
// its expectation or because it has it already.
func classify(err error) (refused, stale bool) {
	if errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrMaxPayload) {
		return true, false
	}
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false, false
	}
	switch api.ErrorCode {
	case jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant, errCodeInProcess:
		return true, true
	}
	return true, false
}

func unknown(causes ...error) error {
	return fmt.Errorf("%w: %w", eventstore.ErrUnknown, errors.Join(causes...))
}

// messageID is unique in the partition, which holds all tenants.
func messageID(tenant, stream, commit string) string { return tenant + "." + stream + "/" + commit }
