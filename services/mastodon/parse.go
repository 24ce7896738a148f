package mastodon

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// star is how a favourite is shown.
const star = "⭐"

// Parse reads a stored input.
func (a *Adapter) Parse(raw channel.Raw) ([]channel.Item, error) { return Parser{}.Parse(raw) }

// Parser reads stored inputs wherever that is needed.
type Parser struct{}

// Parse implements channel.Parser.
func (Parser) Parse(raw channel.Raw) ([]channel.Item, error) {
	if raw.ContentType != ContentType {
		return nil, fmt.Errorf("parse mastodon input: content type %q is not known", raw.ContentType)
	}
	var in stored
	if err := json.Unmarshal(raw.Body, &in); err != nil {
		return nil, fmt.Errorf("parse mastodon input: %w", err)
	}
	item, err := item(raw, in)
	if err != nil {
		return nil, fmt.Errorf("parse mastodon input: %w", err)
	}
	return []channel.Item{item}, nil
}

func item(raw channel.Raw, in stored) (channel.Item, error) {
	if in.Kind == kindDelete {
		return deleted(raw, in)
	}
	if in.Kind == kindFavourite {
		return favourite(raw, in)
	}
	if in.Kind != kindStatus && in.Kind != kindEdit {
		return channel.Item{}, fmt.Errorf("kind: %q is not known", hosted.Clip(in.Kind, 30))
	}
	var s status
	if err := json.Unmarshal(in.Data, &s); err != nil {
		return channel.Item{}, err
	}
	from, err := sender(raw, in, s.Account)
	if err != nil {
		return channel.Item{}, err
	}
	if s.ID == "" {
		return channel.Item{}, errors.New("id: is missing")
	}
	if in.Kind == kindEdit {
		return channel.Item{Change: &channel.Change{
			ID: "status:" + s.ID + "@" + s.EditedAt.UTC().Format(time.RFC3339Nano), From: from, Target: s.ID, Action: channel.Edited,
			Content: content(s, in), OccurredAt: when(raw, s.EditedAt), Assurance: 2, Evidence: evidence,
		}}, nil
	}
	m := &channel.Message{
		ID: s.ID, Refs: []string{s.ID}, From: from, OccurredAt: when(raw, s.CreatedAt), Content: content(s, in),
		Assurance: 2, Evidence: evidence, CC: others(raw, s, in), Thread: in.Thread,
	}
	if s.InReplyTo != "" {
		m.References = []string{s.InReplyTo}
	}
	if s.Account.Bot {
		// The account says of itself that it is a program's: programs do not answer one another.
		m.Flags = append(m.Flags, "automatic", "auto_reply")
	}
	return channel.Item{Message: m}, nil
}

const evidence = "mastodon account, attested by its instance"

// sender is user@host, attested by its instance: ours, or one whose signature ours has checked.
func sender(raw channel.Raw, in stored, u user) (channel.Address, error) {
	a := channel.Address{Kind: Name, Scope: raw.Inbox, Address: address(u.Acct, in.Domain), Name: hosted.DisplayName(u.Name)}
	if a.Address == "" {
		return a, errors.New("account.acct: is missing")
	}
	if a.Name == "" {
		a.Name = "@" + a.Address
	}
	return a, nil
}

// others are who was mentioned beside us; an answer does not go to them.
func others(raw channel.Raw, s status, in stored) (out []channel.Address) {
	for _, m := range s.Mentions[:min(len(s.Mentions), 50)] {
		if a := address(m.Acct, in.Domain); a != "" && a != in.Me && a != address(s.Account.Acct, in.Domain) {
			out = append(out, channel.Address{Kind: Name, Scope: raw.Inbox, Address: a})
		}
	}
	return out
}

func deleted(raw channel.Raw, in stored) (channel.Item, error) {
	if in.Deleted == "" || in.Author == nil {
		return channel.Item{}, errors.New("deleted: names no post or no author")
	}
	from, err := sender(raw, in, *in.Author)
	if err != nil {
		return channel.Item{}, err
	}
	return channel.Item{Change: &channel.Change{
		ID: "deleted:" + in.Deleted, From: from, Target: in.Deleted, Action: channel.Deleted, OccurredAt: raw.ReceivedAt, Assurance: 2, Evidence: evidence,
	}}, nil
}

func favourite(raw channel.Raw, in stored) (channel.Item, error) {
	var n notification
	if err := json.Unmarshal(in.Data, &n); err != nil {
		return channel.Item{}, err
	}
	if n.Status == nil || n.Status.ID == "" {
		return channel.Item{}, errors.New("status.id: is missing")
	}
	from, err := sender(raw, in, n.Account)
	if err != nil {
		return channel.Item{}, err
	}
	return channel.Item{Change: &channel.Change{
		ID: "favourite:" + from.Address + ":" + n.Status.ID, From: from, Target: n.Status.ID, Action: channel.Reacted, Emoji: star,
		OccurredAt: when(raw, n.CreatedAt), Assurance: 2, Evidence: evidence,
	}}, nil
}

// when is the instance's time unless it is in the future or none.
func when(raw channel.Raw, at time.Time) time.Time {
	if at.IsZero() || at.Year() < 2000 || at.After(raw.ReceivedAt) {
		return raw.ReceivedAt
	}
	return at.UTC()
}
