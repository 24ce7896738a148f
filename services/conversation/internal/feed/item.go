package feed

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/weftline/weftline/pkg/eventstore"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
	"github.com/weftline/weftline/services/conversation/internal/cursor"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/view"
)

// item is one commit and, once somebody asked, its events.
type item struct {
	commit eventstore.Commit
	before cursor.Cursor // everything that comes before it in this order
	size   int

	mu     sync.Mutex
	built  bool
	events []built
}

// built is an event and its place in the commit.
type built struct {
	index int
	event *realtimev1.Event
}

// build returns the commit's events. A failure is not kept: the next one tries again.
func (it *item) build(ctx context.Context, f *Feed) ([]built, error) {
	it.mu.Lock()
	defer it.mu.Unlock()
	if it.built {
		return it.events, nil
	}
	events, err := f.events(ctx, it.commit)
	if err != nil {
		return nil, err
	}
	for i, b := range events {
		after := it.before.Clone()
		if i == len(events)-1 {
			after.Seqs[it.commit.Partition] = it.commit.Seq
		} else {
			after.Partial, after.Seen = it.commit.Partition, b.index+1
		}
		b.event.Cursor = after.Encode(f.mac)
	}
	it.events, it.built = events, true
	return events, nil
}

// events shows what a commit holds, without cursors.
func (f *Feed) events(ctx context.Context, c eventstore.Commit) ([]built, error) {
	if c.Tenant != f.cfg.Tenant || strings.HasPrefix(c.Stream, "handle.") {
		return nil, nil
	}
	d, err := f.decode.Decode(c)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(c.Stream, "customer.") {
		return f.ties(ctx, d)
	}
	var out []built
	for i, ev := range d.Events {
		entry, err := f.entry(ctx, d.Place(i), ev)
		if err != nil {
			return nil, fmt.Errorf("show commit %d of partition %d: %w", c.Seq, c.Partition, err)
		}
		if entry != nil {
			stale, err := f.stale(ctx, d.Place(i).Customer, ev)
			if err != nil {
				return nil, err
			}
			out = append(out, built{index: i, event: &realtimev1.Event{Entry: entry, Trace: c.Trace, StaleCustomerIds: stale}})
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	// A row is as it is after the whole commit, so it goes with the last event about it.
	// It is an extra: live goes on when the read models cannot be read.
	rows, err := f.rows(ctx, d)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err() // who asked is gone; the next one makes it whole
	}
	if err != nil && f.cfg.Log != nil {
		f.cfg.Log.WarnContext(ctx, "live event goes without its row", "partition", c.Partition, "seq", c.Seq, "err", err)
	}
	for _, b := range slices.Backward(out) {
		id := b.event.GetEntry().GetConversationId()
		b.event.Conversation = rows[id]
		delete(rows, id)
	}
	return out, nil
}

// stale are the customers whose timelines are others when an event has let a
// handle change hands: messages go with it once its new owner's stream has it.
func (f *Feed) stale(ctx context.Context, customer string, ev event.Event) ([]string, error) {
	id := ""
	switch v := ev.(type) {
	case event.HandleAttached:
		id = v.Handle
	case event.HandleDetached:
		id = v.Handle
	case event.MessageChanged: // its message reads otherwise now, wherever it stands
		return f.owners(ctx, customer, v)
	}
	handles, err := f.handle(ctx, id)
	if err != nil || !handles[id].MovedAfter(0) {
		return nil, err
	}
	var out []string
	for _, p := range handles[id].Periods {
		if p.Customer != "" && !slices.Contains(out, p.Customer) {
			out = append(out, p.Customer)
		}
	}
	return out, nil
}

// owners are the customers whose timelines may have the message that was changed.
func (f *Feed) owners(ctx context.Context, customer string, v event.MessageChanged) ([]string, error) {
	out := []string{customer}
	handles, err := f.handle(ctx, v.Handle)
	if err != nil || !handles[v.Handle].MovedAfter(0) {
		return out, err
	}
	for _, p := range handles[v.Handle].Periods {
		if p.Customer != "" && !slices.Contains(out, p.Customer) {
			out = append(out, p.Customer)
		}
	}
	return out, nil
}

// VerbCreated is the activity of a customer's first event. Replay alone yields it.
const VerbCreated = "created"

// entry shows one event, nil when there is nothing to show.
func (f *Feed) entry(ctx context.Context, p readmodel.Place, ev event.Event) (*inboxv1.TimelineEntry, error) {
	if e, ok := readmodel.NewEntry(p, ev); ok {
		handles, err := f.handle(ctx, e.Handle)
		if err != nil {
			return nil, err
		}
		return f.view.Entry(ctx, &e, handles)
	}
	if id, d, ok := readmodel.Progress(p, ev); ok {
		change, err := f.view.Delivery(ctx, id, d)
		if err != nil {
			return nil, err
		}
		if v, ok := ev.(event.ReplyProgressed); ok {
			change.Refs = v.Refs
		}
		return view.DeliveryEntry(p, readmodel.ConversationOf(ev), change), nil
	}
	if _, ok := ev.(event.CustomerCreated); ok {
		return f.view.Entry(ctx, &readmodel.Entry{
			ID: p.Customer + "." + p.Commit + "." + strconv.Itoa(p.Index), Customer: p.Customer, Position: p.Position(),
			Kind: readmodel.KindActivity, At: p.At.UnixMicro(), Verb: VerbCreated, Actor: p.Actor,
		}, nil)
	}
	return nil, nil
}

// handle finds one handle.
func (f *Feed) handle(ctx context.Context, id string) (view.Handles, error) {
	if id == "" {
		return nil, nil
	}
	if h := f.handles.get(id); h != nil {
		return view.Handles{id: h}, nil
	}
	h, err := readmodel.LoadHandle(ctx, f.store, f.decode, f.cfg.Tenant, id)
	if err != nil || h == nil {
		return nil, err
	}
	f.handles.put(id, h)
	return view.Handles{id: h}, nil
}

// handleCache keeps handles until something happens to them. Safe for concurrent use.
type handleCache struct {
	mu   sync.Mutex
	docs map[string]*readmodel.Handle
}

// maxHandles bounds the cache; it is simply emptied when full.
const maxHandles = 10_000

func (c *handleCache) get(id string) *readmodel.Handle {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.docs[id]
}

func (c *handleCache) put(id string, h *readmodel.Handle) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.docs) >= maxHandles {
		clear(c.docs)
	}
	c.docs[id] = h
}

func (c *handleCache) forget(stream string) {
	if id, ok := strings.CutPrefix(stream, "handle."); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.docs, id)
	}
}
