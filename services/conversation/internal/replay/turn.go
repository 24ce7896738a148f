package replay

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weftline/weftline/services/conversation/history"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
)

// turn is one item on its way into a stream.
type turn struct {
	item
	commit  string
	actor   string
	command func(*stream) customer.Command
	// keys are those its bodies are sealed under; fill seals them.
	fill func(ctx context.Context, events []event.Event) error
	size int
}

// decided is a turn and the commit it leads to, bodies not sealed yet.
type decided struct {
	turn
	event.Commit
}

// seal makes the keys of all commits in one go, then seals.
func (r *run) seal(ctx context.Context, id string, all []decided) error {
	keys := map[string]bool{}
	for _, d := range all {
		for _, e := range d.Events {
			switch e := e.(type) {
			case event.MessageReceived:
				keys[e.Unit] = true
			case event.ReplyRequested:
				keys[e.Unit] = true
			case event.NoteAdded, event.AttributeSet, event.EventRecorded:
				keys[event.CustomerKey(id)] = true
			}
		}
	}
	if err := r.Keys.Ensure(ctx, slices.Sorted(maps.Keys(keys))...); err != nil {
		return fmt.Errorf("keys of an import: %w", err)
	}
	for _, d := range all {
		if d.fill == nil {
			continue
		}
		if err := d.fill(ctx, d.Events); err != nil {
			return fmt.Errorf("line %d: %w", d.line, err)
		}
	}
	return nil
}

// turn reads an item's line again and makes a turn of it.
func (r *run) turn(ctx context.Context, whose string, it item) (turn, error) {
	t := turn{item: it, actor: actorImport, size: it.n}
	switch it.kind {
	case kindBring:
		return r.bring(whose, t), nil
	case kindStanding:
		return r.standing(ctx, t), nil
	}
	line := make([]byte, it.n)
	if _, err := r.file.ReadAt(line, it.off); err != nil {
		return t, fmt.Errorf("line %d: read again: %w", it.line, err)
	}
	rec, err := history.Parse(line)
	if err != nil {
		return t, fmt.Errorf("line %d: read again: %w", it.line, err)
	}
	if m := rec.Message; m != nil { // the ids of e-mail are kept without their brackets
		m.MessageID = strings.Trim(m.MessageID, "<> ")
		for i, id := range m.References {
			m.References[i] = strings.Trim(id, "<> ")
		}
	}
	switch it.kind {
	case kindMessage:
		return r.message(t, rec.Message), nil
	case kindReply:
		return r.reply(ctx, t, rec.Message), nil
	case kindNote:
		return r.note(ctx, whose, t, rec.Note), nil
	}
	return r.event(whose, t, rec.Event), nil
}

// bring makes the customer, or adds to an existing one what he has not.
func (r *run) bring(whose string, t turn) turn {
	who := t.who
	values := map[string]string{}
	for name, v := range who.rec.Attributes {
		values[name] = v
	}
	if _, given := values["name"]; !given && who.rec.Name != "" && who.target == who.derived {
		values["name"] = who.rec.Name
	}
	names := slices.Sorted(maps.Keys(values))
	var handles []customer.Attach
	parts := []string{r.cfg.Tenant, who.derived}
	for _, e := range who.ends {
		if e.own.Customer == whose {
			handles = append(handles, e.own.Attach())
			parts = append(parts, e.id)
		}
	}
	for _, n := range names {
		parts = append(parts, n, values[n])
	}
	t.commit = "import:" + r.Keys.Hash("import/bring", parts...)
	t.command = func(s *stream) customer.Command {
		unset := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return s.set[n] })
		return customer.Bring{ID: t.commit, Handles: handles, Attributes: unset}
	}
	t.fill = func(ctx context.Context, es []event.Event) (err error) {
		for i, e := range es {
			a, ok := e.(event.AttributeSet)
			if !ok {
				continue
			}
			if a.Value, err = seal.Text(ctx, r.Keys, event.CustomerKey(whose), values[a.Name], event.AttributeAAD(whose, a.Name)); err != nil {
				return err
			}
			es[i] = a
		}
		return nil
	}
	return t
}

// standing brings a conversation to how it stood at the end of the file. The
// same standing is one commit for ever; another one, of a later file, is another.
func (r *run) standing(ctx context.Context, t turn) turn {
	c := t.talk.rec
	status, until := customer.Status(c.Status), micro(c.SnoozedUntil)
	if status == "" {
		status = customer.Closed
	}
	assignee, _ := r.agent(ctx, c.Assignee)
	parts := []string{t.talk.id, string(status), c.Assignee, c.Priority, c.SnoozedUntil.UTC().String(), c.UpdatedAt.UTC().String()}
	t.commit = "import:" + r.Keys.Hash("import/standing", append(parts, c.Tags...)...)
	t.command = func(*stream) customer.Command {
		b := customer.BringStanding{
			ID: t.commit, Conversation: t.talk.id, Assignee: assignee, Priority: c.Priority, Tags: c.Tags, Status: status,
		}
		if status == customer.Snoozed {
			b.Until = until
			if !until.After(time.Now()) { // it would have woken meanwhile
				b.Status, b.Until = customer.Open, time.Time{}
			}
		}
		return b
	}
	return t
}
