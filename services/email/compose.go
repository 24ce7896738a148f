package email

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"
	"github.com/weftline/weftline/pkg/channel"
	"golang.org/x/net/idna"
)

const maxAttachment = 25 << 20 // bytes of one file sent

// errUnsendable: the mail cannot be sent as it is, now or later.
var errUnsendable = errors.New("mail cannot be sent")

// composed is a mail ready to send.
type composed struct {
	messageID string // without angle brackets
	from, to  string // envelope
	utf8      bool   // an address needs SMTPUTF8
	data      []byte
}

// compose writes the mail. Everything that came from people is one line
// without controls before it becomes a header, and encoded where it is not
// ASCII; addresses that are not plainly addresses are refused.
func (s *Sender) compose(ctx context.Context, c config, name string, out channel.Outbound) (composed, error) {
	if !ValidReplyID(out.ID) {
		return composed{}, fmt.Errorf("%w: id %q is not 1 to 64 letters, digits, - and _", errUnsendable, clip(toLine(out.ID), 80))
	}
	to, utf8To, err := envelopeAddress(out.To.Address)
	if err != nil {
		return composed{}, err
	}
	answerFrom, replyTo := c.answersFrom(out.From)
	from, utf8From, err := envelopeAddress(answerFrom)
	if err != nil {
		return composed{}, err
	}
	base, _, err := envelopeAddress(c.address)
	if err != nil {
		return composed{}, err
	}
	tk := tokens{s.svc.keys}
	m := composed{from: from, to: to, utf8: utf8To || utf8From, messageID: tk.messageID(out.Tenant, out.ID, out.To, domainOf(base))}

	var h mail.Header
	at := out.At
	if at.IsZero() {
		at = time.Now()
	}
	h.SetDate(at)
	h.SetAddressList("From", []*mail.Address{{Name: senderName(out.AuthorName, c.fromName, name), Address: from}})
	h.SetAddressList("To", []*mail.Address{{Name: headerText(out.To.Name, 200), Address: to}})
	if replyTo, utf8, err := envelopeAddress(replyTo); err == nil && !utf8 {
		h.SetAddressList("Reply-To", []*mail.Address{{Address: replyTo}})
	}
	h.SetSubject(subject(out))
	h.Set("Message-Id", "<"+m.messageID+">")
	if id, ok := sendableID(out.InReplyTo); ok {
		h.Set("In-Reply-To", "<"+id+">")
	}
	if refs := threadRefs(out); refs != "" {
		h.Set("References", refs)
	}
	if out.Automatic {
		h.Set("Auto-Submitted", "auto-replied")
		h.Set("X-Auto-Response-Suppress", "All")
		h.Set("Precedence", "auto_reply")
	}
	s.svc.offerUnsubscribe(&h, c, s.inbox, out)
	files, err := s.files(ctx, out.Content.Attachments)
	if err != nil {
		return composed{}, err
	}
	var buf bytes.Buffer
	if err := write(&buf, h, s.signed(ctx, c, name, out), files); err != nil {
		return composed{}, fmt.Errorf("write mail: %w", err)
	}
	if m.data, err = c.dkim.sign(buf.Bytes()); err != nil {
		return composed{}, err
	}
	if len(m.data) > MaxSize {
		return composed{}, fmt.Errorf("%w: it has %d bytes, allowed are %d", errUnsendable, len(m.data), MaxSize)
	}
	return m, nil
}

type file struct {
	channel.Attachment
	data []byte
}

// files reads the attachments. A part of a raw input is not at hand here: only blobs are sent.
func (s *Sender) files(ctx context.Context, list []channel.Attachment) ([]file, error) {
	var out []file
	for i, a := range list {
		if a.Blob == "" {
			return nil, fmt.Errorf("%w: attachment %d is not stored", errUnsendable, i)
		}
		data, err := s.svc.blobs.Get(ctx, a.Blob)
		if err != nil {
			return nil, fmt.Errorf("read attachment %d: %w", i, err)
		}
		if len(data) > maxAttachment {
			return nil, fmt.Errorf("%w: attachment %d has %d bytes, allowed are %d", errUnsendable, i, len(data), maxAttachment)
		}
		out = append(out, file{a, data})
	}
	return out, nil
}

// write writes multipart/mixed around multipart/alternative, as much of it as is needed.
func write(w io.Writer, h mail.Header, content channel.Content, files []file) error {
	text := normaliseText(content.Text)
	if content.HTML == "" && len(files) == 0 {
		setText(&h.Header, "text/plain")
		return writeEntity(w, h.Header, text)
	}
	if len(files) == 0 {
		h.SetContentType("multipart/alternative", nil)
		mw, err := message.CreateWriter(w, h.Header)
		if err != nil {
			return err
		}
		return errors.Join(writeAlternative(mw, text, content.HTML), mw.Close())
	}
	h.SetContentType("multipart/mixed", nil)
	mw, err := message.CreateWriter(w, h.Header)
	if err != nil {
		return err
	}
	if err := writeBody(mw, text, content.HTML); err != nil {
		return err
	}
	for _, f := range files {
		if err := writeFile(mw, f); err != nil {
			return err
		}
	}
	return mw.Close()
}

