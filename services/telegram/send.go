package telegram

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Limits of what is sent ("sendMessage", "Sending files").
const (
	maxText    = 4096 // UTF-16 units
	maxCaption = 1024
	maxParts   = 10
	maxFile    = 50 << 20
	maxPhoto   = 10 << 20
	maxFiles   = 10
)

type replyTo struct {
	MessageID int64 `json:"message_id"`
	// Anyway: the customer may have deleted it.
	Anyway bool `json:"allow_sending_without_reply"`
}

type sendMessage struct {
	ChatID int64    `json:"chat_id"`
	Text   string   `json:"text"`
	Reply  *replyTo `json:"reply_parameters,omitempty"`
}

// Sender sends for one inbox; false: there is none such.
func (a *Adapter) Sender(id string) (channel.Sender, bool) {
	in, ok := a.deps.Inboxes.Get(id)
	return a, ok && in.Channel == Name
}

// Send sends texts, then files; one text that fits goes as the caption of the first file.
func (a *Adapter) Send(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	c, err := a.sending(out.Inbox)
	if err != nil {
		return channel.Receipt{}, err
	}
	plan, refusal := planned(out)
	if refusal != "" {
		return hosted.Failed(out, a.now(), refusal)
	}
	ids, err := a.steps.Send(ctx, out, plan.steps(), func(ctx context.Context, i int) (string, error) {
		var sent struct {
			ID int64 `json:"message_id"`
		}
		var reply *replyTo
		if i == 0 {
			reply = plan.reply
		}
		if i < len(plan.texts) {
			err := a.call(ctx, out.Inbox, c, "sendMessage", sendMessage{plan.chat, plan.texts[i], reply}, &sent)
			return messageID(plan.chat, sent.ID), err
		}
		i -= len(plan.texts)
		caption := ""
		if i == 0 {
			caption = plan.caption
		}
		r, err := a.upload(ctx, c, plan.chat, out.Content.Attachments[i], caption, reply)
		if err != nil {
			return "", err
		}
		err = a.do(out.Inbox, r, &sent)
		return messageID(plan.chat, sent.ID), err
	})
	if err == nil {
		a.well(out.Inbox)
		a.deps.Inboxes.SetHealth(out.Inbox, inbox.Health{LastOut: a.now().UTC()})
	}
	return hosted.Ended(out, a.now(), ids, plan.steps(), err)
}

// plan is the calls that a message takes.
type plan struct {
	chat    int64
	texts   []string
	caption string
	files   int
	reply   *replyTo
}

func (p plan) steps() int { return len(p.texts) + p.files }

// planned says why a message cannot go, or how it does.
func planned(out channel.Outbound) (p plan, refusal string) {
	var err error
	text := out.Content.Text
	p.files = len(out.Content.Attachments)
	p.chat, err = strconv.ParseInt(out.To.Address, 10, 64)
	switch {
	case out.To.Kind == kindGroup || err == nil && p.chat < 0:
		return p, "groups and channels are not served: nothing is sent there"
	case err != nil || p.chat == 0:
		return p, "the address is not a Telegram user's number"
	case strings.TrimSpace(text) == "" && p.files == 0:
		return p, "the message is empty"
	case p.files > maxFiles:
		return p, fmt.Sprintf("%d files, at most %d go at once", p.files, maxFiles)
	}
	for _, f := range out.Content.Attachments {
		if f.Size > maxFile {
			return p, fmt.Sprintf("the file %q has %d bytes, at most %d are allowed", f.Name, f.Size, maxFile)
		}
	}
	switch {
	case p.files > 0 && channel.UTF16Units.Length(text) <= maxCaption:
		p.caption = text
	case strings.TrimSpace(text) != "":
		p.texts = channel.Split(text, maxText, channel.UTF16Units.Length)
	}
	if len(p.texts) > maxParts {
		return p, fmt.Sprintf("the text is %d messages long, at most %d are sent", len(p.texts), maxParts)
	}
	if id, ok := strings.CutPrefix(out.InReplyTo, out.To.Address+":"); ok {
		if n, err := strconv.ParseInt(id, 10, 64); err == nil {
			p.reply = &replyTo{n, true}
		}
	}
	return p, ""
}

// Typing shows "typing" for five seconds or until a message comes ("sendChatAction").
func (a *Adapter) Typing(ctx context.Context, inboxID string, to channel.Address, on bool) error {
	c, err := a.sending(inboxID)
	if err != nil || !on {
		return err
	}
	id, err := strconv.ParseInt(to.Address, 10, 64)
	if err != nil || id <= 0 {
		return fmt.Errorf("typing: the address is not a Telegram user's number")
	}
	return a.call(ctx, inboxID, c, "sendChatAction", map[string]any{"chat_id": id, "action": "typing"}, nil)
}
