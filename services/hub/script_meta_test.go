package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/weftline/weftline/services/hub/hubtest"
)

const (
	metaSecret  = "0123456789abcdef0123456789abcdef"
	metaToken   = "EAAstoryTokenOfNobody"
	metaAccount = "106540352242922"
	// metaBusiness is the WhatsApp Business Account.
	metaBusiness = "102290129340398"
)

// graphAPI is as much of the Graph API as a story needs.
type graphAPI struct {
	*httptest.Server
	mu      sync.Mutex
	sent    []any
	actions []any
}

// knows says whether a token was given out: that of the three inboxes, and others whose names begin so.
func (*graphAPI) knows(authorization string) bool {
	return strings.HasPrefix(authorization, "Bearer "+metaToken)
}

func (g *graphAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var args map[string]any
	if r.Header.Get("Authorization") == "Bearer "+metaToken && r.Method == http.MethodGet && r.URL.Path == "/v24.0/"+metaBusiness+"/message_templates" {
		fmt.Fprint(w, `{"data":[{"name":"order_ready","language":"en_US","status":"APPROVED","category":"UTILITY","components":[{"type":"BODY","text":"Hello {{1}}, order {{2}} is ready.","example":{"body_text":[["Ada","1042"]]}}]}],"paging":{"cursors":{"after":"QVFI"}}}`)
		return
	}
	if !g.knows(r.Header.Get("Authorization")) {
		http.Error(w, `{"error":{"message":"Invalid OAuth access token","code":190}}`, http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodGet { // a file: its address first
		if !strings.HasSuffix(r.URL.Path, "/file") {
			fmt.Fprintf(w, `{"url":"%s/file"}`, g.URL)
			return
		}
		fmt.Fprint(w, "\xff\xd8\xff\xe0 a picture")
		return
	}
	if r.URL.Query().Get("appsecret_proof") == "" || json.NewDecoder(r.Body).Decode(&args) != nil {
		http.Error(w, `{"error":{"message":"Invalid OAuth access token","code":190}}`, http.StatusUnauthorized)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if args["sender_action"] != nil {
		g.actions = append(g.actions, args)
	}
	if args["status"] == "read" || args["sender_action"] != nil {
		return
	}
	g.sent = append(g.sent, args)
	n := len(g.sent)
	if strings.HasSuffix(r.URL.Path, "/replies") {
		fmt.Fprintf(w, `{"id":"%d"}`, 1000+n)
		return
	}
	fmt.Fprintf(w, `{"messages":[{"id":"wamid.OUT%d"}],"message_id":"m_OUT%d"}`, n, n)
}

// cmdMeta is Meta's platforms of the inboxes "whatsapp", "messenger" and "instagram":
//
//	meta listens                 before start
//	[!] meta posts INBOX FILE    a signed webhook; ! it is signed with another secret, and must be refused
//	meta hails INBOX FILE N      the same webhook N times at once
//	meta got N PATH VALUE        waits for the Nth message that was sent; VALUE as in got
//	meta mark N                  sets MARK to what came with that message, for its status
func cmdMeta(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	sent := func() []any {
		w.graph.mu.Lock()
		defer w.graph.mu.Unlock()
		return append([]any(nil), w.graph.sent...)
	}
	switch {
	case len(args) == 1 && args[0] == "listens":
		w.graph = &graphAPI{}
		w.graph.Server = httptest.NewServer(w.troubled(w.graph))
		ts.Defer(w.graph.Close)
		ts.Setenv("META_API", w.graph.URL)
		for _, name := range []string{"whatsapp", "messenger", "instagram"} {
			settings := map[string]string{
				"account_id": metaAccount, "access_token": metaToken, "app_secret": metaSecret, "verify_token": "a word of ours", "api_url": w.graph.URL,
			}
			if name == "whatsapp" {
				settings["business_id"], settings["region"] = metaBusiness, "DE"
			}
			w.inboxes = append(w.inboxes, map[string]any{"id": name, "channel": name, "name": name, "settings": settings})
		}
	case len(args) == 3 && args[0] == "posts":
		secret := metaSecret
		if neg {
			secret = "fedcba9876543210fedcba9876543210"
		}
		code := w.postMeta(ts, args[1], secret, []byte(expand(ts, ts.ReadFile(args[2]))))
		if (code == http.StatusOK) == neg || neg && code != http.StatusUnauthorized {
			w.fail(ts, "posted %s: answer %d", args[2], code)
		}
	case len(args) == 4 && args[0] == "hails":
		n, err := strconv.Atoi(args[3])
		ts.Check(err)
		body := []byte(expand(ts, ts.ReadFile(args[2])))
		codes := atOnce(n, func() int { return w.postMeta(ts, args[1], metaSecret, body) })
		if i := slices.IndexFunc(codes, func(code int) bool { return code != http.StatusOK }); i >= 0 {
			w.fail(ts, "posted %s: answers %d", args[2], codes)
		}
	case len(args) == 4 && args[0] == "got":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		w.gotSent(ts, n, args[2], expand(ts, args[3]), sent)
	case len(args) == 2 && args[0] == "mark":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		mark := at(sent()[n-1], "biz_opaque_callback_data")
		if mark == "" {
			mark = at(sent()[n-1], "message.metadata")
		}
		ts.Setenv("MARK", mark)
	default:
		ts.Fatalf("usage: meta listens | posts INBOX FILE | hails INBOX FILE N | got N PATH VALUE | mark N")
	}
}

func (w *world) postMeta(ts *testscript.TestScript, inbox, secret string, body []byte) int {
	ctx, cancel := within()
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/hooks/"+inbox+"/"+inbox, bytes.NewReader(body))
	ts.Check(err)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	res, err := hubtest.Client.Do(r)
	ts.Check(err)
	res.Body.Close()
	return res.StatusCode
}
