package view

import (
	"context"
	"encoding/json"
	"fmt"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// change shows a change by itself.
func (v *Viewer) change(ctx context.Context, e *readmodel.Entry) (*inboxv1.MessageChange, error) {
	m := &inboxv1.Message{Direction: inboxv1.Direction_DIRECTION_INBOUND, Assurance: int32(e.Assurance), Flags: e.Flags}
	out := &inboxv1.MessageChange{Action: e.Verb, Message: m, TargetRef: e.Ref}
	if e.Raw != "" {
		m.Original = v.FileID(FileOriginal, e.ID, 0)
	}
	plain, flag, err := v.open(ctx, e.Body, event.ChangeAAD(e.ID))
	if err != nil {
		return nil, err
	}
	if flag != "" {
		m.Flags = append(m.Flags[:len(m.Flags):len(m.Flags)], flag)
	}
	if flag == FlagErased {
		m.Original = ""
	}
	if plain == nil {
		return out, nil
	}
	var b event.ChangeBody
	if err := json.Unmarshal(plain, &b); err != nil {
		return nil, fmt.Errorf("read change: %w", err)
	}
	v.content(m, e, b.Content)
	m.From, m.FromName, m.Evidence, out.Emoji = b.From, b.FromName, b.Evidence, b.Emoji
	return out, nil
}

// changed shows a message as it is after what was done to it. Who edits after
// he deleted has deleted all the same.
func (v *Viewer) changed(ctx context.Context, e *readmodel.Entry, m *inboxv1.Message, changes []*readmodel.Entry) error {
	since := e.OccurredAt
	if since == 0 {
		since = e.At
	}
	forget := e.Forget
	var reaction *inboxv1.Reaction // one handle changes a message, and has one reaction
	for _, c := range changes {
		shown, err := v.change(ctx, c)
		if err != nil {
			return err
		}
		now := shown.GetMessage()
		switch c.Verb {
		case readmodel.Edited:
			m.Earlier = append(m.Earlier, version(m, since))
			m.Text, m.Html, m.Quoted, m.Attachments = now.GetText(), now.GetHtml(), now.GetQuoted(), now.GetAttachments()
			if now.GetSubject() != "" {
				m.Subject = now.GetSubject()
			}
			since = c.OccurredAt
			m.EditedAt = Stamp(since)
		case readmodel.Deleted:
			if m.DeletedAt == nil {
				m.DeletedAt = Stamp(c.OccurredAt)
			}
			forget = forget || c.Forget
		case readmodel.Reacted:
			reaction = &inboxv1.Reaction{Emoji: shown.GetEmoji(), HandleId: c.Handle, FromName: now.GetFromName(), At: Stamp(c.OccurredAt)}
		case readmodel.Unreacted:
			if shown.GetEmoji() == "" || shown.GetEmoji() == reaction.GetEmoji() {
				reaction = nil
			}
		}
	}
	if reaction.GetEmoji() != "" {
		m.Reactions = append(m.Reactions, reaction)
	}
	if m.GetDeletedAt() == nil {
		return nil
	}
	m.Earlier = append(m.Earlier, version(m, since))
	m.Text, m.Html, m.Quoted, m.Subject, m.Unparsed, m.Attachments, m.Forwarded = "", "", "", "", "", nil, nil
	if forget {
		m.Earlier, m.Original = nil, ""
	}
	return nil
}

func version(m *inboxv1.Message, at int64) *inboxv1.MessageVersion {
	return &inboxv1.MessageVersion{Text: m.GetText(), Html: m.GetHtml(), Attachments: m.GetAttachments(), At: Stamp(at)}
}
