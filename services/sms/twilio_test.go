package sms_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/sms"
)

const (
	twilioSID = "AC00000000000000000000000000000001"
	twilioOld = "0123456789abcdef0123456789abcdef"
	twilioNew = "fedcba9876543210fedcba9876543210"
)

// fakeTwilio has the Messages resource as it is documented.
type fakeTwilio struct {
	hostedtest.Provider
	t    testing.TB
	mu   sync.Mutex
	sent []url.Values
	list []map[string]any
}

func newFakeTwilio(t testing.TB) *fakeTwilio {
	f := &fakeTwilio{t: t}
	f.Sends = func(r *http.Request) bool { return r.Method == http.MethodPost }
	f.Serve = f.serve
	return f
}

func (f *fakeTwilio) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	if user, pass, _ := r.BasicAuth(); user != twilioSID || pass != twilioOld {
		answerJSON(w, http.StatusUnauthorized, map[string]any{"code": 20003, "message": "Authenticate", "status": 401})
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	base := "/2010-04-01/Accounts/" + twilioSID
	switch {
	case r.Method == http.MethodGet && r.URL.Path == base+".json":
		answerJSON(w, http.StatusOK, map[string]any{"sid": twilioSID, "status": "active"})
	case r.Method == http.MethodGet && r.URL.Path == base+"/Messages.json":
		found := []map[string]any{}
		for _, m := range slices.Backward(f.list) {
			if m["to"] == r.URL.Query().Get("To") {
				found = append(found, m)
			}
		}
		answerJSON(w, http.StatusOK, map[string]any{"messages": found, "next_page_uri": nil})
	case strings.Contains(r.URL.Path, "/Media/ME1"):
		w.Header().Set("Content-Type", "image/jpeg")
		_, _ = w.Write([]byte("\xff\xd8picture"))
	case r.Method == http.MethodPost && r.URL.Path == base+"/Messages.json":
		v, err := url.ParseQuery(string(body))
		if err != nil {
			f.t.Error(err)
		}
		if v.Get("To") == "+15005550001" { // Twilio's magic number that is invalid
			answerJSON(w, http.StatusBadRequest, map[string]any{"code": 21211, "message": "Invalid 'To' Phone Number: +1500555XXXX", "status": 400})
			return
		}
		f.sent = append(f.sent, v)
		f.Show(v.Get("Body"))
		sid := fmt.Sprintf("SM%032d", len(f.sent))
		f.list = append(f.list, map[string]any{
			"sid": sid, "body": v.Get("Body"), "to": v.Get("To"), "direction": "outbound-api", "date_created": time.Now().UTC().Format(time.RFC1123Z),
		})
		answerJSON(w, http.StatusCreated, map[string]any{"sid": sid, "status": "queued", "num_segments": "1"})
	default:
		answerJSON(w, http.StatusNotFound, map[string]any{"code": 20404, "message": "not found"})
	}
}

func (f *fakeTwilio) last() url.Values {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent[len(f.sent)-1]
}

func twilioWorld(t testing.TB, intake channel.Intake) (*world, *fakeTwilio) {
	f := newFakeTwilio(t)
	return newWorld(t, intake, &f.Provider, map[string]string{
		"provider": "twilio", "account": twilioSID, "api_key": twilioOld + "\n" + twilioNew,
	}), f
}

// twilioRequest is signed as "Validating signatures from Twilio" says.
func twilioRequest(secret, query string, v url.Values) *http.Request {
	target := hosted.HookPath(sms.Name, "main") + query
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	message := publicURL + target
	keys := make([]string, 0, len(v))
	for k := range v {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		message += k + v.Get(k)
	}
	r.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(mac(sha1.New, secret, message)))
	return r
}

// twilioSaid has the parameters of "Twilio's request to your webhook URL".
func twilioSaid(id, text string) url.Values {
	return url.Values{
		"ToCountry": {"US"}, "SmsMessageSid": {id}, "NumMedia": {"0"}, "SmsSid": {id}, "SmsStatus": {"received"}, "Body": {text},
		"To": {ours}, "NumSegments": {"1"}, "MessageSid": {id}, "AccountSid": {twilioSID}, "From": {customer}, "ApiVersion": {"2010-04-01"},
	}
}

