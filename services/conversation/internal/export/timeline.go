package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"
	"unicode"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/estate"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/crypt"
)

// line is one entry of timeline.jsonl.
type line struct {
	Customer     string    `json:"customer"`
	Position     string    `json:"position"` // sorts as a string
	RecordedAt   time.Time `json:"recorded_at"`
	OccurredAt   time.Time `json:"occurred_at,omitzero"`
	Kind         string    `json:"kind"` // as the event is stored: conversation.message_received, …
	Actor        string    `json:"actor,omitempty"`
	ID           string    `json:"id,omitempty"`
	Conversation string    `json:"conversation,omitempty"`
	Channel      string    `json:"channel,omitempty"`
	Inbox        string    `json:"inbox,omitempty"`
	Handle       string    `json:"handle,omitempty"`
	Tenure       int64     `json:"tenure,omitempty"`
	Assurance    int       `json:"assurance,omitempty"`
	Evidence     string    `json:"evidence,omitempty"`
	Flags        []string  `json:"flags,omitempty"`
	Refs         []string  `json:"refs,omitempty"`   // what changes name a message by
	Erased       bool      `json:"erased,omitempty"` // its text cannot be read any more

	From     string   `json:"from,omitempty"`
	FromName string   `json:"from_name,omitempty"`
	To       []string `json:"to,omitempty"`
	CC       []string `json:"cc,omitempty"`
	Author   string   `json:"author,omitempty"`
	Subject  string   `json:"subject,omitempty"`
	Text     string   `json:"text,omitempty"`
	HTML     string   `json:"html,omitempty"`
	Quoted   string   `json:"quoted,omitempty"`
	Unparsed string   `json:"unparsed,omitempty"`
	Original string   `json:"original,omitempty"`    // path in the archive
	Files    []named  `json:"attachments,omitempty"` // with their paths

	// Data is what else the event says.
	Data any `json:"data,omitempty"`
}

type named struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	Size        int64  `json:"size"`
	Path        string `json:"path,omitempty"`
	Missing     string `json:"missing,omitempty"` // why there is no file
}

// timeline writes timeline.jsonl and learns the rest on the way.
func (a *archive) timeline(ctx context.Context, all []*exported) error {
	w, done, err := a.create("timeline.jsonl")
	if err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, s := range all {
		err := a.s.lines(ctx, s, func(l line, body channel.Content, raw string) error {
			a.attach(&l, body, raw)
			a.manifest.Counts[l.Kind]++
			return e.Encode(l)
		})
		if err != nil {
			return err
		}
	}
	done()
	return nil
}

// attach names the files of a message, and has them fetched later.
func (a *archive) attach(l *line, c channel.Content, raw string) {
	if raw != "" {
		l.Original = path.Join("originals", plain(l.ID)+".bin")
		if l.Channel == "email" {
			l.Original = path.Join("originals", plain(l.ID)+".eml")
		}
		a.files = append(a.files, file{path: l.Original, ref: raw, channel: l.Channel})
	}
	for i, f := range c.Attachments {
		if f.Missing != "" {
			l.Files = append(l.Files, named{Name: f.Name, ContentType: f.ContentType, Size: f.Size, Missing: f.Missing})
			continue
		}
		p := path.Join("attachments", plain(l.ID), fmt.Sprintf("%02d-%s", i+1, plain(f.Name)))
		l.Files = append(l.Files, named{Name: f.Name, ContentType: f.ContentType, Size: f.Size, Path: p})
		a.files = append(a.files, file{path: p, blob: f.Blob, ref: raw, channel: l.Channel, part: f.Part})
	}
}

// plain makes a name that no archiver and no file system stumbles over.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), strings.ContainsRune(".-_ ", r):
			return r
		}
		return '_'
	}, strings.ToValidUTF8(s, "_"))
	s = strings.Trim(s, ". ")
	if r := []rune(s); len(r) > 100 {
		s = string(r[len(r)-100:])
	}
	if s == "" {
		return "file"
	}
	return s
}

