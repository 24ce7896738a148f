package richtext_test

import (
	"strings"
	"testing"

	"github.com/weftline/weftline/services/internal/richtext"
)

func TestTextIsWhatIsSaid(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"<p>Hello <b>world</b></p><p>Second</p>":    "Hello world\n\nSecond",
		"one<br>two<br/><br />three":                "one\ntwo\n\nthree",
		"<p>a &lt;b&gt; &amp; c</p>":                "a <b> & c",
		"<ul><li>x</li><li>y</li></ul>":             "- x\n- y",
		"<blockquote>said<br>so</blockquote>answer": "> said\n> so\nanswer",
		"<pre><code>if x {\n  y\n}</code></pre>":    "if x {\n  y\n}",
		`<p><span class="h-card"><a href="https://b.test/@shop" class="u-url mention">@<span>shop</span></a></span> hi</p>`:                                   "@shop hi",
		`<a href="https://x.test/a?b=1"><span class="invisible">https://</span><span class="ellipsis">x.test/a</span><span class="invisible">?b=1</span></a>`: "https://x.test/a?b=1",
		`see <a href="https://x.test/1">this page</a>, please`:                                                                                                "see this page (https://x.test/1), please",
		`<a href="javascript:alert(1)">x</a>`:                  "x",
		"<mx-reply><blockquote>old</blockquote></mx-reply>new": "new",
		"<script>alert(1)</script>safe<style>x</style>":        "safe",
		"שלום <b>עולם</b> 👨‍👩‍👧":                               "שלום עולם 👨‍👩‍👧",
		"": "", "<p></p>": "",
	} {
		if got := richtext.Text(in); got != want {
			t.Errorf("%s:\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestSanitiseLeavesNothingThatActs(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`<b onclick="x()">bold</b><img src="https://x.test/p.png">`: "<b>bold</b>",
		`<a href="javascript:alert(1)">x</a>`:                       "x",
		`<a href="https://x.test/">x</a>`:                           `<a href="https://x.test/" rel="nofollow noreferrer noopener" target="_blank">x</a>`,
		`<script>alert(1)</script><style>p{}</style>y`:              "y",
		`<mx-reply>old</mx-reply>new`:                               "new",
		`<p style="position:fixed">z</p>`:                           "<p>z</p>",
	} {
		if got := richtext.Sanitise(in); got != want {
			t.Errorf("%s:\n got %q\nwant %q", in, got, want)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"<p>a<br>b</p>", "<a href='x'>y", "<blockquote><pre>\n</blockquote>", "\xff<li>", "<mx-reply><b>", strings.Repeat("<blockquote>", 50) + "x\ny"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		richtext.Text(s)
		clean := richtext.Sanitise(s)
		if again := richtext.Sanitise(clean); again != clean {
			t.Errorf("%q becomes %q, then %q", s, clean, again)
		}
		for _, bad := range []string{"<script", "<img", "javascript:alert", "<iframe"} {
			if strings.Contains(strings.ToLower(clean), bad) && strings.Contains(clean, "<a href=\"javascript") {
				t.Errorf("%q is in %q", bad, clean)
			}
		}
	})
}
