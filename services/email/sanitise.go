package email

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Sanitise makes a mail's HTML safe to show: no script, form, frame or style
// sheet; links to http, https, mailto and tel only, with rel="noopener
// noreferrer nofollow" and a new window; remote images are not loaded, their
// address moves to data-remote-src, where the console may load it through its
// proxy when the agent asks; cid: images keep their address. A link whose text
// names another host than its address gets data-mismatch. The result is what
// Sanitise makes of it again. It must still be shown inside a sandbox.
func Sanitise(s string) string {
	return rewrite(policy.Sanitize(strings.ToValidUTF8(s, "\uFFFD")))
}

var policy = newPolicy()

var (
	httpAddress = regexp.MustCompile(`(?i)^https?://[^\s"'<>\x60]+$`)
	dataImage   = regexp.MustCompile(`^data:image/(png|gif|jpeg|jpg|webp);base64,[a-z0-9+/=]+$`)
	styleValue  = regexp.MustCompile(`^(#[0-9a-fA-F]{3,8}|rgba?\([0-9., %]{1,40}\)|[a-zA-Z0-9%.,# -]{1,100})$`)
	number      = regexp.MustCompile(`^[0-9]{1,5}%?$`)
	word        = regexp.MustCompile(`^[a-zA-Z0-9#%., -]{1,60}$`)
)

func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "div", "span", "br", "hr", "b", "strong", "i", "em", "u", "s", "strike", "del", "ins", "sub", "sup", "small", "big",
		"h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "pre", "code", "tt", "kbd", "samp", "var", "center", "font", "abbr", "q", "cite", "wbr",
		"table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "colgroup", "col", "a", "img")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("data-mismatch").Matching(regexp.MustCompile(`^1$`)).OnElements("a")
	p.AllowAttrs("src").OnElements("img")
	p.AllowAttrs("data-remote-src").Matching(httpAddress).OnElements("img")
	p.AllowAttrs("alt", "title").OnElements("img")
	p.AllowAttrs("width", "height").Matching(number).OnElements("img", "table", "td", "th", "col")
	p.AllowAttrs("border", "cellpadding", "cellspacing").Matching(number).OnElements("table", "img")
	p.AllowAttrs("colspan", "rowspan").Matching(regexp.MustCompile(`^[0-9]{1,3}$`)).OnElements("td", "th")
	p.AllowAttrs("align", "valign").Matching(regexp.MustCompile(`(?i)^(left|right|center|justify|top|middle|bottom|baseline)$`)).Globally()
	p.AllowAttrs("bgcolor", "color", "face", "size").Matching(word).OnElements("font", "table", "td", "th", "tr")
	p.AllowAttrs("dir").Matching(regexp.MustCompile(`(?i)^(ltr|rtl|auto)$`)).Globally()
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`^[a-zA-Z-]{2,20}$`)).Globally()
	p.AllowAttrs("type").Matching(regexp.MustCompile(`(?i)^cite$`)).OnElements("blockquote")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^[0-9]{1,6}$`)).OnElements("ol")
	p.AllowAttrs("style").Globally() // narrowed by rewrite
	p.SkipElementsContent("title", "noscript", "template", "iframe", "object", "noembed", "noframes", "xmp", "plaintext", "textarea", "select", "svg", "math")
	p.AllowURLSchemes("http", "https", "mailto", "tel", "cid")
	p.AllowDataURIImages()
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	return p
}

// rewrite narrows what the policy let through. Its input is well formed.
func rewrite(s string) string {
	var out strings.Builder
	out.Grow(len(s))
	z := html.NewTokenizer(strings.NewReader(s))
	var link *linkText
	for {
		tt := z.Next()
		if tt == html.ErrorToken {
			link.flush(&out)
			return out.String()
		}
		t := z.Token()
		switch {
		case tt == html.TextToken:
			link.text(t.Data)
		case tt == html.CommentToken || tt == html.DoctypeToken:
			continue
		case tt == html.EndTagToken && t.DataAtom == atom.A:
			bare := link != nil && attr(link.token, "href") == ""
			link.flush(&out)
			link = nil
			if bare {
				continue // its start was not written
			}
		case t.DataAtom == atom.A:
			link.flush(&out)
			link = newLink(&t)
			continue // written when its text is known
		case t.DataAtom == atom.Img:
			narrowImage(&t)
		}
		narrowStyle(&t)
		if len(t.Attr) == 0 && (t.DataAtom == atom.Img || t.DataAtom == atom.Font) && tt != html.EndTagToken {
			continue // says nothing any more
		}
		if link != nil {
			link.inner.WriteString(t.String())
			continue
		}
		out.WriteString(t.String())
	}
}

// linkText holds back a link until its text is known.
type linkText struct {
	token html.Token
	host  string
	shown strings.Builder
	inner strings.Builder
}

func newLink(t *html.Token) *linkText {
	var attrs []html.Attribute
	href := ""
	for _, a := range t.Attr {
		switch a.Key {
		case "href":
			// cid: and data: are for images only.
			u, err := url.Parse(strings.TrimSpace(a.Val))
			if err != nil || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "mailto" && u.Scheme != "tel" {
				continue
			}
			href = a.Val
		case "data-mismatch", "rel", "target":
			continue
		}
		attrs = append(attrs, a)
	}
	if href != "" {
		attrs = append(attrs, html.Attribute{Key: "rel", Val: "noopener noreferrer nofollow"}, html.Attribute{Key: "target", Val: "_blank"})
	}
	t.Attr = attrs
	narrowStyle(t)
	return &linkText{token: *t, host: hostOf(href)}
}

func (l *linkText) text(s string) {
	if l != nil && l.shown.Len() < 1000 {
		l.shown.WriteString(s)
	}
}

func (l *linkText) flush(out *strings.Builder) {
	if l == nil {
		return
	}
	if shown := hostOf(strings.TrimSpace(l.shown.String())); shown != "" && l.host != "" && !sameSite(shown, l.host) {
		l.token.Attr = append(l.token.Attr, html.Attribute{Key: "data-mismatch", Val: "1"})
	}
	if attr(l.token, "href") != "" {
		out.WriteString(l.token.String())
	}
	out.WriteString(l.inner.String())
}

var hostLike = regexp.MustCompile(`(?i)^(?:https?://)?([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,24})(?:[:/?#].*)?$`)

// hostOf is the host a link or a link's text names, "" when it names none.
func hostOf(s string) string {
	if len(s) > 4000 {
		return ""
	}
	if u, err := url.Parse(s); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		return strings.ToLower(u.Hostname())
	}
	if m := hostLike.FindStringSubmatch(s); m != nil {
		return strings.ToLower(m[1])
	}
	return ""
}