// lines yields the lines of a customer, folding what they say of him.
func (s *Service) lines(ctx context.Context, sub *exported, fn func(l line, body channel.Content, raw string) error) error {
	customer := sub.est.Customer
	return s.Streams.Walk(ctx, sub.est, func(it estate.Item) error {
		kind, _ := codec.KindOf(it.Event)
		l := line{
			Customer: customer, Position: event.Position(it.Commit.RecordedAt, it.Commit.Seq, it.Index),
			RecordedAt: it.Commit.RecordedAt, Kind: kind.Type, Actor: it.Commit.Actor,
		}
		var body channel.Content
		raw := ""
		var err error
		switch v := it.Event.(type) {
		case event.CustomerCreated:
			sub.created = it.Commit.RecordedAt
		case event.MessageReceived:
			t := sub.talk(v.Conversation)
			t.Messages++
			l.ID, l.Conversation, l.Channel, l.Inbox, l.Handle, l.Tenure = v.Message, v.Conversation, v.Channel, v.Inbox, v.Handle, v.Tenure
			l.OccurredAt, l.Assurance, l.Evidence, l.Flags, l.Refs, raw = v.OccurredAt, v.Assurance, v.Evidence, v.Flags, v.Refs, v.Raw
			var m event.MessageBody
			if err = s.open(ctx, v.Body, event.MessageAAD(v.Message), &m, &l); err == nil {
				body = m.Content
				l.From, l.FromName, l.To, l.CC = m.From, m.FromName, m.To, m.CC
				l.say(m.Content)
			}
		case event.ReplyRequested:
			t := sub.talk(v.Conversation)
			t.Replies++
			l.ID, l.Conversation, l.Channel, l.Inbox, l.Handle, l.Tenure = v.Reply, v.Conversation, v.Channel, v.Inbox, v.Handle, v.Tenure
			l.Author = v.Author
			var m event.ReplyBody
			if err = s.open(ctx, v.Body, event.ReplyAAD(v.Reply), &m, &l); err == nil {
				body = m.Content
				l.To, l.FromName = []string{m.To.Address}, m.AuthorName
				l.say(m.Content)
			}
		case event.MessageChanged:
			l.ID, l.Channel, l.Inbox, l.Handle, l.Tenure = v.Change, v.Channel, v.Inbox, v.Handle, v.Tenure
			l.OccurredAt, l.Assurance, l.Flags, raw = v.OccurredAt, v.Assurance, v.Flags, v.Raw
			l.Data = map[string]any{"action": v.Action, "target_ref": v.Target}
			var b event.ChangeBody
			if err = s.open(ctx, v.Body, event.ChangeAAD(v.Change), &b, &l); err == nil {
				body = b.Content
				l.From, l.FromName = b.From, b.FromName
				l.say(b.Content)
				l.Data = map[string]any{"action": v.Action, "target_ref": v.Target, "emoji": b.Emoji}
			}
		case event.ConsentSet:
			l.ID, l.Handle, l.Inbox = v.Message, v.Handle, v.Inbox
			var reason string
			if reason, err = s.text(ctx, v.Reason, event.ConsentAAD(customer, v.Handle, v.Inbox)); err == nil {
				l.Data = map[string]any{"wish": v.Wish, "reason": reason}
				sub.consented(consent{v.Handle, v.Inbox, v.Wish, v.Unasked, it.Commit.RecordedAt, v.Message, reason})
			}
		case event.ReplyProgressed:
			l.ID, l.Conversation = v.Reply, v.Conversation
			var detail string
			if detail, err = s.text(ctx, v.Detail, event.DetailAAD(v.Reply)); err == nil {
				l.Data = map[string]any{"state": v.State, "detail": detail}
			}
		case event.NoteAdded:
			l.ID, l.Conversation, l.Author = v.Note, v.Conversation, it.Commit.Actor
			var n event.NoteBody
			err = s.open(ctx, v.Body, event.NoteAAD(v.Note), &n, &l)
			l.Text = n.Text
		case event.AttributeSet:
			var value string
			if value, err = s.text(ctx, v.Value, event.AttributeAAD(customer, v.Name)); err == nil {
				l.Data = map[string]any{"name": v.Name, "value": value, "removed": v.Removed}
				if sub.attributes[v.Name] = value; v.Removed {
					delete(sub.attributes, v.Name)
				}
			}
		case event.EventRecorded:
			l.ID, l.OccurredAt = v.Event, v.OccurredAt
			var b event.EventBody
			if err = s.open(ctx, v.Body, event.EventAAD(v.Event), &b, &l); err == nil {
				l.Data = map[string]any{"type": v.Kind, "title": b.Title, "link": b.Link, "source": b.Source, "payload": b.Payload}
			}
		case event.HandleAsserted:
			var addr event.Address
			l.ID, l.Handle = v.Message, v.Handle
			if err = s.open(ctx, v.Address, event.AssertionAAD(v.Message, v.Handle), &addr, &l); err == nil {
				l.Data = map[string]any{"kind": v.Kind, "address": addr.Address, "assurance": v.Assurance}
			}
		case event.HoldPlaced: // why it is held is the desk's own
			sub.holds++
			l.ID = v.Hold
		case event.HoldLifted:
			sub.holds--
			l.ID = v.Hold
		case event.ConversationOpened:
			t := sub.talk(v.Conversation)
			t.Topic, t.Inbox, t.Channel, t.OpenedAt = v.Topic, v.Inbox, v.Channel, it.Commit.RecordedAt
			l.Conversation, l.Inbox, l.Channel = v.Conversation, v.Inbox, v.Channel
			t.Subject, err = s.text(ctx, v.Subject, event.SubjectAAD(v.Conversation))
			l.Subject = t.Subject
		default:
			l.Conversation = sub.apply(it.Event)
			l.Data = it.Event // statuses and the like: nothing in them is sealed
		}
		if err != nil {
			return err
		}
		return fn(l, body, raw)
	})
}

