package erasure

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/estate"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/crypt"
)

// MaxMembers is how many customers one order may name.
const MaxMembers = 50

// Preview is what an erasure would do, as it stands now.
type Preview struct {
	Token    string // what Erase wants to see
	Members  []Member
	Warnings []Warning
	Refused  string // why it would be refused; "" when it would not
}

// Member is one customer of the persons asked for.
type Member struct {
	Customer                              string
	Handles                               []*estate.Handle // his now
	Erased                                bool
	Holds                                 []string
	Messages, Replies, Notes, Attachments int64
}

// Warning tells the approver what he may not expect.
type Warning struct{ Code, Text string }

// StaleError: what the approver saw is not what is there now.
type StaleError struct{ Changes []string }

func (e *StaleError) Error() string { return "the preview is stale: " + strings.Join(e.Changes, "; ") }

// seen is what a token says that somebody saw. Ids only.
type seen struct {
	Asked   []string          `json:"a"`
	Members map[string]string `json:"m"` // customer → handles with tenures, holds, erased
}

const purposeToken = "erasure/preview"

// Preview shows the members of the persons that customers belong to.
func (s *Service) Preview(ctx context.Context, customers []string) (*Preview, error) {
	if err := checkMembers(customers); err != nil {
		return nil, err
	}
	p := &Preview{}
	what := seen{Asked: slices.Sorted(slices.Values(customers)), Members: map[string]string{}}
	for _, id := range s.members(customers) {
		m, warnings, err := s.member(ctx, id)
		if err != nil {
			return nil, err
		}
		p.Members = append(p.Members, m)
		p.Warnings = append(p.Warnings, warnings...)
		what.Members[id] = m.fingerprint()
		if len(m.Holds) > 0 {
			p.Refused = "a legal hold forbids it"
			p.Warnings = append([]Warning{{"hold", fmt.Sprintf("customer %s is under a legal hold (%d in force)", id, len(m.Holds))}}, p.Warnings...)
		}
	}
	var err error
	p.Token, err = s.seal(what)
	return p, err
}

func checkMembers(customers []string) error {
	if len(customers) == 0 || len(customers) > MaxMembers {
		return &customer.FieldError{Field: "customer_ids", Problem: fmt.Sprintf("must be 1 to %d", MaxMembers)}
	}
	for i, id := range customers {
		if !subject.ValidToken(id) {
			return &customer.FieldError{Field: fmt.Sprintf("customer_ids[%d]", i), Problem: "is not a customer's id"}
		}
	}
	return nil
}

