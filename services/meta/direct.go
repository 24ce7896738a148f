package meta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// humanWindow is how long a person may answer where the app has Meta's "Human
// Agent" permission; without it Meta refuses after replyWindow, in words.
const humanWindow = 7 * 24 * time.Hour

// direct is what Messenger and Instagram share: direct messages of a page or an account.
type direct struct {
	*platform
	object      string // of a batch
	contentType string
}

// dmEvent is one thing that happened in a direct chat ("Webhook Events Reference").
type dmEvent struct {
	Sender    party      `json:"sender"`
	Recipient party      `json:"recipient"`
	Timestamp jsonNumber `json:"timestamp"`
	Message   *dmMessage `json:"message"`
	Postback  *struct {
		MID     string `json:"mid"`
		Title   string `json:"title"`
		Payload string `json:"payload"`
	} `json:"postback"`
	Reaction *struct {
		MID      string `json:"mid"`
		Action   string `json:"action"`
		Emoji    string `json:"emoji"`
		Reaction string `json:"reaction"`
	} `json:"reaction"`
	Edit *struct {
		MID  string `json:"mid"`
		Text string `json:"text"`
	} `json:"message_edit"`
	Referral *struct {
		Ref string `json:"ref"`
	} `json:"referral"`
	Delivery *watermark `json:"delivery"`
	Read     *watermark `json:"read"`
}

type party struct {
	ID string `json:"id"`
}

type dmMessage struct {
	MID         string         `json:"mid"`
	Text        string         `json:"text"`
	Echo        bool           `json:"is_echo"`
	Deleted     bool           `json:"is_deleted"`
	Unsupported bool           `json:"is_unsupported"`
	Metadata    string         `json:"metadata"`
	Attachments []dmAttachment `json:"attachments"`
	ReplyTo     *struct {
		MID   string `json:"mid"`
		Story *struct {
			URL string `json:"url"`
			ID  string `json:"id"`
		} `json:"story"`
	} `json:"reply_to"`
}

type dmAttachment struct {
	Type    string `json:"type"`
	Payload struct {
		URL         string `json:"url"`
		Title       string `json:"title"`
		Coordinates *struct {
			Lat  float64 `json:"lat"`
			Long float64 `json:"long"`
		} `json:"coordinates"`
	} `json:"payload"`
}

// splitDirect makes one input of each event of a batch. Nothing to keep are the
// echoes of what others sent; those of ours tell that a send whose answer was lost arrived.
func (a *direct) splitDirect(in inbox.Inbox, c config, e entry) (out []channel.Raw) {
	id, found := a.mineOr(in, c, e.ID)
	for _, b := range e.Messaging {
		var ev dmEvent
		raw := single(a.object, a.contentType, "", entry{ID: e.ID, Messaging: []json.RawMessage{b}})
		if json.Unmarshal(b, &ev) != nil {
			out = append(out, place(raw, id, found))
			continue
		}
		m := ev.Message
		switch {
		case m != nil && m.Echo:
			if !a.ours(id, m.Metadata) {
				continue
			}
			a.heard.note(id, m.Metadata, m.MID)
			raw.ProviderID = "echo:" + hosted.Clip(m.MID, 240)
		case m != nil && m.MID != "" && !m.Deleted:
			raw.ProviderID = hosted.Clip(m.MID, 250)
		case m == nil && ev.Postback != nil && ev.Postback.MID != "":
			raw.ProviderID = hosted.Clip(ev.Postback.MID, 250)
		case m == nil && (ev.Delivery != nil || ev.Read != nil):
			raw.ProviderID = hosted.Clip(ev.seenID(), 250)
		case m == nil && ev.Postback == nil && ev.Reaction == nil && ev.Edit == nil && ev.Referral == nil:
			continue
		}
		if ev.Sender.ID != "" && (m == nil || !m.Echo) {
			raw.Peek = channel.Address{Kind: a.name, Scope: e.ID, Address: hosted.Clip(ev.Sender.ID, 200)}
		}
		out = append(out, place(raw, id, found))
	}
	return out
}

// Fetch opens a file at Meta's content network; its signed address expires.
func (a *direct) Fetch(ctx context.Context, inboxID string, at channel.Attachment) (io.ReadCloser, error) {
	c, err := a.sending(inboxID)
	if err != nil {
		return nil, err
	}
	return a.fetch(ctx, inboxID, c, at.Remote, false)
}

// dmSend is a message that goes out ("Send API").
type dmSend struct {
	Recipient map[string]string `json:"recipient"`
	Type      string            `json:"messaging_type,omitempty"`
	Tag       string            `json:"tag,omitempty"`
	Message   map[string]any    `json:"message,omitempty"`
	Action    string            `json:"sender_action,omitempty"`
}

// sendDirect makes one call, and where the window of a day is over a second one
// as a human agent, if the settings say that the app may.
func (a *direct) sendDirect(ctx context.Context, inboxID string, c config, m dmSend) (string, error) {
	var sent struct {
		ID string `json:"message_id"`
	}
	m.Type = "RESPONSE"
	err := a.post(ctx, inboxID, c, c.account+"/messages", m, &sent)
	if no, ok := errors.AsType[*refused](err); ok && c.human && outsideWindow(no.code, no.subcode) {
		m.Type, m.Tag = "MESSAGE_TAG", "HUMAN_AGENT"
		err = a.post(ctx, inboxID, c, c.account+"/messages", m, &sent)
	}
	if err == nil && sent.ID == "" {
		err = fmt.Errorf("%w: Meta names no id", hosted.ErrUnknown)
	}
	return sent.ID, err
}

// Typing shows or hides "typing" ("Sender actions").
func (a *direct) Typing(ctx context.Context, inboxID string, to channel.Address, on bool) error {
	c, err := a.sending(inboxID)
	if err != nil {
		return err
	}
	action := "typing_off"
	if on {
		action = "typing_on"
	}
	return a.post(ctx, inboxID, c, c.account+"/messages", dmSend{Recipient: map[string]string{"id": to.Address}, Action: action}, nil)
}
