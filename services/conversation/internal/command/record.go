package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/visible"
)

// Limits of business events.
const (
	LimitTitle   = 200   // characters
	LimitLink    = 2_000 // characters
	LimitPayload = 16 << 10
	LimitEventID = 200 // characters
	LimitSource  = 64  // characters
	// LimitAhead is how far in the future an event may have happened: clocks differ.
	LimitAhead = 24 * time.Hour
)

// RecordEvent is something that happened in the business. The order's Key is
// the source's own id of it: with Source it names the event for ever.
type RecordEvent struct {
	Order // Customer, or an address that somebody owns; Conversation is ignored

	Kind, Address string
	Inbox         string // of an address that means something there only

	Type       string
	Title      string
	Link       string // http or https; may be empty
	Payload    json.RawMessage
	OccurredAt time.Time // zero: now
	Source     string
}

// RecordEvent puts it on the customer's timeline, once for ever: the same
// source and id are the same event, whoever it is about. The entry is the event's id.
func (s *Service) RecordEvent(ctx context.Context, in RecordEvent) (Result, error) {
	o := in.Order
	if o.Tenant == "" {
		o.Tenant = subject.DefaultTenant
	}
	at, err := s.checkEvent(&in)
	if err != nil {
		return Result{}, err
	}
	id := s.EventID(o.Tenant, in.Source, o.Key)
	done, err := s.recording.Begin(ctx, id)
	if err != nil {
		return Result{}, err
	}
	defer done()
	if o.Customer, err = s.about(ctx, o, in, id); err != nil {
		return Result{}, err
	}
	o.Conversation = ""
	body := event.EventBody{Title: in.Title, Link: in.Link, Source: in.Source, Payload: in.Payload}
	r, err := s.run(ctx, o, step{
		entry: id,
		cmd: func(recalledTo uint64) customer.Command {
			return customer.Record{Event: id, Kind: in.Type, OccurredAt: at, RecalledTo: recalledTo}
		},
		fill: func(ctx context.Context, _ customer.State, es []event.Event) error {
			e := es[0].(event.EventRecorded)
			key := event.CustomerKey(o.Customer)
			if err := s.Keys.Ensure(ctx, key); err != nil {
				return fmt.Errorf("key of a customer: %w", err)
			}
			var err error
			e.Body, err = seal.JSON(ctx, s.Keys, key, body, event.EventAAD(id))
			es[0] = e
			return err
		},
	})
	if err == nil && r.Commit.Seq > 0 && !r.Repeated {
		// Whoever comes with the same event for somebody else must find it.
		wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if err := s.Timeline.WaitFor(wait, r.Commit.Partition, r.Commit.Seq); err != nil {
			s.Log.DebugContext(ctx, "an event was answered before it was projected", "err", err)
		}
	}
	return r, err
}

// EventID is the id of a business event: a keyed hash, unique in the tenant.
func (s *Service) EventID(tenant, source, id string) string {
	return s.Keys.Hash("event", tenant, source, id)
}

// about is the customer an event is recorded of: whose it is already, else the
// one named, else the owner of the address.
func (s *Service) about(ctx context.Context, o Order, in RecordEvent, id string) (string, error) {
	if c, ok, err := s.Lookup.EventOf(ctx, o.Tenant, id); err != nil || ok {
		return c, err
	}
	if o.Customer != "" {
		if !subject.ValidToken(o.Customer) {
			return "", &customer.NotFoundError{What: "customer", ID: o.Customer}
		}
		return o.Customer, nil
	}
	a := channel.Address{Kind: in.Kind, Address: strings.TrimSpace(in.Address)}
	if handleid.Scoped(in.Kind) {
		a.Scope = in.Inbox
	}
	own, err := s.Claims.Find(ctx, o.Tenant, a)
	if err != nil {
		return "", err
	}
	if !own.Owned() {
		return "", &customer.NotFoundError{What: "customer", ID: own.ID}
	}
	return own.Customer, nil
}

// checkEvent checks and completes what the caller gave, and says when it happened.
func (s *Service) checkEvent(in *RecordEvent) (time.Time, error) {
	if in.Customer == "" {
		if !subject.ValidToken(in.Kind) {
			return time.Time{}, &customer.FieldError{Field: "kind", Problem: "must name the kind of the address, as email or phone; or give customer_id"}
		}
		if err := length("address", strings.TrimSpace(in.Address), 1, LimitAddress); err != nil {
			return time.Time{}, err
		}
	}
	if err := customer.CheckKind(in.Type); err != nil {
		return time.Time{}, err
	}
	if err := length("event_id", in.Key, 1, LimitEventID); err != nil {
		return time.Time{}, err
	}
	if err := length("source", in.Source, 0, LimitSource); err != nil {
		return time.Time{}, err
	}
	if err := CheckEventBody(in.Title, in.Link, &in.Payload); err != nil {
		return time.Time{}, err
	}
	now := s.now()
	at := in.OccurredAt.UTC().Truncate(time.Microsecond)
	switch {
	case in.OccurredAt.IsZero():
		return now, nil
	case at.Before(time.Unix(0, 0)):
		return at, &customer.FieldError{Field: "occurred_at", Problem: "must not be before 1970"}
	case at.After(now.Add(LimitAhead)):
		return at, &customer.FieldError{Field: "occurred_at", Problem: "must be at most 24 hours ahead"}
	}
	return at, nil
}

// CheckEventBody checks what a business event shows, and makes its payload compact.
func CheckEventBody(title, link string, payload *json.RawMessage) error {
	if err := length("title", title, 1, LimitTitle); err != nil {
		return err
	}
	if problem := visible.Line(title); problem != "" {
		return &customer.FieldError{Field: "title", Problem: problem}
	}
	if link != "" {
		if err := length("link", link, 1, LimitLink); err != nil {
			return err
		}
		u, err := url.Parse(link)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return &customer.FieldError{Field: "link", Problem: "must be an http or https address"}
		}
	}
	if len(*payload) == 0 {
		*payload = nil
		return nil
	}
	var object map[string]any
	if err := json.Unmarshal(*payload, &object); err != nil || object == nil {
		return &customer.FieldError{Field: "payload", Problem: "must be a JSON object"}
	}
	var b bytes.Buffer
	if err := json.Compact(&b, *payload); err != nil {
		return errors.Join(&customer.FieldError{Field: "payload", Problem: "must be a JSON object"}, err)
	}
	if b.Len() > LimitPayload {
		return &customer.FieldError{Field: "payload", Problem: fmt.Sprintf("must have at most %d bytes as JSON, has %d", LimitPayload, b.Len())}
	}
	*payload = b.Bytes()
	return nil
}
