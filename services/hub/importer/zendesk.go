package importer

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/weftline/weftline/services/conversation/history"
)

// zendesk reads answers of Zendesk's API, in any order: pages of users, of
// tickets (with their comments inside, as a JSON export has them, or beside them
// in pages {"ticket_id": …, "comments": […]}) and of the incremental ticket
// events with comment_events. Shapes: https://developer.zendesk.com/api-reference.
// What they only point to (content_url of attachments) is named in the text.
type zendesk struct {
	users    map[ident]zdUser
	order    []ident
	tickets  map[ident]zdTicket
	opened   []ident
	comments map[ident]zdComment
	said     []ident
	problems [][2]string
}

func newZendesk() *zendesk {
	return &zendesk{users: map[ident]zdUser{}, tickets: map[ident]zdTicket{}, comments: map[ident]zdComment{}}
}

type zdUser struct {
	ID         ident          `json:"id"`
	Name       string         `json:"name"`
	Email      string         `json:"email"`
	Phone      string         `json:"phone"`
	Role       string         `json:"role"` // end-user, agent, admin
	ExternalID string         `json:"external_id"`
	CreatedAt  moment         `json:"created_at"`
	Fields     map[string]any `json:"user_fields"`
}

func (u zdUser) ours() bool { return u.Role == "agent" || u.Role == "admin" }

type zdTicket struct {
	ID          ident  `json:"id"`
	RequesterID ident  `json:"requester_id"`
	AssigneeID  ident  `json:"assignee_id"`
	Subject     string `json:"subject"`
	Status      string `json:"status"`   // new, open, pending, hold, solved, closed
	Priority    string `json:"priority"` // low, normal, high, urgent
	Tags        []string
	Via         struct {
		Channel string `json:"channel"`
	} `json:"via"`
	CreatedAt moment            `json:"created_at"`
	UpdatedAt moment            `json:"updated_at"`
	Requester *zdUser           `json:"requester"`
	Comments  []json.RawMessage `json:"comments"`
}

type zdComment struct {
	ID          ident  `json:"id"`
	TicketID    ident  `json:"ticket_id"`
	AuthorID    ident  `json:"author_id"`
	Body        string `json:"body"`
	PlainBody   string `json:"plain_body"`
	HTMLBody    string `json:"html_body"`
	Public      *bool  `json:"public"`
	CreatedAt   moment `json:"created_at"`
	Attachments []struct {
		FileName   string `json:"file_name"`
		ContentURL string `json:"content_url"`
	} `json:"attachments"`
}

func (z *zendesk) problem(where, format string, args ...any) {
	z.problems = append(z.problems, [2]string{where, fmt.Sprintf(format, args...)})
}

func (z *zendesk) read(name string, r io.Reader) error {
	return eachObject(r, []string{"users", "tickets", "ticket_events", "results"}, func(where string, v json.RawMessage, fields map[string]json.RawMessage) error {
		where = filepath.Base(name) + ": " + where
		has := func(f string) bool { _, ok := fields[f]; return ok }
		switch {
		case has("child_events"):
			z.events(where, v)
		case has("requester_id") && has("status"):
			z.ticket(where, v)
		case has("ticket_id") && has("comments"):
			var page struct {
				TicketID ident             `json:"ticket_id"`
				Comments []json.RawMessage `json:"comments"`
			}
			if err := json.Unmarshal(v, &page); err != nil {
				z.problem(where, "is no page of comments: %v", err)
				return nil
			}
			for i, c := range page.Comments {
				z.comment(fmt.Sprintf("%s.comments.%d", where, i), c, page.TicketID)
			}
		case has("comments"):
			z.problem(where, `comments without their ticket: put "ticket_id" beside "comments"`)
		case has("author_id"):
			z.comment(where, v, "")
		case has("role") || has("email"):
			var u zdUser
			if err := json.Unmarshal(v, &u); err != nil || u.ID == "" {
				z.problem(where, "is no user: %v", err)
				return nil
			}
			z.user(u)
		default:
			z.problem(where, "is neither a user, a ticket nor a comment")
		}
		return nil
	})
}

