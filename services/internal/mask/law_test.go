package mask_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weftline/weftline/services/internal/mask"
)

// scraps of which texts are made that come near every rule.
var scraps = []string{
	"4111111111111111", "4111", "1111", "11", "1", "5500", "0000", "0004", "378282246310005", "3782", "822463", "10005", "411111", "xxxxxx", "xxx",
	" ", "  ", "-", ".", ",", "\n", "> ", "\u00a0", "\u200b", "_", "x", "a", "é", "４", "\xff",
	"cvv ", "CVC: ", "security code ", "123", "1234", "12/27", " exp ",
	"DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "DE89", "GB82 WEST",
	"AKIA", "IOSFODNN7EXAMPLE", "ghp_", "aaaaaaaaaaaaaaaaaa", "eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxIn0", ".sig", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----",
	"Authorization: ", "Bearer ", "Basic ", "abcdef1234567890abcdef", "Cookie: ", "a=b; c=d", `"name":"cookie","value":"`, `"`, `"cookies":[`, `"value":"v"`, "]", "[masked JWT]", "aws_secret=",
	"<b>", "</b>", "<br>", "<a title=\"", "\">", "&nbsp;", "&amp;", "<td>", "</td>", "<!--", "-->", "<", ">", "<script>", "</script>",
}

func scrappy() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(scraps), 0, 25).Draw(t, "scraps"), "")
	})
}

var everyKind = rapid.SampledFrom([]mask.Kinds{mask.Cards, mask.Secrets, all})

func TestMaskingTwiceIsMaskingOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		idempotent(t, everyKind.Draw(t, "kinds"), rapid.OneOf(scrappy(), rapid.String()).Draw(t, "text"))
	})
}

type fataler interface{ Fatalf(string, ...any) }

func idempotent(t fataler, k mask.Kinds, s string) {
	once, hit := k.Text(s)
	if hit != (once != s) {
		t.Fatalf("%q became %q and hit is %v", s, once, hit)
	}
	if twice, again := k.Text(once); again {
		t.Fatalf("%q became %q, and that %q", s, once, twice)
	}
	page, hit := k.HTML(s)
	if hit != (page != s) {
		t.Fatalf("page %q became %q and hit is %v", s, page, hit)
	}
	if twice, again := k.HTML(page); again {
		t.Fatalf("page %q became %q, and that %q", s, page, twice)
	}
}

// A number stays masked whatever stands around it.
func TestAroundACard(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.StringMatching(`[a-z é.!?\n]{0,40}`)
		s := words.Draw(t, "before") + "|4111 1111 1111 1111|" + words.Draw(t, "after")
		got, _ := mask.Cards.Text(s)
		if want := strings.Replace(s, "4111 1111 1111 1111", "411111xxxxxx1111", 1); got != want {
			t.Fatalf("%q became %q", s, got)
		}
	})
}

func FuzzMask(f *testing.F) {
	for _, s := range scraps {
		f.Add(s, byte(all))
	}
	f.Add("4111 1111 1111 1111 12/27 123 5500-0000-0000-0004", byte(mask.Cards))
	f.Add("<p>4111<b>1111</b>&nbsp;11111111</p>", byte(all))
	f.Fuzz(func(t *testing.T, s string, k byte) {
		idempotent(t, mask.Kinds(k)&all, s)
	})
}

// The time per byte is the same for texts that are made to be slow: see BenchmarkMask.
func BenchmarkMask(b *testing.B) {
	for name, unit := range map[string]string{
		"prose": "Hello, where is my parcel? I ordered it on 2026-11-27. ", "digits": "4", "groups": "4 ", "fours": "4111 ", "begin": "-----BEGIN PRIVATE KEY-----\n",
		"har": `"value":"`, "cookies": `"cookies":[`, "eyJ": "eyJaaaaaaaaa.", "aws": "aws secret ", "iban": "DE89 ", "tags": "<b>4", "ab": "a1", "auth": "authorization: ",
	} {
		for _, n := range []int{16 << 10, 256 << 10} {
			s := strings.Repeat(unit, n/len(unit))
			b.Run(name+"/"+map[bool]string{true: "small", false: "large"}[n < 100<<10], func(b *testing.B) {
				b.SetBytes(int64(len(s)))
				for range b.N {
					all.Text(s)
					all.HTML(s)
				}
			})
		}
	}
}
