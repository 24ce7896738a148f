package mask_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/mask"
)

const all = mask.Cards | mask.Secrets

func TestText(t *testing.T) {
	t.Parallel()
	jwt := "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	pem := "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAu1SU1L\nVLPHCozMxH2Mo4lgOEePzNm0\n"
	for _, c := range []struct{ name, in, want string }{
		{"one piece", "card 4111111111111111 thanks", "card 411111xxxxxx1111 thanks"},
		{"spaces", "4111 1111 1111 1111", "411111xxxxxx1111"},
		{"dashes", "4111-1111-1111-1111.", "411111xxxxxx1111."},
		{"dots", "5500.0000.0000.0004", "550000xxxxxx0004"},
		{"underscores of a file name", "scan_4111_1111_1111_1111.pdf", "scan_411111xxxxxx1111.pdf"},
		{"no-break spaces", "4111\u00a01111\u202f1111\u20091111", "411111xxxxxx1111"},
		{"full width", "４１１１　１１１１　１１１１　１１１１", "411111xxxxxx1111"},
		{"arabic digits", "٤١١١١١١١١١١١١١١١", "411111xxxxxx1111"},
		{"soft hyphens", "4111\u00ad1111\u200b1111\u20601111", "411111xxxxxx1111"},
		{"line break in a quote", "> 4111 1111\r\n> 1111 1111", "> 411111xxxxxx1111"},
		{"markdown", "**4111 1111 1111 1111**", "**411111xxxxxx1111**"},
		{"amex", "3782 822463 10005", "378282xxxxxx0005"},
		{"diners", "3056 930902 5904", "305693xxxxxx5904"},
		{"19 digits", "6304 1234 5678 9012 008 is", "630412xxxxxx2008 is"},
		{"digit by digit", "it is 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "it is 411111xxxxxx1111"},
		{"tones", "4,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "411111xxxxxx1111"},
		{"two", "4111 1111 1111 1111 5500 0000 0000 0004", "411111xxxxxx1111 550000xxxxxx0004"},
		{"behind a year", "in 2026 4111 1111 1111 1111", "in 2026 411111xxxxxx1111"},
		{"code after the date", "4111 1111 1111 1111 12/27 123", "411111xxxxxx1111 12/27 xxx"},
		{"code right behind", "4111111111111111, 1234.", "411111xxxxxx1111, xxxx."},
		{"code by name", "CVV: 123, card 4111111111111111", "CVV: xxx, card 411111xxxxxx1111"},
		{"code alone", "the cvc is 987", "the cvc is xxx"},
		{"code by a vague name", "Sicherheitscode 987 zu 4111111111111111", "Sicherheitscode xxx zu 411111xxxxxx1111"},
		{"iban", "to DE89 3704 0044 0532 0130 00 please", "to DE89xxxxxx3000 please"},
		{"iban lower case", "gb82west12345698765432", "GB82xxxxxx5432"},
		{"aws", "key AKIAIOSFODNN7EXAMPLE!", "key [masked AWS key]!"},
		{"aws secret", "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key = [masked AWS key]"},
		{"github", "ghp_" + strings.Repeat("a1B2", 9), "[masked GitHub token]"},
		{"jwt", "token " + jwt + " here", "token [masked JWT] here"},
		{"pem", pem + "-----END RSA PRIVATE KEY-----\nbye", "[masked private key]\nbye"},
		{"pem cut off", pem + "and so on", "[masked private key]\nand so on"},
		{"authorization", "Authorization: Basic dXNlcjpwYXNzd29yZA==\nAccept: */*", "Authorization: [masked credential]\nAccept: */*"},
		{"curl", `curl -H 'Authorization: Bearer abc123def456' https://x`, `curl -H 'Authorization: [masked credential]' https://x`},
		{"cookie", "Cookie: sid=abc; theme=dark\nHost: x", "Cookie: [masked cookie]\nHost: x"},
		{
			"har", `{"name": "Cookie", "value": "sid=\"a\"; b=c"},{"name":"authorization","value":"Bearer x"}`,
			`{"name": "Cookie", "value": "[masked cookie]"},{"name":"authorization","value":"[masked credential]"}`,
		},
		{"har cookies", `"cookies": [{"name": "sid", "value": "s3cret", "path": "/"}]`, `"cookies": [{"name": "sid", "value": "[masked cookie]", "path": "/"}]`},
	} {
		if got, hit := all.Text(c.in); got != c.want || !hit {
			t.Errorf("%s: %q became %q (%v), want %q", c.name, c.in, got, hit, c.want)
		}
	}
}

// What is no hit stays, byte for byte.
func TestStays(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "Hello, where is my parcel 00340434292135100186?", "wrong check digit: 4111 1111 1111 1112",
		"nobody issues it: 1111 1111 1111 1117", "twenty digits 41111111111111111111", "Amazon 403-1234567-1234567",
		"call +49 (0)30 1234 5678 or +1-212-555-0100", "at 1764225144123 ms", "between 2026-11-27 and 2026-12-01, 10:30-11:45",
		"EUR 4.111.111.111.111.111", "isbn 978-3-16-148410-0", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
		"the cookie: I like it", "authorization: see the documentation-for-developers", "bearer of good news", "CVN 65 is a ship",
		"DE89 3704 0044 0532 0130 01 has a wrong check digit", "at20 one two three four five", "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkq\n-----END PUBLIC KEY-----",
		"security code 1234 of the door", "my uuid is 4f1c4111-1111-4111-8111-111111111111", "\xff\xfe 411111111111111\x80",
	} {
		if got, hit := all.Text(s); got != s || hit {
			t.Errorf("%q became %q (%v)", s, got, hit)
		}
	}
	iban := "DE89 3704 0044 0532 0130 00"
	if got, hit := mask.Cards.Text(iban + " AKIAIOSFODNN7EXAMPLE"); hit {
		t.Errorf("only cards were asked for: %q", got)
	}
	if got, hit := mask.None.Text("4111111111111111"); hit || got != "4111111111111111" {
		t.Errorf("nothing was asked for: %q", got)
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"split by tags", `<p>Card <b>4111</b> <i>1111</i><span>&nbsp;1111</span> 1111 &amp; so</p>`, `<p>Card <b>411111xxxxxx1111</b><i></i><span></span> &amp; so</p>`},
		{"inside a word", `4<b>1</b>11111111111111`, `411111xxxxxx1111<b></b>`},
		{"entities", `<td>&#52;111&#x200b;1111 1111 1111</td>`, `<td>411111xxxxxx1111</td>`},
		{"cells", `<tr><td>4111</td><td>1111</td><td>1111</td><td>1111</td></tr>`, `<tr><td>411111xxxxxx1111</td><td></td><td></td><td></td></tr>`},
		{"attribute", `<a href="https://x/?pan=4111111111111111" title='a'>pay</a>`, `<a href="https://x/?pan=411111xxxxxx1111" title="a">pay</a>`},
		{"code in another element", `<p>4111111111111111</p><p>Security code: <b>123</b></p>`, `<p>411111xxxxxx1111</p><p>Security code: <b>xxx</b></p>`},
		{"token over a tag", `ghp_` + strings.Repeat("a", 20) + `<wbr>` + strings.Repeat("b", 16), `[masked GitHub token]<wbr>`},
		{"nothing", `<P  CLASS=x>1 &lt; 2 &nbsp;<br/>é</p><!-- ok -->`, `<P  CLASS=x>1 &lt; 2 &nbsp;<br/>é</p><!-- ok -->`},
		{"two paragraphs are two", `<p>call 4111 1111 111</p><p>&nbsp;</p><p>&nbsp;</p><p>-</p><p>-</p><p>1 1111</p>`, `<p>call 4111 1111 111</p><p>&nbsp;</p><p>&nbsp;</p><p>-</p><p>-</p><p>1 1111</p>`},
	} {
		got, hit := all.HTML(c.in)
		if c.name == "split by tags" {
			// Blanks between the digits belong to the number.
			if strings.Contains(got, "1111 1111") || !strings.Contains(got, "<b>411111xxxxxx1111</b>") || !strings.Contains(got, " &amp; so</p>") || !hit {
				t.Errorf("%s: %q", c.name, got)
			}
			continue
		}
		if got != c.want || hit != (c.in != c.want) {
			t.Errorf("%s: %q became %q (%v), want %q", c.name, c.in, got, hit, c.want)
		}
	}
}