func TestConformanceTwilio(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, channeltest.Harness{
		Name: "SMS (Twilio)", Counterpart: channeltest.OurFake + "; the signature is checked with the vector of Twilio's documentation",
		Without: map[string]string{
			"OldProofIsRefused":  "Twilio signs no time; a request that is sent again has the same MessageSid and is the same message",
			"ProviderTimeIsKept": "Twilio does not say when a message was sent",
		},
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			w, _ := twilioWorld(t, intake)
			return channeltest.Subject{
				Adapter: askable{w.adapter, w.sender().(channel.Looker)}, Shown: w.Shown, API: w.API("other"), Health: w.inboxes.Reported,
				Deliver: func(_ context.Context, id, text string) error {
					return w.accepted(twilioRequest(twilioOld, "", twilioSaid(id, text)))
				},
				Hook: &channeltest.Hook{
					Handler: w.mux, Secrets: [2]string{twilioOld, twilioNew}, Covers: true,
					Request: func(id, text, secret string, _ time.Time) *http.Request {
						return twilioRequest(secret, "", twilioSaid(id, text))
					},
				},
			}
		},
		Outbound: func(channeltest.Subject) channel.Outbound {
			return channel.Outbound{Inbox: "main", Customer: "c1", At: time.Now(), To: to(customer)}
		},
	})
}

