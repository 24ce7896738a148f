package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/weftline/weftline/services/hub/hubtest"
)

const (
	lineSecret = "0123456789abcdef0123456789abcdef"
	lineToken  = "storyTokenOfNobody+0123456789/="
)

// lineAPI is as much of the Messaging API as a story needs.
type lineAPI struct {
	*httptest.Server
	mu    sync.Mutex
	sent  []any
	taken map[string]bool // retry keys
	waits int             // so often a file is still being made ready
	loses int             // so many pushes are taken and their answers lost
}

func (l *lineAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") != "Bearer "+lineToken:
		http.Error(w, `{"message":"Authentication failed"}`, http.StatusUnauthorized)
	case r.URL.Path == "/v2/bot/channel/webhook/endpoint":
		_, _ = w.Write([]byte(`{"endpoint":"https://hub.shop.test/hooks/line/line","active":true}`))
	case strings.HasPrefix(r.URL.Path, "/v2/bot/profile/"):
		_, _ = w.Write([]byte(`{"displayName":"Ada"}`))
	case strings.HasSuffix(r.URL.Path, "/content") && l.waits > 0:
		l.waits--
		w.WriteHeader(http.StatusAccepted)
	case strings.HasSuffix(r.URL.Path, "/content"):
		_, _ = w.Write([]byte("a video"))
	case r.URL.Path == "/v2/bot/message/push":
		l.push(w, r)
	default:
		http.Error(w, `{"message":"Not found"}`, http.StatusNotFound)
	}
}

func (l *lineAPI) push(w http.ResponseWriter, r *http.Request) {
	var args map[string]any
	key := r.Header.Get("X-Line-Retry-Key")
	if json.NewDecoder(r.Body).Decode(&args) != nil || key == "" {
		http.Error(w, `{"message":"The request body has 1 error(s)"}`, http.StatusBadRequest)
		return
	}
	again := l.taken[key]
	if !again {
		l.taken[key] = true
		l.sent = append(l.sent, args)
	}
	if l.loses > 0 {
		l.loses--
		panic(http.ErrAbortHandler)
	}
	if again {
		w.WriteHeader(http.StatusConflict)
	}
	fmt.Fprintf(w, `{"message":"","sentMessages":[{"id":"%d"}]}`, 1000+len(l.sent))
}

// cmdLine is LINE with the inbox "line":
//
//	line listens             before start
//	[!] line posts FILE      a signed request with the events of FILE, a JSON list; ! signed with another secret, and refused
//	line waits N             so often a file is still being made ready
//	line loses N             so many pushes are taken, and their answers lost
//	line got N PATH VALUE    waits for the Nth message that was sent; VALUE as in got
func cmdLine(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		ts.Check(err)
		return n
	}
	switch {
	case len(args) == 1 && args[0] == "listens":
		w.line = &lineAPI{taken: map[string]bool{}}
		w.line.Server = httptest.NewServer(w.line)
		ts.Defer(w.line.Close)
		w.inboxes = append(w.inboxes, map[string]any{"id": "line", "channel": "line", "name": "Shop", "settings": map[string]string{
			"channel_access_token": lineToken, "channel_secret": lineSecret, "webhook": "by_hand", "api_url": w.line.URL, "data_api_url": w.line.URL,
		}})
	case len(args) == 2 && args[0] == "posts":
		secret := lineSecret
		if neg {
			secret = "fedcba9876543210fedcba9876543210"
		}
		body := []byte(`{"destination":"U0000000000000000000000000000c0de","events":` + expand(ts, ts.ReadFile(args[1])) + `}`)
		if code := w.postLine(ts, secret, body); (code == http.StatusOK) == neg || neg && code != http.StatusUnauthorized {
			w.fail(ts, "posted %s: answer %d", args[1], code)
		}
	case len(args) == 2 && args[0] == "waits":
		w.line.mu.Lock()
		w.line.waits = number(args[1])
		w.line.mu.Unlock()
	case len(args) == 2 && args[0] == "loses":
		w.line.mu.Lock()
		w.line.loses = number(args[1])
		w.line.mu.Unlock()
	case len(args) == 4 && args[0] == "got":
		w.gotSent(ts, number(args[1]), args[2], expand(ts, args[3]), func() []any {
			w.line.mu.Lock()
			defer w.line.mu.Unlock()
			return append([]any(nil), w.line.sent...)
		})
	default:
		ts.Fatalf("usage: line listens | posts FILE | waits N | loses N | got N PATH VALUE")
	}
}

func (w *world) postLine(ts *testscript.TestScript, secret string, body []byte) int {
	ctx, cancel := within()
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/hooks/line/line", bytes.NewReader(body))
	ts.Check(err)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	r.Header.Set("X-Line-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	res, err := hubtest.Client.Do(r)
	ts.Check(err)
	res.Body.Close()
	return res.StatusCode
}
