package proof

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
	"github.com/weftline/weftline/services/internal/handleid"
)

// Request asks for a challenge.
type Request struct {
	Tenant   string
	Customer string // whose the address shall be shown to be …
	// … or the handle he speaks over, which may have no owner yet. The code is
	// then taken over that handle only.
	Via *channel.Address

	Handle  string // of the customer …
	Address channel.Address
	Inbox   string // to send by
	Method  string

	Actor string
	Key   string // idempotency: the same of one actor and customer is the same challenge; "" none
	Trace string
}

// Start sends a code or a link. It does and answers the same whether or not
// anybody owns the address. Errors: *customer.FieldError,
// *customer.NotFoundError, *LimitedError, and *OptedOutError for who asks for a
// customer. Somebody who asks over a handle (Via) is not told that the address has said
// STOP, as little as that it is known: he is answered as ever, and no code goes there.
func (s *Service) Start(ctx context.Context, q Request) (Status, error) {
	if q.Tenant == "" {
		q.Tenant = subject.DefaultTenant
	}
	if q.Method != MethodLink {
		q.Method = MethodCode
	}
	if q.Method == MethodLink && (q.Via != nil || s.PublicURL == "") {
		return Status{}, &customer.FieldError{Field: "link", Problem: "cannot be sent here"}
	}
	to, err := s.recipient(ctx, q)
	if err != nil {
		return Status{}, err
	}
	ch, err := s.Reach(q.Inbox, to.Kind)
	if err != nil {
		return Status{}, err
	}
	c := challenge{
		Tenant: q.Tenant, Customer: q.Customer, Handle: handleid.Of(s.Keys, to), Kind: to.Kind,
		Method: q.Method, Inbox: q.Inbox, Channel: ch, Actor: q.Actor, Trace: q.Trace,
		Tries: maxTries, Attempt: 1, State: Open, Keyed: true, id: newID(),
	}
	if c.Customer, c.Via, c.ViaTenure, err = s.asker(ctx, q, c.id); err != nil {
		return Status{}, err
	}
	if q.Key != "" {
		c.id = idPrefix + s.Keys.Hash("proof/id", q.Tenant, q.Actor, c.Customer, q.Key)
	}
	held, err := s.Handles.Load(ctx, q.Tenant, to)
	if err != nil {
		return Status{}, fmt.Errorf("load handle: %w", err)
	}
	c.Tenure = held.Tenure
	now := s.now()
	c.Created, c.Expires = micro(now), micro(now.Add(life(c.Method)))
	secret := newSecret(c.Method)
	c.Hash = s.hash(c.Tenant, c.id, c.Method, secret)
	clear := event.Address{Kind: to.Kind, Address: to.Address}
	done, err := s.find(ctx, c.id) // the same order once more
	if err == nil && done.Sent {
		return s.again(ctx, done)
	}
	if err := s.wanted(ctx, q, held); err != nil {
		if _, out := errors.AsType[*OptedOutError](err); !out || q.Via == nil {
			return Status{}, err
		}
		c.Mute = true
	}
	if err == nil {
		return s.again(ctx, done)
	}
	if c.Address, err = seal.JSON(ctx, s.Keys, Key(c.id), clear, addressAAD(c.id)); err != nil {
		return Status{}, err
	}
	older, err := s.enter(ctx, c)
	switch {
	case errors.Is(err, errThere):
		done, err := s.find(ctx, c.id)
		if err != nil {
			return Status{}, err
		}
		return s.again(ctx, done)
	case err != nil:
		return Status{}, errors.Join(err, s.Keys.Destroy(context.WithoutCancel(ctx), Key(c.id)))
	}
	if older != "" {
		s.void(ctx, older)
	}
	c.rev = 1
	return s.post(ctx, c, clear, secret)
}

func life(method string) time.Duration {
	if method == MethodLink {
		return lifeLink
	}
	return lifeCode
}

// void ends the challenge whose place a newer one took. It counts no more
// already, so trouble here is Sweep's.
func (s *Service) void(ctx context.Context, id string) {
	if _, err := s.end(ctx, id, Void); err != nil {
		s.Log.DebugContext(ctx, "older proof is left to be swept", "proof", id, "err", err)
	}
}

