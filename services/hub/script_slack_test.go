package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/weftline/weftline/services/hub/hubtest"
)

const (
	slackSecret = "8f742231b10e8888abcd99yyyzzz85a5"
	slackToken  = "xoxb-1234567890-storyTokenOfNobody"
)

// slackAPI is as much of the Web API as a story needs.
type slackAPI struct {
	*httptest.Server
	mu    sync.Mutex
	sent  []any
	loses int // so many posts are taken and their answers lost
	gone  bool
}

func (s *slackAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := map[string]any{"ok": true}
	switch method := path.Base(r.URL.Path); {
	case r.Header.Get("Authorization") != "Bearer "+slackToken || s.gone:
		answer = map[string]any{"ok": false, "error": "account_inactive"}
	case method == "users.info":
		answer["user"] = map[string]any{"profile": map[string]any{"display_name": map[string]string{"U0ADA": "Ada", "U0BOB": "Bob"}[r.URL.Query().Get("user")]}}
	case method == "conversations.history" || method == "conversations.replies":
		answer["messages"] = s.sent
	case method == "chat.postMessage":
		var args map[string]any
		_ = json.NewDecoder(r.Body).Decode(&args)
		args["ts"] = fmt.Sprintf("1764300000.%06d", len(s.sent)+1)
		s.sent = append(s.sent, args)
		if s.loses > 0 {
			s.loses--
			panic(http.ErrAbortHandler)
		}
		answer["channel"], answer["ts"] = args["channel"], args["ts"]
	case method == "auth.test":
	default:
		answer = map[string]any{"ok": false, "error": "unknown_method"}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// cmdSlack is a Slack workspace with the inbox "slack", which takes all that is said in channels:
//
//	slack listens             before start
//	[!] slack posts FILE      a signed request; ! signed with another secret, and refused. A challenge must come back
//	slack event ID FILE       an event in its envelope
//	slack loses N             so many posts are taken, and their answers lost
//	slack removes 1           the app is taken out of the workspace: its token is refused until removes 0
//	slack got N PATH VALUE    waits for the Nth message that was sent; VALUE as in got
func cmdSlack(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		ts.Check(err)
		return n
	}
	set := func(change func()) {
		w.slack.mu.Lock()
		defer w.slack.mu.Unlock()
		change()
	}
	switch {
	case len(args) == 1 && args[0] == "listens":
		w.slack = &slackAPI{}
		w.slack.Server = httptest.NewServer(w.slack)
		ts.Defer(w.slack.Close)
		w.inboxes = append(w.inboxes, map[string]any{"id": "slack", "channel": "slack", "name": "Shop", "settings": map[string]string{
			"bot_token": slackToken, "signing_secret": slackSecret, "channels": "all", "api_url": w.slack.URL + "/api",
		}})
	case len(args) == 2 && args[0] == "posts":
		secret := slackSecret
		if neg {
			secret = "another secret of nobody"
		}
		w.postSlack(ts, secret, []byte(expand(ts, ts.ReadFile(args[1]))), neg)
	case len(args) == 3 && args[0] == "event":
		w.postSlack(ts, slackSecret, fmt.Appendf(nil, `{"team_id":"T0SHOP","type":"event_callback","event_id":%q,"event_time":1764235200,"authorizations":[{"team_id":"T0SHOP","user_id":"U0BOT","is_bot":true}],"event":%s}`,
			args[1], expand(ts, ts.ReadFile(args[2]))), neg)
	case len(args) == 2 && args[0] == "loses":
		set(func() { w.slack.loses = number(args[1]) })
	case len(args) == 2 && args[0] == "removes":
		set(func() { w.slack.gone = number(args[1]) == 1 })
	case len(args) == 4 && args[0] == "got":
		w.gotSent(ts, number(args[1]), args[2], expand(ts, args[3]), func() (sent []any) {
			set(func() { sent = append(sent, w.slack.sent...) })
			return sent
		})
	default:
		ts.Fatalf("usage: slack listens | posts FILE | event ID FILE | loses N | removes 0|1 | got N PATH VALUE")
	}
}

func (w *world) postSlack(ts *testscript.TestScript, secret string, body []byte, refused bool) {
	ctx, cancel := within()
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/hooks/slack/slack", bytes.NewReader(body))
	ts.Check(err)
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	res, err := hubtest.Client.Do(r)
	ts.Check(err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	ts.Check(err)
	if (res.StatusCode != http.StatusOK) != refused || refused && res.StatusCode != http.StatusUnauthorized {
		w.fail(ts, "slack posted: answer %s", res.Status)
	}
	var v struct{ Challenge string }
	if json.Unmarshal(body, &v) == nil && !refused && v.Challenge != string(answer) {
		w.fail(ts, "the challenge %q is answered with %q", v.Challenge, answer)
	}
}
