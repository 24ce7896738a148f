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

const instagramType = "application/vnd.weftline.instagram+json"

// maxInstagramText is bytes of UTF-8 ("Send messages").
const maxInstagramText = 1000

var instagramKind = kind{
	probe: "username",
	about: "Direct messages and comments of an Instagram professional account.",
	needs: []string{"An app in Meta's App Dashboard, and its app secret", "An Instagram professional account, and its long-lived token"},
	recipient: inbox.Recipient{
		Kind: Instagram, Label: "Instagram user id", Scoped: true, Form: regexp.MustCompile(`^[0-9]{1,30}$`), Such: "5591234567890123",
		Help: "The id Meta gives to somebody who has written to you in the last 24 hours: write yourself, and it stands in your conversation.",
	},
	settings: shared("https://graph.instagram.com",
		"Instagram account ID", "The id of the professional account, in the App Dashboard under Instagram, API setup.",
		"A long-lived token of the account with instagram_business_manage_messages and instagram_business_manage_comments. Subscribe to messages, messaging_postbacks, messaging_seen, message_reactions, comments and live_comments.",
		humanAgent,
		inbox.Setting{
			Key: keyComments, Label: "Answers to comments", Default: public, Values: []string{public, private},
			Help: "public: below the comment, for everybody. private: as one direct message, within 7 days.",
		}),
}

// InstagramAdapter is the channel of an Instagram professional account: direct
// messages, and comments on its own media. Safe for concurrent use.
type InstagramAdapter struct{ direct }

var _ interface {
	channel.Adapter
	channel.Fetcher
	channel.Looker
	channel.Typist
} = (*InstagramAdapter)(nil)

// NewInstagram makes the adapter; requests are taken from the first moment.
func NewInstagram(d hosted.Deps) *InstagramAdapter {
	a := &InstagramAdapter{direct{object: Instagram, contentType: instagramType}}
	a.platform = open(Instagram, instagramKind, d, a.split)
	return a
}

// InstagramChannel describes the settings of an Instagram inbox.
func InstagramChannel(client *http.Client) inbox.Channel {
	return instagramKind.describe(Instagram, client)
}

// Capabilities are the Instagram API's. Files can be sent only by a public
// address, which what an agent attaches does not have.
func (a *InstagramAdapter) Capabilities() channel.Capabilities {
	return channel.Capabilities{
		TextLimit: maxInstagramText, TextUnit: channel.Bytes, Parts: maxDirectParts,
		ReplyWindow: humanWindow, Typing: true, TypingLasts: 20 * time.Second, Reactions: true, Deletes: true, ReadReceipts: true, Threads: true,
	}
}

// Sender sends for one inbox; false: there is none such.
func (a *InstagramAdapter) Sender(id string) (channel.Sender, bool) { return a, a.there(id) }

// igComment is a comment on a post, reel or live video ("Comments payload").
type igComment struct {
	ID   string `json:"id"`
	Text string `json:"text"`
	From struct {
		ID       string `json:"id"`
		Username string `json:"username"`
	} `json:"from"`
	Media struct {
		ID   string `json:"id"`
		Kind string `json:"media_product_type"`
	} `json:"media"`
	Parent string `json:"parent_id"`
}

const commentPrefix = "comment:"

func (a *InstagramAdapter) split(in inbox.Inbox, c config, r *hosted.Request) (out []channel.Raw) {
	var b batch
	if json.Unmarshal(r.Body, &b) != nil || b.Object != a.object {
		return []channel.Raw{hosted.Whole(r)}
	}
	for _, e := range b.Entry {
		out = append(out, a.splitDirect(in, c, e)...)
		id, found := a.mineOr(in, c, e.ID)
		for _, ch := range e.Changes {
			var v igComment
			if ch.Field != "comments" && ch.Field != "live_comments" {
				continue
			}
			raw := single(b.Object, instagramType, "", entry{ID: e.ID, Changes: []change{ch}})
			if json.Unmarshal(ch.Value, &v) == nil && v.ID != "" {
				if v.From.ID == e.ID {
					continue // what the account itself has said: our own answers among it
				}
				raw.ProviderID = commentPrefix + hosted.Clip(v.ID, 200)
				if v.From.ID != "" {
					raw.Peek = channel.Address{Kind: Instagram, Scope: e.ID, Address: hosted.Clip(v.From.ID, 200)}
				}
			}
			out = append(out, place(raw, id, found))
		}
	}
	return out
}

// Parse reads a stored event or comment.
func (a *InstagramAdapter) Parse(raw channel.Raw) ([]channel.Item, error) {
	return InstagramParser{}.Parse(raw)
}

// InstagramParser reads stored Instagram inputs wherever that is needed.
type InstagramParser struct{}

// Parse implements channel.Parser.
func (InstagramParser) Parse(raw channel.Raw) ([]channel.Item, error) {
	e, err := opened(raw, instagramType, Instagram)
	if err == nil {
		var it channel.Item
		if len(e.Changes) == 1 {
			it.Message, err = comment(raw, e)
		} else {
			it, err = directItem(raw, Instagram, e)
		}
		if err == nil {
			return []channel.Item{it}, nil
		}
	}
	return nil, fmt.Errorf("parse instagram input: %w", err)
}

