//go:build rig

package rig_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/quotedprintable"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
)

func oddMails(t *testing.T) []odd {
	const japan, russia, arabia = "こんにちは。注文した本はどこですか。", "Здравствуйте! Где мой заказ 7?", "مرحبا، أين طلبي رقم 12؟"
	jis, koi, arab := in(t, japanese.ISO2022JP, japan), in(t, charmap.KOI8R, russia), in(t, charmap.Windows1256, arabia)
	png := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR not much of an image")
	tnef := append([]byte{0x78, 0x9f, 0x3e, 0x22, 0x01, 0x00}, bytes.Repeat([]byte{0, 1, 2, 0xfe, 0xff}, 100)...)
	big := bytes.Repeat([]byte("0123456789abcdef\x00\xff"), 350_000) // 6 MB
	archive := zipped(t, "Fotos/März.txt", "frozen")
	invite := lines("BEGIN:VCALENDAR", "VERSION:2.0", "METHOD:REQUEST", "BEGIN:VEVENT", "UID:1@tough", "DTSTART:20260303T090000Z", "SUMMARY:Delivery", "END:VEVENT", "END:VCALENDAR")
	inner := lines("From: Old <old@example.org>", "Subject: The old order", "Message-ID: <old@example.org>", "", "From long ago.")
	words := "=?utf-8?B?R3LDvMOf?= =?utf-8?Q?Stra=C3?= =?utf-8?Q?=9Fe?= =?x-none?Q?caf=E9?= =?utf-8?B?broken"
	var huge []string
	for i := range 400 {
		huge = append(huge, fmt.Sprintf("word%04d is of no use", i))
	}
	return []odd{
		{
			name: "iso2022jp", head: []string{"Subject: =?ISO-2022-JP?B?" + b64(jis) + "?=", "Content-Type: text/plain; charset=iso-2022-jp", "Content-Transfer-Encoding: 7bit"},
			body: jis + "\r\n", subject: japan, text: japan,
		},
		{
			name: "koi8r", head: []string{"Subject: =?koi8-r?B?" + b64(koi) + "?=", `Content-Type: text/plain; charset="KOI8-R"`, "Content-Transfer-Encoding: quoted-printable"},
			body: qp(t, koi) + "\r\n", subject: russia, text: russia,
		},
		{
			name: "windows1256", head: []string{"Subject: =?windows-1256?B?" + b64(arab) + "?=", "Content-Type: text/html; charset=windows-1256", "Content-Transfer-Encoding: base64"},
			body: b64(`<html><body dir="rtl"><p dir="rtl">`+arab+`</p></body></html>`) + "\r\n", subject: arabia, text: arabia, html: []string{`<p dir="rtl">` + arabia},
		},
		{
			name: "utf8-said-to-be-latin1", head: []string{"Subject: Umlaute", "Content-Type: text/plain; charset=iso-8859-1", "Content-Transfer-Encoding: 8bit"},
			body: "Grüße aus Köln\r\n", subject: "Umlaute", text: "Grüße aus Köln",
		},
		{
			name: "cp1252-said-to-be-utf8", head: []string{"Subject: Prix", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"},
			body: "D\xe9j\xe0 pay\xe9 100 \x80 \x96 merci\r\n", subject: "Prix", text: "Déjà payé 100 € – merci",
		},
		{
			name: "nested", head: []string{"Subject: Nested", `Content-Type: multipart/mixed; boundary="o"`},
			body: multi("o",
				lines(`Content-Type: multipart/related; boundary="m"`, "")+multi("m",
					lines(`Content-Type: multipart/alternative; boundary="i"`, "")+multi("i",
						lines("Content-Type: text/plain", "", "See below."), lines("Content-Type: text/html", "", `<p>See <b>below</b>.</p><img src="cid:p1">`)),
					lines("Content-Type: image/png; name=p.png", "Content-ID: <p1>", "Content-Transfer-Encoding: base64", "", b64(string(png)))),
				lines("Content-Type: message/rfc822", "")+inner, lines("Content-Type: text/plain", "", "A footer.")),
			subject: "Nested", text: "See below.\n\nA footer.", html: []string{"<b>below</b>", "cid:p1"},
			files: []file{{"p.png", "image/png", "p1", png}, {"The old order.eml", "message/rfc822", "", []byte(strings.TrimSuffix(inner, "\r\n"))}},
		},
		{
			name: "invite", head: []string{"Subject: Delivery", `Content-Type: multipart/alternative; boundary="b"`},
			body:    multi("b", lines("Content-Type: text/plain", "", "Are you at home?"), lines("Content-Type: text/calendar; method=REQUEST; charset=utf-8", "", strings.TrimSuffix(invite, "\r\n"))),
			subject: "Delivery", text: "Are you at home?", files: []file{{"invite.ics", "text/calendar", "", []byte(strings.TrimSuffix(invite, "\r\n"))}},
		},
		{
			name: "tnef", head: []string{"Subject: From Outlook", `Content-Type: multipart/mixed; boundary="b"`},
			body:    multi("b", lines("Content-Type: text/plain", "", "Attached."), lines(`Content-Type: application/octet-stream; name="winmail.dat"`, "Content-Transfer-Encoding: base64", "", b64(string(tnef)))),
			subject: "From Outlook", text: "Attached.", files: []file{{"winmail.dat", "application/octet-stream", "", tnef}},
		},
		{name: "no-id", noID: true, head: []string{"Subject: No id"}, body: "Nothing to refer to.\r\n", subject: "No id", text: "Nothing to refer to."},
		{name: "words", head: []string{"Subject: " + words}, body: "Broken words.\r\n", subject: "GrüßStraßecafé =?utf-8?B?broken", text: "Broken words."},
		{name: "raw8bit", from: "J\xf6rg <raw8bit@tough.example.org>", head: []string{"Subject: Größe \U0001F4E6"}, body: "Eight bits.\r\n", subject: "Größe \U0001F4E6", text: "Eight bits."},
		{name: "huge-subject", head: []string{"Subject: " + strings.Join(huge, "\r\n ")}, body: "Long.\r\n", subject: clipped(strings.Join(huge, " "), 2000), text: "Long."},
		{name: "empty", head: []string{"Subject: Empty"}, subject: "Empty"},
		{
			name: "html-only", head: []string{"Subject: Newsletter", "Content-Type: text/html; charset=utf-8"},
			body: lines(`<html><head><style>p{color:red}</style><script>steal()</script></head><body onload="steal()"><p>Buy <a href="javascript:steal()">now</a>!</p>`,
				`<img src="https://track.example.org/p.gif?u=1" width="1" height="1"><svg onload="steal()"></svg><iframe src="https://evil.example.org"></iframe></body></html>`),
			subject: "Newsletter", text: "Buy now!", html: []string{"<p>Buy now!</p>", `data-remote-src="https://track.example.org/p.gif?u=1"`},
			noHTML: []string{"script", "steal", "onload", ` src="http`, "iframe", "svg"},
		},
		{
			name: "too-many-parts", head: []string{"Subject: Parts", `Content-Type: multipart/mixed; boundary="b"`},
			body: strings.Repeat("--b\r\nContent-Type: text/plain\r\n\r\nx\r\n", 1100) + "--b--\r\n", unparsed: "mail is over the limit of 1000 for parts",
		},
		{
			name: "zip", head: []string{"Subject: Photos", `Content-Type: multipart/mixed; boundary="b"`},
			body: multi("b", lines("Content-Type: text/plain", "", "Here."),
				lines("Content-Type: application/zip", "Content-Disposition: attachment; filename*=utf-8''Fotos%20M%C3%A4rz.zip", "Content-Transfer-Encoding: base64", "", b64(string(archive)))),
			subject: "Photos", text: "Here.", files: []file{{"Fotos März.zip", "application/zip", "", archive}},
		},
		{
			name: "inline", head: []string{"Subject: Inline", `Content-Type: multipart/related; boundary="b"; type="text/html"`},
			body: multi("b", lines("Content-Type: text/html; charset=utf-8", "", `<p>Look: <img src="cid:logo@tough" alt="logo"></p>`),
				lines(`Content-Type: image/png; name="logo.png"`, "Content-Disposition: inline", "Content-ID: <logo@tough>", "Content-Transfer-Encoding: base64", "", b64(string(png)))),
			subject: "Inline", text: "Look: [logo]", html: []string{`<img src="cid:logo@tough"`}, files: []file{{"logo.png", "image/png", "logo@tough", png}},
		},
		{
			name: "big", head: []string{"Subject: Big", `Content-Type: multipart/mixed; boundary="b"`},
			body: multi("b", lines("Content-Type: text/plain", "", "Six megabytes."),
				lines("Content-Type: application/octet-stream", "Content-Disposition: attachment; filename=big.bin", "Content-Transfer-Encoding: base64", "", b64(string(big)))),
			subject: "Big", text: "Six megabytes.", files: []file{{"big.bin", "application/octet-stream", "", big}},
		},
		{name: "dots", head: []string{"Subject: Dots"}, body: ".\r\n..\r\n.hidden\r\nFrom here on\r\n", subject: "Dots", text: ".\n..\n.hidden\nFrom here on"},
	}
}

func in(t *testing.T, e encoding.Encoding, s string) string {
	t.Helper()
	b, err := e.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func lines(s ...string) string { return strings.Join(s, "\r\n") + "\r\n" }

// multi writes parts between boundary lines.
func multi(boundary string, parts ...string) string {
	return "--" + boundary + "\r\n" + strings.Join(parts, "--"+boundary+"\r\n") + "--" + boundary + "--\r\n"
}

// b64 is one line when it is short.
func b64(s string) string {
	e := base64.StdEncoding.EncodeToString([]byte(s))
	if len(e) < 400 {
		return e
	}
	var b strings.Builder
	for len(e) > 76 {
		b.WriteString(e[:76] + "\r\n")
		e = e[76:]
	}
	return b.String() + e
}

func qp(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zipped(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func clipped(s string, n int) string { return s[:min(len(s), n)] }
