package meta

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/services/internal/hosted"

	"github.com/weftline/weftline/pkg/channel"
)

// Parse reads a stored message or status.
func (a *WhatsAppAdapter) Parse(raw channel.Raw) ([]channel.Item, error) {
	return WhatsAppParser{}.Parse(raw)
}

// WhatsAppParser reads stored WhatsApp inputs wherever that is needed.
type WhatsAppParser struct{}

// Parse implements channel.Parser.
func (WhatsAppParser) Parse(raw channel.Raw) ([]channel.Item, error) {
	it, err := whatsAppItem(raw)
	if err != nil {
		return nil, fmt.Errorf("parse whatsapp input: %w", err)
	}
	return []channel.Item{it}, nil
}

var errStray = errors.New("it is for a number or page that no inbox has")

// opened is the one entry of a stored input.
func opened(raw channel.Raw, contentType, object string) (entry, error) {
	switch raw.ContentType {
	case contentType:
	case contentType + stray:
		return entry{}, errStray
	default:
		return entry{}, fmt.Errorf("content type %q is not known", hosted.Clip(raw.ContentType, 100))
	}
	var b batch
	if err := json.Unmarshal(raw.Body, &b); err != nil {
		return entry{}, err
	}
	if b.Object != object || len(b.Entry) != 1 || b.Entry[0].ID == "" {
		return entry{}, fmt.Errorf("it is no single entry of a %s", object)
	}
	return b.Entry[0], nil
}

func whatsAppItem(raw channel.Raw) (it channel.Item, err error) {
	e, err := opened(raw, whatsAppType, "whatsapp_business_account")
	if err != nil {
		return it, err
	}
	var v struct {
		Contacts []waContact `json:"contacts"`
		Messages []waMessage `json:"messages"`
		Statuses []waStatus  `json:"statuses"`
	}
	if len(e.Changes) != 1 {
		return it, errors.New("it is no single change")
	}
	if err := json.Unmarshal(e.Changes[0].Value, &v); err != nil {
		return it, err
	}
	switch {
	case len(v.Statuses) == 1:
		it.Receipt, err = whatsAppReceipt(raw, v.Statuses[0])
	case len(v.Messages) != 1:
		err = errors.New("it holds neither one message nor one status")
	case v.Messages[0].Reaction != nil:
		it.Change, err = v.Messages[0].change(raw, e.ID, v.Contacts)
	default:
		it.Message, err = v.Messages[0].message(raw, e.ID, v.Contacts)
	}
	return it, err
}

// sender is the user's id in this business account where there is one, else his number.
func (m waMessage) sender(account string) (channel.Address, bool) {
	switch {
	case m.FromUserID != "" && len(m.FromUserID) <= 200:
		return channel.Address{Kind: WhatsApp, Scope: account, Address: m.FromUserID}, true
	case number(m.From) != "":
		return channel.Address{Kind: kindPhone, Address: number(m.From)}, true
	}
	return channel.Address{}, false
}

const kindPhone = "phone"

// number is a wa_id as a phone number. It is what WhatsApp dials, not what is
// compared: for Argentina and Mexico the two differ.
func number(waID string) string {
	waID = strings.TrimPrefix(waID, "+")
	if n := len(waID); n < 5 || n > 20 || strings.Trim(waID, "0123456789") != "" {
		return ""
	}
	return "+" + waID
}

// from is the sender with his name, and his number where his id is the sender.
func (m waMessage) from(account string, contacts []waContact) (a channel.Address, claims *channel.Address, err error) {
	a, ok := m.sender(account)
	for _, c := range contacts {
		if c.UserID != "" && !ok { // an id that came with the profile only
			m.FromUserID = c.UserID
			a, ok = m.sender(account)
		}
		if c.UserID != "" && c.UserID == m.FromUserID || c.WaID != "" && c.WaID == m.From || len(contacts) == 1 {
			if a.Name = hosted.DisplayName(c.Profile.Name); a.Name == "" {
				a.Name = hosted.DisplayName(c.Profile.Username)
			}
			if m.From == "" {
				m.From = c.WaID
			}
			if m.FromUserID == "" && c.UserID != "" && len(c.UserID) <= 200 {
				m.FromUserID = c.UserID
				a.Kind, a.Scope, a.Address = WhatsApp, account, c.UserID
			}
		}
	}
	if !ok {
		return a, nil, errors.New("from: is no number, and there is no from_user_id")
	}
	if n := number(m.From); a.Kind == WhatsApp && n != "" {
		claims = &channel.Address{Kind: kindPhone, Address: n, Name: a.Name}
	}
	return a, claims, nil
}

