package importer

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weftline/weftline/services/conversation/history"
)

// chatwoot reads answers of Chatwoot's application API, in any order: the pages
// of contacts, of conversations and of their messages, or lists of such objects.
// Shapes: https://developers.chatwoot.com/api-reference. What the documentation
// only points to (data_url of attachments) is named in the text.
type chatwoot struct {
	contacts map[ident]cwContact
	talks    map[ident]cwConversation
	order    []ident
	messages map[ident]cwMessage
	said     []ident
	problems [][2]string
}

func newChatwoot() *chatwoot {
	return &chatwoot{contacts: map[ident]cwContact{}, talks: map[ident]cwConversation{}, messages: map[ident]cwMessage{}}
}

type cwContact struct {
	ID         ident          `json:"id"`
	Name       string         `json:"name"`
	Email      string         `json:"email"`
	Phone      string         `json:"phone_number"`
	Identifier string         `json:"identifier"`
	Custom     map[string]any `json:"custom_attributes"`
	CreatedAt  moment         `json:"created_at"`
}

type cwSender struct {
	ID    ident  `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Type  string `json:"type"` // contact, user, agent_bot
}

type cwConversation struct {
	ID           ident  `json:"id"`
	InboxID      ident  `json:"inbox_id"`
	Status       string `json:"status"` // open, resolved, pending, snoozed
	SnoozedUntil moment `json:"snoozed_until"`
	Priority     string `json:"priority"` // low, medium, high, urgent
	Labels       []string
	CreatedAt    moment `json:"created_at"`
	LastActivity moment `json:"last_activity_at"`
	Meta         struct {
		Sender   cwContact `json:"sender"`
		Assignee *cwSender `json:"assignee"`
		Channel  string    `json:"channel"` // Channel::Email
	} `json:"meta"`
	Additional struct {
		MailSubject string `json:"mail_subject"`
	} `json:"additional_attributes"`
	Messages []json.RawMessage `json:"messages"`
}

type cwMessage struct {
	ID             ident           `json:"id"`
	ConversationID ident           `json:"conversation_id"`
	Content        string          `json:"content"`
	MessageType    json.RawMessage `json:"message_type"` // 0 incoming, 1 outgoing, 2 activity, 3 template; or the words
	Private        bool            `json:"private"`
	CreatedAt      moment          `json:"created_at"`
	SourceID       string          `json:"source_id"`
	Sender         cwSender        `json:"sender"`
	Attachments    []struct {
		DataURL  string `json:"data_url"`
		FileType string `json:"file_type"`
	} `json:"attachments"`
	Attributes struct {
		Email struct {
			Subject   string   `json:"subject"`
			MessageID string   `json:"message_id"`
			To        []string `json:"to"`
			CC        []string `json:"cc"`
		} `json:"email"`
	} `json:"content_attributes"`
	where string
}

func (c *chatwoot) read(name string, r io.Reader) error {
	return eachObject(r, []string{"data", "payload"}, func(where string, v json.RawMessage, fields map[string]json.RawMessage) error {
		where = filepath.Base(name) + ": " + where
		has := func(f string) bool { _, ok := fields[f]; return ok }
		switch {
		case has("message_type"):
			c.message(where, v, "")
		case has("inbox_id") && has("status"):
			c.conversation(where, v)
		case has("email") || has("phone_number") || has("identifier"):
			var x cwContact
			if err := json.Unmarshal(v, &x); err != nil || x.ID == "" {
				c.problem(where, "is no contact: %v", err)
				return nil
			}
			c.contacts[x.ID] = x
		default:
			c.problem(where, "is neither a contact, a conversation nor a message")
		}
		return nil
	})
}

func (c *chatwoot) problem(where, format string, args ...any) {
	c.problems = append(c.problems, [2]string{where, fmt.Sprintf(format, args...)})
}

func (c *chatwoot) conversation(where string, v json.RawMessage) {
	var x cwConversation
	if err := json.Unmarshal(v, &x); err != nil || x.ID == "" {
		c.problem(where, "is no conversation: %v", err)
		return
	}
	if _, known := c.talks[x.ID]; !known {
		c.order = append(c.order, x.ID)
	}
	for i, m := range x.Messages {
		c.message(fmt.Sprintf("%s.messages.%d", where, i), m, x.ID)
	}
	x.Messages = nil
	c.talks[x.ID] = x
	if s := x.Meta.Sender; s.ID != "" {
		if _, known := c.contacts[s.ID]; !known {
			c.contacts[s.ID] = s
		}
	}
}

func (c *chatwoot) message(where string, v json.RawMessage, of ident) {
	var x cwMessage
	if err := json.Unmarshal(v, &x); err != nil || x.ID == "" {
		c.problem(where, "is no message: %v", err)
		return
	}
	if x.ConversationID == "" {
		x.ConversationID = of
	}
	x.where = where
	if _, known := c.messages[x.ID]; !known {
		c.said = append(c.said, x.ID)
	}
	c.messages[x.ID] = x
}

// cwChannels are the words of ours for theirs.
var cwChannels = map[string]string{
	"Channel::Email": "email", "Channel::WebWidget": "chat", "Channel::Sms": "sms", "Channel::TwilioSms": "sms",
	"Channel::Whatsapp": "whatsapp", "Channel::FacebookPage": "facebook", "Channel::Instagram": "instagram",
	"Channel::Telegram": "telegram", "Channel::Line": "line", "Channel::TwitterProfile": "twitter", "Channel::Api": "api",
}

func (c *chatwoot) end(out *writer) error {
	ids := map[ident]bool{}
	for _, id := range c.order {
		ids[c.talks[id].Meta.Sender.ID] = true
	}
	for id := range c.contacts {
		ids[id] = true
	}
	var sorted []ident
	for id := range ids {
		if id != "" {
			sorted = append(sorted, id)
		}
	}
	slices.Sort(sorted)
	for _, id := range sorted {
		if err := out.write(history.Record{Customer: c.contact(c.contacts[id])}); err != nil {
			return err
		}
	}
	for _, id := range c.order {
		if err := out.write(history.Record{Conversation: c.talk(c.talks[id])}); err != nil {
			return err
		}
	}
	for _, id := range c.said {
		if r, ok := c.line(c.messages[id]); ok {
			if err := out.write(r); err != nil {
				return err
			}
		}
	}
	for _, p := range c.problems {
		if err := out.problem(p[0], "%s", p[1]); err != nil {
			return err
		}
	}
	return nil
}

func (c *chatwoot) contact(x cwContact) *history.Customer {
	out := &history.Customer{
		Origin: history.Origin{Origin: "contact " + string(x.ID)}, ID: string(x.ID), Name: oneLine(x.Name, history.LimitName),
		Attributes: attributes(x.Custom), CreatedAt: x.CreatedAt.Time,
	}
	if strings.Count(x.Email, "@") == 1 {
		out.Handles = append(out.Handles, history.Handle{Kind: "email", Address: x.Email})
	}
	if x.Phone != "" {
		out.Handles = append(out.Handles, history.Handle{Kind: "phone", Address: x.Phone})
	}
	if x.Identifier != "" {
		out.Handles = append(out.Handles, history.Handle{Kind: "external", Address: oneLine(x.Identifier, history.LimitAddress)})
	}
	return out
}

// attributes are the plain ones among custom attributes.
func attributes(in map[string]any) map[string]string {
	out := map[string]string{}
	for name, v := range in {
		s := ""
		switch v := v.(type) {
		case string:
			s = v
		case bool, float64, json.Number:
			s = fmt.Sprint(v)
		}
		if s, _ = clip(s, history.LimitAttribute, false); s != "" && len(out) < history.LimitAttributes {
			out[word(name)] = s
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func (c *chatwoot) talk(x cwConversation) *history.Conversation {
	out := &history.Conversation{
		Origin: history.Origin{Origin: "conversation " + string(x.ID)}, ID: string(x.ID), Customer: string(x.Meta.Sender.ID),
		Inbox: word(string(x.InboxID)), Channel: cwChannels[x.Meta.Channel], Subject: oneLine(x.Additional.MailSubject, history.LimitSubject),
		Status: x.Status, Priority: x.Priority, UpdatedAt: x.LastActivity.Time,
	}
	if out.Channel == "" {
		out.Channel = word(strings.TrimPrefix(x.Meta.Channel, "Channel::"))
	}
	if out.Channel == "" {
		out.Channel = "api"
	}
	switch x.Status {
	case "resolved":
		out.Status = "closed"
	case "snoozed":
		out.SnoozedUntil = x.SnoozedUntil.Time
		if out.SnoozedUntil.IsZero() { // "until the next reply"
			out.Status = "pending"
		}
	}
	if x.Priority == "medium" {
		out.Priority = "normal"
	}
	for _, l := range x.Labels {
		if l = oneLine(l, 50); l != "" && len(out.Tags) < history.LimitTags {
			out.Tags = append(out.Tags, l)
		}
	}
	if a := x.Meta.Assignee; a != nil {
		out.Assignee = a.Email
		if out.Assignee == "" {
			out.Assignee = oneLine(a.Name, history.LimitName)
		}
	}
	return out
}

// line is the record of a message; activity of the system is left out.
func (c *chatwoot) line(x cwMessage) (history.Record, bool) {
	text := x.Content
	for _, a := range x.Attachments {
		text = strings.TrimSpace(text + "\n[" + strings.TrimSpace(a.FileType+" file") + ", not imported: " + a.DataURL + "]")
	}
	text, cut := clip(text, history.LimitText, false)
	origin := history.Origin{Origin: "message " + string(x.ID)}
	if x.Private {
		return history.Record{Note: &history.Note{
			Origin: origin, ID: string(x.ID), Conversation: string(x.ConversationID), At: x.CreatedAt.Time,
			Author: x.Sender.Email, AuthorName: oneLine(x.Sender.Name, history.LimitName), Text: text,
		}}, true
	}
	m := &history.Message{
		Origin: origin, ID: string(x.ID), Conversation: string(x.ConversationID), At: x.CreatedAt.Time, Text: text,
		AuthorName: oneLine(x.Sender.Name, history.LimitName), Subject: oneLine(x.Attributes.Email.Subject, history.LimitSubject),
		MessageID: messageID(x.Attributes.Email.MessageID, x.SourceID),
		To:        lines(x.Attributes.Email.To), CC: lines(x.Attributes.Email.CC),
	}
	if cut {
		m.Flags = []string{"truncated"}
	}
	switch strings.Trim(string(x.MessageType), `"`) {
	case "0", "incoming":
		m.Direction = history.In
	case "1", "outgoing":
		m.Direction, m.Author, m.Automatic = history.Out, x.Sender.Email, x.Sender.Type == "agent_bot"
	case "3", "template":
		m.Direction, m.Automatic = history.Out, true
	case "2", "activity":
		return history.Record{}, false
	default:
		return history.Record{Problem: &history.Problem{
			Origin: origin, Problem: fmt.Sprintf("message_type %.40s is not 0, 1, 2 or 3", x.MessageType),
		}}, true
	}
	return history.Record{Message: m}, true
}

// messageID is the first that can be an e-mail's, without the brackets of RFC 5322.
func messageID(ids ...string) string {
	for _, id := range ids {
		if id = strings.Trim(oneLine(id, 900), "<>"); strings.Contains(id, "@") && !strings.ContainsAny(id, " <>") {
			return id
		}
	}
	return ""
}

func lines(in []string) (out []string) {
	for _, s := range in {
		if s = oneLine(s, history.LimitSubject); s != "" && len(out) < history.LimitAddresses {
			out = append(out, s)
		}
	}
	return out
}
