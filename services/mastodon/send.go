package mastodon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/internal/richtext"
)

// keyLasts is how long an instance knows an Idempotency-Key: an hour, less the time a request takes.
const keyLasts = 50 * time.Minute

type newStatus struct {
	Status     string   `json:"status"`
	InReplyTo  string   `json:"in_reply_to_id,omitempty"`
	Visibility string   `json:"visibility"`
	Media      []string `json:"media_ids,omitempty"`
}

// Send posts the text in as many posts as it takes, each an answer to the one
// before; files go with the last.
func (a *Adapter) Send(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	c, err := a.config(out.Inbox)
	if err != nil {
		return channel.Receipt{}, err
	}
	if no := unsendable(out); no != "" {
		return hosted.Failed(out, a.now(), no)
	}
	acc, err := a.account(ctx, out.Inbox, c)
	if err != nil {
		return channel.Receipt{}, attention(err)
	}
	if n := len(out.Content.Attachments); n > acc.files {
		return hosted.Failed(out, a.now(), fmt.Sprintf("%d files, at most %d go at once on this instance", n, acc.files))
	}
	texts := pieces(out.Content.Text, out.To.Address, acc)
	switch {
	case len(texts) > maxParts:
		return hosted.Failed(out, a.now(), fmt.Sprintf("the text is %d posts long, at most %d are sent", len(texts), maxParts))
	case len(texts) == 0:
		texts = []string{""}
	}
	s, err := a.answered(ctx, out, c)
	if err != nil {
		return channel.Receipt{}, err
	}
	before := s.InReplyTo
	ids, err := a.steps.Send(ctx, out, len(texts), func(ctx context.Context, i int) (string, error) {
		p := newStatus{Status: strings.TrimSpace("@" + out.To.Address + " " + texts[i]), InReplyTo: before, Visibility: s.Visibility}
		if i == len(texts)-1 {
			for _, at := range out.Content.Attachments {
				id, err := a.upload(ctx, out.Inbox, c, at)
				if err != nil {
					return "", err
				}
				p.Media = append(p.Media, id)
			}
		}
		id, err := a.post(ctx, out, c, acc, i, p)
		before = id
		return id, err
	})
	if err == nil {
		a.deps.Inboxes.SetHealth(out.Inbox, inbox.Health{State: "ok", LastOut: a.now().UTC()})
		a.rememberOwn(ctx, out.Inbox, ids, s)
	}
	return hosted.Ended(out, a.now(), ids, len(texts), final(err))
}

func unsendable(out channel.Outbound) string {
	user, host, ok := strings.Cut(out.To.Address, "@")
	switch {
	case !ok || user == "" || host == "" || strings.ContainsAny(out.To.Address, " \n/"):
		return "the address is not user@host"
	case strings.TrimSpace(out.Content.Text) == "" && len(out.Content.Attachments) == 0:
		return "the message is empty"
	}
	for _, f := range out.Content.Attachments {
		if f.Size > maxFile {
			return fmt.Sprintf("the file %q has %d bytes, at most %d are allowed", f.Name, f.Size, maxFile)
		}
	}
	return ""
}

// final makes what the instance refuses a refusal for good.
func final(err error) error {
	if r, ok := errors.AsType[*refusal](err); ok {
		return &hosted.Refusal{Detail: r.words}
	}
	return err
}

// answer is where an answer goes and who may see it.
type answer struct {
	InReplyTo  string
	Visibility string
	root       string
}

// answered finds out about the post that is answered. A post that is gone is
// answered by a direct message; so is a customer whose post is not known.
func (a *Adapter) answered(ctx context.Context, out channel.Outbound, c config) (answer, error) {
	if out.InReplyTo == "" {
		return answer{Visibility: direct}, nil
	}
	p, ok, err := a.kept.post(ctx, out.Inbox, out.InReplyTo)
	if err != nil {
		return answer{}, err
	}
	if ok {
		return answer{out.InReplyTo, answering(p.visibility, c.answers), p.root}, nil
	}
	var s status
	err = a.get(ctx, out.Inbox, c, "/api/v1/statuses/"+url.PathEscape(out.InReplyTo), nil, &s)
	if refusedAs(err) {
		return answer{Visibility: direct}, nil
	}
	if err != nil {
		return answer{}, err
	}
	return answer{out.InReplyTo, answering(s.Visibility, c.answers), s.ID}, nil
}

// post makes one call ("POST /api/v1/statuses"). The key makes it once for an hour; later it is looked for first.
func (a *Adapter) post(ctx context.Context, out channel.Outbound, c config, acc account, i int, p newStatus) (string, error) {
	if !out.At.IsZero() && a.now().Sub(out.At) > keyLasts {
		if id, err := a.posted(ctx, out, c, acc, p); err != nil || id != "" {
			return id, err
		}
	}
	body, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("encode request: %w", err)
	}
	var got status
	q := request{method: http.MethodPost, path: "/api/v1/statuses", body: body, kind: "application/json", key: fmt.Sprintf("weftline-%s-%d", out.ID, i)}
	_, err = a.call(ctx, out.Inbox, c, q, &got)
	if refusedAs(err, http.StatusNotFound) && p.InReplyTo != "" && i == 0 {
		if p.Visibility != direct {
			return "", &refusal{http.StatusNotFound, "the post that it answers has been deleted"}
		}
		p.InReplyTo = ""
		return a.post(ctx, out, c, acc, i, p)
	}
	if err == nil && got.ID == "" {
		err = fmt.Errorf("%w: the instance's answer has no id", hosted.ErrUnknown)
	}
	return got.ID, err
}

// posted looks among our latest posts for one that says the same in the same place.
func (a *Adapter) posted(ctx context.Context, out channel.Outbound, c config, acc account, p newStatus) (string, error) {
	var list []status
	err := a.get(ctx, out.Inbox, c, "/api/v1/accounts/"+url.PathEscape(acc.id)+"/statuses", url.Values{"limit": {"40"}, "exclude_reblogs": {"true"}}, &list)
	if err != nil {
		return "", fmt.Errorf("look whether it was posted: %w", err)
	}
	for _, s := range list {
		if s.InReplyTo == p.InReplyTo && s.Visibility == p.Visibility && !s.CreatedAt.Before(out.At.Add(-time.Minute)) && said(richtext.Text(s.Content)) == said(p.Status) {
			return s.ID, nil
		}
	}
	return "", nil
}

// said is a text without the customer's name before it, whose form instances choose, and without white space.
func said(text string) string {
	if strings.HasPrefix(text, "@") {
		if i := strings.IndexAny(text, " \n"); i >= 0 {
			text = text[i:]
		} else {
			text = ""
		}
	}
	return strings.Join(strings.Fields(text), "")
}

// rememberOwn keeps to which thread our posts belong: the customer's next one answers them.
func (a *Adapter) rememberOwn(ctx context.Context, id string, ids []string, s answer) {
	var all []hosted.Change
	for _, statusID := range ids {
		p := known{visibility: s.Visibility, root: s.root}
		if p.root == "" {
			p.root = ids[0]
		}
		doc, err := a.kept.remember(ctx, id, statusID, p)
		if err != nil {
			a.log.Warn("a post of ours could not be remembered", "channel", Name, "inbox", id, "error", err)
			return
		}
		all = append(all, doc)
	}
	if err := a.kept.Save(ctx, all...); err != nil {
		a.log.Warn("a post of ours could not be remembered", "channel", Name, "inbox", id, "error", err)
	}
}
