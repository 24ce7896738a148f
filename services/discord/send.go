package discord

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// nonceLasts is how long Discord knows a nonce, "the past few minutes": less than that.
const nonceLasts = time.Minute

type newMessage struct {
	Content      string          `json:"content,omitempty"`
	Nonce        string          `json:"nonce"`
	EnforceNonce bool            `json:"enforce_nonce"`
	Mentions     allowedMentions `json:"allowed_mentions"`
	Answers      *answers        `json:"message_reference,omitempty"`
	Attachments  []fileName      `json:"attachments,omitempty"`
}

// allowedMentions: nobody is called because he is spoken of.
type allowedMentions struct {
	Parse []string `json:"parse"`
}

type answers struct {
	Message string `json:"message_id"`
	MustBe  bool   `json:"fail_if_not_exists"` // false: a message that is gone is answered all the same
}

// Send sends the text in as many messages as it takes; files go with the last.
func (a *Adapter) Send(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	c, err := a.config(out.Inbox)
	if err != nil {
		return channel.Receipt{}, err
	}
	texts, no := planned(out)
	if no != "" {
		return hosted.Failed(out, a.now(), no)
	}
	ids, err := a.deliver(ctx, c, out, texts, "")
	if refusedAs(err, codeUnknownChannel, codeNoAccess) && len(ids) == 0 {
		// The conversation that is remembered is none any more, or was with the bot that the inbox had before: Discord says which one is.
		var where string
		if where, err = a.direct(ctx, out, c); err == nil {
			ids, err = a.deliver(ctx, c, out, texts, where)
		}
	}
	if err == nil {
		a.sent(out.Inbox)
	}
	return hosted.Ended(out, a.now(), ids, len(texts), final(err))
}

// deliver makes the calls; where is the channel, "": the one that is known.
func (a *Adapter) deliver(ctx context.Context, c config, out channel.Outbound, texts []string, where string) ([]string, error) {
	if where == "" {
		var err error
		if where, err = a.channelOf(ctx, out, c); err != nil {
			return nil, err
		}
	}
	return a.steps.Send(ctx, out, len(texts), func(ctx context.Context, i int) (string, error) {
		m := newMessage{Content: escaped(texts[i]), Nonce: a.nonce(out, i), EnforceNonce: true, Mentions: allowedMentions{Parse: []string{}}}
		if at, id, ok := strings.Cut(out.InReplyTo, ":"); ok && i == 0 && at == where && idForm.MatchString(id) {
			m.Answers = &answers{Message: id}
		}
		var files []channel.Attachment
		if i == len(texts)-1 {
			files = out.Content.Attachments
		}
		if out.Unknown || !out.At.IsZero() && a.now().Sub(out.At) > nonceLasts {
			id, err := a.posted(ctx, out, c, where, m, len(files))
			if err != nil {
				return "", err
			}
			if id != "" {
				a.remember(ctx, out.Inbox, where, id, m.Nonce)
				return ref(where, id), nil
			}
		}
		id, err := a.create(ctx, out.Inbox, c, where, m, files)
		if err != nil {
			return "", tooFast(err)
		}
		a.remember(ctx, out.Inbox, where, id, m.Nonce)
		return ref(where, id), nil
	})
}

// remember keeps what is ours: the gateway tells it as well, if it is connected.
func (a *Adapter) remember(ctx context.Context, inboxID, where, id, nonce string) {
	if err := a.kept.Save(context.WithoutCancel(ctx), a.kept.own(inboxID, where, id, nonce)...); err != nil {
		a.log.Warn("a message of ours could not be remembered", "channel", Name, "inbox", inboxID, "error", err)
	}
}

// nonce names a part of a message: at most 25 characters ("Create Message").
func (a *Adapter) nonce(out channel.Outbound, part int) string {
	parts := []string{out.Inbox, out.ID, strconv.Itoa(part)}
	if a.deps.Keys != nil {
		return a.deps.Keys.Hash("discord nonce", parts...)[:24]
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// channelOf is where the message goes: where the customer wrote, else where he is
// known to have written, else what Discord opens.
func (a *Adapter) channelOf(ctx context.Context, out channel.Outbound, c config) (string, error) {
	if at, _, ok := strings.Cut(out.InReplyTo, ":"); ok && idForm.MatchString(at) {
		return at, nil
	}
	if id, err := a.with(ctx, out.Inbox, out.To.Address); err != nil || id != "" {
		return id, err
	}
	return a.direct(ctx, out, c)
}

// direct opens the channel of the direct messages with somebody, once and for ever ("Create DM").
func (a *Adapter) direct(ctx context.Context, out channel.Outbound, c config) (string, error) {
	var v struct {
		ID string `json:"id"`
	}
	err := a.post(ctx, out.Inbox, c, "/users/@me/channels", map[string]string{"recipient_id": out.To.Address}, &v)
	switch {
	case errors.Is(err, hosted.ErrUnknown):
		return "", errors.New("no answer from Discord; nothing was sent")
	case err != nil:
		return "", tooFast(err)
	case !idForm.MatchString(v.ID):
		return "", errors.New("open a conversation: Discord names none")
	}
	return v.ID, nil
}

// final makes what Discord refuses a refusal for good.
func final(err error) error {
	if r, ok := errors.AsType[*refusal](err); ok {
		if _, later := errors.AsType[*channel.RetryAfterError](err); !later {
			return &hosted.Refusal{Detail: r.words}
		}
	}
	return err
}
