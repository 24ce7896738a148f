package slack

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Limits of what is sent. Slack takes 40,000 characters, and recommends 4,000
// ("chat.postMessage"); escaped, 4,000 are 20,000 at most.
const (
	maxText  = 4000
	maxParts = 10
	maxFiles = 10
)

var (
	idForm    = regexp.MustCompile(`^[A-Z][A-Z0-9]{1,40}$`)
	placeForm = regexp.MustCompile(`^([CDG][A-Z0-9]{1,40}):([0-9]{1,12}\.[0-9]{1,9})$`)
)

type postMessage struct {
	Channel  string   `json:"channel"`
	Text     string   `json:"text"`
	Thread   string   `json:"thread_ts,omitempty"`
	Markup   bool     `json:"mrkdwn"` // false: *stars* stay stars
	Metadata metadata `json:"metadata"`
}

// Sender sends for one inbox; false: there is none such.
func (a *Adapter) Sender(id string) (channel.Sender, bool) {
	in, ok := a.deps.Inboxes.Get(id)
	return a, ok && in.Channel == Name
}

// Send sends texts, then all files as one message: to the customer directly, or
// into the thread of the channel in which he spoke.
func (a *Adapter) Send(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	c, err := a.sending(out.Inbox)
	if err != nil {
		return channel.Receipt{}, err
	}
	p, no := planned(out)
	if no != "" {
		return hosted.Failed(out, a.now(), no)
	}
	n := p.steps()
	if err := a.locate(ctx, out.Inbox, c, &p); err != nil {
		return hosted.Ended(out, a.now(), nil, n, err)
	}
	ids, err := a.steps.Send(ctx, out, n, func(ctx context.Context, i int) (string, error) {
		if i == len(p.texts) {
			return a.share(ctx, out.Inbox, c, p, out.Content.Attachments)
		}
		var sent struct {
			Channel string `json:"channel"`
			TS      string `json:"ts"`
		}
		err := a.call(ctx, out.Inbox, c, "chat.postMessage", postMessage{
			Channel: p.channel, Text: escape.Replace(p.texts[i]), Thread: p.thread, Metadata: a.mark(out, i, n),
		}, &sent)
		return messageID(sent.Channel, sent.TS), err
	})
	if err == nil {
		a.healed(out.Inbox)
		a.well(out.Inbox)
		a.deps.Inboxes.SetHealth(out.Inbox, inbox.Health{LastOut: a.now().UTC()})
	}
	return hosted.Ended(out, a.now(), ids, n, err)
}

// plan is where a message goes and in how many calls.
type plan struct {
	user    string
	channel string // "": the direct messages with user
	thread  string
	texts   []string
	files   int
}

// steps: all files are one message.
func (p plan) steps() int { return len(p.texts) + min(p.files, 1) }

// planned says why a message cannot go, or how it does.
func planned(out channel.Outbound) (p plan, refusal string) {
	text := out.Content.Text
	p.user, p.files = out.To.Address, len(out.Content.Attachments)
	switch {
	case out.To.Kind != Name || !idForm.MatchString(out.To.Address):
		return p, "the address is not a Slack user's id"
	case strings.TrimSpace(text) == "" && p.files == 0:
		return p, "the message is empty"
	case p.files > maxFiles:
		return p, fmt.Sprintf("%d files, at most %d go at once", p.files, maxFiles)
	}
	if strings.TrimSpace(text) != "" {
		p.texts = channel.Split(text, maxText, channel.Characters.Length)
	}
	if len(p.texts) > maxParts {
		return p, fmt.Sprintf("the text is %d messages of %d characters long, at most %d are sent", len(p.texts), maxText, maxParts)
	}
	if out.Thread != "" {
		at := placeForm.FindStringSubmatch(out.Thread)
		if at == nil {
			return p, "which thread it answers is not known"
		}
		p.channel, p.thread = at[1], at[2]
		return p, ""
	}
	if at := placeForm.FindStringSubmatch(out.InReplyTo); at != nil && direct(at[1]) {
		p.channel = at[1]
		// He wrote in a thread of his direct messages: he is answered there.
		if len(out.References) > 0 && out.References[0] != out.InReplyTo {
			if root := placeForm.FindStringSubmatch(out.References[0]); root != nil && root[1] == p.channel {
				p.thread = root[2]
			}
		}
	}
	return p, ""
}

// locate finds the channel of the direct messages with somebody: it is opened
// once and for ever ("conversations.open").
func (a *Adapter) locate(ctx context.Context, inboxID string, c config, p *plan) error {
	if p.channel != "" {
		return nil
	}
	var v struct {
		Channel struct {
			ID string `json:"id"`
		} `json:"channel"`
	}
	if err := a.call(ctx, inboxID, c, "conversations.open", map[string]string{"users": p.user}, &v); err != nil {
		return nothingSent(err)
	}
	if !idForm.MatchString(v.Channel.ID) {
		return fmt.Errorf("conversations.open: Slack names no channel")
	}
	p.channel = v.Channel.ID
	return nil
}
