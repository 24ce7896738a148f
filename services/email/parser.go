package email

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/handleid"
)

// ContentType of the raw input.
const ContentType = "message/rfc822"

// Parser reads raw mail (RFC 5322) into items. It does no I/O and holds no
// state; safe for concurrent use.
type Parser struct {
	tokens tokens
	own    func(inbox string) []string
}

var (
	_ channel.Parser     = (*Parser)(nil)
	_ channel.PartOpener = (*Parser)(nil)
	_ channel.Identifier = (*Parser)(nil)
)

// NewParser makes a parser. keys check reply tokens. own lists the addresses
// an inbox sends from, to tell them from others in To and Cc and to see loops; nil: none.
func NewParser(keys crypt.Keyring, own func(inbox string) []string) *Parser {
	if own == nil {
		own = func(string) []string { return nil }
	}
	return &Parser{tokens: tokens{keys}, own: own}
}

// Parse returns one item, as the mail claims it to be (Verifier says what that
// is worth): a message, or the receipt of a bounce that is tied
// to a mail of ours. A mail over a limit gives a *LimitError.
func (p *Parser) Parse(raw channel.Raw) (items []channel.Item, err error) {
	defer func() {
		if r := recover(); r != nil { // a bug: this mail alone is unparsed, and parsed again after the fix
			items, err = nil, fmt.Errorf("parse mail: panic: %v", r)
		}
	}()
	if raw.ContentType == UnsubscribeType {
		return p.unsubscribed(raw)
	}
	if raw.ContentType != ContentType {
		return nil, fmt.Errorf("parse mail: content type %q is not %s", clip(toLine(raw.ContentType), 100), ContentType)
	}
	if len(raw.Body) == 0 {
		return nil, ErrEmpty
	}
	root, err := scan(raw.Body)
	if err != nil {
		return nil, err
	}
	m, err := p.message(raw, root)
	if err != nil {
		return nil, err
	}
	if b := readBounce(p.tokens, raw.Tenant, root, m.From.Address, m.Content.Text+"\n"+m.Content.Quoted); b != nil {
		if b.reply != "" {
			return []channel.Item{{Receipt: &channel.Receipt{
				Tenant: raw.Tenant, Channel: raw.Channel, Inbox: raw.Inbox,
				Outbound: b.reply, State: b.state, ProviderID: b.message, Detail: b.detail, At: receivedOr(m.OccurredAt, raw.ReceivedAt),
			}}}, nil
		}
		m.Flags = append(m.Flags, flagBounce)
	}
	return []channel.Item{{Message: m}}, nil
}

func (p *Parser) message(raw channel.Raw, root *node) (*channel.Message, error) {
	h := root.header
	from, err := sender(h)
	if err != nil {
		return nil, err
	}
	own := p.ownAddress(raw.Inbox)
	m := &channel.Message{
		ID:         messageKey(h, root.body),
		From:       channel.Address{Kind: "email", Address: from.addr, Name: from.name},
		OccurredAt: occurredAt(h, raw.ReceivedAt),
		Assurance:  1,
		Evidence:   "from",
	}
	if m.From.Address == "" {
		// Nobody can be named. An address of its own, under a domain that never
		// exists (RFC 2606), keeps such mails from looking like one customer.
		m.From.Address = "unknown-" + contentHash(h, root.body)[:16] + "@sender.invalid"
	}
	if err := recipients(m, h, own, MaxAddresses-from.count); err != nil {
		return nil, err
	}
	addressed(m, raw)
	if len(m.To) == 0 {
		if a := p.own(raw.Inbox); len(a) > 0 {
			m.To = []channel.Address{{Kind: "email", Address: a[0]}}
		}
	}
	if id := firstID(h.get("message-id")); id != "" {
		m.Refs = []string{id}
	}
	m.References = references(h, m.Refs)
	for _, id := range m.References {
		if reply, same, ok := p.tokens.verify(raw.Tenant, id, m.From); ok {
			m.Answers, m.AnswersFromSame = reply, same && !from.unverified()
			break
		}
	}
	m.Content = readBody(root)
	m.Content.Subject = clip(decodeWords(clip(h.get("subject"), 4*maxSubject)), maxSubject)
	m.Flags = automaticFlags(h, from.addr, own)
	m.Flags = append(m.Flags, protected(root, &m.Content)...)
	if m.Content.Forwarded = forwarded(root, m.Content, own); m.Content.Forwarded != nil {
		m.Flags = append(m.Flags, flagForwarded)
	}
	if from.unverified() {
		m.Flags = append(append(m.Flags, flagUnverified), from.flags...)
	}
	if from.ambiguous {
		m.Assurance, m.Evidence = 0, "from, ambiguous"
	}
	return m, nil
}

// ownAddress knows the inbox's addresses, with or without a tag (support+sales@).
func (p *Parser) ownAddress(inbox string) func(string) bool { return ownList(p.own(inbox)).has }

