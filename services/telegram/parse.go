package telegram

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/weftline/weftline/services/internal/hosted"

	"github.com/weftline/weftline/pkg/channel"
)

const private = "private"

var errNothing = errors.New("the update holds nothing that is known here")

// Parse reads a stored update.
func (a *Adapter) Parse(raw channel.Raw) ([]channel.Item, error) { return Parser{}.Parse(raw) }

// Parser reads stored updates wherever that is needed.
type Parser struct{}

// Parse implements channel.Parser.
func (Parser) Parse(raw channel.Raw) ([]channel.Item, error) {
	if raw.ContentType != ContentType {
		return nil, fmt.Errorf("parse telegram update: content type %q is not known", raw.ContentType)
	}
	var u update
	if err := json.Unmarshal(raw.Body, &u); err != nil {
		return nil, fmt.Errorf("parse telegram update: %w", err)
	}
	items, err := items(raw, u)
	if err != nil {
		return nil, fmt.Errorf("parse telegram update: %w", err)
	}
	return items, nil
}

func items(raw channel.Raw, u update) ([]channel.Item, error) {
	switch {
	case u.Message != nil:
		return received(raw, u.Message)
	case u.Post != nil:
		return received(raw, u.Post)
	case u.Edited != nil:
		return edited(raw, u.Edited)
	case u.EditedPost != nil:
		return edited(raw, u.EditedPost)
	case u.Reaction != nil:
		return reacted(raw, u.Reaction)
	case u.Callback != nil:
		return pressed(raw, u.Callback)
	case u.Membership != nil:
		return blocked(raw, u.Membership)
	}
	return nil, errNothing
}

// sender of a private chat is its user, attested by Telegram; of any other the
// group or channel itself, which is nobody's address.
func sender(raw channel.Raw, c chat, from *user) (channel.Address, int, string, error) {
	switch {
	case c.ID == 0:
		return channel.Address{}, 0, "", errors.New("chat.id: is missing")
	case c.Type != private:
		return channel.Address{Kind: kindGroup, Scope: raw.Inbox, Address: strconv.FormatInt(c.ID, 10), Name: hosted.DisplayName(c.Title)}, 0, "telegram " + hosted.Clip(c.Type, 20), nil
	}
	a := channel.Address{Kind: Name, Scope: raw.Inbox, Address: strconv.FormatInt(c.ID, 10), Name: name(c.First, c.Last, c.Username)}
	if from != nil {
		a.Name = name(from.First, from.Last, from.Username)
	}
	return a, 2, "telegram user", nil
}

func received(raw channel.Raw, m *message) ([]channel.Item, error) {
	from, assurance, evidence, err := sender(raw, m.Chat, m.From)
	if err != nil {
		return nil, err
	}
	if m.ID == 0 {
		return nil, errors.New("message_id: is missing")
	}
	id := messageID(m.Chat.ID, m.ID)
	out := &channel.Message{
		ID: id, Refs: []string{id}, From: from, OccurredAt: when(raw, m.Date), Content: content(m),
		Assurance: assurance, Evidence: evidence,
	}
	if m.ReplyTo != nil && m.ReplyTo.ID != 0 {
		out.References = []string{messageID(m.Chat.ID, m.ReplyTo.ID)}
	}
	if m.Contact != nil && m.From != nil && m.Contact.UserID == m.From.ID && assurance == 2 {
		if p := phone(m.Contact.Phone); p != "" {
			// He sent his own card. That Telegram checks its number is not documented: said, and no proof.
			out.ClaimsHandle = &channel.Address{Kind: "phone", Address: p, Name: from.Name}
			out.Flags = append(out.Flags, "offline_capture")
		}
	}
	if m.Forward != nil {
		out.Content.Subject = forwarded(m.Forward)
	}
	if from.Kind == kindGroup {
		inGroup(out, m.From)
	}
	return []channel.Item{{Message: out}}, nil
}

// inGroup keeps what was said and marks it: it wakes nothing and nobody answers it.
func inGroup(out *channel.Message, by *user) {
	out.Flags = append(out.Flags, "list", "auto_reply")
	if by != nil {
		out.Content.Text = name(by.First, by.Last, by.Username) + ": " + out.Content.Text
		out.Content.HTML = ""
	}
}

// pressed is a button of an inline keyboard. This hub sends none; another
// program with the same bot may have.
func pressed(raw channel.Raw, c *callback) ([]channel.Item, error) {
	if c.From == nil || c.From.ID == 0 || c.ID == "" {
		return nil, errors.New("callback_query: has no id or sender")
	}
	in := chat{ID: c.From.ID, Type: private}
	if c.Message != nil && c.Message.Chat.Type != "" {
		in = c.Message.Chat
	}
	from, assurance, evidence, err := sender(raw, in, c.From)
	if err != nil {
		return nil, err
	}
	label := c.Data
	out := &channel.Message{ID: "pressed:" + hosted.Clip(c.ID, 100), From: from, OccurredAt: raw.ReceivedAt, Assurance: assurance, Evidence: evidence}
	out.Refs = []string{out.ID}
	if c.Message != nil {
		for _, row := range c.Message.Markup.Keyboard {
			for _, b := range row {
				if b.Data == c.Data && c.Data != "" {
					label = b.Text
				}
			}
		}
		if c.Message.ID != 0 {
			out.References = []string{messageID(in.ID, c.Message.ID)}
		}
	}
	out.Content.Text = "pressed: " + hosted.Clip(label, 300)
	if from.Kind == kindGroup {
		inGroup(out, c.From)
	}
	return []channel.Item{{Message: out}}, nil
}

// blocked says that the customer has blocked the bot or let it in again. It is
// no Consent: Telegram itself refuses what is sent meanwhile, and a wish that
// outlived an update we missed would silence somebody who writes again.
func blocked(raw channel.Raw, m *membership) ([]channel.Item, error) {
	from, assurance, evidence, err := sender(raw, m.Chat, m.From)
	if err != nil {
		return nil, err
	}
	out := &channel.Message{
		ID: raw.ProviderID, From: from, OccurredAt: when(raw, m.Date), Assurance: assurance, Evidence: evidence,
		Flags: []string{"automatic", "auto_reply"}, // it wakes nothing
	}
	switch {
	case from.Kind == kindGroup:
		out.Content.Text = "The bot's place here is now: " + hosted.Clip(m.New.Status, 30)
	case m.New.Status == "kicked":
		out.Content.Text = "The customer has blocked the bot: nothing reaches this chat until it is unblocked."
	case m.New.Status == "member":
		out.Content.Text = "The customer has started or unblocked the bot."
	default:
		return nil, fmt.Errorf("new_chat_member.status: %q is not known in a private chat", hosted.Clip(m.New.Status, 30))
	}
	if out.ID == "" {
		return nil, errors.New("the input has no id")
	}
	return []channel.Item{{Message: out}}, nil
}

// when is Telegram's time unless it is in the future or none.
func when(raw channel.Raw, unix int64) time.Time {
	at := time.Unix(unix, 0).UTC()
	if unix <= 0 || at.After(raw.ReceivedAt) {
		return raw.ReceivedAt
	}
	return at
}
