package meta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

const messengerType = "application/vnd.weftline.messenger+json"

// Limits of the Send API.
const (
	maxMessengerText = 2000
	maxDirectParts   = 10
	maxMessengerFile = 25 << 20
)

// humanAgent is a setting of both.
var humanAgent = inbox.Setting{
	Key: keyHuman, Label: "Human Agent", Default: off, Values: []string{off, on},
	Advanced: true,
	Help:     "on, if Meta has granted your app the Human Agent permission: answers go out until 7 days after the customer last wrote. off: 24 hours.",
}

var messengerKind = kind{
	probe: "name",
	about: "Messages to a Facebook page, by Messenger.",
	needs: []string{"An app in Meta's App Dashboard, and its app secret", "A Facebook page, and its page access token"},
	recipient: inbox.Recipient{
		Kind: Messenger, Label: "Messenger user id", Scoped: true, Form: regexp.MustCompile(`^[0-9]{1,30}$`), Such: "5591234567890123",
		Help: "The id Meta gives to somebody who has written to you in the last 24 hours: write yourself, and it stands in your conversation.",
	},
	settings: shared("https://graph.facebook.com",
		"Page ID", "On the page under About, Page transparency; or in the App Dashboard under Messenger, beside the page's token.",
		"A page access token that does not expire, with pages_messaging and pages_manage_metadata. Subscribe the page to messages, messaging_postbacks, message_deliveries, message_reads, message_reactions, message_edits and message_echoes.",
		humanAgent),
}

// MessengerAdapter is the Messenger channel of a Facebook page. Safe for concurrent use.
type MessengerAdapter struct{ direct }

var _ interface {
	channel.Adapter
	channel.Fetcher
	channel.Looker
	channel.Typist
} = (*MessengerAdapter)(nil)

// NewMessenger makes the adapter; requests are taken from the first moment.
func NewMessenger(d hosted.Deps) *MessengerAdapter {
	a := &MessengerAdapter{direct{object: "page", contentType: messengerType}}
	a.platform = open(Messenger, messengerKind, d, a.split)
	return a
}

// MessengerChannel describes the settings of a Messenger inbox.
func MessengerChannel(client *http.Client) inbox.Channel {
	return messengerKind.describe(Messenger, client)
}

// Capabilities are the Messenger Platform's. Deliveries and reads are told as
// points in time, not of messages.
func (a *MessengerAdapter) Capabilities() channel.Capabilities {
	return channel.Capabilities{
		TextLimit: maxMessengerText, Parts: maxDirectParts,
		Attachments: true, AttachmentLimit: maxMessengerFile, AttachmentsPerMessage: maxDirectParts,
		ReplyWindow: humanWindow, Typing: true, TypingLasts: 20 * time.Second, Reactions: true, Edits: true, Delivered: true, ReadReceipts: true,
	}
}

// Sender sends for one inbox; false: there is none such.
func (a *MessengerAdapter) Sender(id string) (channel.Sender, bool) { return a, a.there(id) }

func (a *MessengerAdapter) split(in inbox.Inbox, c config, r *hosted.Request) (out []channel.Raw) {
	var b batch
	if json.Unmarshal(r.Body, &b) != nil || b.Object != a.object {
		return []channel.Raw{hosted.Whole(r)}
	}
	for _, e := range b.Entry {
		out = append(out, a.splitDirect(in, c, e)...)
	}
	return out
}

// Parse reads a stored event.
func (a *MessengerAdapter) Parse(raw channel.Raw) ([]channel.Item, error) {
	return MessengerParser{}.Parse(raw)
}

// MessengerParser reads stored Messenger inputs wherever that is needed.
type MessengerParser struct{}

// Parse implements channel.Parser.
func (MessengerParser) Parse(raw channel.Raw) ([]channel.Item, error) {
	e, err := opened(raw, messengerType, "page")
	if err == nil {
		var it channel.Item
		if it, err = directItem(raw, Messenger, e); err == nil {
			return []channel.Item{it}, nil
		}
	}
	return nil, fmt.Errorf("parse messenger input: %w", err)
}

