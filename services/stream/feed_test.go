package stream_test

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"sync"
	"time"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
	"github.com/weftline/weftline/services/internal/peer"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// script is a feed whose events a test writes down. The cursor after event n is "c<n>".
type script struct {
	mu      sync.Mutex
	events  []*realtimev1.Event
	changed chan struct{}
	fail    error // of the next Replay
	slow    int   // Replay ends with ErrSlow after so many events; 0: never
	replays int
}

func newScript(events ...*realtimev1.Event) *script {
	s := &script{changed: make(chan struct{})}
	s.add(events...)
	return s
}

func (s *script) add(events ...*realtimev1.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ev := range events {
		s.events = append(s.events, ev)
		ev.Cursor = fmt.Sprintf("c%d", len(s.events))
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *script) Head(context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("c%d", len(s.events)), nil
}

func (s *script) at(i int) (*realtimev1.Event, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i < len(s.events) {
		return s.events[i], nil
	}
	return nil, s.changed
}

func (s *script) position(cursor string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replays++
	if err := s.fail; err != nil {
		s.fail = nil
		return 0, err
	}
	if cursor == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(strings.TrimPrefix(cursor, "c"))
	if err != nil || !strings.HasPrefix(cursor, "c") || n > len(s.events) {
		return 0, peer.ErrReset
	}
	return n, nil
}

func (s *script) Replay(ctx context.Context, cursor string) iter.Seq2[*realtimev1.Event, error] {
	return func(yield func(*realtimev1.Event, error) bool) {
		i, err := s.position(cursor)
		if err != nil {
			yield(nil, err)
			return
		}
		for n := 0; ; {
			if n > 0 && n == s.slow {
				yield(nil, peer.ErrSlow)
				return
			}
			ev, changed := s.at(i)
			if ev != nil {
				if !yield(ev, nil) {
					return
				}
				i, n = i+1, n+1
				continue
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}
}

func (s *script) Subscribe(ctx context.Context, cursor string) iter.Seq2[*realtimev1.Event, error] {
	return s.Replay(ctx, cursor)
}

// noted is when everything in the scripts happened.
var noted = timestamppb.New(time.Date(2026, 3, 1, 14, 3, 0, 0, time.UTC))

func entry(id string) *inboxv1.TimelineEntry {
	return &inboxv1.TimelineEntry{Id: id, CustomerId: "cust", ConversationId: "conv", Position: "pos-" + id, RecordedAt: noted}
}

func message(id, text string) *realtimev1.Event {
	e := entry(id)
	e.Body = &inboxv1.TimelineEntry_Message{Message: &inboxv1.Message{Direction: inboxv1.Direction_DIRECTION_INBOUND, Text: text}}
	return &realtimev1.Event{Entry: e}
}

func note(id, text string) *realtimev1.Event {
	e := entry(id)
	e.Body = &inboxv1.TimelineEntry_Note{Note: &inboxv1.Note{Text: text, Author: "agent"}}
	return &realtimev1.Event{Entry: e}
}

func happened(id, verb, value string) *realtimev1.Event {
	e := entry(id)
	e.Body = &inboxv1.TimelineEntry_Activity{Activity: &inboxv1.Activity{Verb: verb, Actor: "agent", Value: value}}
	return &realtimev1.Event{Entry: e}
}