func TestContent(t *testing.T) {
	t.Parallel()
	files := []channel.Attachment{{Name: "4111 1111 1111 1111.png", Part: "2"}}
	in := channel.Content{
		Subject: "security code 123", Text: "see 4111-1111-1111-1111", Quoted: "> 4111 1111 1111 1111", HTML: "<b>4111</b>111111111111",
		Attachments: files,
	}
	got, hit := mask.Cards.Content(in)
	want := channel.Content{
		Subject: "security code xxx", Text: "see 411111xxxxxx1111", Quoted: "> 411111xxxxxx1111", HTML: "<b>411111xxxxxx1111</b>",
		Attachments: []channel.Attachment{{Name: "411111xxxxxx1111.png", Part: "2"}},
	}
	if d := cmp.Diff(want, got); d != "" || !hit {
		t.Fatalf("hit %v (-want +got):\n%s", hit, d)
	}
	if files[0].Name != "4111 1111 1111 1111.png" {
		t.Fatal("the caller's files were changed")
	}
	if _, hit := mask.Cards.Content(got); hit {
		t.Fatal("masked content has a hit")
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]mask.Kinds{"": mask.None, "off": mask.None, "cards": mask.Cards, "cards,secrets": all} {
		if got, err := mask.Parse(s); got != want || err != nil {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	if _, err := mask.Parse("secrets"); err == nil || !strings.Contains(err.Error(), "cards,secrets") {
		t.Errorf("error %v names nothing that is allowed", err)
	}
}
