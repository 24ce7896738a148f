package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/handle"
	"github.com/weftline/weftline/services/conversation/internal/seal"
	"github.com/weftline/weftline/services/internal/handleid"
)

// StartConversation writes first: to a handle of a known customer, or to an address.
type StartConversation struct {
	Order  // Customer with Handle; Conversation is ignored
	Handle string

	Kind    string // of Address: email, phone, …
	Address string

	Inbox       string // to send by
	Subject     string
	Text, HTML  string
	Attachments []channel.Attachment
	AuthorName  string
	Template    *channel.Template // sent in place of Text, which says what the customer reads
}

// StartConversation opens a conversation with its first outbound message. An
// address nobody owns gets a new customer.
func (s *Service) StartConversation(ctx context.Context, in StartConversation) (Result, error) {
	body, err := content(in.Subject, in.Text, in.HTML, in.Attachments)
	if err != nil {
		return Result{}, err
	}
	if err := template(in.Template); err != nil {
		return Result{}, err
	}
	ch, ok := s.Channel(in.Inbox)
	if !ok {
		return Result{}, &customer.FieldError{Field: "inbox_id", Problem: fmt.Sprintf("%q is not a configured inbox", in.Inbox)}
	}
	if err := s.fits(ch, in.Inbox, body, in.Template); err != nil {
		return Result{}, err
	}
	if in.Handle == "" {
		if err := reaches(ch, in.Kind); err != nil {
			return Result{}, err
		}
	}
	if in.Handle == "" && in.Kind == "phone" && s.Numbers != nil && handleid.National(in.Address) {
		if n, ok := s.Numbers(in.Inbox).International(in.Address); ok {
			in.Address = n
		}
	}
	o := in.Order
	o.Conversation = ""
	if o.Tenant == "" {
		o.Tenant = subject.DefaultTenant
	}
	if err := length("idempotency_key", o.Key, 1, 200); err != nil {
		return Result{}, err
	}
	// The same key is the same order, whoever turns out to own the address.
	reply := s.Keys.Hash("order/start", o.Tenant, o.Actor, in.Inbox, o.Key)
	o.Conversation = s.Keys.Hash("conversation", o.Tenant, reply)
	const attempts = 8
	for n := 1; ; n++ {
		fresh := n > 1
		own, err := s.recipient(ctx, o, in, reply, fresh)
		if before, ok := errors.AsType[*startedError](err); ok {
			return before.Result, nil
		}
		if err != nil {
			return Result{}, err
		}
		if err := reaches(ch, own.Attach().Kind); err != nil {
			return Result{}, err
		}
		o.Customer = own.Customer
		if r, ok, err := s.startedBefore(ctx, o, own, reply); ok || err != nil {
			return r, err
		}
		r, err := s.start(ctx, o, in, ch, reply, own, body)
		_, stale := errors.AsType[*customer.StaleTenureError](err)
		_, ended := errors.AsType[*customer.TenureEndedError](err)
		_, erased := errors.AsType[*customer.ErasedError](err)
		if !stale && !ended && !erased || n == attempts {
			return r, err
		}
	}
}

// limitLocal is how long the local part of a mail address may be (RFC 5321 §4.5.3.1.1).
const limitLocal = 64

// addressKind is the kind of address each channel writes to.
var addressKind = map[string]string{"email": "email", "chat": "chat", "sms": "phone"}

// Reaches is reaches for others who write first.
func Reaches(ch, kind string) error { return reaches(ch, kind) }

// reaches refuses an address that the inbox's channel cannot write to: it would
// go out, and make a handle of the wrong kind.
func reaches(ch, kind string) error {
	if want := addressKind[ch]; want != "" && kind != want {
		return &customer.FieldError{Field: "kind", Problem: fmt.Sprintf("must be %q for an inbox of channel %s, is %q", want, ch, kind)}
	}
	return nil
}

func (s *Service) start(ctx context.Context, o Order, in StartConversation, ch, reply string, own claim.Owned, body channel.Content) (Result, error) {
	now := s.now()
	return s.run(ctx, o, step{
		entry: reply,
		cmd: func(recalledTo uint64) customer.Command {
			return customer.Start{
				At: now, Reply: reply, Conversation: o.Conversation, Handle: own.Attach(),
				Channel: ch, Inbox: in.Inbox, Author: o.Actor, RecalledTo: recalledTo,
			}
		},
		fill: func(ctx context.Context, st customer.State, es []event.Event) error {
			last := len(es) - 1
			r := es[last].(event.ReplyRequested) // Start always ends with it
			if st.ID == "" {
				st.ID = o.Customer
			}
			if err := s.reachable(ctx, st, r, now, in.Template); err != nil {
				return err
			}
			filled, err := s.fillReply(ctx, o.Tenant, o.Customer, r, event.ReplyBody{Content: body, AuthorName: in.AuthorName, Template: in.Template})
			if err != nil {
				return err
			}
			es[last] = filled
			opened := es[last-1].(event.ConversationOpened)
			opened.Subject, err = seal.Text(ctx, s.Keys, r.Unit, body.Subject, event.SubjectAAD(opened.Conversation))
			es[last-1] = opened
			return err
		},
	})
}