func writeBody(mw *message.Writer, text, html string) error {
	if html == "" {
		var h message.Header
		setText(&h, "text/plain")
		return writePart(mw, h, []byte(text))
	}
	var h message.Header
	h.SetContentType("multipart/alternative", nil)
	aw, err := mw.CreatePart(h)
	if err != nil {
		return err
	}
	return errors.Join(writeAlternative(aw, text, html), aw.Close())
}

func writeAlternative(mw *message.Writer, text, html string) error {
	if strings.TrimSpace(text) == "" {
		text = textFromHTML(html).text
	}
	var h message.Header
	setText(&h, "text/plain")
	if err := writePart(mw, h, []byte(text)); err != nil {
		return err
	}
	h = message.Header{}
	setText(&h, "text/html")
	return writePart(mw, h, []byte(normaliseText(Sanitise(html))))
}

func writeFile(mw *message.Writer, f file) error {
	var h message.Header
	name := CleanFileName(f.Name)
	if name == "" {
		name = "attachment"
	}
	ctype := shownType(strings.ToLower(f.ContentType))
	if strings.HasPrefix(ctype, "multipart/") || strings.HasPrefix(ctype, "message/") {
		ctype = "application/octet-stream" // these may not be base64 (RFC 2046 §5.2.1)
	}
	h.SetContentType(ctype, map[string]string{"name": name})
	h.SetContentDisposition("attachment", map[string]string{"filename": name})
	h.Set("Content-Transfer-Encoding", "base64")
	return writePart(mw, h, f.data)
}

func writePart(mw *message.Writer, h message.Header, data []byte) error {
	w, err := mw.CreatePart(h)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return errors.Join(err, w.Close())
}

func writeEntity(w io.Writer, h message.Header, text string) error {
	ew, err := message.CreateWriter(w, h)
	if err != nil {
		return err
	}
	_, err = io.WriteString(ew, text)
	return errors.Join(err, ew.Close())
}

// setText: quoted-printable, so lines are short and ASCII, and no CR or LF of
// ours stands alone.
func setText(h *message.Header, ctype string) {
	h.SetContentType(ctype, map[string]string{"charset": "utf-8"})
	h.Set("Content-Transfer-Encoding", "quoted-printable")
}

func normaliseText(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.TrimRight(s, "\n") + "\n"
}

// senderName: "Ada (Acme Support)".
func senderName(author, fromName, inboxName string) string {
	if fromName == "" {
		fromName = inboxName
	}
	author, fromName = headerText(author, 100), headerText(fromName, 100)
	switch {
	case author == "" || strings.EqualFold(author, fromName):
		return fromName
	case fromName == "":
		return author
	}
	return author + " (" + fromName + ")"
}

var messageID = regexp.MustCompile(`^[!-;=?-~]{1,250}$`)

// sendableID is a Message-ID as it can stand in a header: printable ASCII in
// one piece. What is not is left out; threading then rests on the other ids.
func sendableID(s string) (string, bool) {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
	return s, messageID.MatchString(s) && !strings.Contains(s, "=?")
}

// headerText is text of people as one line of a header. What looks like an
// encoded word would be decoded by the reader into anything.
func headerText(s string, limit int) string {
	return clip(strings.ReplaceAll(toLine(s), "=?", "= ?"), limit)
}

var answerPrefix = regexp.MustCompile(`(?i)^\s*(re|aw|sv|vs|antw|odp|ref|ynt|rif|res|回复|答复|回覆)\s*(\[\d+\])?\s*[:：]`)

func subject(out channel.Outbound) string {
	s := headerText(out.Subject, 900)
	if out.InReplyTo != "" && s != "" && !answerPrefix.MatchString(s) {
		s = "Re: " + s
	}
	return s
}

// threadRefs: the first and the newest, oldest first (RFC 5322 §3.6.4), in at most 900 bytes.
func threadRefs(out channel.Outbound) string {
	var all []string
	for _, r := range append(append([]string{}, out.References...), out.InReplyTo) {
		id, ok := sendableID(r)
		if !ok || len(all) > 0 && all[len(all)-1] == id {
			continue
		}
		all = append(all, id)
	}
	var newest []string
	size := 0
	for i := len(all) - 1; i > 0; i-- {
		if size += len(all[i]) + 3; size > 600 {
			break
		}
		newest = append([]string{"<" + all[i] + ">"}, newest...)
	}
	if len(all) > 0 {
		newest = append([]string{"<" + all[0] + ">"}, newest...)
	}
	return strings.Join(newest, " ")
}

// envelopeAddress checks an address and brings its domain to ASCII. utf8: the local part is not ASCII.
func envelopeAddress(s string) (addr string, utf8 bool, err error) {
	bad := fmt.Errorf("%w: address is not one", errUnsendable)
	list, perr := parseAddresses(s, 2)
	if perr != nil || len(list) != 1 || list[0].odd || !list[0].valid() || list[0].addr != s {
		return "", false, bad
	}
	at := strings.LastIndexByte(s, '@')
	domain := s[at+1:]
	if strings.HasSuffix(strings.ToLower(domain), ".invalid") {
		return "", false, fmt.Errorf("%w: the sender's address is not known", errUnsendable)
	}
	if !strings.HasPrefix(domain, "[") {
		if domain, perr = idna.Lookup.ToASCII(domain); perr != nil {
			return "", false, bad
		}
	}
	for _, r := range s[:at] {
		if r > 0x7e {
			utf8 = true
		}
		if r < ' ' {
			return "", false, bad
		}
	}
	return s[:at+1] + domain, utf8, nil
}
