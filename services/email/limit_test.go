package email_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/email"
)

const plainHeader = "From: ada@example.org\r\nMessage-ID: <x@y>\r\n"

// bombs grow with n. want: the limit that must refuse the large one, nil when it is read.
var bombs = []struct {
	name string
	make func(n int) string
	big  int
	want error
}{
	{"nested multiparts", func(n int) string {
		var b strings.Builder
		b.WriteString(plainHeader)
		for i := range n {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
		return b.String()
	}, 10_000, email.ErrDepth},
	{"empty parts", func(n int) string {
		return plainHeader + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\n", n) + "--b--\r\n"
	}, 300_000, email.ErrParts},
	{"header that never ends", func(n int) string { return plainHeader + strings.Repeat("X-A: b\r\n", n) }, 5_000_000, email.ErrHeader},
	{"one header line", func(n int) string { return plainHeader + "X-A: " + strings.Repeat("a", n) + "\r\n\r\nx" }, 45_000_000, email.ErrHeader},
	{"many references", func(n int) string { return plainHeader + "References: " + strings.Repeat("<a@b> ", n) + "\r\n\r\nx" }, 1_000_000, email.ErrHeader},
	{"many recipients", func(n int) string { return plainHeader + "To: " + strings.Repeat("a@b.c,", n) + "\r\n\r\nx" }, 40_000, email.ErrAddresses},
	{"many from", func(n int) string { return strings.Repeat("From: a@b.c\r\n", n) + "\r\nx" }, 15_000, email.ErrAddresses},
	{"whole mail", func(n int) string { return plainHeader + "\r\n" + strings.Repeat("a", n) }, email.MaxSize + 1, email.ErrSize},
	{"forwarded in forwarded", func(n int) string {
		return plainHeader + strings.Repeat("Content-Type: message/rfc822\r\n\r\n", n) + "x"
	}, 100_000, nil},
	{"base64 of one line", func(n int) string {
		return plainHeader + "Content-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("QUJD", n)
	}, 2_500_000, nil},
	{"content types", func(n int) string { return plainHeader + strings.Repeat("Content-Type: text/html\r\n", n) + "\r\nx" }, 9_000, nil},
	{"nested comments", func(n int) string { return "From: " + strings.Repeat("(", n) + "a@b.c\r\n\r\nx" }, 200_000, nil},
	{"encoded words", func(n int) string {
		return plainHeader + "Subject: " + strings.Repeat("=?utf-8?q?a?= ", n) + "\r\n\r\nx"
	}, 15_000, nil},
	{"openings of encoded words", func(n int) string { return plainHeader + "Subject: " + strings.Repeat("=?", n) + "\r\n\r\nx" }, 120_000, nil},
	{"quotes in an address", func(n int) string { return "From: " + strings.Repeat(`"`, n) + "a@b.c\r\n\r\nx" }, 200_000, nil},
	{"brackets in an address", func(n int) string { return "From: " + strings.Repeat("<", n) + "a@b.c\r\n\r\nx" }, 200_000, nil},
	{"parameters", func(n int) string {
		return plainHeader + "Content-Type: text/plain" + strings.Repeat("; a*1*=b", n) + "\r\n\r\nx"
	}, 20_000, nil},
	{"parts with many parameters", func(n int) string {
		return plainHeader + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\nContent-Type: text/plain"+strings.Repeat("; a*0*=\u00fc", 90)+"\r\n\r\n", n) + "--b--\r\n"
	}, 900, nil},
	{"words in a parameter", func(n int) string {
		return plainHeader + "Content-Type: text/plain; name=\"\u00fc" + strings.Repeat("=?utf-8?q?=3D?= =?utf-8?q?=3Futf-8=3Fq=3Fa=3F=?=", n) + "\"\r\n\r\nx"
	}, 4000, nil},
	{"boundary like lines", func(n int) string {
		return plainHeader + "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--bb\r\n", n)
	}, 1_000_000, nil},
	{"nested tags", func(n int) string {
		return plainHeader + "Content-Type: text/html\r\n\r\n" + strings.Repeat("<div><b>", n)
	}, 200_000, nil},
	{"nested links", func(n int) string {
		return plainHeader + "Content-Type: text/html\r\n\r\n" + strings.Repeat("<a href=http://x.y>z", n)
	}, 40_000, nil},
	{"unclosed and stray tags", func(n int) string {
		return plainHeader + "Content-Type: text/html\r\n\r\n" + strings.Repeat("<blockquote></p>", n)
	}, 40_000, nil},
	{"attributes", func(n int) string {
		return plainHeader + "Content-Type: text/html\r\n\r\n<p " + strings.Repeat("a=b ", n) + ">"
	}, 300_000, nil},
	{"quoted lines", func(n int) string { return plainHeader + "\r\n" + strings.Repeat("> a\r\nb\r\n", n) }, 100_000, nil},
	{"attributions", func(n int) string { return plainHeader + "\r\n" + strings.Repeat("On 1.1.2026 a@b wrote:\r\n", n) }, 40_000, nil},
	{"heads of quotes", func(n int) string { return plainHeader + "\r\n" + strings.Repeat("From: a\r\n", n) }, 100_000, nil},
	{"soft line breaks", func(n int) string {
		return plainHeader + "Content-Transfer-Encoding: quoted-printable\r\n\r\n" + strings.Repeat("=\r\n", n)
	}, 3_000_000, nil},
	{"marks of forwarding", func(n int) string {
		return plainHeader + "Subject: Fwd: x\r\n\r\n" + strings.Repeat("---------- Forwarded message ---------\r\n\r\n", n)
	}, 40_000, nil},
	{"heads in a forwarded mail", func(n int) string {
		return plainHeader + "Subject: Fwd: x\r\n\r\n" + strings.Repeat("Von: a\r\nb\r\n", n)
	}, 60_000, nil},
	{"armour without an end", func(n int) string {
		return plainHeader + "\r\n" + strings.Repeat("-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: x\r\n\r\na\r\n", n)
	}, 15_000, nil},
	{"armour", func(n int) string {
		return plainHeader + "\r\n" + strings.Repeat("-----BEGIN PGP MESSAGE-----\r\n\r\na\r\n-----END PGP MESSAGE-----\r\n", n)
	}, 15_000, nil},
	{"flowed lines", func(n int) string {
		return plainHeader + "Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n" + strings.Repeat("a \r\n", n)
	}, 1_000_000, nil},
}