func (m waMessage) message(raw channel.Raw, account string, contacts []waContact) (*channel.Message, error) {
	from, claims, err := m.from(account, contacts)
	if err != nil {
		return nil, err
	}
	id := hosted.Clip(m.ID, 250)
	if id == "" {
		return nil, errors.New("id: is missing")
	}
	out := &channel.Message{
		ID: id, Refs: []string{id}, From: from, OccurredAt: seconds(raw, m.Timestamp), Content: m.content(),
		Assurance: 2, Evidence: "whatsapp account", ClaimsHandle: claims,
	}
	if c := m.Context; c != nil {
		if c.ID != "" {
			out.References = []string{hosted.Clip(c.ID, 250)}
		}
		if c.Forwarded || c.Often {
			out.Content.Subject = "Forwarded"
		}
	}
	if m.Referral != nil && m.Referral.Headline != "" {
		out.Content.Subject = "From an advertisement: " + hosted.Clip(m.Referral.Headline, 200)
	}
	if s := m.System; s != nil {
		out.Flags = []string{"automatic", "auto_reply"}
		switch { // Meta says that both are the same person
		case s.Type == "user_changed_number" && number(s.WaID) != "" && number(s.WaID) != from.Address:
			out.ClaimsHandle = &channel.Address{Kind: kindPhone, Address: number(s.WaID), Name: from.Name}
		case s.Type == "user_changed_user_id" && s.UserID != "" && s.UserID != from.Address:
			out.ClaimsHandle = &channel.Address{Kind: WhatsApp, Scope: account, Address: hosted.Clip(s.UserID, 200), Name: from.Name}
		}
	}
	return out, nil
}

func (m waMessage) change(raw channel.Raw, account string, contacts []waContact) (*channel.Change, error) {
	from, _, err := m.from(account, contacts)
	if err != nil {
		return nil, err
	}
	if m.Reaction.MessageID == "" || raw.ProviderID == "" {
		return nil, errors.New("reaction.message_id: is missing")
	}
	c := &channel.Change{
		ID: raw.ProviderID, From: from, Target: hosted.Clip(m.Reaction.MessageID, 250), Action: channel.Reacted, Emoji: hosted.Clip(m.Reaction.Emoji, 32),
		OccurredAt: seconds(raw, m.Timestamp), Assurance: 2, Evidence: "whatsapp account",
	}
	if c.Emoji == "" {
		c.Action = channel.Unreacted
	}
	return c, nil
}

// whatsAppReceipt: of a message in several parts the last one's arrival counts, and any one's failure.
func whatsAppReceipt(raw channel.Raw, s waStatus) (*channel.Receipt, error) {
	m, ok := readMark(s.Mark)
	if !ok {
		return nil, errors.New("biz_opaque_callback_data: is not ours")
	}
	r := &channel.Receipt{Channel: raw.Channel, Inbox: raw.Inbox, Outbound: m.outbound, At: seconds(raw, s.Timestamp), State: channel.StateSent}
	if m.part == 0 {
		r.ProviderID = hosted.Clip(s.ID, 250)
	}
	last := m.part == m.of-1
	switch s.Status {
	case "sent":
	case "delivered":
		if last {
			r.State = channel.StateDelivered
		}
	case "read", "played":
		if last {
			r.State = channel.StateRead
		}
	case "failed":
		r.State, r.Detail = channel.StateFailed, "WhatsApp could not deliver it"
		if len(s.Errors) > 0 {
			r.Detail = s.Errors[0].words()
		}
		if m.of > 1 {
			r.Detail = fmt.Sprintf("part %d of %d: %s", m.part+1, m.of, r.Detail)
		}
	default:
		return nil, fmt.Errorf("status: %q is not known", hosted.Clip(s.Status, 30))
	}
	return r, nil
}

// seconds is Meta's time unless it is in the future or none.
func seconds(raw channel.Raw, s string) time.Time {
	n, err := strconv.ParseInt(s, 10, 64)
	return moment(raw, n, err == nil)
}

func moment(raw channel.Raw, n int64, ok bool) time.Time {
	at := time.Unix(n, 0).UTC()
	if n > 100_000_000_000 { // milliseconds, as most of Meta's webhooks say it
		at = time.UnixMilli(n).UTC()
	}
	if !ok || n <= 0 || at.After(raw.ReceivedAt) {
		return raw.ReceivedAt
	}
	return at
}
