package email

import (
	"errors"
	"strings"

	"github.com/emersion/go-msgauth/authres"
)

// maxResults bounds the bytes of an Authentication-Results field that is read.
const maxResults = 16 << 10

var errResults = errors.New("authentication-results cannot be read")

// ourResults are the DMARC results that our own mail server wrote: Authentication-Results
// (RFC 8601) with one of our authserv-ids, above the border or, where there are
// none, the topmost between the border and the next Received. All others are
// the sender's to write. Nothing is read from dkim= and spf= alone: without a DMARC result
// of the server there is none.
//
// A server that adds no result to a mail must at least remove forged ones with
// its id (RFC 8601 §5): what stands right below the border cannot be told from its own.
func ourResults(h header, ids []string, mx mailServers) (results []*authres.DMARCResult, found bool, err error) {
	at, _, ok := border(h, mx)
	if !ok {
		return nil, false, nil
	}
	for i, f := range h {
		if i > at && (f.name == "received" || found) {
			break
		}
		if f.name != "authentication-results" {
			continue
		}
		id, list, err := parseResults(f.value)
		if !matchHost(ids, id) {
			continue
		}
		if err != nil {
			return nil, true, err
		}
		found = true
		for _, r := range list {
			if d, ok := r.(*authres.DMARCResult); ok {
				results = append(results, d)
			}
		}
	}
	return results, found, nil
}

// parseResults reads one Authentication-Results field. go-msgauth splits at
// every semicolon and space; so comments are taken out before, and quoted
// strings made one word: both may hold what a sender chose, as the local part
// of his address. Brackets or quotes that do not close make the field unreadable.
// The authserv-id is returned wherever it can be read, with an error too.
func parseResults(v string) (id string, results []authres.Result, err error) {
	flat, err := flatten(v)
	if err != nil {
		head, _, _ := strings.Cut(v, ";")
		if head, err := flatten(head); err == nil {
			id, _, _ = strings.Cut(strings.TrimSpace(head), " ")
		}
		return id, nil, err
	}
	id, results, err = authres.Parse(flat)
	if err != nil {
		head, _, _ := strings.Cut(flat, ";")
		id, _, _ = strings.Cut(strings.TrimSpace(head), " ")
		return id, nil, errResults
	}
	return id, results, nil
}

// flatten writes a structured field without comments and quotes.
func flatten(v string) (string, error) {
	if len(v) > maxResults {
		return "", errResults
	}
	var b strings.Builder
	for i := 0; i < len(v); {
		switch c := v[i]; {
		case c == '(':
			end, ok := closing(v, i)
			if !ok {
				return "", errResults
			}
			b.WriteByte(' ')
			i = end
		case c == ')':
			return "", errResults
		case c == '"':
			i++
			for ; i < len(v) && v[i] != '"'; i++ {
				if v[i] == '\\' {
					i++
				}
				if i < len(v) {
					b.WriteByte(plainByte(v[i]))
				}
			}
			if i >= len(v) {
				return "", errResults
			}
			i++
		case c == '\t':
			b.WriteByte(' ')
			i++
		case c < ' ' || c == 0x7f:
			return "", errResults
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String(), nil
}

// plainByte is a byte of a quoted string where it separates nothing.
func plainByte(c byte) byte {
	if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._@+", c) >= 0 {
		return c
	}
	return '_'
}

// agreed is the one DMARC value of all results, "" when there is none, and
// whether they agree, also about whom they looked at.
func agreed(results []*authres.DMARCResult, domain string) (value authres.ResultValue, ok bool) {
	for i, r := range results {
		if i > 0 && r.Value != value {
			return "", false
		}
		value = r.Value
		if r.From == "" {
			continue
		}
		from, err := asciiDomain(domainOf(strings.Trim(r.From, "<>")))
		if err != nil || from != domain {
			return "", false
		}
	}
	return value, true
}
