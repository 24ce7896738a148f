package webhook_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // Amazon's signature version 1
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// amazon is our fake of SNS: a host with the certificate it signs with, and confirmations.
type amazon struct {
	key    *rsa.PrivateKey
	pem    []byte
	down   bool
	mu     sync.Mutex
	called []string
}

func newAmazon(t *testing.T) *amazon {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: at.Add(-time.Hour), NotAfter: at.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &amazon{key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// RoundTrip answers for every host, so that a host that must not be asked is seen in called.
func (a *amazon) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.down {
		return nil, errors.New("no route to host")
	}
	a.called = append(a.called, r.URL.Host+" "+r.URL.Path+" "+r.URL.Query().Get("Action"))
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(a.pem)), Request: r}, nil
}

// sign fills in the signature as SNS does.
func (a *amazon) sign(t *testing.T, m map[string]string, version string) []byte {
	t.Helper()
	names := []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	if m["Type"] != "Notification" {
		names = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	text := ""
	for _, n := range names {
		if v, ok := m[n]; ok {
			text += n + "\n" + v + "\n"
		}
	}
	h, sum := crypto.SHA1, func() []byte { s := sha1.Sum([]byte(text)); return s[:] }() //nolint:gosec // Amazon's
	if version == "2" {
		s := sha256.Sum256([]byte(text))
		h, sum = crypto.SHA256, s[:]
	}
	sig, err := rsa.SignPKCS1v15(rand.Reader, a.key, h, sum)
	if err != nil {
		t.Fatal(err)
	}
	m["SignatureVersion"], m["Signature"] = version, base64.StdEncoding.EncodeToString(sig)
	if m["SigningCertURL"] == "" {
		m["SigningCertURL"] = certURL
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func notification(t *testing.T, action map[string]string, content string) map[string]string {
	t.Helper()
	n := map[string]any{
		"notificationType": "Received",
		"mail":             map[string]any{"timestamp": "2026-11-03T11:59:00.000Z", "source": "ada@example.org", "messageId": "d6iitobk75ur44p8kdnnp7g2n800", "destination": []string{"support@shop.test"}},
		"receipt": map[string]any{
			"recipients": []string{"support@shop.test"}, "action": action, "dmarcVerdict": map[string]string{"status": "PASS"},
		},
	}
	if content != "" {
		n["content"] = content
	}
	b, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": topic, "Subject": "Amazon SES Email Receipt Notification",
		"Message": string(b), "Timestamp": at.Add(-time.Minute).Format("2006-01-02T15:04:05.000Z"),
	}
}

func TestSESOurFakeOfTheDocumentedProtocol(t *testing.T) {
	t.Parallel()
	a := newAmazon(t)
	w := newWorld(map[string]string{"webhook_provider": "ses", "webhook_topic": topic}, &http.Client{Transport: a})
	post := func(b []byte) int { return w.post(request(b, "text/plain; charset=UTF-8", "/hooks/email/support")) }

	subscribe := func(address string) map[string]string {
		return map[string]string{
			"Type": "SubscriptionConfirmation", "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b", "Token": "2336412f37", "TopicArn": topic, "Message": "You have chosen to subscribe",
			"SubscribeURL": address, "Timestamp": at.Format("2006-01-02T15:04:05.000Z"),
		}
	}
	confirm := "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=" + url.QueryEscape(topic) + "&Token=2336412f37"
	if got := post(a.sign(t, subscribe(confirm), "1")); got != 200 || len(a.called) != 2 || !strings.HasSuffix(a.called[1], "ConfirmSubscription") {
		t.Fatalf("subscription: %d, called %v", got, a.called)
	}
	for version, encoding := range map[string]string{"1": "UTF8", "2": "BASE64"} {
		content := letter
		if encoding == "BASE64" {
			content = base64.StdEncoding.EncodeToString([]byte(letter))
		}
		if got := post(a.sign(t, notification(t, map[string]string{"type": "SNS", "topicArn": topic, "encoding": encoding}, content), version)); got != 200 {
			t.Errorf("version %s: %d", version, got)
		}
	}
	w.want(t, 1) // it is one mail by its id
	if len(a.called) != 2 {
		t.Errorf("the certificate is fetched again: %v", a.called)
	}

	good := func() map[string]string {
		return notification(t, map[string]string{"type": "SNS", "encoding": "UTF8"}, letter)
	}
	changed := func(name, v string) []byte {
		m := good()
		var out map[string]string
		if err := json.Unmarshal(a.sign(t, m, "2"), &out); err != nil {
			t.Fatal(err)
		}
		out[name] = v
		b, _ := json.Marshal(out)
		return b
	}
	signedWith := func(name, v string) []byte {
		m := good()
		m[name] = v
		return a.sign(t, m, "2")
	}
	other := strings.Replace(topic, "123456789012", "666666666666", 1)
	for name, b := range map[string][]byte{
		"a changed message":              changed("Message", "{}"),
		"a signature of nobody":          changed("Signature", "AAAA"),
		"an unknown version":             changed("SignatureVersion", "3"),
		"somebody's own topic":           signedWith("TopicArn", other),
		"too old":                        signedWith("Timestamp", at.Add(-73*time.Hour).Format(time.RFC3339)),
		"another certificate host":       changed("SigningCertURL", "https://evil.test/x.pem"),
		"a bucket at Amazon":             changed("SigningCertURL", "https://sns.s3.amazonaws.com.evil.test/x.pem"),
		"a bucket named sns":             changed("SigningCertURL", "https://s3.eu-west-1.amazonaws.com/sns/x.pem"),
		"http":                           changed("SigningCertURL", "http://sns.eu-west-1.amazonaws.com/x.pem"),
		"a user in the address":          changed("SigningCertURL", "https://sns.eu-west-1.amazonaws.com@evil.test/x.pem"),
		"a port":                         changed("SigningCertURL", "https://sns.eu-west-1.amazonaws.com:8443/x.pem"),
		"a subscription elsewhere":       a.sign(t, subscribe("https://evil.test/?Action=ConfirmSubscription&TopicArn="+url.QueryEscape(topic)), "1"),
		"a subscription of another kind": a.sign(t, subscribe("https://sns.eu-west-1.amazonaws.com/?Action=DeleteTopic&TopicArn="+url.QueryEscape(topic)), "1"),
		"no JSON":                        []byte("x"),
	} {
		if got := post(b); got != 401 {
			t.Errorf("%s: %d, want 401", name, got)
		}
	}
	for _, c := range a.called {
		if !strings.HasPrefix(c, "sns.eu-west-1.amazonaws.com ") {
			t.Errorf("asked %s", c)
		}
	}
	// What SES keeps in S3 is not here, and that is said.
	if got := post(a.sign(t, notification(t, map[string]string{"type": "S3", "bucketName": "b", "objectKey": "k"}, ""), "2")); got != 422 {
		t.Errorf("a pointer to S3: %d, want 422", got)
	}
	if h := w.reg.Health("support"); h.State != "needs_attention" || !strings.Contains(h.Detail, "action S3") {
		t.Errorf("health %+v", h)
	}
	w.want(t, 1)
}

// While Amazon's certificate cannot be fetched nothing is refused for good.
func TestSESWithoutTheCertificateIsTriedAgainOurFakeOfTheDocumentedProtocol(t *testing.T) {
	t.Parallel()
	a := newAmazon(t)
	a.down = true
	w := newWorld(map[string]string{"webhook_provider": "ses", "webhook_topic": topic}, &http.Client{Transport: a})
	b := a.sign(t, notification(t, map[string]string{"type": "SNS", "encoding": "UTF8"}, letter), "2")
	if got := w.post(request(b, "text/plain", "/hooks/email/support")); got != 503 {
		t.Errorf("answered %d, want 503", got)
	}
	a.down = false
	if got := w.post(request(b, "text/plain", "/hooks/email/support")); got != 200 {
		t.Errorf("answered %d, want 200", got)
	}
	w.want(t, 1)
}