// recipient is the address to prove.
func (s *Service) recipient(ctx context.Context, q Request) (channel.Address, error) {
	if q.Handle != "" {
		if !subject.ValidToken(q.Handle) {
			return channel.Address{}, &customer.NotFoundError{What: "handle", ID: q.Handle}
		}
		own, a, err := s.Handles.Address(ctx, q.Tenant, q.Handle)
		if err != nil {
			return channel.Address{}, err
		}
		if own.Customer != q.Customer {
			return channel.Address{}, &customer.FieldError{Field: "handle_id", Problem: "does not belong to this customer now"}
		}
		// What is proven of a sender whose address was refuted is the address itself.
		q.Address = channel.Address{Kind: a.Kind, Address: a.Address}
	}
	a := channel.Address{Kind: q.Address.Kind, Address: strings.TrimSpace(q.Address.Address)}
	wrong := &customer.FieldError{Field: "address", Problem: "is not an address of this kind"}
	switch a.Kind {
	case "email":
		if m, err := mail.ParseAddress(a.Address); err != nil || m.Address != a.Address || len(a.Address) > 254 {
			return a, wrong
		}
	case "phone":
		if n := handleid.Normalise(a.Kind, a.Address); !strings.HasPrefix(n, "+") || len(n) > 16 {
			wrong.Problem = "must be an international number, beginning with +"
			return a, wrong
		}
	default:
		return a, &customer.FieldError{Field: "kind", Problem: "must be email or phone: to others nothing can be sent"}
	}
	return a, nil
}

// asker is the customer a challenge is for.
func (s *Service) asker(ctx context.Context, q Request, id string) (who, via string, tenure int64, err error) {
	if q.Via == nil {
		if !subject.ValidToken(q.Customer) {
			return "", "", 0, &customer.NotFoundError{What: "customer", ID: q.Customer}
		}
		st, err := s.Customers.Peek(ctx, q.Tenant, q.Customer)
		if err == nil && (!st.Exists || st.Erased != "") {
			err = &customer.NotFoundError{What: "customer", ID: q.Customer}
		}
		return q.Customer, "", 0, err
	}
	own, err := s.Handles.Claim(ctx, claim.Request{
		Tenant: q.Tenant, Address: *q.Via, Assurance: 2, Evidence: event.Evidence{Kind: "new", ID: id},
		Actor: q.Actor, Cause: id, Trace: q.Trace,
	})
	return own.Customer, own.ID, own.Tenure, err
}

// post hands the letter to the outbox.
func (s *Service) post(ctx context.Context, c challenge, to event.Address, secret string) (Status, error) {
	if !c.Mute && !s.Own(channel.Address{Kind: to.Kind, Address: to.Address}) {
		if err := s.Outbox.Publish(ctx, Key(c.id), s.letter(c, to, secret)); err != nil {
			return Status{}, fmt.Errorf("send a proof: %w", err)
		}
	}
	c, _, err := s.change(ctx, c.id, func(c *challenge) bool {
		was := c.Sent
		c.Sent = true
		return !was
	})
	return s.status(c), err
}

// maxAttempts bounds how often one order can send, should its answer get lost each time.
const maxAttempts = 3

// again answers an order that was given before. If its letter may not have gone
// out, another goes, with another secret: the first is in no store.
func (s *Service) again(ctx context.Context, c challenge) (Status, error) {
	if c.Sent || c.State != Open || c.Attempt >= maxAttempts || micro(s.now()) >= c.Expires {
		return s.status(c), nil
	}
	to, err := s.address(ctx, c)
	if err != nil {
		return Status{}, err
	}
	secret := newSecret(c.Method)
	attempt := c.Attempt + 1
	c, mine, err := s.change(ctx, c.id, func(c *challenge) bool {
		if c.Sent || c.State != Open || c.Attempt >= attempt {
			return false
		}
		c.Attempt, c.Hash = attempt, s.hash(c.Tenant, c.id, c.Method, secret)
		return true
	})
	if err != nil || !mine {
		return s.status(c), err
	}
	return s.post(ctx, c, to, secret)
}