func TestBombsMeetTheirLimit(t *testing.T) {
	t.Parallel()
	p := testParser()
	for _, b := range bombs {
		t.Run(b.name, func(t *testing.T) {
			items, err := p.Parse(testRaw([]byte(b.make(b.big))))
			if !errors.Is(err, b.want) || (b.want == nil) != (err == nil) {
				t.Fatalf("error = %v, want %v", err, b.want)
			}
			var limit *email.LimitError
			if b.want != nil && !errors.As(err, &limit) {
				t.Errorf("error %v does not name a limit", err)
			}
			if b.want == nil && len(items) != 1 {
				t.Errorf("got %d items, want 1", len(items))
			}
		})
	}
}

// Twice the input may cost about twice the memory and, two and a half times at most, the allocations. A step that
// copies what it has at every turn would cost four times; time is too noisy to tell, BenchmarkDouble shows it.
func TestBombsCostGrowsLinearly(t *testing.T) {
	p := testParser()
	for _, b := range bombs {
		if b.want == email.ErrSize {
			continue
		}
		n := max(50, b.big/64)
		if b.want != nil {
			n = min(n, 400)
		}
		cost := func(n int) (bytes, allocations float64) {
			raw := testRaw([]byte(b.make(n)))
			p.Parse(raw) //nolint:errcheck // warms up
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			p.Parse(raw) //nolint:errcheck // only its cost counts here
			runtime.ReadMemStats(&after)
			return float64(after.TotalAlloc - before.TotalAlloc), float64(after.Mallocs - before.Mallocs)
		}
		one, few := cost(n)
		two, many := cost(2 * n)
		if many > 2.5*few+500 {
			t.Errorf("%s: %d costs %.0f allocations and %d costs %.0f", b.name, n, few, 2*n, many)
		}
		if two > 3*one+256<<10 {
			t.Errorf("%s: %d costs %.0f bytes and %d costs %.0f", b.name, n, one, 2*n, two)
		}
	}
}

func TestMemoryStaysNearTheSizeOfTheMail(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(plainHeader + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	line := strings.Repeat("QUJD", 19) + "\r\n"
	for b.Len() < 30<<20 {
		b.WriteString(line)
	}
	b.WriteString("--b--\r\n")
	raw := testRaw(b.Bytes())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := testParser().Parse(raw); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got, most := after.TotalAlloc-before.TotalAlloc, uint64(3*len(raw.Body)); got > most {
		t.Errorf("parsing %d bytes took %d bytes, at most %d expected", len(raw.Body), got, most)
	}
}

// BenchmarkDouble shows what an input and twice of it take: the second should be about twice the first.
func BenchmarkDouble(b *testing.B) {
	p := testParser()
	for _, bomb := range bombs {
		if bomb.want != nil {
			continue
		}
		for _, n := range []int{bomb.big / 8, bomb.big / 4} {
			raw := testRaw([]byte(bomb.make(n)))
			b.Run(fmt.Sprintf("%s/%d", strings.ReplaceAll(bomb.name, " ", "_"), n), func(b *testing.B) {
				b.SetBytes(int64(len(raw.Body)))
				for b.Loop() {
					if _, err := p.Parse(raw); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