func (z *zendesk) user(u zdUser) {
	if _, known := z.users[u.ID]; !known {
		z.order = append(z.order, u.ID)
	}
	z.users[u.ID] = u
}

func (z *zendesk) ticket(where string, v json.RawMessage) {
	var t zdTicket
	if err := json.Unmarshal(v, &t); err != nil || t.ID == "" {
		z.problem(where, "is no ticket: %v", err)
		return
	}
	if _, known := z.tickets[t.ID]; !known {
		z.opened = append(z.opened, t.ID)
	}
	for i, c := range t.Comments {
		z.comment(fmt.Sprintf("%s.comments.%d", where, i), c, t.ID)
	}
	if u := t.Requester; u != nil && u.ID != "" {
		if _, known := z.users[u.ID]; !known {
			z.user(*u)
		}
	}
	t.Comments, t.Requester = nil, nil
	z.tickets[t.ID] = t
}

// events of a ticket, of which only comments are of interest.
func (z *zendesk) events(where string, v json.RawMessage) {
	var e struct {
		TicketID  ident             `json:"ticket_id"`
		CreatedAt moment            `json:"created_at"`
		UpdaterID ident             `json:"updater_id"`
		Children  []json.RawMessage `json:"child_events"`
	}
	if err := json.Unmarshal(v, &e); err != nil {
		z.problem(where, "is no ticket event: %v", err)
		return
	}
	for i, c := range e.Children {
		var kind struct {
			Type string `json:"event_type"`
		}
		if json.Unmarshal(c, &kind) == nil && kind.Type == "Comment" {
			z.comment(fmt.Sprintf("%s.child_events.%d", where, i), c, e.TicketID)
		}
	}
}

func (z *zendesk) comment(where string, v json.RawMessage, of ident) {
	var c zdComment
	if err := json.Unmarshal(v, &c); err != nil || c.ID == "" {
		z.problem(where, "is no comment: %v", err)
		return
	}
	if c.TicketID == "" {
		c.TicketID = of
	}
	if _, known := z.comments[c.ID]; !known {
		z.said = append(z.said, c.ID)
	}
	z.comments[c.ID] = c
}

func (z *zendesk) end(out *writer) error {
	for _, id := range z.opened { // whoever asked is a customer, also one of the agents
		if r := z.tickets[id].RequesterID; r != "" {
			if _, known := z.users[r]; !known {
				z.user(zdUser{ID: r, Role: "end-user"})
			}
		}
	}
	asked := map[ident]bool{}
	for _, t := range z.tickets {
		asked[t.RequesterID] = true
	}
	for _, id := range z.order {
		if u := z.users[id]; !u.ours() || asked[id] {
			if err := out.write(history.Record{Customer: z.customer(u)}); err != nil {
				return err
			}
		}
	}
	for _, id := range z.opened {
		if err := out.write(history.Record{Conversation: z.talk(z.tickets[id])}); err != nil {
			return err
		}
	}
	for _, id := range z.said {
		if err := out.write(z.line(z.comments[id])); err != nil {
			return err
		}
	}
	for _, p := range z.problems {
		if err := out.problem(p[0], "%s", p[1]); err != nil {
			return err
		}
	}
	return nil
}

func (z *zendesk) customer(u zdUser) *history.Customer {
	out := &history.Customer{
		Origin: history.Origin{Origin: "user " + string(u.ID)}, ID: string(u.ID), Name: oneLine(u.Name, history.LimitName),
		Attributes: attributes(u.Fields), CreatedAt: u.CreatedAt.Time,
	}
	if strings.Count(u.Email, "@") == 1 {
		out.Handles = append(out.Handles, history.Handle{Kind: "email", Address: u.Email})
	}
	if u.Phone != "" {
		out.Handles = append(out.Handles, history.Handle{Kind: "phone", Address: oneLine(u.Phone, history.LimitAddress)})
	}
	if u.ExternalID != "" {
		out.Handles = append(out.Handles, history.Handle{Kind: "external", Address: oneLine(u.ExternalID, history.LimitAddress)})
	}
	return out
}

