package email_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
)

func pemOf(t *testing.T, k any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func signingInbox(t *testing.T, key crypto.Signer) map[string]string {
	return map[string]string{
		"address":     "support@shop.test",
		"dkim_domain": "shop.test", "dkim_selector": "k1", "dkim_key": pemOf(t, key),
	}
}

// signers of a mail by go-msgauth, with the key that the record holds.
func signers(t *testing.T, mail string, key crypto.Signer) []*dkim.Verification {
	t.Helper()
	found, err := dkim.VerifyWithOptions(strings.NewReader(mail), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		if name != "k1._domainkey.shop.test" {
			t.Errorf("asked for %s", name)
		}
		return []string{keyRecord(key)}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestWhatIsSentIsSigned(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]crypto.Signer{"rsa": rsaKey(), "ed25519": edKey()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSink(t, "none", nil)
			w := newWorld(t, outbox(port(t, s.l), signingInbox(t, key)))
			out := outbound()
			out.Content.HTML = "<p>Grüße</p>"
			if r, err := w.sender(t).Send(t.Context(), out); err != nil || r.State != channel.StateSent {
				t.Fatalf("%+v (%v)", r, err)
			}
			mail := s.all()[0].data
			found := signers(t, mail, key)
			if len(found) != 1 || found[0].Err != nil || found[0].Domain != "shop.test" {
				t.Fatalf("signatures %+v in\n%s", found, mail)
			}
			if strings.Contains(strings.ToLower(mail), "\nbcc:") {
				t.Error("a Bcc is in it")
			}
			// Whoever adds a field that is shown, or changes one, breaks it.
			head, body, _ := strings.Cut(mail, "\r\n\r\n")
			for what, forged := range map[string]string{
				"a second From":     "From: boss@shop.test\r\n" + mail,
				"a second Subject":  "Subject: Pay\r\n" + mail,
				"a Reply-To":        "Reply-To: eve@evil.test\r\n" + mail,
				"a Sender":          head + "\r\nSender: eve@evil.test\r\n\r\n" + body,
				"an unsubscription": "List-Unsubscribe: <https://evil.test>\r\n" + mail,
				"more text":         mail + "P.S.\r\n",
			} {
				if found := signers(t, forged, key); len(found) != 1 || found[0].Err == nil {
					t.Errorf("%s: still holds", what)
				}
			}
		})
	}
}

func TestDKIMSettings(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"address": "support@mail.shop.test", "smtp_host": "127.0.0.1", "smtp_tls": "none", "dkim_domain": "shop.test", "dkim_selector": "k1", "dkim_key": pemOf(t, rsaKey()),
	}
	if err := email.Check(good); err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]map[string]string{
		"": {"dkim_key": strings.ReplaceAll(good["dkim_key"], "\n", " ")}, // from a form of one line
		"dkim_domain: other.test cannot sign for mail.shop.test": {"dkim_domain": "other.test"},
		"dkim_domain: sub.mail.shop.test cannot sign":            {"dkim_domain": "sub.mail.shop.test"},
		"dkim_domain: is required":                               {"dkim_domain": ""},
		"dkim_selector:":                                         {"dkim_selector": "a b"},
		"dkim_key: RSA of 1024 bits":                             {"dkim_key": pemOf(t, weak)},
		"dkim_key: is neither RSA nor Ed25519":                   {"dkim_key": pemOf(t, curve)},
		"dkim_key: is not a private key in":                      {"dkim_key": "x"},
		"dkim_key: is not a private key of":                      {"dkim_key": base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 100))},
	} {
		set := maps.Clone(good)
		maps.Copy(set, change)
		err := email.Check(set)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", want, err)
		}
		if err != nil && strings.Contains(err.Error(), "BEGIN") {
			t.Error("the key is in the error")
		}
	}
	// The test of the settings says what must stand in the DNS, until it does.
	z := testZone()
	err = email.CheckDKIM(t.Context(), good, z)
	if err == nil || !strings.Contains(err.Error(), "k1._domainkey.shop.test must be: "+keyRecord(rsaKey())) {
		t.Errorf("no record: %v", err)
	}
	z.txt["k1._domainkey.shop.test"] = []string{"v=DKIM1; p=" + strings.TrimPrefix(keyRecord(rsaKey()), "v=DKIM1; k=rsa; p=")}
	if err := email.CheckDKIM(t.Context(), good, z); err != nil {
		t.Error(err)
	}
}
