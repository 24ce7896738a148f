package email

import (
	"regexp"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
)

const flagForwarded = "forwarded"

// forwardSubject begins the subject of a mail that is passed on, in the words of common programs.
var forwardSubject = regexp.MustCompile(`(?i)^\s*(\[[^\]]{1,40}\]\s*)?((re|aw|sv|vs|antw|odp)\s*:\s*)?(fwd?|wg|tr|rv|i|enc|vb|vl|vidarebef|ptf|doorst|pd|vs|yml|ilt|továbbítás|转发|轉寄|fw|転送|전달)\s*[:：]`)

// forwarded finds whom a mail says its content was first from: a message inside it, or the
// block that mail programs put above what is passed on. It is a claim of whoever forwards,
// who can write there what he likes; so it is shown, and nothing rests on it.
func forwarded(root *node, content channel.Content, own func(string) bool) *channel.Claim {
	c := firstSender(root, content)
	if c != nil && own(c.Address) {
		return nil // a mail of ours, sent back
	}
	return c
}

func firstSender(root *node, content channel.Content) *channel.Claim {
	if root.ctype.value == "multipart/report" {
		return nil // about a mail of ours
	}
	var inside *node
	root.walk(func(n *node) {
		if inside == nil && (n.ctype.value == "message/rfc822" || n.ctype.value == "message/global") {
			inside = n
		}
	})
	if inside != nil {
		h, _, err := splitHeader(inside.content())
		if err != nil {
			return nil
		}
		by, err := sender(h)
		if err != nil || !by.valid() {
			return nil
		}
		return &channel.Claim{Address: by.addr, Name: by.name}
	}
	if content.Text == "" {
		return nil
	}
	subject := forwardSubject.MatchString(content.Subject)
	lines := strings.Split(content.Text+"\n"+content.Quoted, "\n")
	for i, l := range lines {
		marked := forwardLine.MatchString(strings.TrimSpace(unquoteLine(l)))
		if marked {
			i++
		} else if !subject || !headFrom[headName(unquoteLine(l))] || !headerBlock(unquoted(lines, i), 0) {
			continue
		}
		if c := blockSender(unquoted(lines, i)); c != nil {
			return c
		}
	}
	return nil
}

// unquoted are the next lines without marks of quoting: a block is at most ten lines, with blank ones above.
func unquoted(lines []string, i int) []string {
	var out []string
	for ; i < len(lines) && len(out) < 10; i++ {
		l := strings.TrimSpace(unquoteLine(lines[i]))
		if l == "" && len(out) == 0 {
			if i+1 < len(lines) && strings.TrimSpace(unquoteLine(lines[i+1])) == "" {
				return nil
			}
			continue
		}
		out = append(out, l)
	}
	return out
}

var mailtoBrackets = regexp.MustCompile(`\[mailto:([^\]\s]+)\]`)

// blockSender reads "From: Bob <bob@example.org>" in the words of many languages.
func blockSender(lines []string) *channel.Claim {
	for n, l := range lines {
		if l == "" {
			return nil // the block is over
		}
		if !headFrom[headName(l)] {
			continue
		}
		_, v, ok := strings.Cut(strings.Replace(l, "：", ":", 1), ":")
		if v = strings.TrimSpace(strings.Trim(strings.TrimSpace(v), "*")); ok && v == "" && n+1 < len(lines) {
			v = lines[n+1] // Apple Mail in some languages, and HTML tables made text
		}
		v = mailtoBrackets.ReplaceAllString(clip(v, 1000), "<$1>")
		list, err := parseAddresses(v, 10)
		if err != nil {
			return nil
		}
		for _, m := range list {
			if m.valid() {
				return &channel.Claim{Address: m.addr, Name: strings.Trim(m.name, "* ")}
			}
		}
		if name := toLine(clip(strings.Trim(v, "* "), 300)); name != "" {
			return &channel.Claim{Name: name} // Exchange gives colleagues' names only
		}
		return nil
	}
	return nil
}
