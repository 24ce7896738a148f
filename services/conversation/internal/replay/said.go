package replay

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/history"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
)

// where an item stands in the stream of its address's owner. Away from home the
// conversation is another one of the same topic, as after a move.
func (r *run) where(t turn) customer.Where {
	w := customer.Where{
		Handle: t.end.own.Attach(), Conversation: t.talk.id, Channel: t.talk.rec.Channel, Inbox: t.talk.rec.Inbox,
	}
	if owner := t.end.own.Customer; owner != t.talk.home {
		w.Conversation, w.Topic = r.Keys.Hash("import/fragment", t.talk.id, owner), t.talk.id
	}
	return w
}

// refs are the hashes under which answers find a message.
func (r *run) refs(ch string, ids ...string) (out []string) {
	for _, id := range ids {
		if id != "" {
			out = append(out, r.Keys.Hash("ref", r.cfg.Tenant, ch, id))
		}
	}
	return out
}

func (r *run) message(t turn, m *history.Message) turn {
	w := r.where(t)
	flags := m.Flags
	body := event.MessageBody{From: t.end.addr.Address, FromName: m.AuthorName, To: m.To, CC: m.CC, Evidence: "import from " + r.plan.header.Source}
	if body.FromName == "" {
		body.FromName = t.who.rec.Name
	}
	if m.MessageID != "" {
		body.ThreadIDs = append([]string{m.MessageID}, m.References...)
	}
	cut := false
	body.Content, cut = r.content(m)
	if cut {
		flags = append(slices.Clone(flags), "truncated")
	}
	if t.who != t.talk.of {
		flags = append(slices.Clone(flags), customer.FlagThirdParty)
	}
	t.actor = "customer"
	t.commit = "msg:" + t.id
	t.command = func(*stream) customer.Command {
		return customer.BringMessage{
			Where: w, Message: t.id, OccurredAt: t.at, Assurance: t.end.level, Flags: flags, Refs: r.refs(w.Channel, m.MessageID),
		}
	}
	t.fill = func(ctx context.Context, es []event.Event) (err error) {
		last := len(es) - 1
		e := es[last].(event.MessageReceived) // BringMessage always ends with it
		if body.Attachments, err = r.files(ctx, e.Unit, m); err != nil {
			return err
		}
		if e.Body, err = seal.JSON(ctx, r.Keys, e.Unit, body, event.MessageAAD(e.Message)); err != nil {
			return err
		}
		es[last] = e
		return r.title(ctx, e.Unit, t, m, es)
	}
	return t
}

func (r *run) reply(ctx context.Context, t turn, m *history.Message) turn {
	w := r.where(t)
	agent, known := r.agent(ctx, m.Author)
	if !known {
		agent = actorImport
	}
	body := event.ReplyBody{
		To:         channel.Address{Kind: t.end.addr.Kind, Scope: t.end.addr.Scope, Address: t.end.addr.Address, Name: t.who.rec.Name},
		AuthorName: m.AuthorName, References: m.References, OccurredAt: t.at,
	}
	if body.AuthorName == "" && !known {
		body.AuthorName = m.Author
	}
	if n := len(m.References); n > 0 {
		body.InReplyTo = m.References[n-1]
	}
	body.Content, _ = r.content(m)
	t.actor = agent
	t.commit = "reply:" + t.id
	t.command = func(*stream) customer.Command {
		return customer.BringReply{
			Where: w, Reply: t.id, At: t.at, Author: agent, Automatic: m.Automatic, Refs: r.refs(w.Channel, m.MessageID),
		}
	}
	t.fill = func(ctx context.Context, es []event.Event) (err error) {
		i := len(es) - 2
		e := es[i].(event.ReplyRequested) // BringReply ends with it and what became of it
		if body.Attachments, err = r.files(ctx, e.Unit, m); err != nil {
			return err
		}
		if e.Body, err = seal.JSON(ctx, r.Keys, e.Unit, body, event.ReplyAAD(e.Reply)); err != nil {
			return err
		}
		es[i] = e
		return r.title(ctx, e.Unit, t, m, es)
	}
	return t
}

// title seals the subject of a conversation that is opened.
func (r *run) title(ctx context.Context, unit string, t turn, m *history.Message, es []event.Event) (err error) {
	for i, e := range es {
		o, ok := e.(event.ConversationOpened)
		if !ok {
			continue
		}
		text := t.talk.rec.Subject
		if text == "" {
			text = m.Subject
		}
		if o.Subject, err = seal.Text(ctx, r.Keys, unit, text, event.SubjectAAD(o.Conversation)); err != nil {
			return err
		}
		es[i] = o
	}
	return nil
}