// apply folds what changes a conversation, and names it.
func (s *exported) apply(ev event.Event) string {
	switch v := ev.(type) {
	case event.ConversationReopened:
		s.talk(v.Conversation).Status = "open"
		return v.Conversation
	case event.ConversationWoken:
		s.talk(v.Conversation).Status = "open"
		return v.Conversation
	case event.ConversationClosed:
		s.talk(v.Conversation).Status = "closed"
		return v.Conversation
	case event.ConversationPended:
		s.talk(v.Conversation).Status = "pending"
		return v.Conversation
	case event.ConversationSnoozed:
		s.talk(v.Conversation).Status = "snoozed"
		return v.Conversation
	case event.ConversationAssigned:
		s.talk(v.Conversation).Assignee = v.Assignee
		return v.Conversation
	case event.ConversationPrioritised:
		s.talk(v.Conversation).Priority = v.Priority
		return v.Conversation
	case event.ConversationTagged:
		t := s.talk(v.Conversation)
		t.Tags = append(t.Tags, v.Tag)
		return v.Conversation
	case event.ConversationUntagged:
		t := s.talk(v.Conversation)
		for i, tag := range t.Tags {
			if tag == v.Tag {
				t.Tags = append(t.Tags[:i:i], t.Tags[i+1:]...)
				break
			}
		}
		return v.Conversation
	case event.ConversationRetired:
		s.talk(v.Conversation).Status = "retired"
		return v.Conversation
	case event.ReplyRetried:
		return v.Conversation
	case event.MessageReread:
		return v.Conversation
	}
	return ""
}

func (l *line) say(c channel.Content) {
	l.Subject, l.Text, l.HTML, l.Quoted, l.Unparsed = c.Subject, c.Text, c.HTML, c.Quoted, c.Unparsed
}

// open reads a sealed body; one that was erased is said to be.
func (s *Service) open(ctx context.Context, sealed crypt.Sealed, aad []byte, v any, l *line) error {
	b, err := s.Keys.Open(ctx, sealed, aad)
	if errors.Is(err, crypt.ErrShredded) || errors.Is(err, crypt.ErrForged) {
		l.Erased = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("open what is exported: %w", err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read what is exported: %w", err)
	}
	return nil
}

func (s *Service) text(ctx context.Context, sealed crypt.Sealed, aad []byte) (string, error) {
	if sealed.Key == "" && len(sealed.Box) == 0 {
		return "", nil
	}
	b, err := s.Keys.Open(ctx, sealed, aad)
	if errors.Is(err, crypt.ErrShredded) || errors.Is(err, crypt.ErrForged) {
		return "", nil
	}
	return string(b), err
}
