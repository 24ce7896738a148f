package email

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// htmlText is HTML turned into text.
type htmlText struct {
	text string
	// quote is where a quoted history begins that the markup names (a mail
	// program's quote container with nothing but blanks after it), -1 if none.
	quote int
}

// textFromHTML reads HTML as text: block elements on lines of their own,
// lists with dashes, blockquotes with "> ", links with their address where it
// differs. It works on tokens, so depth costs nothing; one pass.
func textFromHTML(src string) htmlText {
	w := textWriter{quoteAt: -1}
	z := html.NewTokenizer(strings.NewReader(src))
	var open []openTag // only elements that matter
	skip := 0          // inside script, style, head, …
	for {
		switch z.Next() {
		case html.ErrorToken:
			for i := len(open) - 1; i >= 0; i-- {
				w.close(open[i])
			}
			return w.result()
		case html.TextToken:
			if skip == 0 {
				w.write(string(z.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			switch t.DataAtom {
			case atom.Script, atom.Style, atom.Head, atom.Title, atom.Template, atom.Noscript:
				if t.Type == html.StartTagToken {
					skip++
				}
				continue
			case atom.Body:
				skip = 0 // a head that was never closed
				continue
			}
			if skip > 0 {
				continue
			}
			o := w.open(t)
			if o.kind != tagNone && t.Type == html.StartTagToken && len(open) < 10_000 {
				open = append(open, o)
			}
		case html.EndTagToken:
			t := z.Token()
			switch t.DataAtom {
			case atom.Script, atom.Style, atom.Head, atom.Title, atom.Template, atom.Noscript:
				skip = max(0, skip-1)
				continue
			}
			if skip > 0 {
				continue
			}
			w.blockEnd(t.DataAtom)
			// The nearest open element of that name; what is above it was never closed. A short look keeps this linear.
			for i := len(open) - 1; i >= 0 && i >= len(open)-64; i-- {
				if open[i].atom == t.DataAtom {
					for j := len(open) - 1; j >= i; j-- {
						w.close(open[j])
					}
					open = open[:i]
					break
				}
			}
		}
	}
}

type tagKind int

const (
	tagNone  tagKind = iota
	tagPlain         // only its end matters
	tagQuote         // blockquote: "> "
	tagHistory
	tagPre
	tagLink
)

type openTag struct {
	atom atom.Atom
	kind tagKind
	href string
	at   int // length of the text when it began
}

// textWriter collects text with blanks collapsed as a browser shows it.
type textWriter struct {
	b       strings.Builder
	pending int  // line ends owed before the next text
	space   bool // a blank owed
	depth   int  // of blockquotes
	pre     int
	quoteAt int  // first history that is still open or was last
	after   bool // text came after that history was closed
	inside  int  // histories open
	started bool
	rest    bool // a "from here on" marker was met: all that follows is history
}

func (w *textWriter) result() htmlText {
	s := strings.TrimRight(w.b.String(), " \n")
	q := w.quoteAt
	if w.after || q > len(s) {
		q = -1
	}
	return htmlText{text: s, quote: q}
}

func (w *textWriter) breakLine(n int) {
	if w.started && w.pending < n {
		w.pending = n
	}
	w.space = false
}

func (w *textWriter) owed() {
	if w.pending > 0 {
		for range w.pending {
			w.b.WriteByte('\n')
		}
		w.indent()
	} else if !w.started {
		w.indent()
	}
	w.pending = 0
	w.started = true
}

func (w *textWriter) indent() {
	for range min(w.depth, 10) {
		w.b.WriteString("> ")
	}
}

func (w *textWriter) write(s string) {
	if w.quoteAt >= 0 && w.inside == 0 && !w.rest && strings.TrimSpace(strings.ReplaceAll(s, "\u00a0", " ")) != "" {
		w.after = true
	}
	if w.pre > 0 {
		for i, line := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
			if i > 0 {
				w.pending++
				w.started = true
			}
			if line != "" {
				w.owed()
				w.b.WriteString(line)
			}
		}
		return
	}
	for _, r := range s {
		switch r {
		case ' ', '\t', '\n', '\r', '\f':
			w.space = true
			continue
		}
		if w.pending > 0 || !w.started {
			w.owed()
		} else if w.space {
			w.b.WriteByte(' ')
		}
		w.space = false
		if r == '\u00a0' {
			r = ' '
		}
		w.b.WriteRune(r)
	}
}

func (w *textWriter) open(t html.Token) openTag {
	o := openTag{atom: t.DataAtom}
	if history, fromHere := quoteMarker(t); (history || fromHere) && w.quoteAt < 0 {
		w.breakLine(1)
		w.quoteAt = w.b.Len()
		if fromHere {
			w.rest = true
		} else if t.Type == html.StartTagToken {
			o.kind = tagHistory
			w.inside++
		}
	}
	switch t.DataAtom {
	case atom.Br:
		w.pending++
		if !w.started {
			w.pending = 0
		}
		w.space = false
		if w.pending > 2 {
			w.pending = 2
		}
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Table:
		w.breakLine(2)
	case atom.Div, atom.Tr, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Dl, atom.Dt, atom.Dd, atom.Address, atom.Center, atom.Form, atom.Fieldset:
		w.breakLine(1)
	case atom.Td, atom.Th:
		w.space = w.started && w.pending == 0
	case atom.Hr:
		w.breakLine(1)
		w.write("---")
		w.breakLine(1)
	case atom.Li:
		w.breakLine(1)
		w.write("-")
		w.space = true
	case atom.Img:
		if alt := attr(t, "alt"); alt != "" && len(alt) < 200 {
			w.write("[" + alt + "]")
		}
	case atom.Pre:
		w.breakLine(1)
		if o.kind == tagNone {
			o.kind = tagPre
			w.pre++
		}
	case atom.Blockquote:
		w.breakLine(1)
		if o.kind == tagNone {
			o.kind = tagQuote
			w.depth++
		}
	case atom.A:
		if o.kind == tagNone {
			o.kind, o.href, o.at = tagLink, attr(t, "href"), w.b.Len()
		}
	}
	if o.kind == tagNone && w.inside > 0 && t.DataAtom == atom.Div {
		o.kind = tagPlain // so that the history's own end is found
	}
	return o
}

func (w *textWriter) blockEnd(a atom.Atom) {
	switch a {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Ul, atom.Ol, atom.Table:
		w.breakLine(2)
	case atom.Div, atom.Tr, atom.Li, atom.Pre, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Dl, atom.Dt, atom.Dd, atom.Address, atom.Center:
		w.breakLine(1)
	}
}

func (w *textWriter) close(o openTag) {
	switch o.kind {
	case tagQuote:
		w.depth--
		w.breakLine(1)
	case tagHistory:
		w.inside--
		w.breakLine(1)
	case tagPre:
		w.pre--
	case tagLink:
		if o.at > w.b.Len() || o.href == "" || w.b.Len()-o.at > 2000 {
			return
		}
		shown := strings.TrimSpace(w.b.String()[o.at:])
		low := strings.ToLower(o.href)
		if len(o.href) > 500 || !(strings.HasPrefix(low, "http://") || strings.HasPrefix(low, "https://")) {
			return
		}
		bare := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(low, "https://"), "http://"), "/")
		if shown == "" || strings.Contains(strings.ToLower(shown), bare) {
			return
		}
		w.b.WriteString(" <" + toLine(o.href) + ">")
	}
}

