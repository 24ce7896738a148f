package chat

import (
	"context"
	"errors"
	"time"

	"connectrpc.com/connect"

	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
)

// Kinds of addresses that answers follow a visitor to.
const (
	kindEmail = "email"
	kindPhone = "phone"
)

// continues says whether answers of the inbox follow who has left, some way.
func (a *Adapter) continues(c *config) bool { return a.mails(c) || a.texts(c) }

// inboxOf is what sends to addresses of a kind, "" where nothing does.
func (a *Adapter) inboxOf(c *config, kind string) string {
	switch {
	case kind == kindEmail && a.mails(c):
		return c.MailBy
	case kind == kindPhone && a.texts(c):
		return c.SMSBy
	}
	return ""
}

// place is where the handle keeps its proven address of a kind.
func (h *handleState) place(kind string) **address {
	if kind == kindPhone {
		return &h.Phone
	}
	return &h.Mail
}

// reachable says whether there is an address to be written to.
func (h *handleState) reachable() bool { return h.Mail != nil || h.Phone != nil }

// way is an address that an answer may follow to, and what sends it.
type way struct {
	kind string
	to   *address
	by   string // inbox
}

// ways are those of a visitor, best first: what he proved last is where he
// wants to be written to; the other is for when that may not be.
func (a *Adapter) ways(c *config, h *handleState) []way {
	kinds := []string{kindEmail, kindPhone}
	if h.Last == kindPhone {
		kinds = []string{kindPhone, kindEmail}
	}
	var out []way
	for _, k := range kinds {
		if by, x := a.inboxOf(c, k), *h.place(k); by != "" && x != nil {
			out = append(out, way{k, x, by})
		}
	}
	return out
}

// errNoWay: nothing may be sent to any address of the visitor.
var errNoWay = errors.New("there is no address it may be sent to")

// forward sends what he has not read one way. errNoWay is for good, what else
// fails may be tried again.
func (a *Adapter) forward(ctx context.Context, c *config, handleID string, h *handleState, f followState, from string) error {
	for _, w := range a.ways(c, h) {
		to, err := a.openAddress(ctx, handleID, w.to)
		if err != nil {
			return err
		}
		if to == "" {
			continue // erased
		}
		call, cancel := context.WithTimeout(ctx, a.timing.List)
		_, err = a.d.Forward.ForwardReplies(call, &channelv1.ForwardRepliesRequest{
			Handle: &channelv1.ChannelHandle{InboxId: f.Inbox, Kind: Name, Address: f.Address}, Kind: w.kind, Address: to,
			SendBy: w.by, After: from, AtLeast: f.Position, Language: w.to.Lang,
		})
		cancel()
		if code := connect.CodeOf(err); err != nil && (code == connect.CodeFailedPrecondition || code == connect.CodeInvalidArgument) {
			a.log.Info("an unread answer cannot go there", "inbox", f.Inbox, "kind", w.kind, "code", code.String())
			continue // not his any more, or he wants nothing over that inbox
		}
		return err
	}
	return errNoWay
}

// later is when a send that failed is tried again: after minutes that grow to a quarter of an hour.
func (f followState) later(now time.Time) followState {
	f.Tries++
	f.Due = now.UTC().Add(time.Duration(min(f.Tries, 15)) * time.Minute)
	return f
}