// members are the persons' customers, each once, oldest first.
func (s *Service) members(customers []string) []string {
	all := map[string]bool{}
	for _, c := range customers {
		all[c] = true
		if s.Persons != nil {
			for _, m := range s.Persons.Members(c) {
				all[m] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func (s *Service) member(ctx context.Context, id string) (Member, []Warning, error) {
	m := Member{Customer: id}
	state, err := s.Customers.Load(ctx, s.Tenant, id)
	if err != nil {
		return m, nil, err
	}
	owned, err := s.owned(ctx, id)
	if err != nil {
		return m, nil, err
	}
	if !state.Exists && state.Erased == "" && len(owned) == 0 {
		return m, nil, &customer.NotFoundError{What: "customer", ID: id}
	}
	m.Erased, m.Holds = state.Erased != "", state.Holds
	est, err := s.streams.Of(ctx, id, owned...)
	if err != nil {
		return m, nil, err
	}
	var warnings []Warning
	for _, h := range est.Handles {
		if h.Last().Customer != id {
			continue
		}
		m.Handles = append(m.Handles, h)
		warnings = append(warnings, handleWarnings(h)...)
	}
	if len(est.Foreign) > 0 {
		warnings = append(warnings, Warning{"others_units", fmt.Sprintf(
			"%d parts of conversations stored with customer %s belong to others: they stay", len(est.Foreign), id)})
	}
	if len(est.Homes) > 1 {
		warnings = append(warnings, Warning{"moved_units", fmt.Sprintf(
			"%d other customers' timelines hold parts that belong to customer %s: they become unreadable there", len(est.Homes)-1, id)})
	}
	err = s.streams.Walk(ctx, est, func(it estate.Item) error {
		switch v := it.Event.(type) {
		case event.MessageReceived:
			m.Messages++
			return s.countFiles(ctx, &m, v.Body, event.MessageAAD(v.Message))
		case event.MessageChanged:
			return s.countFiles(ctx, &m, v.Body, event.ChangeAAD(v.Change))
		case event.ReplyRequested:
			m.Replies++
			return s.countFiles(ctx, &m, v.Body, event.ReplyAAD(v.Reply))
		case event.NoteAdded:
			m.Notes++
		}
		return nil
	})
	return m, warnings, err
}

func handleWarnings(h *estate.Handle) []Warning {
	var out []Warning
	claim := h.Claims[h.Last().Number]
	if ev := claim.Evidence; ev.Handle != "" && ev.Handle != h.ID {
		out = append(out, Warning{"claimed_through", fmt.Sprintf(
			"handle %s is believed to be his because of handle %s (%s): if that was wrong, somebody else's messages are erased", h.ID, ev.Handle, ev.Kind)})
	}
	switch h.Qualifier {
	case "shared", "role":
		out = append(out, Warning{h.Qualifier + "_handle", fmt.Sprintf("handle %s is used by several people", h.ID)})
	}
	if h.Assurance < 2 && claim.Evidence.Kind != "new" {
		out = append(out, Warning{"low_assurance", fmt.Sprintf("handle %s was never proven to be his", h.ID)})
	}
	return out
}

func (s *Service) countFiles(ctx context.Context, m *Member, body crypt.Sealed, aad []byte) error {
	plain, err := s.Keys.Open(ctx, body, aad)
	if errors.Is(err, crypt.ErrShredded) || errors.Is(err, crypt.ErrForged) {
		return nil
	}
	if err != nil {
		return err
	}
	var c channel.Content
	if json.Unmarshal(plain, &c) == nil {
		m.Attachments += int64(len(c.Attachments))
	}
	return nil
}

// fingerprint is what must not change between looking and approving. New
// messages may come: who is erased does not depend on them.
func (m Member) fingerprint() string {
	var f []string
	for _, h := range m.Handles {
		f = append(f, h.ID+"/"+strconv.FormatInt(h.Last().Number, 10))
	}
	slices.Sort(f)
	return strings.Join(f, ",") + "|" + strings.Join(m.Holds, ",") + "|" + strconv.FormatBool(m.Erased)
}

func (s *Service) seal(v seen) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b) + "." + base64.RawURLEncoding.EncodeToString(s.Keys.MAC(purposeToken, b)), nil
}

func (s *Service) open64(token string) (seen, bool) {
	var v seen
	body, mac, ok := strings.Cut(token, ".")
	if !ok || len(token) > 1<<20 {
		return v, false
	}
	b, err1 := base64.RawURLEncoding.Strict().DecodeString(body)
	m, err2 := base64.RawURLEncoding.Strict().DecodeString(mac)
	if err1 != nil || err2 != nil || !s.Keys.VerifyMAC(purposeToken, b, m) {
		return v, false
	}
	return v, json.Unmarshal(b, &v) == nil
}

// Order erases exactly the customers named. The same key of the same actor is the same order.
type Order struct {
	Customers []string
	Token     string
	Actor     string
	Key       string // idempotency
	Reason    string // told to the audit log, sealed under the keys of all Customers: it goes with them
	Reference string // told to the audit log, and stays; an id of the orderer's own
}

// Erase begins an erasure. *StaleError when what the approver saw has changed,
// *customer.HeldError when a hold forbids it.
func (s *Service) Erase(ctx context.Context, o Order) (*Erasure, error) {
	if err := checkMembers(o.Customers); err != nil {
		return nil, err
	}
	id := s.Keys.Hash("erasure", s.Tenant, o.Actor, o.Key)
	if e, err := s.Get(ctx, id); err == nil || !errors.Is(err, ErrNotFound) {
		return e, err
	}
	saw, ok := s.open64(o.Token)
	if !ok {
		return nil, &customer.FieldError{Field: "token", Problem: "is not one of PreviewErasure"}
	}
	for i, c := range o.Customers {
		if _, shown := saw.Members[c]; !shown {
			return nil, &customer.FieldError{Field: fmt.Sprintf("customer_ids[%d]", i), Problem: "was not in the preview"}
		}
	}
	now, err := s.Preview(ctx, saw.Asked)
	if err != nil {
		return nil, err
	}
	if changes := differences(saw, now); len(changes) > 0 {
		return nil, &StaleError{Changes: changes}
	}
	e := &Erasure{
		ID: id, Customers: slices.Compact(slices.Sorted(slices.Values(o.Customers))), State: Requested, Actor: o.Actor, RequestedAt: s.Now().UTC(),
	}
	for _, m := range now.Members {
		if !slices.Contains(e.Customers, m.Customer) {
			continue
		}
		if len(m.Holds) > 0 {
			return nil, &customer.HeldError{Customer: m.Customer, Holds: m.Holds}
		}
		if m.Erased {
			return nil, &customer.ErasedError{Customer: m.Customer}
		}
	}
	if s.Audit != nil { // who ordered it is known before anything is gone
		r := Record{Actor: o.Actor, Action: audit.EraseOrdered, Object: id, Why: o.Reason}
		if o.Reference != "" {
			r.IDs = map[string]string{"reference": o.Reference}
		}
		for _, c := range e.Customers {
			r.WhyKeys = append(r.WhyKeys, event.CustomerKey(c))
		}
		for _, c := range e.Customers {
			r.Customer = c
			if err := s.Audit.Record(ctx, r); err != nil {
				return nil, err
			}
		}
	}
	s.note(e.Customers...)
	if err := s.put(ctx, e); err != nil {
		return nil, err
	}
	s.Step(Requested)
	s.nudge()
	return e, nil
}

func differences(saw seen, now *Preview) (changes []string) {
	there := map[string]string{}
	for _, m := range now.Members {
		there[m.Customer] = m.fingerprint()
		switch before, ok := saw.Members[m.Customer]; {
		case !ok:
			changes = append(changes, "customer "+m.Customer+" belongs to the person now")
		case before != m.fingerprint():
			changes = append(changes, "handles or holds of customer "+m.Customer+" changed")
		}
	}
	for c := range maps.Keys(saw.Members) {
		if _, ok := there[c]; !ok {
			changes = append(changes, "customer "+c+" belongs to the person no more")
		}
	}
	slices.Sort(changes)
	return changes
}

// Held tells the audit log of a hold that was placed or lifted.
func (s *Service) Held(ctx context.Context, action, actor, customer, hold string) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit.Record(ctx, Record{Actor: actor, Action: action, Customer: customer, Object: hold})
}