// TestTwilioSignatureOfTheDocumentation is the worked example of "Validating signatures from Twilio".
func TestTwilioSignatureOfTheDocumentation(t *testing.T) {
	t.Parallel()
	v := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+12349013030"}, "Digits": {"1234"}, "From": {"+12349013030"}, "To": {"+18005551212"}}
	for address, want := range map[string]bool{
		"https://mycompany.com/myapp.php?foo=1&bar=2":     true,
		"https://mycompany.com:443/myapp.php?foo=1&bar=2": true,
		"https://mycompany.com/myapp.php?bar=2&foo=1":     false,
		"http://mycompany.com/myapp.php?foo=1&bar=2":      false,
	} {
		err := sms.AdmitTwilio(map[string]string{"provider": "twilio", "account": "AC1", "api_key": "12345678\n12345", "number": ours}, &hosted.Request{
			URL: address, Body: []byte(v.Encode()), Header: http.Header{"X-Twilio-Signature": {"0/KCTR6DLpKmkAf8muzZqo1nDgQ="}},
		})
		if (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestTwilioSignatureOfTheSDK: npm twilio's getExpectedTwilioSignature gives this one.
func TestTwilioSignatureOfTheSDK(t *testing.T) {
	t.Parallel()
	v := url.Values{"MessageSid": {"SM1"}, "From": {customer}, "To": {ours}, "Body": {"hello שלום 👋 a&b=c"}, "NumMedia": {"0"}}
	r := &hosted.Request{URL: publicURL + "/hooks/sms/main?outbound=r%201", Body: []byte(v.Encode()), Header: http.Header{"X-Twilio-Signature": {"zkVEE56BufNBipS9XW+IA2Fn7G0="}}}
	if err := sms.Admit(map[string]string{"provider": "twilio", "account": twilioSID, "api_key": twilioNew + " " + twilioOld}, r); err != nil {
		t.Error(err)
	}
}

func TestFakeTwilioStatusCallback(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	w, f := twilioWorld(t, in)
	out := channel.Outbound{ID: "reply-1", Channel: sms.Name, Inbox: "main", Customer: "c1", At: time.Now(), To: to(customer), Content: channel.Content{Text: "hello"}}
	r, err := w.sender().Send(t.Context(), out)
	if err != nil || r.State != channel.StateSent || !strings.HasPrefix(r.ProviderID, "SM") {
		t.Fatalf("%+v, %v", r, err)
	}
	callback, err := url.Parse(f.last().Get("StatusCallback"))
	if err != nil || callback.Scheme+"://"+callback.Host+callback.Path != publicURL+"/hooks/sms/main" {
		t.Fatalf("%v, %v", callback, err)
	}
	status := func(state, code string) url.Values {
		v := url.Values{"MessageSid": {r.ProviderID}, "MessageStatus": {state}, "AccountSid": {twilioSID}, "From": {ours}, "To": {customer}}
		if code != "" {
			v.Set("ErrorCode", code)
		}
		return v
	}
	for state, want := range map[string]channel.State{
		"sent": channel.StateSent, "delivered": channel.StateDelivered, "undelivered": channel.StateFailed, "failed": channel.StateFailed, "read": channel.StateRead,
	} {
		items, err := w.read(in, twilioRequest(twilioOld, "?"+callback.RawQuery, status(state, map[bool]string{true: "30005"}[want == channel.StateFailed])))
		if err != nil || items[0].Receipt == nil {
			t.Fatalf("%s: %+v, %v", state, items, err)
		}
		got := items[0].Receipt
		if got.State != want || got.Outbound != "reply-1" || got.ProviderID != r.ProviderID || (want == channel.StateFailed) != strings.Contains(got.Detail, "not in use (error 30005)") {
			t.Errorf("%s: %+v", state, got)
		}
	}
	// Whose receipt it is was signed along.
	other := twilioRequest(twilioOld, "?"+callback.RawQuery, status("failed", ""))
	other.URL.RawQuery = "outbound=reply-2"
	other.RequestURI = other.URL.RequestURI()
	if code := w.post(other); code != http.StatusUnauthorized {
		t.Errorf("a receipt for another message is answered with %d", code)
	}
	before := len(in.Taken())
	if code := w.post(twilioRequest(twilioOld, "?"+callback.RawQuery, status("queued", ""))); code != http.StatusOK || len(in.Taken()) != before {
		t.Errorf("queued is no news: %d", code)
	}
}

func TestFakeTwilioRefusal(t *testing.T) {
	t.Parallel()
	w, _ := twilioWorld(t, &channeltest.Intake{})
	out := channel.Outbound{ID: "r", Channel: sms.Name, Inbox: "main", At: time.Now(), To: to("+15005550001"), Content: channel.Content{Text: "hello"}}
	if r, err := w.sender().Send(t.Context(), out); err != nil || r.State != channel.StateFailed || r.Detail != "Twilio: the number is none (error 21211)" {
		t.Errorf("%+v, %v", r, err)
	}
	for detail, change := range map[string]func(*channel.Outbound){
		"takes 23 parts, at most 10 are sent: it has letters beyond the GSM alphabet": func(o *channel.Outbound) { o.Content.Text = strings.Repeat("я", 1530) },
		"takes 11 parts, at most 10 are sent":                                         func(o *channel.Outbound) { o.Content.Text = strings.Repeat("a", 1531) },
		"the text is empty":                                                           func(o *channel.Outbound) { o.Content.Text = " " },
		"attachments[0]: must be one of image/jpeg, ":                                 func(o *channel.Outbound) { o.Content.Attachments = make([]channel.Attachment, 1) },
		"cannot be answered":                                                          func(o *channel.Outbound) { o.To = to("BANK") },
		"account and API key be":                                                      nil,
	} {
		o := out
		o.To = to(customer)
		if change != nil {
			change(&o)
			if r, err := w.sender().Send(t.Context(), o); err != nil || r.State != channel.StateFailed || !strings.Contains(r.Detail, detail) {
				t.Errorf("%s: %+v, %v", detail, r, err)
			}
			continue
		}
		w.API("").Script(channeltest.Answer{Status: http.StatusForbidden})
		if r, err := w.sender().Send(t.Context(), o); !errors.Is(err, channel.ErrNeedsAttention) || !strings.Contains(err.Error(), detail) {
			t.Errorf("403: %+v, %v", r, err)
		}
	}
}

// TestFakeTwilioLooksUp: an answer that was lost is found again and not sent twice; what never arrived is sent.
func TestFakeTwilioLooksUp(t *testing.T) {
	t.Parallel()
	w, f := twilioWorld(t, &channeltest.Intake{})
	out := channel.Outbound{ID: "r", Channel: sms.Name, Inbox: "main", At: time.Now(), To: to(customer), Content: channel.Content{Text: "only once"}, Attempt: 1}
	w.API("").Script(channeltest.Answer{Lost: true})
	if r, err := w.sender().Send(t.Context(), out); err != nil || r.State != channel.StateUnknown {
		t.Fatalf("%+v, %v", r, err)
	}
	out.Attempt, out.Unknown = 2, true
	if r, err := w.sender().Send(t.Context(), out); err != nil || r.State != channel.StateSent || r.ProviderID == "" {
		t.Fatalf("%+v, %v", r, err)
	}
	if n := len(w.Shown()); n != 1 {
		t.Errorf("shown %d times", n)
	}
	// Twice the same text at the same time: nobody can say, so it is not sent again by itself.
	out.ID, out.Attempt, out.Unknown = "r2", 1, false
	w.API("").Script(channeltest.Answer{Lost: true})
	_, _ = w.sender().Send(t.Context(), out)
	out.Unknown = true
	for attempt, want := range []channel.State{channel.StateUnknown, channel.StateSent} { // the second time a person asked
		out.Attempt = attempt + 2
		if r, err := w.sender().Send(t.Context(), out); err != nil || r.State != want {
			t.Fatalf("attempt %d: %+v, %v", out.Attempt, r, err)
		}
	}
	// Long ago and not in the list: it never arrived.
	out.ID, out.At, out.Content.Text = "r3", time.Now().Add(-time.Hour), "never arrived"
	if r, err := w.sender().Send(t.Context(), out); err != nil || r.State != channel.StateSent {
		t.Fatalf("%+v, %v", r, err)
	}
	if f.last().Get("Body") != "never arrived" {
		t.Error("not sent")
	}
}

func TestFakeTwilioMedia(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	w, _ := twilioWorld(t, in)
	v := twilioSaid("MM1", "")
	address := w.URL + "/2010-04-01/Accounts/" + twilioSID + "/Messages/MM1/Media/ME1"
	v.Set("NumMedia", "1")
	v.Set("MediaUrl0", address)
	v.Set("MediaContentType0", "image/jpeg")
	items, err := w.read(in, twilioRequest(twilioNew, "", v))
	if err != nil {
		t.Fatal(err)
	}
	files := items[0].Message.Content.Attachments
	if len(files) != 1 || files[0].Name != "picture-1.jpg" || files[0].Remote != address {
		t.Fatalf("%+v", files)
	}
	body, err := w.adapter.Fetch(t.Context(), "main", files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if b, err := io.ReadAll(body); err != nil || !bytes.HasPrefix(b, []byte("\xff\xd8")) {
		t.Errorf("%q, %v", b, err)
	}
	for _, remote := range []string{"https://evil.example/x", w.URL + ".evil.example/x", "http://user@127.0.0.1/", w.URL + "/2010-04-01/nothing", "::"} {
		_, err := w.adapter.Fetch(t.Context(), "main", channel.Attachment{Remote: remote})
		if !errors.Is(err, channel.ErrGone) || strings.Contains(err.Error(), "evil") || strings.Contains(err.Error(), twilioOld) {
			t.Errorf("%s: %v", remote, err)
		}
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	in := &channeltest.Intake{}
	w, _ := twilioWorld(t, in)
	for want, change := range map[string]func(url.Values){
		"has no sender": func(v url.Values) { v.Del("From") },
		"is empty":      func(v url.Values) { v.Del("Body") },
		"has no id":     func(v url.Values) { v.Del("MessageSid") },
		"is not known":  func(v url.Values) { v.Set("MessageStatus", "exploded") },
	} {
		v := twilioSaid("SM-"+want, "text")
		change(v)
		if _, err := w.read(in, twilioRequest(twilioOld, "", v)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