// plannedMessenger says why a message cannot go, or its texts, which go before its files.
func plannedMessenger(out channel.Outbound) (texts []string, refusal string) {
	text := out.Content.Text
	switch {
	case out.To.Kind != Messenger || out.To.Address == "":
		return nil, "the address is not of a Messenger user"
	case strings.TrimSpace(text) == "" && len(out.Content.Attachments) == 0:
		return nil, "the message is empty"
	}
	for _, f := range out.Content.Attachments {
		if f.Size > maxMessengerFile {
			return nil, fmt.Sprintf("the file %q has %d bytes, at most %d are allowed", f.Name, f.Size, maxMessengerFile)
		}
	}
	if strings.TrimSpace(text) != "" {
		texts = channel.Split(text, maxMessengerText, channel.Characters.Length)
	}
	if len(texts) > maxDirectParts {
		return nil, fmt.Sprintf("the text is %d messages long, at most %d are sent", len(texts), maxDirectParts)
	}
	return texts, ""
}

// Send sends texts, then files.
func (a *MessengerAdapter) Send(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	c, err := a.sending(out.Inbox)
	if err != nil {
		return channel.Receipt{}, err
	}
	texts, refusal := plannedMessenger(out)
	if refusal != "" {
		return hosted.Failed(out, a.now(), refusal)
	}
	n := len(texts) + len(out.Content.Attachments)
	began := a.now() // by then it is not read: a watermark is of later
	ids, err := a.steps.Send(ctx, out, n, func(ctx context.Context, i int) (string, error) {
		mark := a.mark(out.Inbox, out.ID, i, n)
		if i >= len(texts) {
			return a.sendFile(ctx, out, c, out.Content.Attachments[i-len(texts)], mark)
		}
		return a.sendDirect(ctx, out.Inbox, c, dmSend{
			Recipient: map[string]string{"id": out.To.Address}, Message: map[string]any{"text": texts[i], "metadata": mark},
		})
	})
	if err == nil {
		a.caller.Sent(out.Inbox)
	}
	return hosted.Ended(out, began, ids, n, err)
}

// sendFile uploads a file for use in messages, then sends it ("Attachment Upload API").
func (a *MessengerAdapter) sendFile(ctx context.Context, out channel.Outbound, c config, f channel.Attachment, mark string) (string, error) {
	data, err := a.deps.Blobs.Get(ctx, f.Blob)
	if err != nil {
		return "", fmt.Errorf("open attachment: %w", err)
	}
	kind := "file"
	for _, k := range []string{"image", "video", "audio"} {
		if strings.HasPrefix(f.ContentType, k+"/") && f.ContentType != "image/svg+xml" {
			kind = k
		}
	}
	message := `{"attachment":{"type":"` + kind + `","payload":{"is_reusable":false}}}`
	r, err := form(ctx, c.address(c.account+"/message_attachments", nil), map[string]string{"message": message}, "filedata", f, data)
	if err != nil {
		return "", err
	}
	var up struct {
		ID string `json:"attachment_id"`
	}
	err = a.do(out.Inbox, c, r, &up)
	if errors.Is(err, hosted.ErrUnknown) {
		return "", errors.New("the file could not be uploaded; nothing was sent")
	}
	if err != nil {
		return "", err
	}
	return a.sendDirect(ctx, out.Inbox, c, dmSend{
		Recipient: map[string]string{"id": out.To.Address},
		Message:   map[string]any{"attachment": map[string]any{"type": kind, "payload": map[string]string{"attachment_id": up.ID}}, "metadata": mark},
	})
}

// Look finds a send whose answer was lost among the echoes that came since.
func (a *MessengerAdapter) Look(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	texts, refusal := plannedMessenger(out)
	if refusal != "" {
		return hosted.Failed(out, a.now(), refusal)
	}
	return a.look(ctx, out, len(texts)+len(out.Content.Attachments))
}
