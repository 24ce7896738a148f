package email_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// typicalMail: about 10 KB, text and HTML of one answer with its history and a small picture.
func typicalMail() []byte {
	var text, html strings.Builder
	for i := range 25 {
		fmt.Fprintf(&text, "Zeile %d: die Lieferung ist =C3=BCberf=C3=A4llig, bitte pr=C3=BCfen.\r\n", i)
		fmt.Fprintf(&html, "<p>Zeile %d: die Lieferung ist <b>=C3=BCberf=C3=A4llig</b>, bitte pr=C3=BCfen.</p>\r\n", i)
	}
	picture := base64.StdEncoding.EncodeToString(make([]byte, 3000))
	return []byte("From: =?utf-8?q?Ada_L=C3=B6f?= <ada@example.org>\r\nTo: " + ownAddress + "\r\nSubject: =?utf-8?q?Lieferung_=C3=BCberf=C3=A4llig?=\r\nMessage-ID: <b@example.org>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0100\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=outer\r\n\r\n--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n" +
		"--inner\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + text.String() +
		"--inner\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<html><body>" + html.String() + "</body></html>\r\n--inner--\r\n" +
		"--outer\r\nContent-Type: image/png; name=logo.png\r\nContent-ID: <logo>\r\nContent-Transfer-Encoding: base64\r\n\r\n" + picture + "\r\n--outer--\r\n")
}

func BenchmarkParseTypical(b *testing.B) {
	raw := testRaw(typicalMail())
	p := testParser()
	b.SetBytes(int64(len(raw.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseLargeFile(b *testing.B) {
	raw := testRaw([]byte(plainHeader + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 10<<20/78) + "--b--\r\n"))
	p := testParser()
	b.SetBytes(int64(len(raw.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerify checks a signature: of a mail of 10 KB, and of one as large
// as is taken in, with as many good keys and bad signatures as are looked at.
func BenchmarkVerify(b *testing.B) {
	for name, size := range map[string]int{"10KB": 10 << 10, "49MB": 49 << 20} {
		b.Run(name, func(b *testing.B) {
			mail := sign(b, letter+strings.Repeat(strings.Repeat("x ", 37)+"\n", size/75), "victim.org", "s1", rsaKey())
			if size > 1<<20 {
				mail = strings.Repeat(sigOf(mail), 10) + strings.Replace(mail[len(sigOf(mail)):], "Where", "There", 1)
			}
			r, raw := reader(testZone(), own), testRaw([]byte(mail))
			items, err := r.Parse(raw)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(mail)))
			b.ReportAllocs()
			for b.Loop() {
				if m := r.Verify(b.Context(), raw, items)[0].Message; (m.Assurance == 2) != (size < 1<<20) {
					b.Fatalf("level %d (%s)", m.Assurance, m.Evidence)
				}
			}
		})
	}
}
