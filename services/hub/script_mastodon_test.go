package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// instance is as much of a Mastodon instance as a story needs: notifications
// are asked for when the stream says so, posts are made once for a key.
type instance struct {
	*httptest.Server
	mu      sync.Mutex
	raised  []map[string]any // notifications; their ids are their places, from 1
	told    []string         // events of the stream
	wake    chan struct{}
	sent    []any
	done    map[string]string // id of a post by key
	deleted bool              // what is answered is gone
	begun   bool              // the hub asks for what is new; a new inbox does not look back
}

func (in *instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer story-token" {
		http.Error(w, `{"error":"The access token is invalid"}`, http.StatusUnauthorized)
		return
	}
	switch p := r.URL.Path; {
	case p == "/api/v1/accounts/verify_credentials":
		fmt.Fprint(w, `{"id":"1","acct":"shop","display_name":"Shop"}`)
	case p == "/api/v2/instance":
		fmt.Fprint(w, `{"domain":"story.test","configuration":{"statuses":{"max_characters":500,"max_media_attachments":4,"characters_reserved_per_url":23}}}`)
	case p == "/api/v1/streaming/user":
		in.stream(w, r)
	case p == "/api/v1/notifications":
		from, _ := strconv.Atoi(r.URL.Query().Get("min_id"))
		in.mu.Lock()
		defer in.mu.Unlock()
		in.begun = in.begun || r.URL.Query().Has("min_id")
		out := []map[string]any{}
		for i := len(in.raised); i > from; i-- { // newest first
			out = append(out, in.raised[i-1])
		}
		_ = json.NewEncoder(w).Encode(out)
	case p == "/api/v1/statuses" && r.Method == http.MethodPost:
		var body map[string]any
		_ = json.NewDecoder(r.Body).Decode(&body)
		in.mu.Lock()
		defer in.mu.Unlock()
		if in.deleted && body["in_reply_to_id"] != nil {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error":"The post you are trying to reply to does not appear to exist."}`)
			return
		}
		key := r.Header.Get("Idempotency-Key")
		if in.done[key] == "" {
			in.sent = append(in.sent, body)
			in.done[key] = fmt.Sprint(9000 + len(in.sent))
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"id": in.done[key]})
	default:
		http.Error(w, `{"error":"Record not found"}`, http.StatusNotFound)
	}
}

func (in *instance) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	in.mu.Lock()
	at := len(in.told)
	in.mu.Unlock()
	for {
		in.mu.Lock()
		fresh, wake := in.told[at:], in.wake
		at = len(in.told)
		in.mu.Unlock()
		fmt.Fprint(w, ":thump\n"+strings.Join(fresh, ""))
		w.(http.Flusher).Flush()
		select {
		case <-wake:
		case <-r.Context().Done():
			return
		}
	}
}

func (in *instance) tell(name, data string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.told = append(in.told, "event: "+name+"\ndata: "+data+"\n\n")
	close(in.wake)
	in.wake = make(chan struct{})
}

// cmdMastodon is the instance of the inbox "toots":
//
//	mastodon listens            before start
//	mastodon mention FILE…      posts that mention the account
//	mastodon edit FILE          a post as it is now
//	mastodon delete ID          a post of the customer's is gone, for answers, too
//	mastodon got N PATH VALUE   waits for the Nth post that was made; VALUE as in got
func cmdMastodon(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	switch {
	case neg:
		ts.Fatalf("mastodon cannot be negated")
	case len(args) == 1 && args[0] == "listens":
		w.toots = &instance{wake: make(chan struct{}), done: map[string]string{}}
		w.toots.Server = httptest.NewServer(w.toots)
		ts.Defer(func() {
			w.toots.CloseClientConnections() // the hub listens to the stream
			w.toots.Close()
		})
		w.inboxes = append(w.inboxes, map[string]any{"id": "toots", "channel": "mastodon", "name": "Shop", "settings": map[string]string{
			"instance": w.toots.URL, "access_token": "story-token", "mask": ts.Getenv("MASK"),
		}})
	case len(args) > 1 && args[0] == "mention":
		w.poll(ts, func(context.Context) bool {
			w.toots.mu.Lock()
			defer w.toots.mu.Unlock()
			return w.toots.begun
		}, func() { w.fail(ts, "the hub asks for no notifications") })
		for _, name := range args[1:] {
			var s map[string]any
			ts.Check(json.Unmarshal([]byte(expand(ts, ts.ReadFile(name))), &s))
			w.toots.mu.Lock()
			n := map[string]any{"id": fmt.Sprint(len(w.toots.raised) + 1), "type": "mention", "account": s["account"], "status": s}
			w.toots.raised = append(w.toots.raised, n)
			w.toots.mu.Unlock()
			w.toots.tell("notification", "{}")
		}
	case len(args) == 2 && args[0] == "edit":
		w.toots.tell("status.update", strings.ReplaceAll(expand(ts, ts.ReadFile(args[1])), "\n", ""))
	case len(args) == 2 && args[0] == "delete":
		w.toots.tell("delete", args[1])
		w.toots.mu.Lock()
		w.toots.deleted = true
		w.toots.mu.Unlock()
	case len(args) == 4 && args[0] == "got":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		w.gotSent(ts, n, args[2], expand(ts, args[3]), func() []any {
			w.toots.mu.Lock()
			defer w.toots.mu.Unlock()
			return append([]any(nil), w.toots.sent...)
		})
	default:
		ts.Fatalf("usage: mastodon listens | mention FILE… | edit FILE | delete ID | got N PATH VALUE")
	}
}
