package webhook_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // Amazon's signature version 1
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/email/webhook"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
)

var at = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

const letter = "Received: from mail.example.org (mail.example.org [192.0.2.10]) by mx.provider.test with ESMTP; Tue, 3 Nov 2026 11:59:00 +0000\r\n" +
	"From: Ada <ada@example.org>\r\nTo: support@shop.test\r\nSubject: Order\r\nMessage-ID: <m1@example.org>\r\n\r\nWhere is it? \xe2\x82\xac\r\n"

// safe keeps each provider id of an inbox once, as the intake does.
type safe struct {
	mu   sync.Mutex
	raws []channel.Raw
	fail error
}

func (s *safe) Accept(_ context.Context, inputs ...channel.Raw) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
next:
	for _, r := range inputs {
		for _, have := range s.raws {
			if have.Inbox == r.Inbox && have.ProviderID == r.ProviderID {
				continue next
			}
		}
		s.raws = append(s.raws, r)
	}
	return nil
}

func (s *safe) Report(context.Context, ...channel.Receipt) error { return nil }

// world is the door of one inbox.
type world struct {
	safe *safe
	reg  *hostedtest.Registry
	mux  *http.ServeMux
}

func newWorld(set map[string]string, client *http.Client) *world {
	set["address"], set["receive"] = "support@shop.test", "webhook"
	w := &world{safe: &safe{}, mux: http.NewServeMux(), reg: hostedtest.Inboxes(
		inbox.Inbox{ID: "support", Channel: "email", Settings: set},
		inbox.Inbox{ID: "box", Channel: "email", Settings: map[string]string{"address": "box@shop.test", "receive": "imap"}},
	)}
	webhook.New(hosted.Deps{Intake: w.safe, Inboxes: w.reg, Client: client, PublicURL: "https://hub.shop.test", Now: func() time.Time { return at }}).Routes(w.mux)
	return w
}

// post is the status of a request.
func (w *world) post(r *http.Request) int {
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	return rec.Code
}

// want checks that a mail came in whole, and once.
func (w *world) want(t *testing.T, n int) {
	t.Helper()
	if len(w.safe.raws) != n {
		t.Fatalf("%d stored, want %d", len(w.safe.raws), n)
	}
	for _, r := range w.safe.raws {
		items, err := email.NewParser(crypt.NewDeterministic("x"), func(string) []string { return []string{"support@shop.test"} }).Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		m := items[0].Message
		if m.From.Address != "ada@example.org" || m.Content.Text != "Where is it? €" || m.Content.Subject != "Order" || r.Inbox != "support" {
			t.Errorf("read as %+v", m)
		}
	}
}

func fields(t *testing.T, kind string, set map[string]string) (body []byte, contentType string) {
	t.Helper()
	if kind == "urlencoded" {
		v := url.Values{}
		for k, s := range set {
			v.Set(k, s)
		}
		return []byte(v.Encode()), "application/x-www-form-urlencoded"
	}
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for k, s := range set {
		if err := m.WriteField(k, s); err != nil {
			t.Fatal(err)
		}
	}
	m.Close()
	return b.Bytes(), m.FormDataContentType()
}

func request(body []byte, contentType, path string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return r
}

// ---- Mailgun

func mailgun(t *testing.T, kind, key, token string, signed time.Time, mail string) *http.Request {
	t.Helper()
	ts := strconv.FormatInt(signed.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(ts + token))
	body, contentType := fields(t, kind, map[string]string{
		"recipient": "support@shop.test", "sender": "bounce-ada@example.org", "from": "Ada <ada@example.org>", "subject": "Order", "body-mime": mail,
		"timestamp": ts, "token": token, "signature": hex.EncodeToString(mac.Sum(nil)), "domain": "shop.test",
	})
	return request(body, contentType, "/hooks/email/support/mime")
}

