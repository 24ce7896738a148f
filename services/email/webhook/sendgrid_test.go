package webhook_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand" //nolint:gosec // Amazon's signature version 1
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/services/email"
)

func sendgrid(t *testing.T, mail string, more map[string]string) ([]byte, string) {
	t.Helper()
	set := map[string]string{
		"email": mail, "envelope": `{"to":["support@shop.test","other@shop.test"],"from":"ada@example.org"}`, "sender_ip": "192.0.2.10", "SPF": "pass",
		"dkim": "{@example.org : pass}", "subject": "Order", "to": "support@shop.test", "from": "Ada <ada@example.org>", "charsets": `{"to":"UTF-8"}`,
	}
	for k, v := range more {
		set[k] = v
	}
	return fields(t, "multipart", set)
}

func TestSendGridOurFakeOfTheDocumentedProtocol(t *testing.T) {
	t.Parallel()
	const secret = "hub:0123456789abcdef"
	w := newWorld(map[string]string{"webhook_provider": "sendgrid", "webhook_secret": secret + " path-0123456789abcdef"}, nil)
	body, contentType := sendgrid(t, letter, nil)
	basic := request(body, contentType, "/hooks/email/support")
	basic.SetBasicAuth("hub", "0123456789abcdef")
	if got := w.post(basic); got != 200 {
		t.Fatal(got)
	}
	if got := w.post(request(body, contentType, "/hooks/email/support/path-0123456789abcdef")); got != 200 {
		t.Fatal(got)
	}
	w.want(t, 1)
	if v := w.safe.raws[0].Via; v[email.ViaClient] != "192.0.2.10" || v[email.ViaFrom] != "ada@example.org" || v[email.ViaTo] != "support@shop.test" {
		t.Errorf("via %v", v)
	}
	wrong := request(body, contentType, "/hooks/email/support")
	wrong.SetBasicAuth("hub", "guessed-guessed-guessed")
	for name, r := range map[string]*http.Request{
		"no secret": request(body, contentType, "/hooks/email/support"), "a wrong one": wrong, "a wrong path": request(body, contentType, "/hooks/email/support/guess"),
	} {
		if got := w.post(r); got != 401 {
			t.Errorf("%s: %d, want 401", name, got)
		}
	}
	// Taken apart by the provider, no whole mail: kept as it came, and told.
	parts, contentType := fields(t, "multipart", map[string]string{"text": "Where is it?", "from": "ada@example.org"})
	if got := w.post(request(parts, contentType, "/hooks/email/support/path-0123456789abcdef")); got != 200 || len(w.safe.raws) != 2 || w.safe.raws[1].ContentType == email.ContentType {
		t.Errorf("without the field email: %d, %d stored", got, len(w.safe.raws))
	}
	if h := w.reg.Health("support"); !strings.Contains(h.Detail, "raw, full MIME") {
		t.Errorf("health %+v", h)
	}
}

func TestSendGridSignedOurFakeOfTheDocumentedProtocol(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(map[string]string{"webhook_provider": "sendgrid", "webhook_secret": "path-0123456789abcdef", "webhook_key": base64.StdEncoding.EncodeToString(der)}, nil)
	body, contentType := sendgrid(t, letter, nil)
	signed := func(at time.Time, over []byte) *http.Request {
		r := request(body, contentType, "/hooks/email/support/path-0123456789abcdef")
		ts := strconv.FormatInt(at.Unix(), 10)
		sum := sha256.Sum256(append([]byte(ts), over...))
		sig, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Twilio-Email-Event-Webhook-Signature", base64.StdEncoding.EncodeToString(sig))
		r.Header.Set("X-Twilio-Email-Event-Webhook-Timestamp", ts)
		return r
	}
	for name, c := range map[string]struct {
		r    *http.Request
		want int
	}{
		"signed":           {signed(at, body), 200},
		"over other bytes": {signed(at, []byte("x")), 401},
		"too old":          {signed(at.Add(-73*time.Hour), body), 401},
		"not signed":       {request(body, contentType, "/hooks/email/support/path-0123456789abcdef"), 401},
	} {
		if got := w.post(c.r); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	w.want(t, 1)
}
