package command

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Limits of a template.
const (
	LimitTemplateName   = 200 // characters
	LimitTemplateValues = 50
	LimitTemplateValue  = 2_000 // characters
)

// template checks what can be checked of one without knowing the channel.
func template(t *channel.Template) error {
	if t == nil {
		return nil
	}
	if err := length("template.name", t.Name, 1, LimitTemplateName); err != nil {
		return err
	}
	if err := length("template.language", t.Language, 1, 35); err != nil { // RFC 5646 §4.4.1
		return err
	}
	if n := len(t.Values); n > LimitTemplateValues {
		return &customer.FieldError{Field: "template.values", Problem: fmt.Sprintf("must be at most %d, are %d", LimitTemplateValues, n)}
	}
	for i, v := range t.Values {
		if err := length(fmt.Sprintf("template.values[%d]", i), v, 0, LimitTemplateValue); err != nil {
			return err
		}
	}
	return nil
}

// fits refuses what the channel cannot carry, naming the field and the limit.
func (s *Service) fits(ch, inbox string, c channel.Content, t *channel.Template) error {
	can, known := s.Capabilities(ch, inbox)
	if !known {
		if t != nil {
			return &customer.FieldError{Field: "template", Problem: fmt.Sprintf("channel %s has no templates", ch)}
		}
		return nil
	}
	if t != nil {
		if !can.Templates {
			return &customer.FieldError{Field: "template", Problem: fmt.Sprintf("channel %s has no templates", ch)}
		}
		return nil // its text is the provider's
	}
	if err := fitsText(ch, can, c); err != nil {
		return err
	}
	return fitsFiles(ch, can, c.Attachments)
}

func fitsText(ch string, can channel.Capabilities, c channel.Content) error {
	if !can.HTML && strings.TrimSpace(c.HTML) != "" {
		return &customer.FieldError{Field: "html", Problem: fmt.Sprintf("must be empty: channel %s carries plain text only", ch)}
	}
	if can.TextLimit <= 0 {
		return nil
	}
	has, parts := can.TextUnit.Length(c.Text), max(can.Parts, 1)
	if has <= can.TextLimit || parts > 1 && len(channel.Split(c.Text, can.TextLimit, can.TextUnit.Length)) <= parts {
		return nil
	}
	unit := "characters"
	if can.TextUnit != channel.Characters {
		unit = string(can.TextUnit) + " units"
	}
	if can.TextUnit == channel.Bytes {
		unit = "bytes"
	}
	limit := fmt.Sprintf("%d %s", can.TextLimit, unit)
	if parts > 1 {
		limit = fmt.Sprintf("%d messages of %s", parts, limit)
	}
	return &customer.FieldError{Field: "text", Problem: fmt.Sprintf("must have at most %s on channel %s, has %d", limit, ch, has)}
}

func fitsFiles(ch string, can channel.Capabilities, files []channel.Attachment) error {
	if len(files) == 0 {
		return nil
	}
	if !can.Attachments {
		return &customer.FieldError{Field: "attachments", Problem: fmt.Sprintf("must be empty: channel %s carries no files", ch)}
	}
	if n := can.AttachmentsPerMessage; n > 0 && len(files) > n {
		return &customer.FieldError{Field: "attachments", Problem: fmt.Sprintf("must be at most %d on channel %s, are %d", n, ch, len(files))}
	}
	for i, f := range files {
		field := fmt.Sprintf("attachments[%d]", i)
		if can.AttachmentLimit > 0 && f.Size > can.AttachmentLimit {
			return &customer.FieldError{Field: field, Problem: fmt.Sprintf("must have at most %d bytes on channel %s, has %d", can.AttachmentLimit, ch, f.Size)}
		}
		if len(can.AttachmentTypes) > 0 && !slices.ContainsFunc(can.AttachmentTypes, func(want string) bool { return matches(f.ContentType, want) }) {
			return &customer.FieldError{Field: field, Problem: fmt.Sprintf("must be one of %s on channel %s, is %s", strings.Join(can.AttachmentTypes, ", "), ch, f.ContentType)}
		}
	}
	return nil
}

// matches says whether a type is the one wanted, as image/png or image/*.
func matches(kind, want string) bool {
	family, all := strings.CutSuffix(want, "*")
	return kind == want || all && strings.HasPrefix(kind, family)
}

// there refuses to send over an inbox that was removed or never was here, as one
// that history was imported of: nobody would ever send it. An inbox of another
// channel that took its id is not the one he wrote to. Where its channel runs
// does not matter: every process knows the same inboxes.
func (s *Service) there(handle, ch, inbox string) error {
	if name, ok := s.Channel(inbox); !ok || name != ch {
		return &customer.UnreachableError{Handle: handle, Inbox: inbox, Reason: customer.InboxGone}
	}
	return nil
}

// reachable refuses what may not be sent there now: his channel's time to reply
// is over, or somebody he is one person with wants nothing more over the inbox.
func (s *Service) reachable(ctx context.Context, st customer.State, r event.ReplyRequested, at time.Time, t *channel.Template) error {
	can, _ := s.Capabilities(r.Channel, r.Inbox)
	err := st.Reachable(r.Handle, r.Inbox, at, customer.Freely{Length: can.ReplyWindow, Templates: can.Templates, Template: t != nil, Answer: r.Answers != ""})
	if err != nil || s.OptedOut == nil {
		return err
	}
	reach, handle, out, err := s.OptedOut(ctx, st.ID, r.Inbox)
	if err != nil {
		return fmt.Errorf("look up consents of the person: %w", err)
	}
	if own := st.Handle(r.Handle).Reach(r.Inbox); out && r.Answers != "" && reach.Unasked && own.AskedAt.After(reach.OutAt) {
		return nil // it is he who asks, at another address of his
	}
	if out {
		return &customer.UnreachableError{Handle: handle, Inbox: r.Inbox, Reason: customer.OptedOut, At: reach.OutAt, Message: reach.Message, Unasked: reach.Unasked}
	}
	return nil
}
