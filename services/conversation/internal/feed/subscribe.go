package feed

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/weftline/weftline/pkg/eventstore"
	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
	"github.com/weftline/weftline/services/conversation/internal/cursor"
)

// Subscribe yields every event of a timeline after the cursor ("" = from the head), each
// once, in order per customer, until ctx ends (then it just stops). The cursor
// of an event resumes exactly after it. It ends with ErrReset, ErrSlow, or
// what the store or the keyring failed with.
//
// Events are shared between subscribers: do not change them.
func (f *Feed) Subscribe(ctx context.Context, after string) iter.Seq2[*realtimev1.Event, error] {
	return func(yield func(*realtimev1.Event, error) bool) {
		err := f.subscribe(ctx, after, f.cfg.MaxReplay, func(ev *realtimev1.Event) bool {
			return ev.GetEntry().GetActivity().GetVerb() == VerbCreated || yield(ev, nil)
		})
		if err != nil && ctx.Err() == nil {
			yield(nil, err)
		}
	}
}

// Replay yields every event after the cursor ("" = from the first one ever),
// however far back it is, then goes on live like Subscribe. It yields one thing
// more, which no timeline shows: an activity VerbCreated for every new customer.
func (f *Feed) Replay(ctx context.Context, after string) iter.Seq2[*realtimev1.Event, error] {
	return func(yield func(*realtimev1.Event, error) bool) {
		if after == "" {
			after = cursor.Cursor{Seqs: make([]uint64, f.store.Partitions())}.Encode(f.mac)
		}
		err := f.subscribe(ctx, after, math.MaxUint64, func(ev *realtimev1.Event) bool { return yield(ev, nil) })
		if err != nil && ctx.Err() == nil {
			yield(nil, err)
		}
	}
}

// errStopped: the consumer wants no more.
var errStopped = errors.New("stopped")

func (f *Feed) subscribe(ctx context.Context, after string, limit uint64, yield func(*realtimev1.Event) bool) error {
	at, err := f.start(ctx, after, limit)
	if err != nil {
		return err
	}
	// What the cursor lacks comes from the store, up to the head of the moment,
	// and from there on from the window. While replaying, the window may move
	// past that place; then the difference is replayed too.
	head, next, _ := f.snapshot()
	for {
		if behind(at, head) > limit {
			return ErrSlow
		}
		if err := f.replay(ctx, at, head, yield); err != nil {
			return ignoreStop(err)
		}
		at = cursor.Cursor{Seqs: head}
		if _, _, ok := f.from(next, 0); ok {
			break
		}
		head, next, _ = f.snapshot()
	}
	return ignoreStop(f.live(ctx, next, yield))
}

func ignoreStop(err error) error {
	if errors.Is(err, errStopped) {
		return nil
	}
	return err
}

// live yields the window from an item on.
func (f *Feed) live(ctx context.Context, next uint64, yield func(*realtimev1.Event) bool) error {
	for {
		items, changed, ok := f.from(next, 64)
		if !ok {
			return ErrSlow
		}
		for _, it := range items {
			if err := f.emit(ctx, it, 0, yield); err != nil {
				return err
			}
			next++
		}
		if len(items) > 0 {
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}

func (f *Feed) emit(ctx context.Context, it *item, seen int, yield func(*realtimev1.Event) bool) error {
	events, err := it.build(ctx, f)
	if err != nil {
		return err
	}
	for _, b := range events {
		if b.index < seen {
			continue
		}
		if ctx.Err() != nil || !yield(b.event) {
			return errStopped
		}
	}
	return nil
}

// start reads the cursor and waits until the feed has come to it: a cursor from
// a projection can be a little ahead.
func (f *Feed) start(ctx context.Context, after string, limit uint64) (cursor.Cursor, error) {
	if after == "" {
		head, _, _ := f.snapshot()
		return cursor.Cursor{Seqs: head}, nil
	}
	at, err := cursor.Decode(f.mac, after, f.store.Partitions())
	if err != nil {
		return at, f.reset("not a cursor of this hub")
	}
	need := at.Clone().Seqs
	if at.Seen > 0 {
		need[at.Partial]++
	}
	for p, seq := range need {
		head, err := f.store.Head(ctx, p)
		if err != nil {
			return at, fmt.Errorf("head of partition %d: %w", p, err)
		}
		if seq > head {
			return at, f.reset("the cursor is from the future")
		}
	}
	for {
		head, _, changed := f.snapshot()
		if reached(head, need) {
			if behind(at, head) > limit {
				return at, f.reset("the cursor is too far behind")
			}
			return at, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return at, ctx.Err()
		}
	}
}

func (f *Feed) reset(reason string) error { return &ResetError{Reason: reason, Head: f.headCursor()} }

func reached(head, need []uint64) bool {
	for p, seq := range need {
		if head[p] < seq {
			return false
		}
	}
	return true
}

// behind bounds from above how many commits lie between.
func behind(at cursor.Cursor, head []uint64) uint64 {
	var n uint64
	for p, seq := range at.Seqs {
		n += head[p] - min(seq, head[p])
	}
	return n
}

// replay yields the commits after at up to head, merged over the partitions by
// time, which keeps the order of each.
func (f *Feed) replay(ctx context.Context, at cursor.Cursor, head []uint64, yield func(*realtimev1.Event) bool) error {
	readers := make([]*reader, len(head))
	for p := range head {
		readers[p] = &reader{store: f.store, partition: p, next: at.Seqs[p] + 1, head: head[p]}
	}
	pos := at.Clone()
	pos.Partial, pos.Seen = 0, 0
	for {
		var r *reader
		for _, c := range readers {
			if err := c.fill(ctx); err != nil {
				return err
			}
			if len(c.batch) > 0 && (r == nil || c.batch[0].RecordedAt.Before(r.batch[0].RecordedAt)) {
				r = c
			}
		}
		// A commit seen in part is finished first: a cursor has room for one such commit only.
		if at.Seen > 0 {
			r = readers[at.Partial]
		}
		if r == nil || len(r.batch) == 0 {
			return nil
		}
		c := r.batch[0]
		r.batch = r.batch[1:]
		seen, before := 0, pos.Clone()
		if at.Seen > 0 {
			seen, at.Seen = at.Seen, 0
		}
		pos.Seqs[r.partition] = c.Seq
		if err := f.emit(ctx, &item{commit: c, before: before}, seen, yield); err != nil {
			return err
		}
	}
}

// reader reads one partition in batches up to a head.
type reader struct {
	store     eventstore.Store
	partition int
	next      uint64
	head      uint64
	batch     []eventstore.Commit
}

const replayBatch = 200

func (r *reader) fill(ctx context.Context) error {
	if len(r.batch) > 0 || r.next > r.head {
		return nil
	}
	commits, err := r.store.Read(ctx, r.partition, r.next, replayBatch)
	if err != nil {
		return fmt.Errorf("replay partition %d from %d: %w", r.partition, r.next, err)
	}
	r.next = r.head + 1
	if len(commits) > 0 && commits[len(commits)-1].Seq < r.head {
		r.next = commits[len(commits)-1].Seq + 1
	}
	for len(commits) > 0 && commits[len(commits)-1].Seq > r.head {
		commits = commits[:len(commits)-1]
	}
	r.batch = commits
	return nil
}
