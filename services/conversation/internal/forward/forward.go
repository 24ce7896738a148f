// Package forward brings what was said over one handle to another address of
// the same person: a chat goes on by mail or SMS.
//
//	transcript of handle A ──► copy ──► OUT ──► address B
//	                                              │ answer, with the copy's token
//	          conversation of the reply ◄─────────┘ (Reply)
//
// A text message carries no token. Its answer comes from the number that was
// proven, so its owner is known, and it joins his open conversation as every
// message without a reference does.
//
// It goes nowhere but to an address that was proven, by a code, a signed link or
// the host's login, and that belongs to the person who speaks over A now. An
// address that was typed is nobody's, and nothing is sent there.
//
// A copy is an outbound message of no timeline: its original is there already.
// What became of it is recorded as an event of the customer, for agents to see.
package forward

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/subject"
	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/proof"
)

// idPrefix tells a copy from replies, whose ids are hexadecimal, and from proofs.
const idPrefix = "copy_"

// Is says whether an outbound message is a copy.
func Is(outbound string) bool { return strings.HasPrefix(outbound, idPrefix) }

// Reply is the reply that an answer to an outbound message answers: the last
// one of a copy, and of everything else the message itself.
func Reply(outbound string) string {
	rest, ok := strings.CutPrefix(outbound, idPrefix)
	if !ok {
		return outbound
	}
	rest, _, _ = strings.Cut(rest, "_")
	return rest
}

// whole says whether a copy is of a transcript, not of replies.
func whole(outbound string) bool { return strings.Count(outbound, "_") > 1 }

// Outbox takes what must be sent. Publishing the same ID again is harmless.
type Outbox interface {
	Publish(ctx context.Context, dataKey string, out channel.Outbound) error
}

// Deps are what a Service works with. All are required.
type Deps struct {
	// Handle returns the handle of an address with what happened up to now; it may have no owner.
	Handle func(ctx context.Context, tenant string, a channel.Address) (claim.Owned, error)
	// Customer is a customer's state up to now.
	Customer func(ctx context.Context, tenant, id string) (customer.State, error)
	// Members are the customers that are one person with a customer, himself included.
	Members func(customer string) []string
	// OptedOut says whether somebody else of the person wants nothing more over an inbox.
	OptedOut func(ctx context.Context, customer, inbox string) (bool, error)
	// Transcript is what was said over a handle by and to its present owner.
	Transcript func(ctx context.Context, q *channelv1.ListMessagesRequest) (*channelv1.ListMessagesResponse, error)
	// Owner is whose timeline a reply is in; "" when it is not known.
	Owner func(ctx context.Context, tenant, reply string) (string, error)
	// Reach finds the channel of an inbox that can write to an address of the kind.
	Reach func(inbox, kind string) (channel string, err error)
	// Own says that what is sent to the address comes to ourselves.
	Own func(a channel.Address) bool
	// InboxName is what customers know an inbox as.
	InboxName func(id string) string
	// Record puts what became of a copy on the customer's timeline, once for each key.
	Record func(ctx context.Context, tenant, customer, key, kind, title string) error
	Outbox Outbox
	Now    func() time.Time
	Log    *slog.Logger
}

// Service sends copies. Safe for concurrent use.
type Service struct{ Deps }

// Request asks for a copy.
type Request struct {
	Tenant   string
	Via      channel.Address // whose transcript
	To       channel.Address
	Inbox    string // to send by
	Language string
	Trace    string
}

// Transcript sends the newest page of what was said and returns how many
// messages that were; none sends nothing. Errors: *customer.FieldError,
// *customer.RefusedError, *customer.UnreachableError.
func (s *Service) Transcript(ctx context.Context, q Request) (int, error) {
	r, err := s.route(ctx, &q)
	if err != nil {
		return 0, err
	}
	page, err := s.list(ctx, q, "", "")
	if err != nil || len(page) == 0 {
		return 0, err
	}
	answers := "0" // none: then the answer's own address says whose it is
	for _, it := range page {
		if ours(it) {
			answers = it.GetId()
		}
	}
	var nonce [6]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return 0, err
	}
	out := s.letter(q, r, fmt.Sprintf("%s%s_%x", idPrefix, answers, nonce), page, true)
	return len(page), s.send(ctx, r, out)
}

// Replies sends our replies after a position which were not read, and returns
// how many. The same ones again are one copy.
func (s *Service) Replies(ctx context.Context, q Request, after, atLeast string) (int, error) {
	r, err := s.route(ctx, &q)
	if err != nil {
		return 0, err
	}
	page, err := s.list(ctx, q, after, atLeast)
	if err != nil {
		return 0, err
	}
	var list []*channelv1.ListMessagesResponse_Item
	for _, it := range page {
		if ours(it) && it.GetDelivery() != inboxv1.DeliveryState_DELIVERY_STATE_READ {
			list = append(list, it)
		}
	}
	if len(list) == 0 {
		return 0, nil
	}
	out := s.letter(q, r, idPrefix+list[len(list)-1].GetId(), list, false)
	return len(list), s.send(ctx, r, out)
}

