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
	"regexp"
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
	when []time.Time // each was
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
	if r.Method == http.MethodGet {
		p.list(w, r.URL.Query().Get("To"))
		return
	}
	p.sent, p.when = append(p.sent, v), append(p.when, time.Now())
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]string{"sid": fmt.Sprintf("SM%032d", len(p.sent)), "status": "queued"})
}

// list is what was sent to a number, newest first ("Fetch multiple Message resources").
func (p *smsProvider) list(w http.ResponseWriter, to string) {
	var list []any
	for i, v := range slices.Backward(p.sent) {
		if v.Get("To") == to {
			list = append(list, map[string]string{
				"sid": fmt.Sprintf("SM%032d", i+1), "body": v.Get("Body"), "direction": "outbound-api", "date_created": p.when[i].UTC().Format(time.RFC1123Z),
			})
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"messages": list, "next_page_uri": nil})
}

func (p *smsProvider) message(n int) url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n < 1 || n > len(p.sent) {
		return nil
	}
	return p.sent[n-1]
}

func (p *smsProvider) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sent)
}

var codeInText = regexp.MustCompile(`\b(\d{6})\b`)

// cmdSMS is a provider of text messages, inbox "texts":
//
//	sms listens               before start
//	sms paused                before start: the file pauses the inbox
//	[!] sms NUMBER says ID TEXT [N]  a message, signed, N times at once; ! the signature is wrong, and it is refused
//	sms got N TEXT            waits for the Nth message that was sent; TEXT as in got
//	sms to N NUMBER           it went there
//	sms fetches N TYPE FILE   as Twilio does, the one file of the Nth from the address it was given
//	sms code N                waits for it, and sets CODE and WRONG
//	sms took-only N           waits until so many were sent; it fails when there are more
//	[!] sms everywhere TEXT   some message has it
//	sms reports N STATE       what became of it; 0 is a message that the hub never sent
func cmdSMS(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	switch {
	case len(args) == 1 && args[0] == "listens":
		w.sms = &smsProvider{}
		w.sms.Server = httptest.NewServer(w.troubled(w.sms))
		ts.Defer(w.sms.Close)
		ts.Setenv("PUBLIC_URL", smsPublic)
		w.inboxes = append(w.inboxes, map[string]any{"id": "texts", "channel": "sms", "name": "Texts", "settings": map[string]string{
			"provider": "twilio", "account": "AC1", "api_key": smsToken, "number": smsNumber, "region": "US", "api_url": w.sms.URL,
		}})
	case len(args) == 1 && args[0] == "paused":
		w.inboxes[len(w.inboxes)-1].(map[string]any)["paused"] = true
	case len(args) == 4 && args[1] == "says":
		w.postSMS(ts, "", url.Values{"MessageSid": {args[2]}, "From": {args[0]}, "To": {smsNumber}, "Body": {expand(ts, args[3])}, "NumMedia": {"0"}}, neg)
	case len(args) == 5 && args[1] == "says" && !neg:
		n, err := strconv.Atoi(args[4])
		ts.Check(err)
		v := url.Values{"MessageSid": {args[2]}, "From": {args[0]}, "To": {smsNumber}, "Body": {expand(ts, args[3])}, "NumMedia": {"0"}}
		codes := atOnce(n, func() int { return w.sendSMS(ts, "", v, smsToken) })
		if i := slices.IndexFunc(codes, func(code int) bool { return code != http.StatusOK }); i >= 0 {
			w.fail(ts, "sms posted: answers %d", codes)
		}
	case len(args) == 3 && args[0] == "got":
		w.gotSMS(ts, args[1], expand(ts, args[2]))
	case len(args) == 3 && args[0] == "to":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		if have := w.sms.message(n).Get("To"); have != args[2] {
			w.fail(ts, "SMS %d went to %q, wanted %q", n, have, args[2])
		}
	case len(args) == 4 && args[0] == "fetches":
		w.fetchMMS(ts, args[1], args[2], ts.ReadFile(args[3]))
	case len(args) == 2 && args[0] == "code":
		m := codeInText.FindStringSubmatch(w.waitSMS(ts, args[1]).Get("Body"))
		if m == nil {
			w.fail(ts, "no code is in SMS %s", args[1])
		}
		setCode(ts, m[1])
	case len(args) == 2 && args[0] == "took-only":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		if n > 0 {
			w.waitSMS(ts, args[1]) // fewer may still be on their way
		}
		if have := w.sms.count(); have != n {
			w.fail(ts, "%d SMS were sent, wanted %d", have, n)
		}
	case len(args) == 2 && args[0] == "everywhere":
		found := false
		for n := range w.sms.count() {
			found = found || strings.Contains(w.sms.message(n+1).Get("Body"), expand(ts, args[1]))
		}
		if found == neg {
			w.fail(ts, "in SMS sent: %v", found)
		}
	case len(args) == 3 && args[0] == "reports":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		callback, err := url.Parse(w.sms.message(n).Get("StatusCallback"))
		ts.Check(err)
		if n == 0 {
			callback.RawQuery = "outbound=01JDNOBODYSENTTHIS00000000"
		}
		w.postSMS(ts, "?"+callback.RawQuery, url.Values{"MessageSid": {fmt.Sprintf("SM%032d", n)}, "MessageStatus": {args[2]}, "ErrorCode": {"30003"}}, false)
	default:
		ts.Fatalf("usage: sms listens | paused | NUMBER says ID TEXT | got N TEXT | to N NUMBER | fetches N TYPE FILE | code N | took-only N | everywhere TEXT | reports N STATE")
	}
}

func (w *world) fetchMMS(ts *testscript.TestScript, number, kind, want string) {
	list := w.waitSMS(ts, number)["MediaUrl"]
	if len(list) != 1 {
		w.fail(ts, "SMS %s has the files %q", number, list)
	}
	ctx, cancel := within()
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+strings.TrimPrefix(list[0], smsPublic), nil)
	ts.Check(err)
	res, err := hubtest.Client.Do(r)
	ts.Check(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	ts.Check(err)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != kind || string(body) != want {
		w.fail(ts, "the file of SMS %s is answered with %s, %s: %q", number, res.Status, res.Header.Get("Content-Type"), body)
	}
}

func (w *world) postSMS(ts *testscript.TestScript, query string, v url.Values, refused bool) {
	secret := smsToken
	if refused {
		secret += "x"
	}
	if code := w.sendSMS(ts, query, v, secret); (code != http.StatusOK) != refused {
		w.fail(ts, "sms posted: answer %d", code)
	}
}

func (w *world) sendSMS(ts *testscript.TestScript, query string, v url.Values, secret string) int {
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
	res.Body.Close()
	return res.StatusCode
}

func (w *world) gotSMS(ts *testscript.TestScript, number, want string) {
	if have := w.waitSMS(ts, number).Get("Body"); !matches(have, want) {
		w.fail(ts, "SMS %s is %q, wanted %q", number, have, want)
	}
}

// waitSMS waits for a message that was sent, by its number.
func (w *world) waitSMS(ts *testscript.TestScript, number string) url.Values {
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
	return w.sms.message(n)
}
