// Package richtext makes what messengers call formatted text safe to show, and
// plain. It knows the few elements such text is made of; mail, which is
// whole documents, has rules of its own.
package richtext

import (
	"net/url"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

var policy = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "b", "strong", "i", "em", "u", "s", "del", "ins", "sub", "sup", "h1", "h2", "h3", "h4", "h5", "h6",
		"ul", "ol", "li", "blockquote", "pre", "code", "table", "thead", "tbody", "tr", "td", "th", "caption", "a")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	// The quotation that Matrix puts before an answer, and what no text is in.
	p.SkipElementsContent("mx-reply", "script", "style", "title", "noscript", "template", "iframe", "object", "textarea", "select", "svg", "math")
	return p
}()

// Sanitise leaves text, its formatting and links to http, https, mailto and
// tel. No script, style, image or form gets through. Empty: nothing is left.
func Sanitise(s string) string {
	return strings.TrimSpace(policy.Sanitize(strings.ToValidUTF8(s, "\uFFFD")))
}

// Text is what formatted text says: a line for each paragraph, item and br, the
// address after a link whose words are not it, "> " before quotations. Elements whose
// class is "invisible" count, since that is how addresses are shortened for the eye.
func Text(s string) string {
	z := html.NewTokenizer(strings.NewReader(policyForText.Sanitize(strings.ToValidUTF8(s, "\uFFFD"))))
	var w writer
	for {
		switch z.Next() {
		case html.ErrorToken:
			return w.String()
		case html.TextToken:
			w.text(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			w.start(z.Token())
		case html.EndTagToken:
			w.end(z.Token())
		}
	}
}

var policyForText = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "tr")
	p.AllowAttrs("href", "class").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.SkipElementsContent("mx-reply", "script", "style", "title", "noscript", "template", "iframe", "object", "textarea", "select", "svg", "math")
	return p
}()

// writer puts lines together.
type writer struct {
	out    strings.Builder
	breaks int // line ends that are due before the next text
	quote  int
	pre    int
	link   string
	words  strings.Builder // of the link
}

func (w *writer) text(s string) {
	if w.pre == 0 {
		// White space is one space; at the start of a line it is nothing.
		lead, trail := strings.TrimLeft(s, " \t\r\n\f") != s, strings.TrimRight(s, " \t\r\n\f") != s
		s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\r\n\f", r) }), " ")
		switch {
		case s == "" && lead && w.breaks == 0 && w.out.Len() > 0:
			s = " "
		case s == "":
			return
		default:
			if lead && w.breaks == 0 && w.out.Len() > 0 && !strings.HasSuffix(w.out.String(), " ") && !strings.HasSuffix(w.out.String(), "\n") {
				s = " " + s
			}
			if trail {
				s += " "
			}
		}
	}
	w.put(s)
	if w.link != "" {
		w.words.WriteString(s)
	}
}

func (w *writer) put(s string) {
	if s == "" {
		return
	}
	prefix := strings.Repeat("> ", w.quote)
	if w.out.Len() == 0 {
		w.out.WriteString(prefix)
	} else if w.breaks > 0 {
		w.out.WriteString(strings.Repeat("\n"+prefix, w.breaks))
	}
	w.breaks = 0
	w.out.WriteString(strings.ReplaceAll(s, "\n", "\n"+prefix))
}

// line ends the line; n 2 leaves an empty one.
func (w *writer) line(n int) {
	if w.out.Len() > 0 {
		w.breaks = max(w.breaks, n)
	}
}

func (w *writer) start(t html.Token) {
	switch t.DataAtom {
	case atom.Br:
		if w.out.Len() > 0 {
			w.breaks = min(w.breaks+1, 2)
		}
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		w.line(2)
	case atom.Div, atom.Ul, atom.Ol, atom.Tr:
		w.line(1)
	case atom.Li:
		w.line(1)
		w.put("- ")
	case atom.Blockquote:
		w.line(1)
		w.quote = min(w.quote+1, 10)
	case atom.Pre:
		w.line(1)
		w.pre++
	case atom.A:
		w.link = ""
		w.words.Reset()
		for _, a := range t.Attr {
			// A mention or a hashtag is its words.
			if a.Key == "class" && strings.Contains(" "+a.Val+" ", " mention ") {
				return
			}
		}
		for _, a := range t.Attr {
			if a.Key == "href" {
				w.link = a.Val
			}
		}
	}
}

func (w *writer) end(t html.Token) {
	switch t.DataAtom {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		w.line(2)
	case atom.Div, atom.Ul, atom.Ol, atom.Li, atom.Tr:
		w.line(1)
	case atom.Blockquote:
		w.line(1)
		w.quote = max(w.quote-1, 0)
	case atom.Pre:
		w.line(1)
		w.pre = max(w.pre-1, 0)
	case atom.A:
		if w.link != "" && !same(w.link, w.words.String()) {
			w.put(" (" + w.link + ")")
		}
		w.link = ""
	}
}

// same says whether the words of a link are its address.
func same(link, words string) bool {
	words = strings.TrimSpace(words)
	if u, err := url.Parse(link); err == nil {
		if plain, err := url.PathUnescape(link); err == nil && plain == words {
			return true
		}
		if u.Opaque == words { // mailto:
			return true
		}
	}
	bare := func(s string) string {
		s = strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://")
		return strings.TrimSuffix(s, "/")
	}
	return bare(link) == bare(words)
}

func (w *writer) String() string { return strings.TrimSpace(w.out.String()) }
