package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/weftline/weftline/services/internal/inbox"
)

const keyInvites = "invitations"

// Limits of invitations.
const (
	maxInvites     = 20
	maxInvitePath  = 300 // characters
	maxInviteStars = 5
	maxInviteWait  = 3600 // seconds
	maxInviteText  = 300  // characters
)

var inviteSettings = []inbox.Setting{
	{Key: keyInvites, Label: "Invitations", Help: "A bubble beside the button, once per visitor. One per line: page | seconds on it | text | de: text in another language. " +
		"The page is a path such as /cart* or an address such as https://shop.example/sale/*, * standing for anything. At most 20, with 300 characters each. No conversation begins before the visitor answers.", Group: groupWords, Lines: true},
}

// invite is a greeting that a page shows by itself. Its tags are those of the loader.
type invite struct {
	ID   string            `json:"i"`
	Page string            `json:"p"`
	Wait int               `json:"s"`
	Text map[string]string `json:"t"` // by language; "" for all others
}

func readInvites(get func(string) string) (list []invite, errs []error) {
	bad := func(i int, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: entry %d: "+format, append([]any{keyInvites, i + 1}, args...)...))
	}
	all := lines(get(keyInvites))
	if len(all) > maxInvites {
		return nil, []error{fmt.Errorf("%s: %d entries, at most %d are allowed", keyInvites, len(all), maxInvites)}
	}
	for i, line := range all {
		f := strings.Split(line, "|")
		for k := range f {
			f[k] = strings.TrimSpace(f[k])
		}
		if len(f) < 3 {
			bad(i, "is not of the form /page* | 20 | text")
			continue
		}
		if !pagePattern(f[0]) {
			bad(i, "%q is not a path such as /cart* or an address such as https://shop.example/*, of at most %d characters with %d stars", f[0], maxInvitePath, maxInviteStars)
		}
		wait, err := strconv.Atoi(f[1])
		if err != nil || wait < 0 || wait > maxInviteWait {
			bad(i, "%q is not a number of seconds from 0 to %d", f[1], maxInviteWait)
		}
		in := invite{Page: f[0], Wait: wait, Text: map[string]string{}}
		for k, text := range f[2:] {
			lang := ""
			if k > 0 {
				l, t, ok := strings.Cut(text, ":")
				if lang, text = strings.TrimSpace(l), strings.TrimSpace(t); !ok || !langForm(lang) {
					bad(i, "text %d does not begin with a language, such as “de: ”", k+1)
					continue
				}
			}
			if n := utf8.RuneCountInString(text); n == 0 || n > maxInviteText || strings.ContainsFunc(text, unicode.IsControl) {
				bad(i, "text %d must have 1 to %d characters", k+1, maxInviteText)
			}
			in.Text[lang] = text
		}
		// Named by what it says: changed words are shown again.
		sum := sha256.Sum256([]byte(f[0] + "\x00" + f[2]))
		in.ID = hex.EncodeToString(sum[:4])
		list = append(list, in)
	}
	return list, errs
}

func pagePattern(s string) bool {
	if s == "" || utf8.RuneCountInString(s) > maxInvitePath || strings.Count(s, "*") > maxInviteStars || strings.ContainsFunc(s, unicode.IsSpace) {
		return false
	}
	if strings.HasPrefix(s, "/") {
		return true
	}
	u, err := url.Parse(strings.ReplaceAll(s, "*", "x"))
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// invited is what the widget said by itself to a visitor who answers; "": nothing.
func (c *config) invited(id, lang string) string {
	for _, in := range c.Invites {
		if in.ID == id {
			if t := in.Text[lang]; t != "" {
				return t
			}
			return in.Text[""]
		}
	}
	return ""
}

// forLoader is what the loader knows of the inbox, as a JavaScript string of
// JSON: json.Marshal escapes what could end a script or a line.
func (c *config) forLoader() string {
	inner, _ := json.Marshal(struct {
		Inbox   string   `json:"i"`
		Lang    string   `json:"l,omitempty"`
		Invites []invite `json:"g,omitempty"`
	}{c.ID, c.Language, c.Invites})
	outer, _ := json.Marshal(string(inner))
	return string(outer)
}