// zdInbox is the inbox of tickets where the command names none.
const zdInbox = "zendesk"

// zdChannels are the words of ours for theirs. Tickets of forms and of the API
// are answered by e-mail there.
var zdChannels = map[string]string{
	"": "email", "email": "email", "web": "email", "web_service": "email", "api": "email", "mobile": "email", "web_widget": "email",
	"chat": "chat", "native_messaging": "chat", "chat_transcript": "chat", "voice": "phone", "phone": "phone", "sms": "sms",
	"whatsapp": "whatsapp", "twitter": "twitter", "facebook": "facebook",
}

var zdStatuses = map[string]string{"new": "open", "open": "open", "pending": "pending", "hold": "pending", "solved": "closed", "closed": "closed"}

func (z *zendesk) talk(t zdTicket) *history.Conversation {
	out := &history.Conversation{
		Origin: history.Origin{Origin: "ticket " + string(t.ID)}, ID: string(t.ID), Customer: string(t.RequesterID), Inbox: zdInbox,
		Channel: zdChannels[t.Via.Channel], Subject: oneLine(t.Subject, history.LimitSubject),
		Status: zdStatuses[t.Status], Priority: t.Priority, UpdatedAt: t.UpdatedAt.Time,
	}
	if out.Channel == "" {
		out.Channel = word(t.Via.Channel)
	}
	if out.Status == "" {
		out.Status = oneLine(t.Status, 40) // named as wrong by whoever reads it
	}
	for _, tag := range t.Tags {
		if tag = oneLine(tag, 50); tag != "" && len(out.Tags) < history.LimitTags {
			out.Tags = append(out.Tags, tag)
		}
	}
	if a := z.users[t.AssigneeID]; t.AssigneeID != "" {
		out.Assignee = a.Email
		if out.Assignee == "" {
			out.Assignee = "user-" + string(t.AssigneeID)
		}
	}
	return out
}

// line is the record of a comment: a note where it is not public, else from the
// customer or from us, as its author is.
func (z *zendesk) line(c zdComment) history.Record {
	text := c.PlainBody
	if text == "" {
		text = c.Body
	}
	for _, a := range c.Attachments {
		text = strings.TrimSpace(text + "\n[file " + a.FileName + ", not imported: " + a.ContentURL + "]")
	}
	text, cut := clip(text, history.LimitText, false)
	author, t := z.users[c.AuthorID], z.tickets[c.TicketID]
	origin := history.Origin{Origin: "comment " + string(c.ID)}
	customer := c.AuthorID == t.RequesterID || author.ID != "" && !author.ours()
	who := author.Email
	if who == "" && c.AuthorID != "" && !customer {
		who = "user-" + string(c.AuthorID)
	}
	if c.Public != nil && !*c.Public {
		return history.Record{Note: &history.Note{
			Origin: origin, ID: string(c.ID), Conversation: string(c.TicketID), At: c.CreatedAt.Time,
			Author: who, AuthorName: oneLine(author.Name, history.LimitName), Text: text,
		}}
	}
	m := &history.Message{
		Origin: origin, ID: string(c.ID), Conversation: string(c.TicketID), At: c.CreatedAt.Time, Direction: history.Out,
		AuthorName: oneLine(author.Name, history.LimitName), Text: text,
	}
	if len(c.HTMLBody) <= history.LimitHTML {
		m.HTML = strings.ToValidUTF8(c.HTMLBody, "\uFFFD")
	} else {
		cut = true
	}
	if cut {
		m.Flags = []string{"truncated"}
	}
	switch {
	case customer:
		m.Direction = history.In
		if c.AuthorID != t.RequesterID {
			m.Customer = string(c.AuthorID)
		}
	case c.AuthorID == "-1" || c.AuthorID == "":
		m.Automatic = true
	default:
		m.Author = who
	}
	return history.Record{Message: m}
}
