package main

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/weftline/weftline/services/hub/hubtest"
)

const (
	smsToken  = "0123456789abcdef0123456789abcdef"
	smsNumber = "+15005550006"
	smsPublic = "https://hub.shop.test"
)

// smsProvider speaks Twilio's API as far as it is documented.
type smsProvider struct {
	*httptest.Server
	mu   sync.Mutex
	sent []url.Values
}

func (p *smsProvider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	v, err := url.ParseQuery(string(body))
	if _, token, _ := r.BasicAuth(); err != nil || token != smsToken {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, v)
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]string{"sid": fmt.Sprintf("SM%032d", len(p.sent)), "status": "queued"})
}

func (p *smsProvider) message(n int) url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n < 1 || n > len(p.sent) {
		return nil
	}
	return p.sent[n-1]
}

// cmdSMS is a provider of text messages, inbox "texts":
//
//	sms listens               before start
//	sms paused                before start: the file pauses the inbox
//	[!] sms NUMBER says ID TEXT   a message, signed; ! the signature is wrong, and it is refused
//	sms got N TEXT            waits for the Nth message that was sent
//	sms reports N STATE       what became of it
func cmdSMS(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	switch {
	case len(args) == 1 && args[0] == "listens":
		w.sms = &smsProvider{}
		w.sms.Server = httptest.NewServer(w.sms)
		ts.Defer(w.sms.Close)
		ts.Setenv("PUBLIC_URL", smsPublic)
		w.inboxes = append(w.inboxes, map[string]any{"id": "texts", "channel": "sms", "name": "Texts", "settings": map[string]string{
			"provider": "twilio", "account": "AC1", "api_key": smsToken, "number": smsNumber, "api_url": w.sms.URL,
		}})
	case len(args) == 1 && args[0] == "paused":
		w.inboxes[len(w.inboxes)-1].(map[string]any)["paused"] = true
	case len(args) == 4 && args[1] == "says":
		w.postSMS(ts, "", url.Values{"MessageSid": {args[2]}, "From": {args[0]}, "To": {smsNumber}, "Body": {expand(ts, args[3])}, "NumMedia": {"0"}}, neg)
	case len(args) == 3 && args[0] == "got":
		w.gotSMS(ts, args[1], expand(ts, args[2]))
	case len(args) == 3 && args[0] == "reports":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		callback, err := url.Parse(w.sms.message(n).Get("StatusCallback"))
		ts.Check(err)
		w.postSMS(ts, "?"+callback.RawQuery, url.Values{"MessageSid": {fmt.Sprintf("SM%032d", n)}, "MessageStatus": {args[2]}, "ErrorCode": {"30003"}}, false)
	default:
		ts.Fatalf("usage: sms listens | paused | NUMBER says ID TEXT | got N TEXT | reports N STATE")
	}
}

func (w *world) postSMS(ts *testscript.TestScript, query string, v url.Values, refused bool) {
	target := "/hooks/sms/texts" + query
	message := smsPublic + target
	keys := make([]string, 0, len(v))
	for k := range v {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		message += k + v.Get(k)
	}
	secret := smsToken
	if refused {
		secret += "x"
	}
	m := hmac.New(sha1.New, []byte(secret))
	m.Write([]byte(message))
	ctx, cancel := within()
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+target, strings.NewReader(v.Encode()))
	ts.Check(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(m.Sum(nil)))
	res, err := hubtest.Client.Do(r)
	ts.Check(err)
	defer res.Body.Close()
	if (res.StatusCode != http.StatusOK) != refused {
		w.fail(ts, "sms posted: answer %s", res.Status)
	}
}

func (w *world) gotSMS(ts *testscript.TestScript, number, want string) {
	n, err := strconv.Atoi(number)
	ts.Check(err)
	ctx, cancel := within()
	defer cancel()
	for w.sms.message(n) == nil {
		select {
		case <-ctx.Done():
			w.fail(ts, "there was no SMS %d", n)
		case <-time.After(20 * time.Millisecond):
		}
	}
	if have := w.sms.message(n).Get("Body"); have != want {
		w.fail(ts, "SMS %d is %q, wanted %q", n, have, want)
	}
}
