package webhook_test

import (
	"bytes"
	"context"
	"crypto/hmac" //nolint:gosec // Amazon's signature version 1
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
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

const (
	topic   = "arn:aws:sns:eu-west-1:123456789012:mail"
	certURL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-56e67fcb41f6fec09b0196692625d385.pem"
)

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
