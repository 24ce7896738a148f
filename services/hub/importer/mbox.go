package importer

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/history"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/handleid"
)

// mbox reads mailboxes of RFC 4155. Who is whose customer is decided by
// addresses: a mail from one of ours is a reply to the first other one it was
// sent to, any other mail is its sender's. A conversation is what one customer
// and we wrote in one thread; a thread is named by the oldest message its mails
// refer to.
type mbox struct {
	own     []string // normalised
	parser  *email.Parser
	roots   map[string]string // by Message-ID
	people  map[string]*history.Customer
	order   []string
	threads map[string]*history.Conversation
	begun   []string
}

// inboxName is the inbox of mails where the command names none.
const inboxName = "mail"

func newMbox(own []string) *mbox {
	m := &mbox{roots: map[string]string{}, people: map[string]*history.Customer{}, threads: map[string]*history.Conversation{}}
	for _, a := range own {
		m.own = append(m.own, handleid.Normalise("email", a))
	}
	// Tokens of replies are not checked: nothing here proves anything.
	m.parser = email.NewParser(crypt.NewMemory(), func(string) []string { return m.own })
	return m
}

// limitMail is how large a mail may be, in bytes; as for those that arrive.
const limitMail = 50 << 20

// read splits a mailbox at its From_ lines. They stand at the beginning and
// behind blank lines; ">From " in bodies loses the ">" it was given (mboxrd; in
// mboxo the same for one ">").
func (m *mbox) read(ctx context.Context, name string, r io.Reader, out *writer) error {
	in := bufio.NewReaderSize(r, 256<<10)
	var mail bytes.Buffer
	var received time.Time
	n, blank, large := 0, true, false
	flush := func() error {
		if n == 0 {
			return nil
		}
		origin := fmt.Sprintf("%s: mail %d", filepath.Base(name), n)
		if large {
			return out.problem(origin, "is larger than %d bytes", limitMail)
		}
		body := bytes.TrimSuffix(bytes.TrimSuffix(mail.Bytes(), []byte("\n")), []byte("\r"))
		return m.mail(origin, bytes.Clone(body), received, out)
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			bare := bytes.TrimRight(line, "\r\n")
			switch {
			case blank && bytes.HasPrefix(line, []byte("From ")):
				if err := flush(); err != nil {
					return err
				}
				n, large, received = n+1, false, fromLine(string(bare))
				mail.Reset()
			case n == 0 && len(bare) > 0:
				return errors.New("is no mbox: it does not begin with a From line")
			case mail.Len()+len(line) > limitMail:
				large = true
			default:
				if q := bytes.TrimLeft(line, ">"); len(q) < len(line) && bytes.HasPrefix(q, []byte("From ")) {
					line = line[1:]
				}
				mail.Write(line)
			}
			blank = len(bare) == 0
		}
		if errors.Is(err, io.EOF) {
			return flush()
		}
		if err != nil {
			return err
		}
	}
}