func (r *run) note(ctx context.Context, whose string, t turn, n *history.Note) turn {
	agent, known := r.agent(ctx, n.Author)
	body := event.NoteBody{Text: n.Text, OccurredAt: t.at}
	if !known {
		agent, body.AuthorName = actorImport, n.AuthorName
		if body.AuthorName == "" {
			body.AuthorName = n.Author
		}
	}
	t.actor = agent
	t.commit = "note:" + t.id
	t.command = func(*stream) customer.Command {
		return customer.Note{Note: t.id, Conversation: t.talk.id, RecalledTo: certain}
	}
	t.fill = func(ctx context.Context, es []event.Event) (err error) {
		e := es[0].(event.NoteAdded)
		e.Body, err = seal.JSON(ctx, r.Keys, event.CustomerKey(whose), body, event.NoteAAD(e.Note))
		es[0] = e
		return err
	}
	return t
}

func (r *run) event(whose string, t turn, b *history.Event) turn {
	body := event.EventBody{Title: b.Title, Link: b.Link, Source: b.Source, Payload: b.Payload}
	if body.Source == "" {
		body.Source = r.plan.header.Source
	}
	t.commit = "event:" + t.id
	t.command = func(*stream) customer.Command {
		return customer.Record{Event: t.id, Kind: b.Kind, OccurredAt: t.at, Imported: true, RecalledTo: certain}
	}
	t.fill = func(ctx context.Context, es []event.Event) (err error) {
		if err := command.CheckEventBody(body.Title, body.Link, &body.Payload); err != nil {
			return err
		}
		e := es[0].(event.EventRecorded)
		e.Body, err = seal.JSON(ctx, r.Keys, event.CustomerKey(whose), body, event.EventAAD(e.Event))
		es[0] = e
		return err
	}
	return t
}

// certain: the whole stream was read, so what is not in it is not there.
const certain = ^uint64(0)

// limitBody is what a body may take in an event, as for what comes in by channels.
const limitBody = 560 << 10

// content is what was said, cut where it is too large for an event.
func (r *run) content(m *history.Message) (c channel.Content, cut bool) {
	c = channel.Content{Subject: m.Subject, Text: m.Text, Quoted: m.Quoted, HTML: r.Sanitise(m.HTML)}
	size := func() int {
		data, err := seal.Marshal(struct {
			C     channel.Content
			Lists [][]string
		}{c, [][]string{m.To, m.CC, m.References}})
		if err != nil {
			return limitBody + 1
		}
		return len(data) + 300*len(m.Attachments)
	}
	for _, less := range []func(){
		func() { c.HTML = "" },
		func() { c.Quoted = "" },
		func() { c.Text = strings.ToValidUTF8(c.Text[:min(len(c.Text), 200<<10)], "") },
	} {
		if size() <= limitBody {
			break
		}
		less()
		cut = true
	}
	return c, cut
}

// files puts attachments into the blob store, under the key of their message.
func (r *run) files(ctx context.Context, unit string, m *history.Message) (out []channel.Attachment, err error) {
	for i, a := range m.Attachments {
		key, size, err := r.Blobs.Put(ctx, unit, bytes.NewReader(a.Data), history.LimitAttachment)
		if err != nil {
			return nil, fmt.Errorf("keep attachment %d: %w", i, err)
		}
		kind := a.ContentType
		if kind == "" {
			kind = http.DetectContentType(a.Data)
		}
		out = append(out, channel.Attachment{
			Name: fileName(a.Name), ContentType: kind, Size: size, ContentID: a.ContentID, Inline: a.Inline, Blob: key,
		})
	}
	return out, nil
}

// fileName leaves no path and no control characters.
func fileName(s string) string {
	s = path.Base(strings.ReplaceAll(s, `\`, "/"))
	s = strings.Map(func(c rune) rune {
		if unicode.Is(unicode.C, c) {
			return -1
		}
		return c
	}, s)
	if s == "." || s == "/" {
		return ""
	}
	return s
}

// agent finds who is meant, asking once for each name.
func (r *run) agent(ctx context.Context, ref string) (string, bool) {
	if ref == "" {
		return "", false
	}
	r.agents.Lock()
	defer r.agents.Unlock()
	if r.agents.ids == nil {
		r.agents.ids = map[string]string{}
	}
	id, asked := r.agents.ids[ref]
	if !asked {
		name := ref
		if to, ok := r.cfg.Agents[ref]; ok {
			name = to
		}
		id, _ = r.Agent(ctx, name)
		r.agents.ids[ref] = id
	}
	return id, id != ""
}
