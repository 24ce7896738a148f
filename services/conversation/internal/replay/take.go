package replay

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/conversation/history"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/internal/handleid"
)

// take notes a record; after is called when all are noted.
func (r *run) take(ctx context.Context, rec history.Record, at place, seen map[[16]byte]int) (after func(), err error) {
	p := &r.plan
	once := func(parts ...string) error {
		h := sha256.New()
		for _, s := range parts {
			fmt.Fprintf(h, "%d:%s", len(s), s)
		}
		k := [16]byte(h.Sum(nil))
		if n, ok := seen[k]; ok {
			return fmt.Errorf("id: %.80q is on line %d already", parts[len(parts)-1], n)
		}
		seen[k] = at.line
		return nil
	}
	origin := rec.OriginOf()
	refer := func(fn func() error) func() {
		return func() {
			if err := fn(); err != nil {
				r.bad(at.line, origin, err)
			}
		}
	}
	switch {
	case rec.Customer != nil:
		if err := once("customer", rec.Customer.ID); err != nil {
			return nil, err
		}
		who := &person{rec: rec.Customer, line: at.line, derived: oldest(r.Keys.Hash("import/customer", r.cfg.Tenant, p.header.Source, rec.Customer.ID))}
		logins := map[string]bool{}
		for i, h := range rec.Customer.Handles {
			if h.Assurance == 4 && logins[h.Inbox] {
				return nil, fmt.Errorf("handles.%d.assurance: two logins of level 4 are never one customer", i)
			}
			logins[h.Inbox] = logins[h.Inbox] || h.Assurance == 4
			if h.Kind == "phone" && handleid.National(h.Address) {
				who.waiting = append(who.waiting, waiting{i, h})
				who.ends = append(who.ends, nil) // phones fills it in
				continue
			}
			who.ends = append(who.ends, r.end(h, who))
		}
		who.rec.Handles = nil
		who.first = who.rec.CreatedAt
		p.people[rec.Customer.ID] = who
		p.order = append(p.order, who)
		r.report.Customers++
	case rec.Conversation != nil:
		c := rec.Conversation
		if err := once("conversation", c.ID); err != nil {
			return nil, err
		}
		t := &talk{rec: c, line: at.line, id: r.Keys.Hash("import/conversation", r.cfg.Tenant, p.header.Source, c.ID)}
		p.talks[c.ID] = t
		p.byOrder = append(p.byOrder, t)
	case rec.Message != nil:
		if err := once("message", rec.Message.ID); err != nil {
			return nil, err
		}
		m := *rec.Message
		m.Text, m.Quoted, m.HTML, m.Attachments, m.To, m.CC, m.References = "", "", "", nil, nil, nil, nil
		return refer(func() error { return r.takeMessage(ctx, &m, at) }), nil
	case rec.Note != nil:
		if err := once("note", rec.Note.ID); err != nil {
			return nil, err
		}
		n := *rec.Note
		n.Text = ""
		return refer(func() error {
			t, err := r.talk(n.Conversation)
			if err != nil {
				return err
			}
			p.items = append(p.items, item{
				place: at, kind: kindNote, at: micro(n.At), talk: t, who: t.of,
				id: r.Keys.Hash("import/note", r.cfg.Tenant, p.header.Source, n.ID),
			})
			r.mention(ctx, n.Author)
			r.report.Notes++
			return nil
		}), nil
	case rec.Event != nil:
		e := *rec.Event
		if e.Source == "" {
			e.Source = p.header.Source
		}
		if err := first(customer.CheckKind(e.Kind), command.CheckEventBody(e.Title, e.Link, &e.Payload), once("event", e.Source, e.ID)); err != nil {
			return nil, err
		}
		e.Payload, e.Title, e.Link = nil, "", ""
		return refer(func() error {
			who, ok := p.people[e.Customer]
			if !ok {
				return fmt.Errorf("customer: %.80q is not in the file, or was refused", e.Customer)
			}
			p.items = append(p.items, item{place: at, kind: kindEvent, at: micro(e.At), who: who, id: r.EventID(r.cfg.Tenant, e.Source, e.ID)})
			r.report.Events++
			return nil
		}), nil
	case rec.Link != nil:
		l := rec.Link
		return refer(func() error {
			a, ok := p.people[l.Customers[0]]
			b, ok2 := p.people[l.Customers[1]]
			if !ok || !ok2 {
				return errors.New("customers: one is not in the file, or was refused")
			}
			p.links = append(p.links, link{line: at.line, origin: origin, a: a, b: b, at: l.At})
			r.report.Links++
			return nil
		}), nil
	}
	return nil, nil
}

func (r *run) takeMessage(ctx context.Context, m *history.Message, at place) error {
	p := &r.plan
	t, err := r.talk(m.Conversation)
	if err != nil {
		return err
	}
	who := t.of
	if m.Customer != "" {
		var ok bool
		if who, ok = p.people[m.Customer]; !ok {
			return fmt.Errorf("customer: %.80q is not in the file, or was refused", m.Customer)
		}
	}
	var e *end
	if m.Handle != nil {
		h, err := phone(*m.Handle, r.region(t.rec))
		if err != nil {
			return fmt.Errorf("handle.%w", err)
		}
		e = r.end(h, who)
	} else {
		e = r.fitting(who, t.rec.Channel)
	}
	it := item{place: at, kind: kindMessage, at: micro(m.At), talk: t, who: who, end: e}
	switch {
	case m.Direction == history.Out:
		it.kind = kindReply
		it.id = r.Keys.Hash("import/reply", r.cfg.Tenant, p.header.Source, m.ID)
	case m.ProviderID != "":
		it.id = r.Keys.Hash("message", r.cfg.Tenant, t.rec.Channel, t.rec.Inbox, m.ProviderID)
		it.same = true
	default:
		it.id = r.Keys.Hash("import/message", r.cfg.Tenant, p.header.Source, m.ID)
	}
	r.mention(ctx, m.Author)
	p.items = append(p.items, it)
	r.report.Messages++
	return nil
}