// recipients sorts To, Cc and the delivery headers into ours and others. The
// first of ours is the one the mail was written to.
func recipients(m *channel.Message, h header, own func(string) bool, limit int) error {
	seen := map[string]bool{}
	for _, name := range []string{"to", "cc", "delivered-to", "x-original-to", "envelope-to", "reply-to"} {
		for _, f := range h.all(name) {
			list, err := parseAddresses(f, limit)
			if err != nil {
				return err
			}
			limit -= len(list)
			if name == "reply-to" {
				continue // counted; a reply goes to the handle the mail came from
			}
			for _, a := range list {
				key := handleid.Normalise("email", a.addr)
				if !a.valid() || seen[key] {
					continue
				}
				seen[key] = true
				addr := channel.Address{Kind: "email", Address: a.addr, Name: a.name}
				switch {
				case own(a.addr):
					m.To = append(m.To, addr)
				case name == "to" || name == "cc":
					m.CC = append(m.CC, addr)
				}
			}
		}
	}
	if len(m.To) > 1 {
		order := writtenTo(h)
		place := func(a channel.Address) int { return slices.Index(order, a.Address) }
		slices.SortStableFunc(m.To, func(a, b channel.Address) int { return place(a) - place(b) })
	}
	return nil
}

// messageKey identifies a mail for ever: its Message-ID and a hash over what
// the author wrote (body, and the fields no relay changes). The same mail seen
// twice has one key; two mails with one Message-ID have two.
func messageKey(h header, body []byte) string {
	hash := contentHash(h, body)
	if id := firstID(h.get("message-id")); id != "" && len(id) <= 250 {
		return id + "#" + hash
	}
	return "#" + hash
}

// Identify names a mail also where Parse fails: it has another UID after
// UIDVALIDITY changed. What it returns is never the ID of a message.
func (p *Parser) Identify(raw channel.Raw) string {
	h, body, err := splitHeader(raw.Body)
	if err != nil {
		h, body = header{}, raw.Body
	}
	return "mail " + messageKey(h, body)
}

func contentHash(h header, body []byte) string {
	sum := sha256.New()
	for _, name := range []string{"from", "to", "cc", "subject", "date", "message-id", "content-type"} {
		for _, v := range h.all(name) {
			fmt.Fprintf(sum, "%s:%s\n", name, strings.Join(strings.Fields(v), " "))
		}
	}
	sum.Write([]byte{'\n'})
	for rest := trimTrailingLines(body); len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		sum.Write(line)
		sum.Write([]byte{'\n'})
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

func trimTrailingLines(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}

// references: In-Reply-To first, then References from the newest back.
func references(h header, self []string) []string {
	var out []string
	add := func(id string) {
		if id != "" && len(out) < maxReferences && !slices.Contains(out, id) && !slices.Contains(self, id) {
			out = append(out, id)
		}
	}
	for _, id := range ids(h.get("in-reply-to")) {
		add(id)
		if len(out) == 3 { // some programs put prose there
			break
		}
	}
	refs := ids(h.get("references"))
	for _, id := range slices.Backward(refs) {
		add(id)
	}
	return out
}

// ids finds Message-IDs: what stands in angle brackets, else words with an @.
// Only the last 64 KiB are read.
func ids(s string) []string {
	if len(s) > 64<<10 {
		s = s[len(s)-64<<10:]
	}
	var out []string
	if strings.Contains(s, "<") {
		for {
			_, rest, ok := strings.Cut(s, "<")
			if !ok {
				return out
			}
			id, after, ok := strings.Cut(rest, ">")
			if !ok {
				return out
			}
			if i := strings.LastIndexByte(id, '<'); i >= 0 {
				id = id[i+1:]
			}
			if id = cleanID(id); id != "" {
				out = append(out, id)
			}
			s = after
		}
	}
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }) {
		if strings.Contains(w, "@") {
			if w = cleanID(w); w != "" {
				out = append(out, w)
			}
		}
	}
	return out
}

func firstID(s string) string {
	if all := ids(s); len(all) > 0 {
		return all[0]
	}
	if s = cleanID(strings.Trim(s, "<> \t")); s != "" && !strings.ContainsAny(s, " \t<>") {
		return s // no @: seen, and good enough to refer to
	}
	return ""
}

// cleanID takes folding blanks out; "" when it cannot be an id.
func cleanID(s string) string {
	s = strings.Join(strings.Fields(s), "")
	if s == "" || len(s) > maxMessageID || toLine(toUTF8([]byte(s), "")) != s {
		return ""
	}
	return s
}

// occurredAt is the Date field, unless it cannot be true: before mail, or
// more than a day after it was received.
func occurredAt(h header, received time.Time) time.Time {
	v := clip(h.get("date"), 100)
	t, err := mail.ParseDate(v)
	if err != nil {
		return time.Time{}
	}
	if t.Year() < 1980 || t.Year() > 9998 || !received.IsZero() && t.After(received.Add(24*time.Hour)) {
		return time.Time{}
	}
	return t.UTC()
}

func receivedOr(t, received time.Time) time.Time {
	if !received.IsZero() {
		return received
	}
	return t
}

// OpenPart finds an attachment again. The content type is the sender's claim.
func (p *Parser) OpenPart(raw channel.Raw, part string) (data []byte, contentType string, err error) {
	defer func() {
		if r := recover(); r != nil {
			data, contentType, err = nil, "", fmt.Errorf("open part %q: panic: %v", clip(part, 40), r)
		}
	}()
	root, err := scan(raw.Body)
	if err != nil {
		return nil, "", fmt.Errorf("open part %q: %w", clip(part, 40), err)
	}
	var found *node
	root.walk(func(n *node) {
		if partName(n.id) == part {
			found = n
		}
	})
	if found == nil {
		return nil, "", fmt.Errorf("open part %q: %w", clip(part, 40), ErrNoPart)
	}
	return found.content(), shownType(found.ctype.value), nil
}
