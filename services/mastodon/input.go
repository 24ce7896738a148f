package mastodon

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/weftline/weftline/pkg/channel"
)

// ContentType of stored inputs: one post or notification as it came, with what we know of it.
const ContentType = "application/vnd.weftline.mastodon+json"

// Kinds of stored inputs.
const (
	kindStatus    = "status"
	kindEdit      = "edit"
	kindDelete    = "delete"
	kindFavourite = "favourite"
)

// stored is an input.
type stored struct {
	Kind   string `json:"kind"`
	Me     string `json:"me"`               // user@host
	Domain string `json:"domain"`           // of our instance: its own users come without it
	Thread string `json:"thread,omitempty"` // the first post of a public thread
	// Of a deletion, which says nothing but an id.
	Deleted string `json:"deleted,omitempty"`
	Author  *user  `json:"author,omitempty"`
	// Status or Notification as it came.
	Data json.RawMessage `json:"data,omitempty"`
}

func (f *follower) input(b *batch, providerID string, by user, in stored) error {
	in.Me, in.Domain = f.acc.acct, f.acc.domain
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode input: %w", err)
	}
	b.inputs = append(b.inputs, channel.Raw{
		Channel: Name, Inbox: f.id, ProviderID: providerID, ReceivedAt: b.at, ContentType: ContentType, Body: body,
		Peek: channel.Address{Kind: Name, Scope: f.id, Address: address(by.Acct, f.acc.domain)},
	})
	return nil
}

// notified takes in one notification. What cannot be read has nothing to be kept under.
func (f *follower) notified(ctx context.Context, b *batch, r raised) error {
	n := r.notification
	if n.Status == nil || n.Status.ID == "" || n.Account.Acct == "" {
		return nil
	}
	switch n.Type {
	case "mention":
		var whole struct {
			Status json.RawMessage `json:"status"`
		}
		if err := json.Unmarshal(r.raw, &whole); err != nil {
			return nil
		}
		return f.said(ctx, b, *n.Status, whole.Status)
	case "favourite":
		return f.input(b, "favourite:"+n.Account.ID+":"+n.Status.ID, n.Account, stored{Kind: kindFavourite, Data: r.raw})
	}
	return nil
}

// said takes in a post that is meant for us, and remembers it.
func (f *follower) said(ctx context.Context, b *batch, s status, raw json.RawMessage) error {
	p := known{user: s.Account, visibility: s.Visibility, root: s.ID}
	if s.InReplyTo != "" {
		p.root = s.InReplyTo
		parent, ok := b.posts[s.InReplyTo]
		if !ok {
			var err error
			if parent, ok, err = f.a.kept.post(ctx, f.id, s.InReplyTo); err != nil {
				return err
			}
		}
		if ok && parent.root != "" {
			p.root = parent.root
		}
	}
	if b.posts == nil {
		b.posts = map[string]known{}
	}
	b.posts[s.ID] = p
	doc, err := f.a.kept.remember(ctx, f.id, s.ID, p)
	if err != nil {
		return err
	}
	b.changes = append(b.changes, doc)
	in := stored{Kind: kindStatus, Data: raw}
	if s.Visibility != direct {
		in.Thread = p.root
	}
	return f.input(b, "status:"+s.ID, s.Account, in)
}

// take takes in what the stream tells: edits and deletions of posts that were taken in.
func (f *follower) take(ctx context.Context, e event) error {
	b := &batch{at: f.a.now().UTC()}
	switch e.name {
	case "status.update":
		var s status
		if json.Unmarshal(e.data, &s) != nil || s.ID == "" {
			return nil
		}
		if p, ok, err := f.a.kept.post(ctx, f.id, s.ID); err != nil || !ok || p.user.Acct == "" {
			return err // not taken in, or our own
		}
		at := s.EditedAt.UTC().Format("20060102T150405.000Z")
		if err := f.input(b, "status:"+s.ID+"@"+at, s.Account, stored{Kind: kindEdit, Data: e.data}); err != nil {
			return err
		}
	case "delete":
		id := string(e.data)
		p, ok, err := f.a.kept.post(ctx, f.id, id)
		if err != nil || !ok || p.user.Acct == "" {
			return err
		}
		if err := f.input(b, "deleted:"+id, p.user, stored{Kind: kindDelete, Deleted: id, Author: &p.user}); err != nil {
			return err
		}
	}
	return f.store(ctx, b)
}