// fromLine is the time of "From sender date"; zero when it cannot be read.
func fromLine(s string) time.Time {
	f := strings.Fields(s)
	if len(f) < 6 {
		return time.Time{}
	}
	for _, layout := range []string{"Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 MST 2006", "Mon Jan 2 15:04:05 -0700 2006", "Mon Jan 2 15:04:05 2006 -0700"} {
		if t, err := time.Parse(layout, strings.Join(f[2:], " ")); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// mail converts one.
func (m *mbox) mail(origin string, body []byte, received time.Time, out *writer) error {
	raw := channel.Raw{Channel: email.ChannelName, Inbox: inboxName, ProviderID: origin, ReceivedAt: received, ContentType: email.ContentType, Body: body}
	items, err := m.parser.Parse(raw)
	if err != nil {
		return out.problem(origin, "%v", err)
	}
	if len(items) != 1 || items[0].Message == nil {
		return out.problem(origin, "is no message")
	}
	in := items[0].Message
	if in.OccurredAt.IsZero() {
		return out.problem(origin, "has no date")
	}
	rec := &history.Message{
		Origin: history.Origin{Origin: origin}, ID: "m-" + short(in.ID), At: in.OccurredAt, Direction: history.In, AuthorName: oneLine(in.From.Name, history.LimitName),
		ProviderID: in.ID, Subject: oneLine(in.Content.Subject, history.LimitSubject),
	}
	other := in.From
	if m.isOwn(in.From.Address) {
		if len(in.CC) == 0 {
			return out.problem(origin, "goes from one of your addresses to no other: it is nobody's")
		}
		other = in.CC[0] // the first of To that is not ours
		rec.Direction, rec.ProviderID = history.Out, ""
		rec.Author = in.From.Address
	}
	if strings.Count(other.Address, "@") != 1 {
		return out.problem(origin, "the other side's address is none")
	}
	level := 0
	if rec.Direction == history.In {
		level = 1
	}
	rec.Handle = &history.Handle{Kind: "email", Address: other.Address, Assurance: level}
	who := m.person(other, level)
	if err := m.content(origin, rec, raw, in, out); err != nil {
		return err
	}
	rec.Conversation = m.thread(rec, in, who)
	return out.write(history.Record{Message: rec})
}

func (m *mbox) isOwn(a string) bool { return slices.Contains(m.own, handleid.Normalise("email", a)) }

func (m *mbox) person(a channel.Address, level int) *history.Customer {
	id := handleid.Normalise("email", a.Address)
	c := m.people[id]
	if c == nil {
		c = &history.Customer{ID: "c-" + short(id), Handles: []history.Handle{{Kind: "email", Address: a.Address}}}
		m.people[id] = c
		m.order = append(m.order, id)
	}
	if a.Name != "" && level > 0 || c.Name == "" {
		c.Name = oneLine(a.Name, history.LimitName)
	}
	c.Handles[0].Assurance = max(c.Handles[0].Assurance, level)
	return c
}

// thread finds or begins the conversation: the same for the same mail in every
// export, whatever else is in it.
func (m *mbox) thread(rec *history.Message, in *channel.Message, who *history.Customer) string {
	own := ""
	if len(in.Refs) > 0 {
		own = in.Refs[0]
	}
	root := own
	if n := len(in.References); n > 0 {
		root = in.References[n-1] // they come newest first
		if older, ok := m.roots[root]; ok {
			root = older
		}
	}
	if root == "" {
		root = rec.ID
	}
	if own != "" {
		m.roots[own] = root
	}
	id := "t-" + short(root+"\x00"+who.ID)
	if m.threads[id] == nil {
		m.threads[id] = &history.Conversation{ID: id, Customer: who.ID, Inbox: inboxName, Channel: email.ChannelName, Subject: rec.Subject}
		m.begun = append(m.begun, id)
	}
	return id
}

func (m *mbox) content(origin string, rec *history.Message, raw channel.Raw, in *channel.Message, out *writer) error {
	c := in.Content
	cut := false
	rec.Text, cut = clip(c.Text, history.LimitText, cut)
	rec.Quoted, cut = clip(c.Quoted, history.LimitText, cut)
	if len(c.HTML) <= history.LimitHTML {
		rec.HTML = c.HTML
	} else {
		cut = true
	}
	for _, f := range in.Flags {
		if f == "auto_reply" || f == "bounce" || f == "list" {
			rec.Flags = append(rec.Flags, f)
		}
	}
	if len(in.Refs) > 0 {
		rec.MessageID = oneLine(in.Refs[0], history.LimitSubject)
	}
	for _, id := range slices.Backward(in.References[:min(len(in.References), history.LimitReferences)]) {
		rec.References = append(rec.References, oneLine(id, history.LimitSubject))
	}
	for _, a := range in.To[:min(len(in.To), history.LimitAddresses)] {
		rec.To = append(rec.To, a.Address)
	}
	for _, a := range in.CC[:min(len(in.CC), history.LimitAddresses)] {
		rec.CC = append(rec.CC, a.Address)
	}
	if rec.Direction == history.Out {
		rec.To, rec.CC = rec.CC, nil // it went to the others
	}
	for i, a := range c.Attachments {
		if i >= history.LimitAttachments {
			cut = true
			break
		}
		data, kind, err := m.parser.OpenPart(raw, a.Part)
		switch {
		case err != nil:
			if err := out.problem(origin, "attachment %d: %v", i+1, err); err != nil {
				return err
			}
			continue
		case len(data) > history.LimitAttachment:
			if err := out.problem(origin, "attachment %d is larger than %d bytes and was left out", i+1, history.LimitAttachment); err != nil {
				return err
			}
			continue
		}
		if a.ContentType != "" {
			kind = a.ContentType
		}
		rec.Attachments = append(rec.Attachments, history.Attachment{
			Name: oneLine(a.Name, history.LimitName), ContentType: oneLine(kind, history.LimitName), ContentID: oneLine(a.ContentID, history.LimitSubject), Inline: a.Inline, Data: data,
		})
	}
	if cut {
		rec.Flags = append(rec.Flags, "truncated")
	}
	if len(rec.Attachments) == 0 && strings.TrimSpace(rec.Text+rec.Quoted+rec.HTML) == "" && rec.Subject == "" {
		rec.Text = "(empty mail)"
	}
	return nil
}

// end writes customers and conversations: who they are is known when all mails are.
func (m *mbox) end(out *writer) error {
	for _, id := range m.order {
		if err := out.write(history.Record{Customer: m.people[id]}); err != nil {
			return err
		}
	}
	for _, id := range m.begun {
		if err := out.write(history.Record{Conversation: m.threads[id]}); err != nil {
			return err
		}
	}
	return nil
}

// short makes an id of any length one of 32 characters.
func short(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:16])
}

// oneLine cuts to n characters and leaves no control characters.
func oneLine(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s, _ = clip(s, n, false)
	return strings.TrimSpace(s)
}

func clip(s string, n int, cut bool) (string, bool) {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s, cut
	}
	return string([]rune(s)[:n]), true
}
