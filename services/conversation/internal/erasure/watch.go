package erasure

import (
	"context"
	"fmt"
	"strings"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/estate"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/ledger"
)

// Watch is the standing order, a projection.Sink: what comes to derive to
// somebody erased is destroyed too.
//
//	a handle is claimed for or moved to him  ─► released; units of former owners that
//	                                            come along: keys, files, what is found
//	a message comes over such a handle in the
//	stream of a former owner                 ─► the same for its unit
type Watch struct{ s *Service }

// Watch returns the sink.
func (s *Service) Watch() Watch { return Watch{s} }

// Name of the sink and of its checkpoint.
func (Watch) Name() string { return "erasure" }

// Checkpoint is the last sequence it has seen to.
func (w Watch) Checkpoint(ctx context.Context, partition int) (uint64, error) {
	return w.s.State.Checkpoint(ctx, w.Name(), partition)
}

// Apply looks at commits of a partition. The checkpoint moves with what was
// done; after commits of no concern it is left to Run.
func (w Watch) Apply(ctx context.Context, partition int, commits []eventstore.Commit) error {
	did := false
	for _, c := range commits {
		touched, err := w.look(ctx, c)
		if err != nil {
			return fmt.Errorf("standing order at commit %d of partition %d: %w", c.Seq, partition, err)
		}
		did = did || touched
	}
	last := commits[len(commits)-1].Seq
	if !did {
		w.s.unsaved.Put(partition, last)
		return nil
	}
	return w.s.State.Apply(ctx, docstore.Batch{Checkpoints: []docstore.Checkpoint{{Name: w.Name(), Partition: partition, Seq: last}}})
}

// look decodes only what may concern somebody erased.
func (w Watch) look(ctx context.Context, c eventstore.Commit) (bool, error) {
	if id, ok := strings.CutPrefix(c.Stream, "handle."); ok {
		for _, r := range c.Records {
			if r.Type != "handle.claimed" && r.Type != "handle.moved" {
				continue
			}
			events, err := codec.Decode(c)
			if err != nil {
				return false, err
			}
			for _, ev := range events {
				to := ""
				switch e := ev.(type) {
				case event.HandleClaimed:
					to = e.Customer
				case event.HandleMoved:
					to = e.To
				}
				if to != "" && w.s.isErased(to) {
					return true, w.s.sweep(ctx, id, to, c)
				}
			}
		}
		return false, nil
	}
	if !w.s.anyMoved() {
		return false, nil
	}
	for _, r := range c.Records {
		if r.Type != "conversation.message_received" && r.Type != "conversation.reply_requested" {
			continue
		}
		events, err := codec.Decode(c)
		if err != nil {
			return false, err
		}
		for _, ev := range events {
			handle := ""
			switch e := ev.(type) {
			case event.MessageReceived:
				handle = e.Handle
			case event.MessageChanged:
				handle = e.Handle
			case event.ReplyRequested:
				handle = e.Handle
			}
			if handle == "" || !w.s.isMoved(handle) {
				continue
			}
			h, err := w.s.streams.LoadHandle(ctx, handle)
			if err != nil {
				return false, err
			}
			for _, p := range h.History {
				if p.MoveID != "" && w.s.isErased(p.Customer) {
					if err := w.s.sweep(ctx, handle, p.Customer, c); err != nil {
						return true, err
					}
				}
			}
		}
	}
	return false, nil
}

// anyMoved says whether any handle ever changed hands here.
func (s *Service) anyMoved() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.moved) > 0
}

func (s *Service) isMoved(handle string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.moved[handle]
}

// sweep destroys what came to an erased customer over a handle since. While his
// erasure has not planned yet it will see to this itself, and doing it twice is harmless.
func (s *Service) sweep(ctx context.Context, id, owner string, cause eventstore.Commit) error {
	s.noteMoved(id)
	state, err := s.Customers.Load(ctx, s.Tenant, owner)
	if err != nil || state.Erased == "" {
		return err // asked for and not fenced yet
	}
	if err := s.Release(ctx, s.Tenant, id, 0, owner); err != nil {
		return err
	}
	if err := s.Forget(ctx, s.Tenant, id); err != nil {
		return err
	}
	est, err := s.streams.Of(ctx, owner, id)
	if err != nil {
		return err
	}
	e := &Erasure{ID: state.Erased, Customers: []string{owner}, Actor: "system"}
	b := newBag(e.ID, owner, int(cause.Seq)*64+cause.Partition+1_000_000)
	b.handles(id)
	for _, p := range est.Handle(id).History {
		if p.Customer == owner {
			b.keys(event.AddressKey(id, p.Number))
		}
	}
	for _, u := range est.Units {
		if u.Home != owner {
			b.keys(u.Key)
			b.streams("customer." + u.Home)
		}
	}
	err = s.streams.Walk(ctx, est, func(it estate.Item) error {
		if it.Home == owner {
			return nil
		}
		return s.planItem(ctx, b, owner, it)
	})
	if err != nil {
		return err
	}
	b.cut()
	if err := s.putParts(ctx, b.parts); err != nil {
		return err
	}
	for _, p := range b.parts {
		entry := ledger.Entry{
			ID: fmt.Sprintf("%s/%s/late/%d", p.Erase, p.Customer, p.N), Kind: ledger.KindLate, At: s.Now().UTC(), Tenant: s.Tenant,
			Erase: p.Erase, Customer: p.Customer, Actor: "system", Handles: p.Handles, Keys: p.Keys, Blobs: p.Blobs, Inputs: p.Inputs,
			Conversations: p.Conversations, Replies: p.Replies,
		}
		if err := s.Ledger.Add(entry); err != nil {
			return err
		}
		if err := s.setApplied(ctx, entry.ID); err != nil {
			return err
		}
		if err := s.Keys.Destroy(ctx, p.Keys...); err != nil {
			return err
		}
		for _, stream := range p.Streams {
			if err := s.shown(ctx, stream); err != nil {
				return err
			}
		}
		if err := s.cleanPart(ctx, p); err != nil {
			return err
		}
		if s.Feed != nil {
			s.Feed.Forget(p.Streams...)
		}
	}
	if err := s.purgeHandle(ctx, id, owner); err != nil {
		return err
	}
	return s.scrub(ctx)
}

// shown waits until the read models have everything of a stream's partition.
func (s *Service) shown(ctx context.Context, stream string) error {
	p := s.Log.PartitionOf(s.Tenant, stream)
	head, err := s.Log.Head(ctx, p)
	if err != nil {
		return err
	}
	return s.Live.WaitFor(ctx, p, head)
}
