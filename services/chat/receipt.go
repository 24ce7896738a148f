package chat

import (
	"context"

	"github.com/weftline/weftline/pkg/channel"
	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
)

// want notes how far a visitor says he has received or read. A visitor cannot
// have read what he was not shown.
func (s *session) want(kind, position string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	position = min(position, s.shown)
	to := &s.delivered
	if kind == "read" {
		to = &s.read
	}
	if position > *to {
		*to = position
		signal(s.receipts)
	}
}

// report tells the hub of messages delivered and read, each once. It goes
// through the transcript from where the last report ended, so it covers what
// an earlier connection was shown, too. What could not be reported is tried
// again with the next frame or connection.
func (s *session) report(ctx context.Context) {
	s.mu.Lock()
	delivered, read := max(s.delivered, s.read), s.read
	s.mu.Unlock()
	defer s.a.reports.lock(s.handleID)()
	var h handleState
	if _, err := s.a.load(ctx, colHandle, s.handleID, &h); err != nil {
		s.a.log.Warn("chat receipts not reported", "inbox", s.inbox, "error", err)
		return
	}
	err := s.reportUpTo(ctx, channel.StateRead, h.Read, read)
	if err == nil {
		err = s.reportUpTo(ctx, channel.StateDelivered, max(h.Delivered, h.Read, read), delivered)
	}
	if err == nil && (delivered > h.Delivered || read > h.Read) {
		// Also for who leaves just now: what was told would be told once more.
		noted, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.a.timing.Write)
		defer cancel()
		err = s.a.changeHandle(noted, s.handleID, func(h *handleState) bool {
			h.Delivered, h.Read = max(h.Delivered, delivered), max(h.Read, read)
			return true
		})
	}
	if err != nil {
		s.a.log.Warn("chat receipts not reported", "inbox", s.inbox, "error", err)
	}
}

func (s *session) reportUpTo(ctx context.Context, state channel.State, after, to string) error {
	for after < to {
		page, err := s.list(ctx, after, to)
		if err != nil {
			return err
		}
		before := after
		var list []channel.Receipt
		for _, it := range page.GetItems() {
			if it.GetPosition() > to {
				break
			}
			after = max(after, it.GetPosition())
			if it.GetDirection() == inboxv1.Direction_DIRECTION_OUTBOUND && !reached(it, state) {
				list = append(list, channel.Receipt{
					Channel: Name, Inbox: s.inbox, Outbound: it.GetId(), State: state, ProviderID: it.GetId(), At: s.a.d.Now().UTC(),
				})
			}
		}
		if len(list) > 0 {
			if err := s.a.d.Intake.Report(ctx, list...); err != nil {
				return err
			}
		}
		if !page.GetMore() || after == before {
			return nil
		}
	}
	return nil
}

func reached(it *channelv1.ListMessagesResponse_Item, state channel.State) bool {
	switch it.GetDelivery() {
	case inboxv1.DeliveryState_DELIVERY_STATE_READ:
		return true
	case inboxv1.DeliveryState_DELIVERY_STATE_DELIVERED:
		return state == channel.StateDelivered
	}
	return false
}