// startedBefore finds what the same order did while the handle was another's.
func (s *Service) startedBefore(ctx context.Context, o Order, own claim.Owned, reply string) (Result, bool, error) {
	asked := map[string]bool{"": true, own.Customer: true}
	for _, p := range own.Periods {
		if asked[p.Customer] {
			continue
		}
		asked[p.Customer] = true
		r := Result{Tenant: o.Tenant, Customer: p.Customer, Conversation: o.Conversation, Entry: reply}
		if err := s.repeated(ctx, "reply:"+reply, &r); err != nil || r.Repeated {
			return r, r.Repeated, err
		}
	}
	if own.Alone() {
		return Result{}, false, nil
	}
	// Of an erased owner the handle knows it, since before his stream tells nothing any more.
	now, err := s.Claims.Reload(ctx, o.Tenant, own.ID)
	if err == nil {
		err = begins(now, reply)
	}
	return Result{}, false, err
}

// startedError: the same order was carried out before.
type startedError struct{ Result }

func (e *startedError) Error() string { return "the same order was carried out before" }

// begins refuses an order that was carried out for somebody who was erased
// since: whoever has the handle now, it is not begun anew.
func begins(own claim.Owned, reply string) error { return erasedSince(own.Begins(reply)) }

func erasedSince(err error) error {
	if started, ok := errors.AsType[*handle.StartedError](err); ok {
		return &customer.ErasedError{Order: started.Order}
	}
	return err
}

// recipient finds or claims the handle to write to.
func (s *Service) recipient(ctx context.Context, o Order, in StartConversation, reply string, fresh bool) (claim.Owned, error) {
	if in.Handle != "" {
		if !subject.ValidToken(in.Handle) {
			return claim.Owned{}, &customer.NotFoundError{What: "handle", ID: in.Handle}
		}
		own, err := s.settle.Load(ctx, o.Tenant, in.Handle)
		if err != nil {
			return own, err
		}
		if err := begins(own, reply); err != nil {
			return own, err
		}
		if !own.Owned() {
			return own, &customer.NotFoundError{What: "handle", ID: in.Handle}
		}
		if own.Customer != in.Customer {
			return own, &customer.FieldError{Field: "handle_id", Problem: "does not belong to this customer now"}
		}
		if own.Scope == channel.ScopeUnverified {
			return own, &customer.FieldError{Field: "handle_id", Problem: "is a sender's whose address was refuted: write to the address itself"}
		}
		if own.Scope != "" && own.Scope != in.Inbox {
			return own, &customer.FieldError{Field: "inbox_id", Problem: "this address is known in another inbox only"}
		}
		return own, nil
	}
	if !subject.ValidToken(in.Kind) {
		return claim.Owned{}, &customer.FieldError{Field: "kind", Problem: "must name the kind of the address, as email or phone"}
	}
	if err := length("address", strings.TrimSpace(in.Address), 1, LimitAddress); err != nil {
		return claim.Owned{}, err
	}
	if strings.ContainsAny(in.Address, "\r\n\x00") || in.Kind == "email" && strings.Count(in.Address, "@") != 1 {
		return claim.Owned{}, &customer.FieldError{Field: "address", Problem: "is not an address of this kind"}
	}
	if local, _, _ := strings.Cut(strings.TrimSpace(in.Address), "@"); in.Kind == "email" && (local == "" || len(local) > limitLocal) {
		return claim.Owned{}, &customer.FieldError{Field: "address", Problem: fmt.Sprintf("must have 1 to %d bytes before the @, has %d", limitLocal, len(local))}
	}
	a := channel.Address{Kind: in.Kind, Address: strings.TrimSpace(in.Address)}
	if handleid.Scoped(in.Kind) {
		a.Scope = in.Inbox
	}
	own, err := s.settle.Claim(ctx, claim.Request{
		Tenant: o.Tenant, Address: a, Evidence: event.Evidence{Kind: "outbound", ID: reply},
		Actor: o.Actor, Trace: o.Trace, Fresh: fresh, Started: reply,
		Unless: func(ctx context.Context, own claim.Owned) error {
			r, ok, err := s.startedBefore(ctx, o, own, reply)
			if ok {
				err = &startedError{r}
			}
			return err
		},
	})
	return own, erasedSince(err)
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }
