package email_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/email"
	"golang.org/x/net/html"
)

// checkHarmless parses like a browser (tree building moves and renames
// elements) and looks at what is there, not at the text.
func checkHarmless(t testing.TB, s string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(s))
	if err != nil {
		return // nested deeper than the parser goes; a browser flattens that
	}
	bad := []string{"script", "style", "iframe", "object", "embed", "form", "input", "button", "link", "meta", "base", "svg", "math", "video", "audio", "source", "template", "noscript", "textarea", "select", "frame", "frameset", "title"}
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode {
			if slices.Contains(bad, n.Data) {
				t.Errorf("element %s in %q", n.Data, s)
			}
			for _, a := range n.Attr {
				low := strings.ToLower(strings.TrimSpace(a.Val))
				switch {
				case strings.HasPrefix(a.Key, "on"), a.Key == "srcset", a.Key == "ping", a.Key == "background", a.Key == "poster", a.Key == "action", a.Key == "formaction", a.Key == "id", a.Key == "class", a.Key == "name":
					t.Errorf("attribute %s in %q", a.Key, s)
				case a.Key == "style" && !harmlessStyle(low):
					t.Errorf("style %q", a.Val)
				case a.Key == "src" && !strings.HasPrefix(low, "cid:") && !strings.HasPrefix(low, "data:image/"):
					t.Errorf("source %q", a.Val)
				case a.Key == "src" && strings.Contains(low, "svg"):
					t.Errorf("svg image %q", a.Val)
				case a.Key == "href" && !slices.ContainsFunc([]string{"http:", "https:", "mailto:", "tel:"}, func(p string) bool { return strings.HasPrefix(low, p) }):
					t.Errorf("link %q", a.Val)
				}
			}
			if n.Data == "a" {
				var rel, href, target string
				for _, a := range n.Attr {
					switch a.Key {
					case "rel":
						rel = a.Val
					case "href":
						href = a.Val
					case "target":
						target = a.Val
					}
				}
				if href != "" && (rel != "noopener noreferrer nofollow" || target != "_blank") {
					t.Errorf("link with rel %q and target %q", rel, target)
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
}

// harmlessStyle tells what can act from what is only spelt so: a function that
// is not a colour (url, expression, var), an escape that hides one, a comment
// that splits one, a property that moves text over the console.
func harmlessStyle(s string) bool {
	if strings.ContainsAny(s, "\\/@{}<") {
		return false
	}
	for decl := range strings.SplitSeq(s, ";") {
		name, value, _ := strings.Cut(decl, ":")
		rest := strings.NewReplacer("rgba(", "", "rgb(", "").Replace(value)
		if strings.Contains(rest, "(") || strings.Contains(name, "position") || strings.Contains(name, "behavior") || strings.Contains(name, "binding") {
			return false
		}
	}
	return true
}

func TestSanitiseKnownVectors(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/html/vectors.html")
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.SplitSeq(string(b), "\n") {
		out := email.Sanitise(l)
		checkHarmless(t, out)
		if again := email.Sanitise(out); again != out {
			t.Errorf("not stable:\n once %q\ntwice %q", out, again)
		}
	}
}

func TestSanitiseKeepsWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`<p>Hi <b>you</b></p>`: `<p>Hi <b>you</b></p>`,
		`<a href="https://example.org/a?b=1&amp;c=2">there</a>`:       `<a href="https://example.org/a?b=1&amp;c=2" rel="noopener noreferrer nofollow" target="_blank">there</a>`,
		`<a href="https://evil.test">www.bank.test</a>`:               `<a href="https://evil.test" rel="noopener noreferrer nofollow" target="_blank" data-mismatch="1">www.bank.test</a>`,
		`<a href="https://www.bank.test/x">bank.test</a>`:             `<a href="https://www.bank.test/x" rel="noopener noreferrer nofollow" target="_blank">bank.test</a>`,
		`<img src="https://t.test/p.png" width="1" alt="x">`:          `<img width="1" alt="x" data-remote-src="https://t.test/p.png">`,
		`<img src="cid:a@b">`:                                         `<img src="cid:a@b">`,
		`<span style="color:#fff;position:fixed;width:10px">x</span>`: `<span style="color: #fff; width: 10px">x</span>`,
		`<td bgcolor="#ffffff" colspan=2>x</td>`:                      `<td bgcolor="#ffffff" colspan="2">x</td>`,
	} {
		if got := email.Sanitise(in); got != want {
			t.Errorf("Sanitise(%q)\n got %q\nwant %q", in, got, want)
		}
	}
}
