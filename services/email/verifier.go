package email

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/authres"
	"github.com/weftline/weftline/pkg/channel"
)

// verifyTime is how long the check of one mail may take, DNS and all.
const verifyTime = 5 * time.Second

// Verifier says what a mail's From is worth. Safe for concurrent use.
type Verifier struct {
	dns      Resolver
	settings func(inbox string) (map[string]string, bool)
}

var _ channel.Verifier = (*Verifier)(nil)

// NewVerifier makes a verifier for inboxes with the settings. Answers of dns
// are kept for some minutes.
func NewVerifier(dns Resolver, settings func(inbox string) (map[string]string, bool)) *Verifier {
	return &Verifier{dns: newCached(dns), settings: settings}
}

// verdict is what is made of a mail.
type verdict struct {
	value    string // DMARC's result; "ambiguous": there is no one From to ask about
	evidence string
}

// Verify does what the inbox's setting verify says:
//
//	off       nothing: every mail is what it claims to be, level 1
//	authserv  the DMARC result our mail server wrote into the mail counts, see ourResults
//	own       DKIM, SPF and DMARC are checked here, see check
//
//	pass                  level 2; 3 with a reply token returned from where it was sent to;
//	                      1 for one whose name or letters pose as somebody else's
//	none                  level 1: the domain publishes no policy
//	temperror, no result  level 1, flagged unverified
//	fail, ambiguous From  refuted: channel.ScopeUnverified
func (v *Verifier) Verify(ctx context.Context, raw channel.Raw, items []channel.Item) []channel.Item {
	ctx, cancel := context.WithTimeout(ctx, verifyTime)
	defer cancel()
	set, ok := v.settings(raw.Inbox)
	if !ok || raw.ContentType == UnsubscribeType {
		return items // the inbox was removed; what it had is taken in as it is. A link of ours was checked
	}
	c, err := readVerify(set)
	if c.how == verifyOff {
		return items
	}
	said := verdict{"", "not verified: the settings cannot be used"}
	if err == nil && (c.how == verifyAuthserv || c.how == verifyOwn) {
		said = v.judge(ctx, c, raw)
	}
	out := slices.Clone(items)
	for i, item := range out {
		if item.Message != nil {
			m := *item.Message
			m.Flags = slices.Clone(m.Flags)
			said.apply(&m)
			out[i].Message = &m
		}
	}
	return out
}

// judge finds the verdict about a whole mail.
func (v *Verifier) judge(ctx context.Context, c verification, raw channel.Raw) verdict {
	h, body, err := splitHeader(raw.Body)
	if err != nil {
		return verdict{"ambiguous", "not verified: " + err.Error()}
	}
	by, err := sender(h)
	if err != nil || by.ambiguous {
		return verdict{"ambiguous", "not verified: From is ambiguous"}
	}
	domain, err := asciiDomain(domainOf(by.addr))
	if err != nil {
		return verdict{"ambiguous", "not verified: From has no domain"}
	}
	fields, rest, ok := wholeFields(raw.Body)
	if !ok || len(fields) != len(h) || len(rest) != len(body) {
		return verdict{"ambiguous", "not verified: the header can be read in several ways"}
	}
	if c.how == verifyAuthserv {
		if _, ok := stranger(raw, c.mx); ok { // any result in it is his own
			return verdict{"", "not verified: it came to the listener, not through our mail server"}
		}
		return fromServer(h, c, domain)
	}
	m := checked{domain: domain, fields: fields, body: body}
	m.client, m.sender = envelope(raw, h, c.mx)
	r := check(ctx, v.dns, m)
	return verdict{r.value, strings.TrimSpace("dmarc=" + r.value + " " + r.by)}
}

// fromServer reads what our mail server found.
func fromServer(h header, c verification, domain string) verdict {
	results, found, err := ourResults(h, c.authserv, c.mx)
	switch {
	case err != nil: // the sender's own words in it may be why
		return verdict{"ambiguous", "not verified: " + err.Error()}
	case !found:
		return verdict{"", "not verified: no Authentication-Results of our mail server"}
	case len(results) == 0:
		return verdict{"", "not verified: our mail server gives no DMARC result"}
	}
	value, ok := agreed(results, domain)
	if !ok {
		return verdict{"ambiguous", "not verified: results of our mail server do not agree"}
	}
	evidence := "dmarc=" + string(value) + " by our mail server"
	switch value {
	case authres.ResultPass, authres.ResultFail, authres.ResultNone:
		return verdict{string(value), evidence}
	case "bestguesspass", authres.ResultPermError: // no policy, or one that cannot be read
		return verdict{string(authres.ResultNone), evidence}
	}
	return verdict{"", clip(toLine(evidence), 200)}
}

// apply puts the verdict on a message.
func (v verdict) apply(m *channel.Message) {
	m.Evidence = v.evidence
	switch v.value {
	case "pass":
		// A sender whose address is his may still pose as somebody else, by a name or by letters.
		if slices.Contains(m.Flags, flagNameIsAddress) || slices.Contains(m.Flags, flagMixedScript) {
			m.Assurance = 1
			return
		}
		m.Flags = slices.DeleteFunc(m.Flags, func(f string) bool { return f == flagUnverified })
		m.Assurance = 2
		if m.AnswersFromSame {
			m.Assurance, m.Evidence = 3, m.Evidence+", reply token returned by the address it was sent to"
		}
	case "none":
		m.Assurance = min(m.Assurance, 1)
	case "fail", "ambiguous":
		m.From.Scope, m.Assurance = channel.ScopeUnverified, 0
		m.Answers, m.AnswersFromSame, m.References, m.ClaimsHandle = "", false, nil, nil
		m.Flags = addFlag(m.Flags, flagUnverified)
	default:
		m.Assurance = min(m.Assurance, 1)
		m.Flags = addFlag(m.Flags, flagUnverified)
	}
}

// returnPath is the envelope sender as the delivering server wrote it down, above the border.
func returnPath(h header) string {
	list, err := parseAddresses(h.get("return-path"), 2)
	if err != nil || len(list) != 1 || list[0].odd || !list[0].valid() {
		return ""
	}
	return list[0].addr
}

// wholeFields cuts the header into its fields as they stand, and the body
// behind it. It forgives nothing: ok is false where another reader could find
// another field in it.
func wholeFields(raw []byte) (fields [][]byte, body []byte, ok bool) {
	for rest := raw; len(rest) > 0; {
		line, next := cutLine(rest)
		whole := rest[:len(rest)-len(next)]
		switch {
		case bytes.IndexByte(line, '\r') >= 0 || bytes.IndexByte(line, 0) >= 0:
			return nil, nil, false
		case len(line) == 0:
			return fields, next, true
		case line[0] == ' ' || line[0] == '\t':
			if len(fields) == 0 {
				return nil, nil, false
			}
			last := &fields[len(fields)-1]
			*last = (*last)[:len(*last)+len(whole)] // what follows it in raw
		case fieldName(line) == "":
			return nil, nil, false
		default:
			fields = append(fields, whole[:len(whole):cap(whole)])
		}
		rest = next
	}
	return fields, nil, true
}

// fieldName is the lower-case name of a header field, "" when it has none.
func fieldName(f []byte) string {
	name, _, ok := bytes.Cut(f, []byte{':'})
	name = bytes.ToLower(bytes.TrimRight(name, " \t"))
	if !ok || !isFieldName(string(name)) {
		return ""
	}
	return string(name)
}
