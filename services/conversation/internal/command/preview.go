package command

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/tenure"
	"github.com/weftline/weftline/services/internal/crypt"
)

// MovePreview is what a move of a handle would do, as things are now.
type MovePreview struct {
	Token      string // what MoveHandle wants to see
	From       string
	Moving     []Moving
	Dependents []Dependent
	Refused    error // why it would be refused; nil when it would not
}

// Moving is a conversation of which messages go along.
type Moving struct {
	Conversation string
	Subject      string
	Messages     int
	Whole        bool // nothing of it stays with the present owner
	OpenedAt     time.Time
	sealed       crypt.Sealed
	units        []string
}

// Dependent is a handle that was claimed by a proof through the one that moves.
// It stays unless the order names it.
type Dependent struct {
	claim.Owned
	Claimed time.Time
}

// PreviewMove shows what leaves with a handle. validFrom zero means now, to
// empty a new customer. It reads the streams of all who had the handle.
func (s *Service) PreviewMove(ctx context.Context, tenant, handleID, to string, validFrom time.Time) (MovePreview, error) {
	if tenant == "" {
		tenant = subject.DefaultTenant
	}
	own, err := s.movable(ctx, tenant, handleID)
	if err != nil {
		return MovePreview{}, err
	}
	return s.preview(ctx, tenant, own, to, validFrom)
}

// movable is a handle that somebody living owns, with nothing left to settle.
func (s *Service) movable(ctx context.Context, tenant, id string) (claim.Owned, error) {
	if !subject.ValidToken(id) {
		return claim.Owned{}, &customer.NotFoundError{What: "handle", ID: id}
	}
	own, err := s.settle.Load(ctx, tenant, id)
	if err == nil && !own.Owned() {
		err = &customer.NotFoundError{What: "handle", ID: id}
	}
	return own, err
}

func (s *Service) preview(ctx context.Context, tenant string, own claim.Owned, to string, validFrom time.Time) (p MovePreview, err error) {
	p.From = own.Customer
	when := "now"
	at := s.now()
	if !validFrom.IsZero() {
		at, when = validFrom, strconv.FormatInt(validFrom.UnixMicro(), 10)
	}
	p.Refused = s.refuse(ctx, tenant, own, to, at)
	if p.Moving, err = s.moving(ctx, tenant, own, at); err != nil {
		return p, err
	}
	if p.Dependents, err = s.dependents(ctx, tenant, own); err != nil {
		return p, err
	}
	var units, depend []string
	for _, m := range p.Moving {
		units = append(units, m.units...)
		units = append(units, strconv.Itoa(m.Messages))
	}
	for _, d := range p.Dependents {
		depend = append(depend, d.ID)
	}
	p.Token = strings.Join([]string{
		s.Keys.Hash("preview/owner", tenant, own.ID, own.Customer, strconv.FormatInt(own.Tenure, 10)),
		s.Keys.Hash("preview/order", tenant, to, when),
		s.Keys.Hash("preview/units", units...),
		s.Keys.Hash("preview/dependents", depend...),
	}, ".")
	return p, nil
}

// PreviewStaleError: what was shown is not what is. Look again.
type PreviewStaleError struct{ Changes []string }

func (e *PreviewStaleError) Error() string {
	return "the preview is stale: " + strings.Join(e.Changes, "; ")
}

// fresh compares a token with the one of now.
func (p MovePreview) fresh(token string) error {
	was, is := strings.Split(token, "."), strings.Split(p.Token, ".")
	if len(was) != len(is) {
		return &customer.FieldError{Field: "token", Problem: "must be the one of a preview"}
	}
	var changes []string
	for i, change := range []string{
		"the handle belongs to another customer now", "another move was previewed",
		"other messages would go along now", "other handles were claimed through this one",
	} {
		if was[i] != is[i] {
			changes = append(changes, change)
		}
	}
	if len(changes) > 0 {
		return &PreviewStaleError{Changes: changes}
	}
	return nil
}

