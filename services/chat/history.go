package chat

import (
	"context"
	"fmt"
	"time"

	"connectrpc.com/connect"

	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
)

const (
	pageSize   = 100
	frameItems = 32 << 10 // bytes of text in one messages frame, about
)

// work shows the transcript and keeps it complete until the session ends.
//
// The session has joined its room before work begins, so a reply is either
// shown live or was handled before; then High names it and the transcript is
// asked to wait for it. The cursor moves only by reading the transcript, never
// by live messages: a live message may overtake one that is not projected yet.
// That is why anything live is followed by another, late, reading.
func (s *session) work(ctx context.Context, cursor string) {
	var expired <-chan time.Time
	if s.login != nil {
		t := time.NewTimer(s.login.Expires.Add(loginLeeway).Sub(s.a.d.Now()))
		defer t.Stop()
		expired = t.C
	}
	change := s.hoursChange(s.a.d.Now())
	defer func() { change.Stop() }()
	settle := time.NewTimer(0)
	defer settle.Stop()
	delay := time.Duration(0)
	first, soon := true, true
	s.listed = map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-expired:
			s.push(errorFrame{Type: "error", Code: "login_expired"})
			s.end(closeAuth, "login expired")
			return
		case <-change.C:
			change = s.tellHours()
		case <-s.receipts:
			s.report(ctx)
		case <-s.sync:
			if !soon {
				soon = true
				settle.Reset(s.a.timing.Settle)
			}
		case <-settle.C:
			// Asked before the transcript: what is no longer held then is listed.
			held := s.a.pending.of(s.handleID, s.a.d.Now())
			next, complete, err := s.catchUp(ctx, cursor, first)
			if first && err == nil {
				for _, it := range held {
					if !s.listed[it.ClientID] {
						s.push(messageFrame{Type: "message", Message: it})
					}
				}
				first, s.listed = false, nil
			}
			cursor, soon = next, false
			if complete && err == nil {
				delay = 0
				continue
			}
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				s.a.log.Warn("chat transcript not read", "inbox", s.inbox, "error", err)
			}
			delay = min(max(2*delay, 200*time.Millisecond), 30*time.Second)
			settle.Reset(delay)
		}
	}
}

// catchUp shows everything after cursor and says how far it came. It is
// complete when it reached the newest reply this hub has handled and every
// message that was accepted here.
func (s *session) catchUp(ctx context.Context, cursor string, first bool) (next string, complete bool, err error) {
	var h handleState
	if _, err := s.a.load(ctx, colHandle, s.handleID, &h); err != nil {
		return cursor, false, err
	}
	for {
		page, err := s.list(ctx, cursor, h.High)
		if err != nil && h.High > cursor && ctx.Err() == nil {
			// Late is better than nothing: show what there is, come back for the rest.
			page, err = s.list(ctx, cursor, "")
		}
		if first && cursor != "" && connect.CodeOf(err) == connect.CodeInvalidArgument {
			cursor = "" // the visitor's cursor is none; begin at the newest page
			continue
		}
		if err != nil {
			return cursor, false, err
		}
		last := !page.GetMore()
		if next, err := s.show(ctx, page.GetItems(), cursor, last, first); err != nil {
			return cursor, false, err
		} else if !last && next == cursor {
			last = true // a page that does not move would never end
		} else {
			cursor = next
		}
		first = false
		if last {
			waiting := s.a.pending.of(s.handleID, s.a.d.Now())
			return cursor, cursor >= h.High && len(waiting) == 0, nil
		}
	}
}

func (s *session) list(ctx context.Context, after, high string) (*channelv1.ListMessagesResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, s.a.timing.List)
	defer cancel()
	if high <= after {
		high = ""
	}
	page, err := s.a.d.Transcript.ListMessages(ctx, &channelv1.ListMessagesRequest{
		Channel: Name, InboxId: s.inbox, Kind: Name, Address: s.address,
		After: after, AtLeast: high, PageSize: pageSize,
	})
	if err != nil {
		return nil, fmt.Errorf("list transcript: %w", err)
	}
	return page, nil
}

// show writes items in frames of a bounded size, at the visitor's own speed.
func (s *session) show(ctx context.Context, items []*channelv1.ListMessagesResponse_Item, cursor string, done, always bool) (string, error) {
	frame := messagesFrame{Type: "messages", Items: []itemFrame{}}
	size := 0
	flush := func(done bool) error {
		frame.Cursor, frame.Done = cursor, done
		if err := s.pushWhenRoom(ctx, frame); err != nil {
			return err
		}
		frame.Items, size = []itemFrame{}, 0
		return nil
	}
	for _, it := range items {
		if size > 0 && size+len(it.GetText()) > frameItems {
			if err := flush(false); err != nil {
				return cursor, err
			}
		}
		if own, shown := ownWords(it); shown {
			item := s.a.listedItem(s.handleID, it)
			item.Text = own
			frame.Items = append(frame.Items, item)
			size += len(own) + 1
		}
		cursor = max(cursor, it.GetPosition())
		s.saw(it.GetPosition())
		s.a.pending.seen(s.handleID, it.GetClientId())
		if s.listed != nil {
			s.listed[it.GetClientId()] = true
		}
	}
	if len(frame.Items) == 0 && !always {
		return cursor, nil
	}
	return cursor, flush(done)
}

// saw remembers the highest position this visitor was shown.
func (s *session) saw(position string) {
	s.mu.Lock()
	s.shown = max(s.shown, position)
	s.mu.Unlock()
}
