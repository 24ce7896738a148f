package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// Sender sends for one inbox; false: there is none such.
func (a *Adapter) Sender(id string) (channel.Sender, bool) {
	in, ok := a.deps.Inboxes.Get(id)
	return a, ok && in.Channel == Name
}

// Send posts a message to the backend. It drops ids it has seen, so an answer
// that was lost is asked for again by sending again.
func (a *Adapter) Send(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	c, err := a.config(out.Inbox)
	if err != nil {
		return channel.Receipt{}, err
	}
	if c.url == "" {
		return hosted.Failed(out, a.now(), "the inbox has no address for answers (setting url)")
	}
	if n := utf8.RuneCountInString(out.Content.Text); n > maxText {
		return hosted.Failed(out, a.now(), fmt.Sprintf("the text has %d characters, at most %d are allowed", n, maxText))
	}
	e := Event{
		Type: typeMessage, ID: out.ID, To: &Party{ID: out.To.Address, Name: out.To.Name}, At: out.At.UTC(),
		Subject: out.Subject, Text: out.Content.Text, HTML: out.Content.HTML, Thread: out.Thread, Answers: out.InReplyTo,
		Author: out.AuthorName, Conversation: out.Conversation, Automatic: out.Automatic,
	}
	if e.Files, err = a.files(ctx, out.Content.Attachments); err != nil {
		return channel.Receipt{}, err
	}
	reply, err := a.post(ctx, out.Inbox, c, out.ID, e)
	switch {
	case err != nil && ctx.Err() != nil:
		return channel.Receipt{}, ctx.Err()
	case err != nil:
		// Temporary even where it may have arrived: the id makes it harmless to send again.
		return channel.Receipt{}, fmt.Errorf("send: %w", err)
	case reply.Status == http.StatusForbidden, reply.Status == http.StatusNotFound, reply.Status == http.StatusMethodNotAllowed:
		return channel.Receipt{}, a.caller.Attention(out.Inbox, fmt.Sprintf("your address answers %d", reply.Status))
	case !reply.OK():
		return hosted.Failed(out, a.now(), fmt.Sprintf("your backend refuses it (%d)", reply.Status))
	}
	a.caller.Sent(out.Inbox)
	return hosted.Result(out, a.now(), out.ID, nil)
}

// Typing tells the backend that somebody is typing.
func (a *Adapter) Typing(ctx context.Context, inboxID string, to channel.Address, on bool) error {
	c, err := a.config(inboxID)
	if err != nil || c.url == "" {
		return err
	}
	id := fmt.Sprintf("typing-%d", a.now().UnixNano())
	_, err = a.post(ctx, inboxID, c, id, Event{Type: typeTyping, To: &Party{ID: to.Address}, Typing: on, At: a.now().UTC()})
	return err
}

func (a *Adapter) ping(ctx context.Context, inboxID string, c config) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	reply, err := a.post(ctx, inboxID, c, fmt.Sprintf("ping-%d", a.now().UnixNano()), Event{Type: typePing, At: a.now().UTC()})
	if err == nil && !reply.OK() {
		err = fmt.Errorf("%s: answers %d to a ping, wanted is 2xx", keyURL, reply.Status)
	}
	return err
}

func (a *Adapter) post(ctx context.Context, inboxID string, c config, id string, e Event) (hosted.Reply, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return hosted.Reply{}, fmt.Errorf("encode event: %w", err)
	}
	r, err := hosted.JSON(ctx, c.url, json.RawMessage(body))
	if err != nil {
		return hosted.Reply{}, err
	}
	seal(r, c, id, body, a.now())
	return a.caller.Do(inboxID, r)
}

func (a *Adapter) config(id string) (config, error) {
	return hosted.Sending(a.deps.Inboxes, Name, id, readConfig)
}

// files reads the attachments; the composer has kept to the limits.
func (a *Adapter) files(ctx context.Context, list []channel.Attachment) ([]File, error) {
	var files []File
	for _, at := range list {
		b, err := a.deps.Blobs.Get(ctx, at.Blob)
		if err != nil {
			return nil, fmt.Errorf("open attachment: %w", err)
		}
		files = append(files, File{Name: at.Name, Type: at.ContentType, Data: b})
	}
	return files, nil
}
