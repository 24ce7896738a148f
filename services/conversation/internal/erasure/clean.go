package erasure

import (
	"context"
	"fmt"
	"strings"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/envelope"
	"github.com/weftline/weftline/services/internal/natsbus"
)

// clean removes what was made of the log, and what waits beside it. The read
// models take the tombstone as any other event (readmodel.ErasureDone); what is
// found in other customers' timelines is removed here.
func (s *Service) clean(ctx context.Context, e *Erasure) error {
	gone := Gone{Tenant: s.Tenant, Customers: e.members()}
	var streams []string
	for _, c := range gone.Customers {
		streams = append(streams, "customer."+c)
	}
	if !e.Replayed {
		// Whatever had opened a body before its key went is written by now.
		if err := s.settle(ctx); err != nil {
			return err
		}
	}
	s.Step("settled")
	err := s.eachPart(ctx, e.ID, func(p part) error {
		streams = append(streams, p.Streams...)
		gone.Conversations = append(gone.Conversations, p.Conversations...)
		gone.Replies = append(gone.Replies, p.Replies...)
		gone.Handles = append(gone.Handles, p.Handles...)
		return s.cleanPart(ctx, p)
	})
	if err != nil {
		return err
	}
	if err := s.cleanUnderway(ctx); err != nil {
		return err
	}
	if s.Feed != nil {
		s.Feed.Forget(streams...)
	}
	for _, c := range s.Cleaners {
		if err := c.Forget(ctx, gone); err != nil {
			return err
		}
	}
	s.Step("forgotten")
	return s.cleanQueues(ctx, gone)
}

// cleanPart removes search rows, originals and files.
func (s *Service) cleanPart(ctx context.Context, p part) error {
	if err := s.dropRows(ctx, p.Search); err != nil {
		return err
	}
	for _, ref := range p.Inputs {
		if err := s.Originals.Remove(ctx, ref); err != nil {
			return err
		}
	}
	for _, lane := range p.Lanes {
		if err := s.cleanLane(ctx, lane); err != nil {
			return err
		}
	}
	for _, key := range p.Blobs {
		if err := s.Blobs.Delete(ctx, key); err != nil {
			return err
		}
	}
	s.Step("part")
	return nil
}

// dropRows removes search rows, also those a rebuild under way has written.
func (s *Service) dropRows(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	state, err := readmodel.LoadState(ctx, s.Live.Store())
	if err != nil {
		return err
	}
	for _, gen := range []int{state.Current, state.Building} {
		if gen == 0 {
			continue
		}
		var b docstore.Batch
		for _, id := range ids {
			b.Ops = append(b.Ops, docstore.Op{Collection: readmodel.NamesOf(gen).Search, Doc: docstore.Doc{ID: id}, Delete: true})
		}
		if err := s.Live.Store().Apply(ctx, b); err != nil {
			return fmt.Errorf("remove what is found: %w", err)
		}
		p, release := s.Live.Acquire()
		p.Cache().Forget(b.Ops) // of the generation that serves: written past its projector
		release()
	}
	return nil
}

// cleanLane removes from IN what arrived for an ordering key under a key that
// is gone. What arrived since is under the next one, and stays.
func (s *Service) cleanLane(ctx context.Context, key string) error {
	if !subject.ValidToken(key) {
		return nil
	}
	partitions, err := s.Bus.InPartitions(ctx)
	if err != nil {
		return err
	}
	p := subject.Partition(s.Tenant+key, partitions)
	stream, filter := subject.InStream(p), fmt.Sprintf("in.%d.%s.*.*.%s", p, s.Tenant, key)
	dead := map[string]bool{}
	return s.Bus.EachOn(ctx, stream, filter, 1, func(m natsbus.Stored) error {
		sealed, err := envelope.Unmarshal(m.Data)
		if err != nil {
			return nil
		}
		gone, known := dead[sealed.Key]
		if !known {
			if gone, err = s.Keys.Destroyed(ctx, sealed.Key); err != nil {
				return err
			}
			dead[sealed.Key] = gone
		}
		if !gone {
			return nil
		}
		return s.Bus.Erase(ctx, stream, m.Seq)
	})
}

// cleanQueues removes what waits for a customer or speaks of him: answers to be
// sent, timers, what was set aside, and what integrators may still read.
func (s *Service) cleanQueues(ctx context.Context, gone Gone) error {
	purge := func(stream, format string, ids ...string) error {
		for _, id := range ids {
			if !subject.ValidToken(id) {
				continue
			}
			if err := s.Bus.Purge(ctx, stream, fmt.Sprintf(format, s.Tenant, id), 0); err != nil {
				return err
			}
		}
		return nil
	}
	for _, q := range []struct {
		stream, format string
		ids            []string
	}{
		{subject.StreamOut, "out.%s.*.*.%s", gone.Customers},
		{subject.StreamTimers, "timer.%s.wake.%s", gone.Conversations},
		{subject.StreamTimers, "fired.%s.wake.%s", gone.Conversations},
		{subject.StreamPoison, "poison.out.%s.*.*.%s", gone.Customers},
		{subject.StreamPoison, "poison.fired.%s.wake.%s", gone.Conversations},
	} {
		if err := purge(q.stream, q.format, q.ids...); err != nil {
			return err
		}
	}
	if err := s.cleanPoison(ctx); err != nil {
		return err
	}
	for _, c := range gone.Customers {
		if err := s.cleanPublic(ctx, fmt.Sprintf("weftline.v1.%s.event.customer.%s.*", s.Tenant, c)); err != nil {
			return err
		}
		if err := s.Log.DropSnapshot(ctx, s.Tenant, "customer."+c); err != nil {
			return err
		}
	}
	for _, c := range gone.Conversations {
		if subject.ValidToken(c) {
			if err := s.cleanPublic(ctx, fmt.Sprintf("weftline.v1.%s.event.conversation.%s.*", s.Tenant, c)); err != nil {
				return err
			}
		}
	}
	for _, h := range gone.Handles {
		if err := s.Log.DropSnapshot(ctx, s.Tenant, "handle."+h); err != nil {
			return err
		}
	}
	s.Step("queues")
	return nil
}

// cleanPoison removes what was set aside under a key that is gone.
func (s *Service) cleanPoison(ctx context.Context) error {
	return s.Bus.EachOn(ctx, subject.StreamPoison, "poison.in.>", 1, func(m natsbus.Stored) error {
		sealed, err := envelope.Unmarshal(m.Data)
		if err != nil {
			return nil
		}
		gone, err := s.Keys.Destroyed(ctx, sealed.Key)
		if err != nil || !gone {
			return err
		}
		return s.Bus.Erase(ctx, subject.StreamPoison, m.Seq)
	})
}

// cleanPublic removes public events, which are in the clear. The notice that he
// was erased stays.
func (s *Service) cleanPublic(ctx context.Context, filter string) error {
	return s.Bus.EachOn(ctx, subject.StreamPub, filter, 1, func(m natsbus.Stored) error {
		if strings.HasSuffix(m.Subject, "erased") {
			return nil
		}
		return s.Bus.Erase(ctx, subject.StreamPub, m.Seq)
	})
}