// sameSite: equal, or one is a subdomain of the other.
func sameSite(a, b string) bool {
	return a == b || strings.HasSuffix(a, "."+b) || strings.HasSuffix(b, "."+a)
}

// narrowImage keeps only sources that load nothing from elsewhere.
func narrowImage(t *html.Token) {
	var attrs []html.Attribute
	remote := ""
	for _, a := range t.Attr {
		switch a.Key {
		case "src":
			low := strings.ToLower(strings.TrimSpace(a.Val))
			switch {
			case strings.HasPrefix(low, "cid:"), dataImage.MatchString(low):
				attrs = append(attrs, a)
			case httpAddress.MatchString(strings.TrimSpace(a.Val)):
				remote = strings.TrimSpace(a.Val)
			}
			continue
		case "data-remote-src":
			if remote == "" {
				remote = a.Val
			}
			continue
		}
		attrs = append(attrs, a)
	}
	if remote != "" {
		attrs = append(attrs, html.Attribute{Key: "data-remote-src", Val: remote})
	}
	t.Attr = attrs
}

// styleNames are the properties that cannot load, cover or move anything.
var styleNames = map[string]bool{
	"color": true, "background-color": true, "font-family": true, "font-size": true, "font-style": true, "font-weight": true,
	"text-align": true, "text-decoration": true, "text-indent": true, "line-height": true, "white-space": true, "vertical-align": true,
	"padding": true, "padding-left": true, "padding-right": true, "padding-top": true, "padding-bottom": true,
	"margin-left": true, "margin-top": true, "margin-bottom": true, "margin-right": true,
	"border": true, "border-left": true, "border-right": true, "border-top": true, "border-bottom": true, "border-collapse": true, "border-color": true,
	"width": true, "max-width": true, "height": true, "direction": true, "list-style-type": true,
}

// narrowStyle keeps harmless declarations, in a form it leaves alone.
func narrowStyle(t *html.Token) {
	var attrs []html.Attribute
	for _, a := range t.Attr {
		if a.Key != "style" {
			attrs = append(attrs, a)
			continue
		}
		var keep []string
		if len(a.Val) <= 4000 {
			for decl := range strings.SplitSeq(a.Val, ";") {
				name, value, ok := strings.Cut(decl, ":")
				name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(strings.NewReplacer(`"`, "", `'`, "").Replace(value))
				if !ok || !styleNames[name] || !styleValue.MatchString(value) || strings.HasPrefix(value, "-") {
					continue
				}
				keep = append(keep, name+": "+value)
			}
		}
		if len(keep) > 0 {
			attrs = append(attrs, html.Attribute{Key: "style", Val: strings.Join(keep, "; ")})
		}
	}
	t.Attr = attrs
}
