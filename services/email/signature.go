package email

import (
	"html"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
)

const (
	maxSignature = 4000 // bytes of one signature
	// sigDashes is the line that mail programs know a signature by (RFC 3676 §4.3).
	sigDashes = "-- "
)

// signature is what an inbox puts below its answers.
type signature struct{ text, html string }

// signatory is who signs: what stands for the placeholders.
type signatory struct {
	agent string // his name, as customers see it
	own   string // his own signature
	inbox string
	addr  string
}

// readSignature reads the settings; \n in the text begins a new line, as a
// form has only one.
func readSignature(get func(string) string, bad complain) signature {
	s := signature{text: strings.ReplaceAll(get("signature"), `\n`, "\n"), html: get("signature_html")}
	for key, v := range map[string]string{"signature": s.text, "signature_html": s.html} {
		if len(v) > maxSignature {
			bad(key, "has %d bytes, allowed are %d", len(v), maxSignature)
		}
	}
	return s
}

// sign puts the signature below an answer: in the text after the line that
// mail programs know, and in the HTML, where there is one. What a machine
// wrote is not signed, nor what ends with the same signature already.
func (s signature) sign(c channel.Content, by signatory) channel.Content {
	text := by.fill(s.text, func(v string) string { return v })
	if own := strings.TrimSpace(by.own); own != "" && !strings.Contains(s.text, "{signature}") {
		text = strings.TrimSpace(own + "\n" + text)
	}
	text = strings.TrimSpace(normaliseText(text))
	if text == "" {
		return c
	}
	body := strings.TrimRight(normaliseText(c.Text), "\n \t")
	if body == text || strings.HasSuffix(body, "\n"+text) {
		return c
	}
	if c.HTML != "" {
		rich := by.rich(s, text)
		if strings.TrimSpace(c.Text) == "" {
			body = textFromHTML(c.HTML).text
		}
		c.HTML += "<div>" + sigDashes + "<br>" + rich + "</div>"
	}
	c.Text = strings.TrimLeft(body+"\n\n"+sigDashes+"\n"+text, "\n")
	return c
}

// rich is the signature for HTML: the inbox's own, else that of the text.
func (by signatory) rich(s signature, text string) string {
	lines := func(v string) string { return strings.ReplaceAll(html.EscapeString(v), "\n", "<br>") }
	if s.html == "" {
		return lines(text)
	}
	out := by.fill(s.html, lines)
	if own := strings.TrimSpace(by.own); own != "" && !strings.Contains(s.html, "{signature}") {
		out = lines(own) + "<br>" + out
	}
	return Sanitise(out)
}

// fill puts names in place of {agent}, {inbox}, {address} and {signature}, the
// agent's own. A line that holds nothing but what is not known goes.
func (by signatory) fill(s string, quote func(string) string) string {
	values := map[string]string{"{agent}": by.agent, "{inbox}": by.inbox, "{address}": by.addr, "{signature}": strings.TrimSpace(by.own)}
	var pairs []string
	for k, v := range values {
		pairs = append(pairs, k, quote(v))
	}
	replace := strings.NewReplacer(pairs...)
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		if filled := replace.Replace(line); strings.TrimSpace(filled) != "" || strings.TrimSpace(line) == "" {
			out = append(out, filled)
		}
	}
	return strings.Join(out, "\n")
}