func ours(it *channelv1.ListMessagesResponse_Item) bool {
	return it.GetDirection() == inboxv1.Direction_DIRECTION_OUTBOUND
}

// route is where a copy may go.
type route struct {
	channel  string
	customer string // whose transcript it is
}

var errNotHis = &customer.RefusedError{Reason: "the address was not proven to belong to whoever speaks over this handle"}

// route checks that the address is proven and of the same person, and that
// nobody of him has opted out.
func (s *Service) route(ctx context.Context, q *Request) (route, error) {
	if q.Tenant == "" {
		q.Tenant = subject.DefaultTenant
	}
	ch, err := s.Reach(q.Inbox, q.To.Kind)
	if err != nil {
		return route{}, err
	}
	via, err := s.Handle(ctx, q.Tenant, q.Via)
	if err != nil {
		return route{}, err
	}
	to, err := s.Handle(ctx, q.Tenant, q.To)
	if err != nil {
		return route{}, err
	}
	if !via.Owned() || !to.Owned() || to.Assurance < proof.Level || to.Scope == channel.ScopeUnverified || s.Own(q.To) {
		return route{}, errNotHis
	}
	if to.Customer != via.Customer && !s.same(via.Customer, to.Customer) {
		return route{}, errNotHis
	}
	st, err := s.Customer(ctx, q.Tenant, to.Customer)
	if err != nil {
		return route{}, err
	}
	if st.Erased != "" || !st.Exists {
		return route{}, errNotHis
	}
	if err := st.Reachable(to.ID, q.Inbox, s.Now(), customer.Freely{}); err != nil {
		return route{}, err
	}
	out, err := s.OptedOut(ctx, to.Customer, q.Inbox)
	if err != nil {
		return route{}, fmt.Errorf("look up consents of the person: %w", err)
	}
	if out {
		return route{}, &customer.UnreachableError{Handle: to.ID, Inbox: q.Inbox, Reason: customer.OptedOut}
	}
	return route{channel: ch, customer: via.Customer}, nil
}

func (s *Service) same(a, b string) bool {
	for _, m := range s.Members(a) {
		if m == b {
			return true
		}
	}
	return false
}

// pageSize is the most messages one copy has.
const pageSize = 200

func (s *Service) list(ctx context.Context, q Request, after, atLeast string) ([]*channelv1.ListMessagesResponse_Item, error) {
	res, err := s.Deps.Transcript(ctx, &channelv1.ListMessagesRequest{
		Kind: q.Via.Kind, InboxId: q.Via.Scope, Address: q.Via.Address, After: after, AtLeast: atLeast, PageSize: pageSize,
	})
	if err != nil {
		return nil, err
	}
	return res.GetItems(), nil
}

// send hands it to the outbox, sealed under the customer's key: when he is
// erased, what waits says nothing any more.
func (s *Service) send(ctx context.Context, r route, out channel.Outbound) error {
	out.Channel, out.Customer = r.channel, r.customer
	if err := s.Outbox.Publish(ctx, event.CustomerKey(r.customer), out); err != nil {
		return fmt.Errorf("send a copy: %w", err)
	}
	return nil
}

// byName is what agents call the way a copy went.
func byName(channel string) string {
	if channel == "sms" {
		return "SMS"
	}
	return "e-mail"
}

// Receipt records what a channel said about a copy. What nobody knows any more is no error.
func (s *Service) Receipt(ctx context.Context, r channel.Receipt) error {
	if r.State != channel.StateSent && r.State != channel.StateFailed {
		return nil
	}
	id := r.Customer
	if id == "" {
		var err error
		if id, err = s.Owner(ctx, r.Tenant, Reply(r.Outbound)); err != nil || id == "" {
			return err
		}
	}
	by := byName(r.Channel)
	kind, title := "chat.continued", "The answer was sent by "+by+", too: the visitor had left the chat"
	if whole(r.Outbound) {
		kind, title = "chat.transcript", "The chat was sent by e-mail, as the visitor asked"
	}
	if r.State == channel.StateFailed {
		kind, title = kind+"_failed", "The answer could not be sent by "+by+"; the visitor has left the chat"
		if whole(r.Outbound) {
			title = "The chat could not be sent by e-mail"
		}
	}
	err := s.Record(ctx, r.Tenant, id, r.Outbound+"/"+string(r.State), kind, title)
	_, gone := errors.AsType[*customer.NotFoundError](err)
	_, erased := errors.AsType[*customer.ErasedError](err)
	if gone || erased {
		return nil
	}
	return err
}
