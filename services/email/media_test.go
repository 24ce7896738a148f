package email_test

import (
	"testing"
)

// The names of files as mail programs write them.
func TestFileNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ disposition, want string }{
		{`attachment; filename=a.pdf`, "a.pdf"},
		{`attachment; filename="a b;c.pdf"`, "a b;c.pdf"},
		{`attachment; filename=a b.pdf`, "a b.pdf"},
		{`attachment filename=a.pdf`, "a.pdf"},
		{`attachment; filename=a?b.pdf`, "a_b.pdf"},
		{`attachment; foo bar; filename="a.pdf"`, "a.pdf"},
		{`attachment; filename="a.pdf`, "a.pdf"},
		{`attachment; filename="C:\dir\a.pdf"`, "a.pdf"},
		{`"attachment"; filename=a.pdf`, "a.pdf"},
		{`attachment; filename="ä.pdf"`, "ä.pdf"},
		{"attachment; filename=\"\xe4.pdf\"", "ä.pdf"},
		{`attachment; filename="=?utf-8?q?=C3=A4.pdf?="`, "ä.pdf"},
		{`attachment; filename="=?utf-8?B?ww==?= =?utf-8?B?pC5wZGY=?="`, "ä.pdf"},
		{`attachment; filename="ä =?utf-8?q?=C3=B6.pdf?="`, "ä ö.pdf"},
		{`attachment; filename="ä?=?utf-8?q?=3D=3Futf-8=3Fq=3F=C3=B6.pdf=3F=?="`, "ä_=_utf-8_q_ö.pdf_="},
		{`attachment; filename*=utf-8''%C3%A4.pdf`, "ä.pdf"},
		{`attachment; filename*=iso-8859-1'de'%E4.pdf`, "ä.pdf"},
		{`attachment; filename*=shift_jis''%93%FA%96%7B.pdf`, "日本.pdf"},
		{`attachment; filename*=%C3%A4.pdf`, "ä.pdf"},
		{`attachment; filename*=''a.pdf`, "a.pdf"},
		{`attachment; filename*0*=iso-8859-1''%E4; filename*1*=%F6; filename*2=x.pdf`, "äöx.pdf"},
		{`attachment; filename*1=def.pdf; filename*0=abc`, "abcdef.pdf"},
		{`attachment; filename=a.pdf; filename*=utf-8''%C3%A4.pdf`, "ä.pdf"},
	} {
		raw := testRaw([]byte(plainHeader + "Content-Type: application/pdf\r\nContent-Disposition: " + c.disposition + "\r\n\r\nx"))
		items, err := testParser().Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if files := items[0].Message.Content.Attachments; len(files) != 1 || files[0].Name != c.want {
			t.Errorf("%s: files %+v, want %q", c.disposition, files, c.want)
		}
	}
}

// Types whose parameters are not where they belong are text and multiparts all the same.
func TestBrokenContentTypes(t *testing.T) {
	t.Parallel()
	for _, ctype := range []string{
		`text/plain charset=utf-8`, `text/plain (a comment); charset=utf-8`, `text/plain; foo bar; charset=utf-8`, `charset=utf-8`, `charset = utf-8`,
		`text/`, `text`, `; charset=utf-8`, `text/plain; charset="charset=utf-8"`, `text/plain;;charset='utf-8'`,
		`multipart/mixed, boundary=b`, `multipart/mixed boundary=b`, `multipart/mixed; x-boundary=q; boundary=b`, `multipart/mixed; foo bar; boundary=b`, `multipart/mixed; boundary="b`,
	} {
		raw := testRaw([]byte(plainHeader + "Content-Type: " + ctype + "\r\n\r\n--b\r\n\r\nGr\u00fc\u00dfe\r\n--b--\r\n"))
		items, err := testParser().Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		want := "Grüße"
		if ctype[0] != 'm' {
			want = "--b\n\nGrüße\n--b--"
		}
		if c := items[0].Message.Content; c.Text != want || len(c.Attachments) != 0 {
			t.Errorf("%s: text %q and %d files, want %q", ctype, c.Text, len(c.Attachments), want)
		}
	}
}

// Damage of a transfer encoding costs the damaged bytes only.
func TestDamagedTransferEncodings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ encoding, body, want string }{
		{"base64", "SGVsbG8h", "Hello!"},
		{"base64", "SGVsbG8=\r\nSGVsbG8=", "HelloHello"},
		{"base64", "SG!Vs\xc3bG*8", "Hello"},
		{"base64", "SGVsbG8hA", "Hello!"},
		{"quoted-printable", "a=3Db= \r\nc=ZZ\r\n", "a=bc=ZZ"},
		{"quoted-printable", "a\x01=C3=A4 \t\r\nb", "aä\nb"},
		{"Quoted-Printable", "=", ""},
		{"x-unknown", "a=3D", "a=3D"},
	} {
		raw := testRaw([]byte(plainHeader + "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: " + c.encoding + "\r\n\r\n" + c.body))
		items, err := testParser().Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := items[0].Message.Content.Text; got != c.want {
			t.Errorf("%s %q: text %q, want %q", c.encoding, c.body, got, c.want)
		}
	}
}
