package history

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/visible"
)

// Limits of records.
const (
	LimitID          = 200 // characters
	LimitHandles     = 50
	LimitAttributes  = 100
	LimitName        = 200     // characters
	LimitAttribute   = 2_000   // characters
	LimitAddress     = 320     // characters
	LimitAddresses   = 100     // in to and in cc
	LimitSubject     = 998     // characters
	LimitText        = 100_000 // characters; of quoted too
	LimitHTML        = 200_000 // bytes, before it is cleaned
	LimitAttachments = 100
	LimitAttachment  = 25 << 20 // bytes
	LimitTags        = 50
	LimitReferences  = 30
	// LimitAhead is how far in the future something may have happened.
	LimitAhead = 24 * time.Hour
)

func token(s string) bool { return subject.ValidToken(s) }

func id(field, s string) error {
	return text(field, s, 1, LimitID, true)
}

// text checks the number of characters; one line where it must be.
func text(field, s string, from, to int, line bool) error {
	if !utf8.ValidString(s) {
		return bad(field, "must be UTF-8")
	}
	if n := utf8.RuneCountInString(s); n < from || n > to {
		return bad(field, "must have %d to %d characters, has %d", from, to, n)
	}
	if line && strings.ContainsFunc(s, visible.Hidden) {
		return bad(field, "must be one line without control characters or ones that change the direction of text")
	}
	return nil
}

