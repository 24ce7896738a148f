package sms

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/handleid"
)

// said is a message as all providers have it.
type said struct {
	id, from, to, text string
	at                 time.Time
	files              []channel.Attachment
	wish               channel.ConsentWish // by the provider's word; "": by ours
	help               bool
}

func (m said) item(raw channel.Raw, with params) ([]channel.Item, error) {
	numbers := handleid.Normaliser{Region: with.region}
	id, from := clip(m.id, 500), address(numbers, raw.Inbox, m.from) // of which nothing may be left
	switch {
	case id == "":
		return nil, errors.New("the message has no id")
	case from.Address == "":
		return nil, errors.New("the message has no sender")
	case m.text == "" && len(m.files) == 0:
		return nil, errors.New("the message is empty")
	}
	msg := &channel.Message{
		ID: id, From: from, OccurredAt: when(raw, m.at),
		Content: channel.Content{Text: m.text, Attachments: m.files}, Refs: []string{id},
		Assurance: 2, Evidence: "sms " + with.provider, Consent: m.wish,
	}
	if m.to != "" {
		msg.To = []channel.Address{address(numbers, raw.Inbox, m.to)}
	}
	if !dialled(msg.From.Address) { // a name or a short code is set by whoever sends
		msg.Assurance = 1
	}
	wish, help := consent(m.text)
	if msg.Consent == "" {
		msg.Consent = wish
	}
	if help || m.help {
		msg.Flags = append(msg.Flags, flagHelp)
	}
	return []channel.Item{{Message: msg}}, nil
}

// progress is a receipt as all providers have it.
type progress struct {
	id, state string
	detail    string
	at        time.Time
}

func (p progress) item(raw channel.Raw, outbound string, states map[string]channel.State) ([]channel.Item, error) {
	state, ok := states[strings.ToLower(p.state)]
	switch {
	case !ok:
		return nil, fmt.Errorf("state %q is not known", clip(p.state, 40))
	case outbound == "":
		return nil, errors.New("the receipt does not say which message it is about")
	case state == "":
		return nil, fmt.Errorf("state %q is no news", p.state)
	}
	if state != channel.StateFailed {
		p.detail = "" // a code of an attempt that did not matter
	}
	return []channel.Item{{Receipt: &channel.Receipt{
		Channel: raw.Channel, Inbox: raw.Inbox, Outbound: clip(outbound, 256), State: state,
		ProviderID: clip(p.id, 500), Detail: clip(p.detail, 500), At: when(raw, p.at),
	}}}, nil
}

// news says whether a state is worth storing: queued and accepted are not.
func news(states map[string]channel.State, word string) bool {
	state, known := states[strings.ToLower(word)]
	return !known || state != ""
}

// when is the provider's time unless it says none, or one in the future.
func when(raw channel.Raw, at time.Time) time.Time {
	if at.IsZero() || at.After(raw.ReceivedAt) {
		return raw.ReceivedAt
	}
	return at.UTC()
}

func clip(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit])
}