func attr(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// quoteMarker knows the containers mail programs put an older message into.
// history: the element holds it. fromHere: it and all that follows is history.
func quoteMarker(t html.Token) (history, fromHere bool) {
	id, class := strings.ToLower(attr(t, "id")), strings.ToLower(attr(t, "class"))
	switch t.DataAtom {
	case atom.Blockquote:
		return strings.EqualFold(attr(t, "type"), "cite") || strings.Contains(class, "gmail_quote") || strings.Contains(class, "protonmail_quote"), false
	case atom.Hr:
		return false, id == "stopspelling" || strings.HasSuffix(id, "zwchr")
	case atom.Div, atom.Span, atom.Table:
	default:
		return false, false
	}
	for _, name := range []string{"gmail_quote", "yahoo_quoted", "protonmail_quote", "zmail_extra", "moz-cite-prefix", "tutanota_quote", "gmx-quote", "outlookmessageheader", "mailquote"} {
		if strings.Contains(class, name) {
			// The prefix line stands before its quote, which is the next element.
			return name != "moz-cite-prefix" && name != "outlookmessageheader", name == "moz-cite-prefix" || name == "outlookmessageheader"
		}
	}
	switch {
	case strings.HasSuffix(id, "divrplyfwdmsg"), strings.HasSuffix(id, "appendonsend"), strings.HasSuffix(id, "mail-editor-reference-message-container"), id == "replyforwardcontainer":
		return false, true
	}
	style := strings.ToLower(strings.ReplaceAll(attr(t, "style"), " ", ""))
	// Outlook's rule above "From: … Sent: …".
	return false, strings.Contains(style, "border-top:solid#e1e1e1") || strings.Contains(style, "border-top:solid#b5c4df") || strings.Contains(style, "border:none;border-top:solid")
}

// unflow joins soft-broken lines of format=flowed text (RFC 3676).
func unflow(s string, delSp bool) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	out := make([]byte, 0, len(s))
	joinDepth := -1 // quote depth of the paragraph that goes on
	for i, line := range lines {
		depth := 0
		for depth < len(line) && line[depth] == '>' {
			depth++
		}
		text := strings.TrimPrefix(line[depth:], " ")
		if joinDepth == depth {
			out = append(out, text...)
		} else {
			if i > 0 {
				out = append(out, '\n')
			}
			out = append(out, line[:depth]...)
			if depth > 0 {
				out = append(out, ' ')
			}
			out = append(out, text...)
		}
		joinDepth = -1
		if strings.HasSuffix(text, " ") && text != "-- " && i < len(lines)-1 && nextDepth(lines[i+1]) == depth {
			joinDepth = depth
			if delSp {
				out = out[:len(out)-1]
			}
		}
	}
	return string(out)
}

func nextDepth(line string) int {
	d := 0
	for d < len(line) && line[d] == '>' {
		d++
	}
	return d
}