func TestMailgunOurFakeOfTheDocumentedProtocol(t *testing.T) {
	t.Parallel()
	const key, old = "key-0123456789abcdef", "key-fedcba9876543210"
	for _, kind := range []string{"urlencoded", "multipart"} {
		w := newWorld(map[string]string{"webhook_provider": "mailgun", "webhook_secret": key + " " + old}, nil)
		if got := w.post(mailgun(t, kind, key, "t1", at, letter)); got != 200 {
			t.Fatalf("%s: %d", kind, got)
		}
		if got := w.post(mailgun(t, kind, old, "t2", at.Add(-time.Hour), letter)); got != 200 { // brought again, under the other live secret
			t.Fatalf("%s: %d", kind, got)
		}
		w.want(t, 1)
		if v := w.safe.raws[0].Via; v[email.ViaFrom] != "bounce-ada@example.org" || v[email.ViaTo] != "support@shop.test" || v[email.ViaBy] != "webhook" {
			t.Errorf("via %v", v)
		}
		for name, r := range map[string]*http.Request{
			"another key":               mailgun(t, kind, "key-of-somebody-else", "t3", at, letter),
			"too old":                   mailgun(t, kind, key, "t4", at.Add(-73*time.Hour), letter),
			"from the future":           mailgun(t, kind, key, "t5", at.Add(10*time.Minute), letter),
			"a token with another mail": mailgun(t, kind, key, "t1", at, letter+"and send me money\r\n"),
			"no form":                   request([]byte("{}"), "application/json", "/hooks/email/support"),
			"an inbox with a mailbox": func() *http.Request {
				r := mailgun(t, kind, key, "t6", at, letter)
				r.URL.Path = "/hooks/email/box/mime"
				return r
			}(),
			"a form that is cut":           request([]byte("--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nabc"), "multipart/form-data; boundary=x", "/hooks/email/support"),
			"a form without any signature": request([]byte("body-mime=x"), "application/x-www-form-urlencoded", "/hooks/email/support"),
		} {
			if got := w.post(r); got != 401 {
				t.Errorf("%s, %s: %d, want 401", kind, name, got)
			}
		}
		w.want(t, 1)
	}
}

// ---- SendGrid

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

// ---- Postmark

func TestPostmarkOurFakeOfTheDocumentedProtocol(t *testing.T) {
	t.Parallel()
	w := newWorld(map[string]string{"webhook_provider": "postmark", "webhook_secret": "hub:0123456789abcdef"}, nil)
	payload := map[string]any{
		"FromName": "Ada", "MessageStream": "inbound", "From": "ada@example.org", "FromFull": map[string]string{"Email": "ada@example.org", "Name": "Ada", "MailboxHash": ""},
		"To": "support@shop.test", "OriginalRecipient": "support@shop.test", "Subject": "Order", "MessageID": "73e6d360-66eb-11e1-8e72-a8904824019b", "Date": "Tue, 3 Nov 2026 11:59:00 +0000",
		"TextBody": "Where is it? €", "Headers": []any{map[string]string{"Name": "X-Spam-Status", "Value": "No"}}, "Attachments": []any{}, "RawEmail": letter,
	}
	post := func(auth bool) int {
		b, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		r := request(b, "application/json", "/hooks/email/support")
		if auth {
			r.SetBasicAuth("hub", "0123456789abcdef")
		}
		return w.post(r)
	}
	if got := post(false); got != 401 {
		t.Errorf("without a login: %d", got)
	}
	for range 2 {
		if got := post(true); got != 200 {
			t.Fatal(got)
		}
	}
	w.want(t, 1)
	// Not stored is not taken.
	w.safe.fail = errors.New("disk is full")
	payload["MessageID"] = "another"
	if got := post(true); got != 503 {
		t.Errorf("not stored: %d, want 503", got)
	}
	w.safe.fail = nil
	delete(payload, "RawEmail")
	if got := post(true); got != 200 || len(w.safe.raws) != 2 || !strings.Contains(w.reg.Health("support").Detail, "Include raw email content") {
		t.Errorf("without the raw mail: %d, %d stored, health %+v", got, len(w.safe.raws), w.reg.Health("support"))
	}
}

// ---- SES

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

const (
	topic   = "arn:aws:sns:eu-west-1:123456789012:mail"
	certURL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-56e67fcb41f6fec09b0196692625d385.pem"
)

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

func FuzzRequest(f *testing.F) {
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nFrom: a@b\r\n\r\nx\r\n--x--"))
	f.Add("application/x-www-form-urlencoded", []byte("body-mime=From%3A+a%40b%0a%0ax&timestamp=1&token=2"))
	f.Add("application/json", []byte(`{"RawEmail":"From: a@b\n\nx","MessageID":"1"}`))
	f.Add("text/plain", []byte(`{"Type":"Notification","Message":"{}"}`))
	worlds := []*world{}
	for _, p := range []string{"mailgun", "sendgrid", "postmark", "ses"} {
		worlds = append(worlds, newWorld(map[string]string{"webhook_provider": p, "webhook_secret": "path-0123456789abcdef", "webhook_topic": topic}, &http.Client{Transport: &amazon{down: true}}))
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		for _, w := range worlds {
			if got := w.post(request(body, contentType, "/hooks/email/support/path-0123456789abcdef")); got >= 500 && got != 503 {
				t.Fatal(fmt.Sprint(got))
			}
			w.safe.mu.Lock()
			w.safe.raws = nil
			w.safe.mu.Unlock()
		}
	})
}