// comment is a message in the thread of its media: everybody can read it.
func comment(raw channel.Raw, e entry) (*channel.Message, error) {
	var v igComment
	if err := json.Unmarshal(e.Changes[0].Value, &v); err != nil {
		return nil, err
	}
	switch {
	case v.ID == "":
		return nil, errors.New("value.id: is missing")
	case v.From.ID == "" || len(v.From.ID) > 200:
		return nil, errors.New("value.from.id: is missing or longer than 200")
	}
	id := commentPrefix + hosted.Clip(v.ID, 200)
	out := &channel.Message{
		ID: id, Refs: []string{id}, OccurredAt: raw.ReceivedAt, Assurance: 2, Evidence: "instagram account",
		From:    channel.Address{Kind: Instagram, Scope: e.ID, Address: v.From.ID, Name: hosted.DisplayName(v.From.Username)},
		Content: channel.Content{Text: v.Text, Subject: "Comment on " + strings.ToLower(hosted.Clip(orPost(v.Media.Kind), 20))},
		Thread:  "media:" + hosted.Clip(v.Media.ID, 100),
	}
	if v.Parent != "" {
		out.References = []string{commentPrefix + hosted.Clip(v.Parent, 200)}
	}
	if v.Text == "" {
		out.Content.Unparsed = "a comment without text; Instagram does not hand over its picture"
	}
	return out, nil
}

func orPost(kind string) string {
	switch kind {
	case "", "FEED":
		return "a post"
	case "REELS":
		return "a reel"
	}
	return kind
}

// igPlan is how an answer goes: pieces of text to a person or below a comment.
type igPlan struct {
	texts   []string
	comment string // answered; empty: a direct message
	private bool   // the comment is answered in a direct message
}

func plannedInstagram(out channel.Outbound, c config) (p igPlan, refusal string) {
	switch {
	case out.To.Kind != Instagram || out.To.Address == "":
		return p, "the address is not of an Instagram user"
	case len(out.Content.Attachments) > 0:
		return p, "Instagram takes files only from a public address: send a link"
	case strings.TrimSpace(out.Content.Text) == "":
		return p, "the message is empty"
	}
	p.texts = channel.Split(out.Content.Text, maxInstagramText, channel.Bytes.Length)
	id, answersComment := strings.CutPrefix(out.InReplyTo, commentPrefix)
	switch {
	case out.Thread != "" && (!answersComment || !idForm.MatchString(id)):
		return p, "which comment it answers is not known"
	case answersComment && out.Thread != "":
		p.comment, p.private = id, c.comments == private
	}
	switch {
	case len(p.texts) > maxDirectParts:
		return p, fmt.Sprintf("the text is %d messages long, at most %d are sent", len(p.texts), maxDirectParts)
	case p.private && len(p.texts) > 1:
		return p, fmt.Sprintf("a private answer to a comment is one message of at most %d bytes; this has %d", maxInstagramText, len(out.Content.Text))
	}
	return p, ""
}

// Send answers a person, or a comment where the message answered is one.
func (a *InstagramAdapter) Send(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	c, err := a.sending(out.Inbox)
	if err != nil {
		return channel.Receipt{}, err
	}
	p, refusal := plannedInstagram(out, c)
	if refusal != "" {
		return hosted.Failed(out, a.now(), refusal)
	}
	n := len(p.texts)
	began := a.now() // by then it is not read: a watermark is of later
	ids, err := a.steps.Send(ctx, out, n, func(ctx context.Context, i int) (string, error) {
		if p.comment != "" && !p.private {
			return a.replyBelow(ctx, out.Inbox, c, p.comment, p.texts[i])
		}
		to := map[string]string{"id": out.To.Address}
		if p.private {
			to = map[string]string{"comment_id": p.comment}
		}
		return a.sendDirect(ctx, out.Inbox, c, dmSend{
			Recipient: to, Message: map[string]any{"text": p.texts[i], "metadata": a.mark(out.Inbox, out.ID, i, n)},
		})
	})
	if err == nil {
		a.caller.Sent(out.Inbox)
	}
	return hosted.Ended(out, began, ids, n, err)
}

// replyBelow answers a comment for everybody ("Comment moderation", replies).
func (a *InstagramAdapter) replyBelow(ctx context.Context, inboxID string, c config, id, text string) (string, error) {
	var sent struct {
		ID string `json:"id"`
	}
	err := a.post(ctx, inboxID, c, id+"/replies", map[string]string{"message": text}, &sent)
	if err == nil && sent.ID == "" {
		err = fmt.Errorf("%w: Instagram names no id", hosted.ErrUnknown)
	}
	return commentPrefix + sent.ID, err
}

// Look finds a send whose answer was lost among the echoes that came since.
func (a *InstagramAdapter) Look(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	c, err := a.sending(out.Inbox)
	if err != nil {
		return channel.Receipt{}, err
	}
	p, refusal := plannedInstagram(out, c)
	if refusal != "" {
		return hosted.Failed(out, a.now(), refusal)
	}
	return a.look(ctx, out, len(p.texts))
}