func at(field string, t time.Time, required bool) error {
	switch {
	case t.IsZero() && !required:
		return nil
	case t.IsZero():
		return bad(field, "is missing")
	case t.Before(time.Unix(0, 0)):
		return bad(field, "must not be before 1970")
	case t.After(time.Now().Add(LimitAhead)):
		return bad(field, "must not be in the future")
	}
	return nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (h Handle) check(field string) error {
	if !token(h.Kind) || len(h.Kind) > 32 {
		return bad(field+".kind", "must be 1 to 32 of a-z A-Z 0-9 _ -, as email or phone")
	}
	if err := text(field+".address", strings.TrimSpace(h.Address), 1, LimitAddress, true); err != nil {
		return err
	}
	global := h.Kind == "email" || h.Kind == "phone"
	switch {
	case h.Kind == "email" && strings.Count(h.Address, "@") != 1:
		return bad(field+".address", "is no e-mail address")
	case global && h.Inbox != "":
		return bad(field+".inbox", "must be empty for kind %s: it is the same address everywhere", h.Kind)
	case h.Inbox != "" && !token(h.Inbox):
		return bad(field+".inbox", "must be 1 to 64 of a-z A-Z 0-9 _ -")
	case h.Assurance == 4 && h.Kind == "external":
		return nil
	case h.Assurance < 0 || h.Assurance > 2:
		return bad(field+".assurance", "must be 0, 1 or 2; 4 is for kind external only")
	}
	return nil
}

func (c *Customer) check() error {
	if err := first(id("id", c.ID), text("name", c.Name, 0, LimitName, true), at("created_at", c.CreatedAt, false)); err != nil {
		return err
	}
	if len(c.Attributes) > LimitAttributes {
		return bad("attributes", "must be at most %d, are %d", LimitAttributes, len(c.Attributes))
	}
	for name, v := range c.Attributes {
		if name == "" || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' && r != '-'
		}) {
			return bad("attributes", "the name %.80q must have 1 to 64 characters of a-z 0-9 _ -", name)
		}
		if err := text("attributes."+name, v, 1, LimitAttribute, false); err != nil {
			return err
		}
		if problem := visible.Lines(v); problem != "" {
			return bad("attributes."+name, "%s", problem)
		}
	}
	if len(c.Handles) > LimitHandles {
		return bad("handles", "must be at most %d, are %d", LimitHandles, len(c.Handles))
	}
	for i, h := range c.Handles {
		if err := h.check(fmt.Sprintf("handles.%d", i)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Conversation) check() error {
	err := first(
		id("id", c.ID), id("customer", c.Customer), text("subject", c.Subject, 0, LimitSubject, true),
		text("assignee", c.Assignee, 0, LimitAddress, true), at("updated_at", c.UpdatedAt, false),
	)
	switch {
	case err != nil:
		return err
	case !token(c.Inbox):
		return bad("inbox", "must be 1 to 64 of a-z A-Z 0-9 _ -")
	case !token(c.Channel):
		return bad("channel", "must be 1 to 64 of a-z A-Z 0-9 _ -")
	case c.Number != "" && handleid.RegionOf(c.Number) == "":
		return bad("number", "%.40q is no telephone number with a country code, such as +4930123456", c.Number)
	case !slices.Contains([]string{"", "open", "pending", "snoozed", "closed"}, c.Status):
		return bad("status", "%.40q is not open, pending, snoozed or closed", c.Status)
	case c.Status == "snoozed" && c.SnoozedUntil.IsZero():
		return bad("snoozed_until", "is missing")
	case c.Status != "snoozed" && !c.SnoozedUntil.IsZero():
		return bad("snoozed_until", "is for the status snoozed only")
	case !slices.Contains([]string{"", "low", "normal", "high", "urgent"}, c.Priority):
		return bad("priority", "%.40q is not low, normal, high or urgent", c.Priority)
	case len(c.Tags) > LimitTags:
		return bad("tags", "must be at most %d, are %d", LimitTags, len(c.Tags))
	}
	for i, t := range c.Tags {
		if err := text(fmt.Sprintf("tags.%d", i), t, 1, 50, true); err != nil {
			return err
		}
	}
	return nil
}

func (m *Message) check() error {
	err := first(
		id("id", m.ID), id("conversation", m.Conversation), text("customer", m.Customer, 0, LimitID, true), at("at", m.At, true),
		text("author", m.Author, 0, LimitAddress, true), text("author_name", m.AuthorName, 0, LimitName, true),
		text("subject", m.Subject, 0, LimitSubject, true), text("text", m.Text, 0, LimitText, false), text("quoted", m.Quoted, 0, LimitText, false),
		text("message_id", m.MessageID, 0, LimitSubject, true), text("provider_id", m.ProviderID, 0, 1000, true),
	)
	switch {
	case err != nil:
		return err
	case m.Direction != In && m.Direction != Out:
		return bad("direction", "%.40q is not in or out", m.Direction)
	case len(m.HTML) > LimitHTML:
		return bad("html", "must have at most %d bytes, has %d", LimitHTML, len(m.HTML))
	case !utf8.ValidString(m.HTML):
		return bad("html", "must be UTF-8")
	case len(m.To) > LimitAddresses:
		return bad("to", "must be at most %d, are %d", LimitAddresses, len(m.To))
	case len(m.CC) > LimitAddresses:
		return bad("cc", "must be at most %d, are %d", LimitAddresses, len(m.CC))
	case len(m.References) > LimitReferences:
		return bad("references", "must be at most %d, are %d", LimitReferences, len(m.References))
	case m.Automatic && m.Direction == In:
		return bad("automatic", "is for direction out; an automatic answer that came in has the flag auto_reply")
	case m.Author != "" && m.Direction == In:
		return bad("author", "is for direction out")
	case m.ProviderID != "" && m.Direction == Out:
		return bad("provider_id", "is for direction in")
	}
	if m.Handle != nil {
		if err := m.Handle.check("handle"); err != nil {
			return err
		}
	}
	for field, list := range map[string][]string{"to": m.To, "cc": m.CC, "references": m.References} {
		for i, s := range list {
			if err := text(fmt.Sprintf("%s.%d", field, i), s, 1, LimitSubject, true); err != nil {
				return err
			}
		}
	}
	for _, f := range m.Flags {
		if !slices.Contains([]string{"auto_reply", "bounce", "list", "truncated"}, f) {
			return bad("flags", "%.40q is not auto_reply, bounce, list or truncated", f)
		}
	}
	return m.checkFiles()
}

func (m *Message) checkFiles() error {
	if len(m.Attachments) > LimitAttachments {
		return bad("attachments", "must be at most %d, are %d", LimitAttachments, len(m.Attachments))
	}
	for i, a := range m.Attachments {
		field := fmt.Sprintf("attachments.%d", i)
		switch {
		case a.Missing != "":
			return bad(field, "%s", a.Missing)
		case a.File != "":
			return bad(field+".file", "was not read: only hub import reads files")
		case len(a.Data) > LimitAttachment:
			return bad(field+".data", "must have at most %d bytes, has %d", LimitAttachment, len(a.Data))
		}
		if err := first(text(field+".name", a.Name, 0, LimitName, true), text(field+".type", a.ContentType, 0, LimitName, true), text(field+".cid", a.ContentID, 0, LimitSubject, true)); err != nil {
			return err
		}
	}
	if len(m.Attachments) == 0 && strings.TrimSpace(m.Text) == "" && strings.TrimSpace(m.HTML) == "" && strings.TrimSpace(m.Quoted) == "" && m.Subject == "" {
		return bad("text", "is missing: the message says nothing")
	}
	return nil
}

func (n *Note) check() error {
	return first(
		id("id", n.ID), id("conversation", n.Conversation), at("at", n.At, true), text("text", n.Text, 1, LimitText, false),
		text("author", n.Author, 0, LimitAddress, true), text("author_name", n.AuthorName, 0, LimitName, true),
	)
}

func (e *Event) check() error {
	// Kind, title, link and payload are checked by what records them.
	return first(id("id", e.ID), text("source", e.Source, 0, 64, true), id("customer", e.Customer), at("at", e.At, true))
}

func (l *Link) check() error {
	if len(l.Customers) != 2 {
		return bad("customers", "must be two, are %d", len(l.Customers))
	}
	if l.Customers[0] == l.Customers[1] {
		return bad("customers", "must be two different ones")
	}
	return first(id("customers.0", l.Customers[0]), id("customers.1", l.Customers[1]), at("at", l.At, false))
}

func (p *Problem) check() error {
	if p.Problem == "" {
		return bad("problem", "is missing")
	}
	return fmt.Errorf("%.500s", p.Problem)
}
