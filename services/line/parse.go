package line

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// Parse reads a stored event.
func (a *Adapter) Parse(raw channel.Raw) ([]channel.Item, error) { return Parser{}.Parse(raw) }

// Parser reads stored events wherever that is needed.
type Parser struct{}

// Parse implements channel.Parser.
func (Parser) Parse(raw channel.Raw) ([]channel.Item, error) {
	it, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("parse line event: %w", err)
	}
	return []channel.Item{it}, nil
}

func parse(raw channel.Raw) (it channel.Item, err error) {
	if raw.ContentType != ContentType {
		return it, fmt.Errorf("content type %q is not known", raw.ContentType)
	}
	var e event
	if err := json.Unmarshal(raw.Body, &e); err != nil {
		return it, err
	}
	from, worth, err := e.sender(raw)
	if err != nil {
		return it, err
	}
	if raw.ProviderID == "" {
		return it, errors.New("the input has no id")
	}
	if e.Type == typeUnsend {
		it.Change, err = e.unsent(raw, from, worth)
		return it, err
	}
	m := &channel.Message{ID: raw.ProviderID, From: from, OccurredAt: e.at(raw), Assurance: worth.assurance, Evidence: worth.evidence}
	switch e.Type {
	case typeMessage:
		err = e.said(m)
	case typePostback:
		err = e.pressed(m)
	case typeFollow:
		m.Content.Text = "The customer has unblocked the account."
		m.Flags, m.Consent = []string{"automatic", "auto_reply"}, channel.OptIn
	case typeUnfollow:
		// LINE takes messages to somebody who has blocked the account, and shows them to nobody:
		// sending them would be "sent" and a lie.
		m.Content.Text = "The customer has blocked the account: nothing reaches this chat until it is unblocked."
		m.Flags, m.Consent = []string{"automatic", "auto_reply"}, channel.OptOut
	default:
		err = fmt.Errorf("type: %q is not known here", hosted.Clip(e.Type, 40))
	}
	if err != nil {
		return it, err
	}
	m.Refs = []string{m.ID}
	if from.Kind == kindGroup {
		m.Flags = append(m.Flags, "list", "auto_reply") // it wakes nothing and nobody answers it
	}
	return channel.Item{Message: m}, nil
}

type worth struct {
	assurance int
	evidence  string
}

// sender of a chat with one person is its user, attested by LINE; of a group or
// room it is the group itself, which is nobody's address.
func (e event) sender(raw channel.Raw) (channel.Address, worth, error) {
	g := e.Source.group()
	switch {
	case len(g) > maxID || len(e.Source.UserID) > maxID:
		return channel.Address{}, worth{}, fmt.Errorf("source: an id is longer than %d", maxID)
	case g != "":
		return channel.Address{Kind: kindGroup, Scope: raw.Inbox, Address: g}, worth{0, "line " + hosted.Clip(e.Source.Type, 20)}, nil
	case e.Source.UserID == "":
		return channel.Address{}, worth{}, errors.New("source.userId: is missing")
	}
	return channel.Address{Kind: Name, Scope: raw.Inbox, Address: e.Source.UserID}, worth{2, "line user"}, nil
}

func (e event) said(m *channel.Message) error {
	if e.Message == nil || e.Message.ID == "" || len(e.Message.ID) > maxID {
		return fmt.Errorf("message.id: is missing or longer than %d", maxID)
	}
	m.ID, m.Content = e.Message.ID, e.Message.content()
	if q := e.Message.QuotedID; q != "" && len(q) <= maxID {
		m.References = []string{q}
	}
	return nil
}

// pressed is a button of a template, a rich menu or a date picker. This hub
// sends none; the account's own menu may have them.
func (e event) pressed(m *channel.Message) error {
	if e.Postback == nil {
		return errors.New("postback: is missing")
	}
	m.Content.Text = "pressed: " + hosted.Clip(e.Postback.Data, 300)
	for _, k := range slices.Sorted(maps.Keys(e.Postback.Params)) {
		m.Content.Text += "\n" + hosted.Clip(k+": "+e.Postback.Params[k], 200)
	}
	m.Content.Text = strings.TrimSpace(m.Content.Text)
	return nil
}

// unsent is a message that its sender has taken back ("Unsend event").
func (e event) unsent(raw channel.Raw, from channel.Address, w worth) (*channel.Change, error) {
	if e.Unsend == nil || e.Unsend.MessageID == "" || len(e.Unsend.MessageID) > maxID {
		return nil, fmt.Errorf("unsend.messageId: is missing or longer than %d", maxID)
	}
	return &channel.Change{
		ID: raw.ProviderID, From: from, Target: e.Unsend.MessageID, Action: channel.Deleted,
		OccurredAt: e.at(raw), Assurance: w.assurance, Evidence: w.evidence,
	}, nil
}

// at is LINE's time unless it is in the future or none.
func (e event) at(raw channel.Raw) time.Time {
	at := time.UnixMilli(e.Timestamp).UTC()
	if e.Timestamp <= 0 || at.After(raw.ReceivedAt) {
		return raw.ReceivedAt
	}
	return at
}
