package matrix

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Limits of what is sent. An event has at most 65,536 bytes ("Size limits"), and
// each byte of a text may become two.
const (
	maxText  = 30_000 // bytes
	maxParts = 10
	maxFile  = 50 << 20
	maxFiles = 10
)

// Send sends texts, then files, into the room of the message it answers.
func (a *Adapter) Send(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	c, err := a.config(out.Inbox)
	if err != nil {
		return channel.Receipt{}, err
	}
	texts, no := planned(out)
	if no != "" {
		return hosted.Failed(out, a.now(), no)
	}
	roomID, no, err := a.target(ctx, c, out)
	if err != nil {
		return channel.Receipt{}, err
	}
	if no != "" {
		return hosted.Failed(out, a.now(), no)
	}
	n := len(texts) + len(out.Content.Attachments)
	ids, err := a.steps.Send(ctx, out, n, func(ctx context.Context, i int) (string, error) {
		body := map[string]any{"msgtype": "m.text"}
		if i < len(texts) {
			body["body"] = texts[i]
		} else if body, err = a.upload(ctx, out.Inbox, c, out.Content.Attachments[i-len(texts)]); err != nil {
			return "", err
		}
		if out.Automatic && body["msgtype"] == "m.text" {
			body["msgtype"] = "m.notice"
		}
		body["m.mentions"] = struct{}{}
		if r := relates(out, roomID, i == 0); r != nil {
			body["m.relates_to"] = r
		}
		var sent struct {
			ID string `json:"event_id"`
		}
		err := a.call(ctx, out.Inbox, c, http.MethodPut, path(client+"/rooms/%s/send/m.room.message/%s", roomID, transaction(out.ID, i)), body, &sent)
		return refOf(roomID, sent.ID), err
	})
	if err == nil {
		a.deps.Inboxes.SetHealth(out.Inbox, inbox.Health{LastOut: a.now().UTC()})
		a.well(out.Inbox)
		a.markRead(ctx, c, out)
	}
	return hosted.Ended(out, a.now(), ids, n, final(err))
}

// final makes what the homeserver refuses a refusal for good.
func final(err error) error {
	if r, ok := errors.AsType[*refusal](err); ok {
		return &hosted.Refusal{Detail: r.words}
	}
	return err
}

// planned says why a message cannot go, or its texts.
func planned(out channel.Outbound) (texts []string, no string) {
	switch {
	case out.To.Kind == kindRoom:
		return nil, "only direct rooms are served: nothing is sent there"
	case !isUser(out.To.Address):
		return nil, "the address is not a Matrix user id"
	case strings.TrimSpace(out.Content.Text) == "" && len(out.Content.Attachments) == 0:
		return nil, "the message is empty"
	case len(out.Content.Attachments) > maxFiles:
		return nil, fmt.Sprintf("%d files, at most %d go at once", len(out.Content.Attachments), maxFiles)
	}
	for _, f := range out.Content.Attachments {
		if f.Size > maxFile {
			return nil, fmt.Sprintf("the file %q has %d bytes, at most %d are allowed", f.Name, f.Size, maxFile)
		}
	}
	if strings.TrimSpace(out.Content.Text) != "" {
		texts = channel.Split(out.Content.Text, maxText, channel.Bytes.Length)
	}
	if len(texts) > maxParts {
		return nil, fmt.Sprintf("the text is %d messages long, at most %d are sent", len(texts), maxParts)
	}
	return texts, ""
}

// relates ties a message to the one it answers and to its thread ("Rich replies", "Threading").
func relates(out channel.Outbound, roomID string, first bool) map[string]any {
	r := map[string]any{}
	in, to, ok := fromRef(out.InReplyTo)
	if ok = ok && in == roomID; ok && first {
		r["m.in_reply_to"] = map[string]string{"event_id": to}
	}
	if at, root, threaded := fromRef(out.Thread); threaded && at == roomID {
		r["rel_type"], r["event_id"] = "m.thread", root
		if r["m.in_reply_to"] == nil {
			// For clients without threads, which show it as an answer.
			r["is_falling_back"] = true
			r["m.in_reply_to"] = map[string]string{"event_id": root}
		}
	}
	if len(r) == 0 {
		return nil
	}
	return r
}

// markRead shows the customer that his message was read: somebody has answered it. Nothing depends on it.
func (a *Adapter) markRead(ctx context.Context, c config, out channel.Outbound) {
	roomID, event, ok := fromRef(out.InReplyTo)
	if !ok {
		return
	}
	body := map[string]string{}
	if at, root, threaded := fromRef(out.Thread); threaded && at == roomID {
		body["thread_id"] = root
	}
	if err := a.call(ctx, out.Inbox, c, http.MethodPost, path(client+"/rooms/%s/receipt/m.read/%s", roomID, event), body, nil); err != nil && ctx.Err() == nil {
		a.log.Debug("a read receipt was not taken", "channel", Name, "inbox", out.Inbox, "error", err)
	}
}

// Typing shows that somebody types, for ten seconds ("PUT /rooms/{roomId}/typing/{userId}").
func (a *Adapter) Typing(ctx context.Context, inboxID string, to channel.Address, on bool) error {
	c, err := a.config(inboxID)
	if err != nil {
		return err
	}
	roomID, err := a.roomWith(ctx, inboxID, to.Address)
	if err != nil {
		return err
	}
	if roomID == "" {
		return errors.New("typing: no room with this customer is known")
	}
	me, err := a.me(ctx, inboxID, c)
	if err != nil {
		return err
	}
	body := map[string]any{"typing": on}
	if on {
		body["timeout"] = 10_000
	}
	return a.call(ctx, inboxID, c, http.MethodPut, path(client+"/rooms/%s/typing/%s", roomID, me), body, nil)
}