// moving counts what would go along: in the streams of all who had the handle
// since it was last claimed, since what they were told may be the present owner's.
func (s *Service) moving(ctx context.Context, tenant string, own claim.Owned, at time.Time) ([]Moving, error) {
	const nobody = "\x00" // owns it after the move
	after := append(slices.Clone(own.Periods), tenure.Period{
		Number: own.Tenure + 1, Customer: nobody, ValidFrom: at, MoveID: "preview",
	})
	var out []Moving
	asked := map[string]bool{"": true}
	for _, p := range own.Periods {
		if asked[p.Customer] {
			continue
		}
		asked[p.Customer] = true
		found, err := s.leaving(ctx, tenant, p.Customer, func(u string, number int64, opened time.Time) bool {
			owner, _ := after.Owner(number, opened)
			return owner == nobody
		}, own.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	for i := range out {
		if len(out[i].sealed.Box) == 0 {
			continue
		}
		if text, err := s.Keys.Open(ctx, out[i].sealed, event.SubjectAAD(out[i].Conversation)); err == nil {
			out[i].Subject = string(text)
		}
	}
	return out, nil
}

// leaving finds the conversations in one customer's stream of which units go.
func (s *Service) leaving(ctx context.Context, tenant, id string, goes func(unit string, tenure int64, opened time.Time) bool, handle string) ([]Moving, error) {
	byConversation := map[string]*Moving{}
	stays := map[string]bool{} // conversations of which something stays
	leaves := map[string]bool{}
	var order []string
	said := func(conversation, unit, by string, number int64, opened *time.Time) {
		if opened != nil {
			leaves[unit] = by == handle && goes(unit, number, *opened)
		}
		m := byConversation[conversation]
		if m == nil {
			m = &Moving{Conversation: conversation}
			byConversation[conversation] = m
			order = append(order, conversation)
		}
		if !leaves[unit] {
			stays[conversation] = true
			return
		}
		m.Messages++
		if opened != nil {
			m.units = append(m.units, unit)
			if m.OpenedAt.IsZero() || opened.Before(m.OpenedAt) {
				m.OpenedAt = *opened
			}
		}
	}
	subjects := map[string]crypt.Sealed{}
	for c, err := range s.Customers.History(ctx, tenant, id) {
		if err != nil {
			return nil, err
		}
		events, err := codec.Decode(c)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			switch e := e.(type) {
			case event.ConversationOpened:
				subjects[e.Conversation] = e.Subject
			case event.MessageReceived:
				said(e.Conversation, e.Unit, e.Handle, e.Tenure, e.UnitOpened)
			case event.ReplyRequested:
				said(e.Conversation, e.Unit, e.Handle, e.Tenure, e.UnitOpened)
			}
		}
	}
	var out []Moving
	for _, conversation := range order {
		if m := byConversation[conversation]; m.Messages > 0 {
			m.sealed, m.Whole = subjects[conversation], !stays[conversation]
			out = append(out, *m)
		}
	}
	return out, nil
}

// dependents are the owner's other handles whose claim rests on this one.
func (s *Service) dependents(ctx context.Context, tenant string, own claim.Owned) ([]Dependent, error) {
	st, err := s.Customers.Load(ctx, tenant, own.Customer)
	if err != nil {
		return nil, err
	}
	var out []Dependent
	for _, h := range st.Handles {
		if h.ID == own.ID || h.Tenure == 0 {
			continue
		}
		o, err := s.Claims.Reload(ctx, tenant, h.ID)
		if err != nil {
			return nil, err
		}
		if o.Customer != own.Customer || o.Evidence.Handle != own.ID {
			continue
		}
		d := Dependent{Owned: o}
		for _, p := range o.Periods { // the claim its evidence is of
			if p.MoveID == "" && p.Customer != "" {
				d.Claimed = p.At
			}
		}
		out = append(out, d)
	}
	return out, nil
}

// refuse says why a move would be refused, by what is known before it is tried.
func (s *Service) refuse(ctx context.Context, tenant string, own claim.Owned, to string, at time.Time) error {
	if to != "" {
		if !subject.ValidToken(to) {
			return &customer.NotFoundError{What: "customer", ID: to}
		}
		st, err := s.Customers.Load(ctx, tenant, to)
		switch {
		case err != nil:
			return fmt.Errorf("load the customer to move to: %w", err)
		case st.Erased != "":
			return &customer.FieldError{Field: "to", Problem: "was erased"}
		case !st.Exists:
			return &customer.NotFoundError{What: "customer", ID: to}
		case to == own.Customer:
			return &customer.FieldError{Field: "to", Problem: "owns the handle already"}
		}
	}
	if at.After(s.now()) {
		return &customer.FieldError{Field: "valid_from", Problem: "must not be in the future"}
	}
	if own.MoveID != "" && at.Before(own.ValidFrom) {
		return &customer.FieldError{Field: "valid_from", Problem: "must not be before the present tenure began (" + own.ValidFrom.Format(time.RFC3339) + ")"}
	}
	return nil
}
