package email_test

import (
	"slices"
	"strings"
	"testing"
)

// What is signed or encrypted is labelled, kept and threaded; nothing is checked or opened.
func TestSignedAndEncryptedMailIsLabelled(t *testing.T) {
	t.Parallel()
	const head = "From: Ada <ada@example.org>\nTo: support@shop.test\nSubject: Order\nMessage-ID: <p@example.org>\nIn-Reply-To: <wl@shop.test>\nMIME-Version: 1.0\n"
	for name, c := range map[string]struct {
		mail     string
		text     string
		unparsed string // a part of it
		flags    []string
		files    []string
	}{
		"S/MIME, signed": {
			"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=b\n\n--b\nContent-Type: text/plain\n\nWhere is it?\n--b\nContent-Type: application/pkcs7-signature\nContent-Transfer-Encoding: base64\n\nMIIB\n--b--\n",
			"Where is it?", "",
			[]string{"signed"},
			[]string{"smime.p7s"},
		},
		"S/MIME, inside its signature": {
			"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\nContent-Transfer-Encoding: base64\n\nMIIB\n", "", "inside its signature",
			[]string{"signed"},
			[]string{"smime.p7m"},
		},
		"S/MIME, encrypted": {
			"Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data\nContent-Transfer-Encoding: base64\n\nMIIB\n", "", "is encrypted",
			[]string{"encrypted"},
			[]string{"smime.p7m"},
		},
		"S/MIME, certificates": {
			"Content-Type: application/pkcs7-mime; smime-type=certs-only; name=c.p7c\nContent-Transfer-Encoding: base64\n\nMIIB\n", "", "",
			nil,
			[]string{"c.p7c"},
		},
		"PGP/MIME, encrypted": {
			"Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: application/octet-stream; name=encrypted.asc\n\n-----BEGIN PGP MESSAGE-----\nx\n-----END PGP MESSAGE-----\n--b--\n",
			"", "is encrypted",
			[]string{"encrypted"},
			[]string{"attachment", "encrypted.asc"},
		},
		"encrypted below a footer of a list": {
			"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/encrypted; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: application/octet-stream; name=e.asc\n\nx\n--b--\n--a\n\nThe list's footer\n--a--\n",
			"The list's footer", "",
			[]string{"encrypted"},
			[]string{"attachment", "e.asc"},
		},
		"PGP in the text, encrypted": {
			"\nHello,\n\n-----BEGIN PGP MESSAGE-----\n\nhQEMA\n=abcd\n-----END PGP MESSAGE-----\n\nAda\n",
			"Hello,\n\n[encrypted part (PGP): cannot be read here, download the original]\n\nAda", "",
			[]string{"encrypted"},
			nil,
		},
		"PGP in the text, signed": {
			"\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nWhere is it?\n- -- dashes\n-----BEGIN PGP SIGNATURE-----\n\niQE\n-----END PGP SIGNATURE-----\n",
			"Where is it?\n-- dashes", "",
			[]string{"signed"},
			nil,
		},
		"PGP without an end": {
			"\n-----BEGIN PGP MESSAGE-----\n\nhQEMA\n", "[encrypted part (PGP): cannot be read here, download the original]", "",
			[]string{"encrypted"},
			nil,
		},
		"signed around encrypted": {
			"Content-Type: multipart/signed; boundary=a\n\n--a\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nx\n--a\nContent-Type: application/pkcs7-signature\n\ny\n--a--\n", "", "is encrypted",
			[]string{"signed", "encrypted"},
			[]string{"smime.p7m", "smime.p7s"},
		},
		"of a forwarded mail": {
			"Content-Type: multipart/mixed; boundary=a\n\n--a\n\nsee\n--a\nContent-Type: message/rfc822\n\nFrom: bob@example.net\nContent-Type: multipart/encrypted; boundary=b\n\n--b\n\nx\n--b--\n--a--\n", "see", "",
			[]string{"forwarded"},
			[]string{"message.eml"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := parsed(t, head+c.mail)
			if m.Content.Text != c.text || (m.Content.Unparsed == "") != (c.unparsed == "") || !strings.Contains(m.Content.Unparsed, c.unparsed) {
				t.Errorf("text %q, unparsed %q", m.Content.Text, m.Content.Unparsed)
			}
			if !slices.Equal(m.Flags, c.flags) {
				t.Errorf("flags %v, want %v", m.Flags, c.flags)
			}
			var files []string
			for _, a := range m.Content.Attachments {
				files = append(files, a.Name)
				if data, _, err := testParser().OpenPart(testRaw([]byte(crlf(head+c.mail))), a.Part); err != nil || len(data) == 0 {
					t.Errorf("%s cannot be downloaded: %v", a.Name, err)
				}
			}
			if !slices.Equal(files, c.files) {
				t.Errorf("files %v, want %v", files, c.files)
			}
			if len(m.References) != 1 || m.References[0] != "wl@shop.test" || len(m.Refs) != 1 {
				t.Errorf("it is not threaded: %v", m.References)
			}
		})
	}
}
