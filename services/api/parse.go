package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/weftline/weftline/services/internal/hosted"

	"github.com/weftline/weftline/pkg/channel"
)

// Parse reads a stored event.
func (a *Adapter) Parse(raw channel.Raw) ([]channel.Item, error) { return Parser{}.Parse(raw) }

// OpenPart opens a file inside a stored event.
func (a *Adapter) OpenPart(raw channel.Raw, part string) ([]byte, string, error) {
	return Parser{}.OpenPart(raw, part)
}

// Parser reads stored events wherever that is needed.
type Parser struct{}

// Parse implements channel.Parser.
func (Parser) Parse(raw channel.Raw) ([]channel.Item, error) {
	media, params, err := mime.ParseMediaType(raw.ContentType)
	if err != nil || media != ContentType {
		return nil, fmt.Errorf("parse api event: content type %q is not known", raw.ContentType)
	}
	var e Event
	if err := json.Unmarshal(raw.Body, &e); err != nil {
		return nil, fmt.Errorf("parse api event: %w", fault(raw.Body, err))
	}
	var item channel.Item
	switch e.Type {
	case typeMessage:
		item.Message, err = message(raw, e, params["vouch"])
	case typeEdited, typeDeleted, typeReacted, typeUnreacted:
		item.Change, err = change(raw, e, params["vouch"])
	case typeReceipt:
		item.Receipt, err = receipt(raw, e)
	default:
		err = fmt.Errorf("type: %q is not one of message, edited, deleted, reacted, unreacted, receipt", e.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("parse api event: %w", err)
	}
	return []channel.Item{item}, nil
}

// sender is the user and what vouches for him: a login of the backend's is as
// good as the backend (4), a device is attested by it (2).
func sender(raw channel.Raw, p *Party, vouch string) (from channel.Address, assurance int, evidence string, err error) {
	switch {
	case p == nil || p.ID == "":
		return from, 0, "", errors.New("from.id: is missing")
	case utf8.RuneCountInString(p.ID) > maxID:
		return from, 0, "", fmt.Errorf("from.id: has %d characters, at most %d are allowed", utf8.RuneCountInString(p.ID), maxID)
	}
	from = channel.Address{Kind: Name, Scope: raw.Inbox, Address: p.ID, Name: hosted.DisplayName(p.Name)}
	if vouch == vouchDevice {
		return from, 2, "api device", nil
	}
	return from, 4, "api login", nil
}

func message(raw channel.Raw, e Event, vouch string) (*channel.Message, error) {
	from, assurance, evidence, err := sender(raw, e.From, vouch)
	if err != nil {
		return nil, err
	}
	content, err := contentOf(e)
	if err != nil {
		return nil, err
	}
	m := &channel.Message{
		ID: id(raw, e), From: from, OccurredAt: when(raw, e), Content: content, Assurance: assurance, Evidence: evidence,
		Refs: []string{id(raw, e)}, Thread: hosted.Clip(e.Thread, 200),
	}
	if e.Answers != "" {
		m.References = []string{hosted.Clip(e.Answers, 200)}
	}
	if e.From.Email != "" {
		m.ClaimsHandle = &channel.Address{Kind: "email", Address: hosted.Clip(e.From.Email, 254), Name: hosted.DisplayName(e.From.Name)}
		if !e.From.EmailVerified {
			m.Flags = append(m.Flags, "offline_capture") // said, and no proof
		}
	}
	return m, nil
}

func contentOf(e Event) (channel.Content, error) {
	if n := utf8.RuneCountInString(e.Text); n > maxText {
		return channel.Content{}, fmt.Errorf("text: has %d characters, at most %d are allowed", n, maxText)
	}
	if len(e.Files) > maxFiles {
		return channel.Content{}, fmt.Errorf("files: %d of them, at most %d are allowed", len(e.Files), maxFiles)
	}
	c := channel.Content{Subject: hosted.Clip(e.Subject, 500), Text: e.Text}
	for i, f := range e.Files {
		if len(f.Data) > maxFile {
			return c, fmt.Errorf("files[%d].data: has %d bytes, at most %d are allowed", i, len(f.Data), maxFile)
		}
		c.Attachments = append(c.Attachments, channel.Attachment{
			Name: hosted.FileName(f.Name), ContentType: f.Type, Size: int64(len(f.Data)), Part: strconv.Itoa(i),
		})
	}
	if c.Text == "" && len(c.Attachments) == 0 {
		return c, errors.New("text: is empty, and there are no files")
	}
	return c, nil
}

func change(raw channel.Raw, e Event, vouch string) (*channel.Change, error) {
	from, assurance, evidence, err := sender(raw, e.From, vouch)
	if err != nil {
		return nil, err
	}
	if e.Message == "" {
		return nil, errors.New("message: is missing")
	}
	c := &channel.Change{
		ID: raw.ProviderID, From: from, Target: hosted.Clip(e.Message, 200), OccurredAt: when(raw, e), Assurance: assurance, Evidence: evidence,
		Action: channel.Action(e.Type), Emoji: hosted.Clip(e.Emoji, 64),
	}
	switch {
	case e.Type == typeEdited:
		c.Content, err = contentOf(e)
	case e.Type == typeReacted && e.Emoji == "":
		err = errors.New("emoji: is missing")
	}
	return c, err
}

func receipt(raw channel.Raw, e Event) (*channel.Receipt, error) {
	state := channel.State(e.State)
	switch state {
	case channel.StateDelivered, channel.StateRead, channel.StateFailed:
	default:
		return nil, fmt.Errorf("state: %q is not one of delivered, read, failed", e.State)
	}
	if e.Message == "" {
		return nil, errors.New("message: is missing")
	}
	return &channel.Receipt{
		Channel: raw.Channel, Inbox: raw.Inbox, Outbound: hosted.Clip(e.Message, 200), State: state, Detail: hosted.Clip(e.Detail, 1000), At: when(raw, e),
	}, nil
}

// OpenPart implements channel.PartOpener.
func (Parser) OpenPart(raw channel.Raw, part string) ([]byte, string, error) {
	var e Event
	if err := json.Unmarshal(raw.Body, &e); err != nil {
		return nil, "", fmt.Errorf("open part: %w", err)
	}
	i, err := strconv.Atoi(part)
	if err != nil || i < 0 || i >= len(e.Files) {
		return nil, "", fmt.Errorf("open part: there is no file %q", hosted.Clip(part, 20))
	}
	return e.Files[i].Data, e.Files[i].Type, nil
}

func id(raw channel.Raw, e Event) string {
	if e.ID != "" {
		return hosted.Clip(e.ID, 200)
	}
	return raw.ProviderID
}

// when is the sender's time unless it is in the future.
func when(raw channel.Raw, e Event) time.Time {
	if e.At.IsZero() || e.At.After(raw.ReceivedAt) {
		return raw.ReceivedAt
	}
	return e.At.UTC()
}
