package line_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
)

const (
	token      = "fakeTokenOfNobody+0123456789abcdef/="
	otherToken = "fakeTokenOfAnother+0123456789abcdef/="
	oldSecret  = "0123456789abcdef0123456789abcdef"
	newSecret  = "fedcba9876543210fedcba9876543210"
	ada        = "U00000000000000000000000000000ada"
	account    = "U0000000000000000000000000000c0de"
)

// fake is the Messaging API as its documentation says, for what this adapter
// calls. It is strict: a path, a field or a limit that it does not know is refused and fails the test.
type fake struct {
	*hostedtest.Provider
	t testing.TB

	mu       sync.Mutex
	accepted map[string][]map[string]string // by retry key
	sent     int
	hook     string // the webhook URL that is entered
	active   bool
	puts     int
	last     map[string]map[string]any // bodies, by path
	profiles map[string]string
	asked    []string // profiles, in order
	files    map[string][]byte
	waits    int  // so often content is still being made ready
	spent    bool // the month's messages
	keys     []string
}

func newFake(t testing.TB) *fake {
	f := &fake{
		t: t, accepted: map[string][]map[string]string{}, last: map[string]map[string]any{}, active: true,
		profiles: map[string]string{ada: "Ada"}, files: map[string][]byte{},
	}
	f.Provider = (&hostedtest.Provider{
		Sends: func(r *http.Request) bool { return r.URL.Path == "/v2/bot/message/push" },
		Serve: f.serve,
	}).Start(t)
	return f
}

var (
	userID = regexp.MustCompile(`^U[0-9a-f]{32}$`)
	uuidID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

func (f *fake) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	if a := r.Header.Get("Authorization"); a != "Bearer "+token && a != "Bearer "+otherToken {
		refuse(w, http.StatusUnauthorized, "Authentication failed. Confirm that the access token in the authorization header is valid.")
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(body) > 0 {
		var v map[string]any
		if err := json.Unmarshal(body, &v); err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			f.t.Errorf("%s: no JSON: %v", r.URL.Path, err)
		}
		f.last[r.Method+" "+r.URL.Path] = v
	}
	id, isProfile := strings.CutPrefix(r.URL.Path, "/v2/bot/profile/")
	content, isContent := strings.CutPrefix(r.URL.Path, "/v2/bot/message/")
	switch what := r.Method + " " + r.URL.Path; {
	case what == "GET /v2/bot/info":
		grant(w, map[string]any{"userId": account, "basicId": "@216abcde", "displayName": "Shop", "chatMode": "bot", "markAsReadMode": "auto"})
	case what == "GET /v2/bot/channel/webhook/endpoint" && f.hook == "":
		refuse(w, http.StatusNotFound, "Webhook endpoint not found")
	case what == "GET /v2/bot/channel/webhook/endpoint":
		grant(w, map[string]any{"endpoint": f.hook, "active": f.active})
	case what == "PUT /v2/bot/channel/webhook/endpoint":
		f.hook, _ = f.last[what]["endpoint"].(string)
		f.puts++
		if !strings.HasPrefix(f.hook, "https://") || len(f.hook) > 500 {
			refuse(w, http.StatusBadRequest, "Invalid webhook endpoint URL")
			return
		}
		grant(w, struct{}{})
	case what == "POST /v2/bot/message/push":
		f.push(w, r, body)
	case what == "POST /v2/bot/chat/loading/start":
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, "{}")
	case r.Method == http.MethodGet && isProfile:
		f.asked = append(f.asked, id)
		if f.profiles[id] == "" {
			refuse(w, http.StatusNotFound, "Not found")
			return
		}
		grant(w, map[string]any{"userId": id, "displayName": f.profiles[id], "language": "en"})
	case r.Method == http.MethodGet && isContent && strings.HasSuffix(content, "/content"):
		f.content(w, strings.TrimSuffix(content, "/content"))
	default:
		f.t.Errorf("there is no %s %s", r.Method, r.URL.Path)
		refuse(w, http.StatusNotFound, "Not found")
	}
}

func (f *fake) content(w http.ResponseWriter, id string) {
	b, ok := f.files[id]
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, "Not found")
	case f.waits > 0:
		f.waits--
		w.WriteHeader(http.StatusAccepted)
	default:
		w.Write(b)
	}
}

func (f *fake) push(w http.ResponseWriter, r *http.Request, body []byte) {
	key := r.Header.Get("X-Line-Retry-Key")
	f.keys = append(f.keys, key)
	if !uuidID.MatchString(key) {
		refuse(w, http.StatusBadRequest, "The retry key is invalid")
		return
	}
	if sent, again := f.accepted[key]; again {
		w.Header().Set("X-Line-Accepted-Request-Id", "first")
		w.WriteHeader(http.StatusConflict)
		json.NewEncoder(w).Encode(map[string]any{"message": "The retry key is already accepted", "sentMessages": sent})
		return
	}
	var p struct {
		To       string `json:"to"`
		Messages []struct {
			Type string `json:"type"`
			Text string `json:"text"`
		} `json:"messages"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	switch err := d.Decode(&p); {
	case err != nil:
		f.t.Errorf("push: %v", err)
		refuse(w, http.StatusBadRequest, "The request body has 1 error(s)")
		return
	case !userID.MatchString(p.To):
		refuse(w, http.StatusBadRequest, "The property, 'to', in the request body is invalid (line: -, column: -)")
		return
	case f.spent:
		refuse(w, http.StatusTooManyRequests, "You have reached your monthly limit.")
		return
	case len(p.Messages) < 1 || len(p.Messages) > 5:
		refuse(w, http.StatusBadRequest, "The request body has 1 error(s)")
		return
	}
	sent := []map[string]string{}
	for _, m := range p.Messages {
		if n := channel.UTF16Units.Length(m.Text); m.Type != "text" || n < 1 || n > 5000 {
			refuse(w, http.StatusBadRequest, "The request body has 1 error(s)")
			return
		}
		f.sent++
		sent = append(sent, map[string]string{"id": fmt.Sprint(461230966842064896 + f.sent), "quoteToken": "q"})
	}
	for _, m := range p.Messages {
		f.Show(m.Text)
	}
	f.accepted[key] = sent
	grant(w, map[string]any{"sentMessages": sent})
}

func grant(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(map[string]any{"message": message})
}

// sign is LINE's signature; the vendor's SDK checks it in the rig.
func sign(secret string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func user() map[string]any { return map[string]any{"type": "user", "userId": ada} }

func happened(kind, id string, at time.Time, more map[string]any) map[string]any {
	e := map[string]any{
		"type": kind, "mode": "active", "timestamp": at.UnixMilli(), "source": user(), "webhookEventId": "01H" + id,
		"deliveryContext": map[string]any{"isRedelivery": false},
	}
	for k, v := range more {
		e[k] = v
	}
	return e
}

func said(id, text string, at time.Time) map[string]any {
	return happened("message", id, at, map[string]any{
		"replyToken": "nHuyWiB7yP5Zw52FIkcQobQuGDXCTA", "message": map[string]any{"id": id, "type": "text", "quoteToken": "q3Plxr4AgKd", "text": text},
	})
}
