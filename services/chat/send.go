package chat

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Send shows a reply in every open tab of the visitor. Sent means: it is in the
// transcript and will be shown whenever the widget opens next; delivered and
// read follow as reports. Sending one Outbound.ID again is harmless: widgets know it.
func (a *Adapter) Send(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return channel.Receipt{}, err
	}
	r := channel.Receipt{
		Tenant: out.Tenant, Channel: Name, Inbox: out.Inbox, Outbound: out.ID, Customer: out.Customer,
		State: channel.StateSent, ProviderID: out.ID, At: a.d.Now().UTC(),
	}
	to := out.To
	if to.Scope == "" {
		to.Scope = out.Inbox
	}
	if to.Kind != Name || to.Address == "" || to.Scope != out.Inbox || out.ID == "" {
		r.State, r.Detail = channel.StateFailed, "not an address of this chat inbox"
		return r, nil
	}
	if n := utf8.RuneCountInString(out.Content.Text); n > maxText {
		r.State, r.Detail = channel.StateFailed, fmt.Sprintf("the text has %d characters, at most %d are allowed", n, maxText)
		return r, nil
	}
	if _, ok := a.d.Inboxes.Get(out.Inbox); !ok {
		return channel.Receipt{}, fmt.Errorf("send chat message: inbox %s: %w", out.Inbox, channel.ErrNeedsAttention)
	}
	select {
	case <-a.ready:
	case <-ctx.Done():
		return channel.Receipt{}, errors.New("send chat message: the channel has not started")
	}
	handleID := handleid.Of(a.d.Keys, to)
	// High first: whoever joins after this waits for the message in the
	// transcript, whoever joined before gets it from the room.
	reachable := false
	err := a.changeHandle(ctx, handleID, func(h *handleState) bool {
		reachable = h.reachable()
		if out.Position <= h.High {
			return false
		}
		h.High = out.Position
		return true
	})
	if err != nil {
		return channel.Receipt{}, fmt.Errorf("send chat message: %w", err)
	}
	if c, ok := a.config(out.Inbox); ok && reachable {
		if err := a.follow(ctx, c, handleID, to.Address, out.Position); err != nil {
			return channel.Receipt{}, fmt.Errorf("send chat message: %w", err)
		}
	}
	for _, s := range a.rooms.of(handleID) {
		s.saw(out.Position)
		s.push(messageFrame{Type: "message", Message: a.replyItem(handleID, out)})
		signal(s.sync)
	}
	a.metrics.messages.WithLabelValues("out").Inc()
	a.works(out.Inbox, inbox.Health{LastOut: r.At})
	return r, nil
}
