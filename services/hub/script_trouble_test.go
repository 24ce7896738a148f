package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// trouble stands before the fake of a provider and answers instead of it, or
// spoils its answer, as a story says. It touches calls that send alone.
type trouble struct {
	http.Handler
	mu      sync.Mutex
	next    map[string][]string // by account
	revoked map[string]bool     // tokens
	held    chan struct{}       // files are not handed out until it is closed; nil: they are
	asked   bool                // somebody waits for a file
}

func (w *world) troubled(h http.Handler) *trouble {
	t := &trouble{Handler: h, next: map[string][]string{}, revoked: map[string]bool{}}
	w.troubles = append(w.troubles, t)
	return t
}

func (t *trouble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if t.holds(r) {
		return
	}
	switch how, arg, _ := strings.Cut(t.due(r, body), ":"); how {
	case "":
		t.Handler.ServeHTTP(w, r)
	case "429":
		w.Header().Set("Retry-After", arg)
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprintf(w, `{"ok":false,"error_code":429,"parameters":{"retry_after":%s}}`, arg)
	case "code": // of the Graph API
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":{"message":"(#%s) refused","code":%s}}`, arg, arg)
	case "401":
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"ok":false,"error_code":401,"description":"Unauthorized"}`)
	case "500", "lost":
		t.Handler.ServeHTTP(nowhere{http.Header{}}, r)
		if how == "500" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		panic(http.ErrAbortHandler) // the connection ends without an answer
	default:
		w.WriteHeader(http.StatusTeapot)
	}
}

// due is what happens to a call.
func (t *trouble) due(r *http.Request, body []byte) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for token := range t.revoked {
		if strings.Contains(r.URL.Path, token+"/") || strings.HasSuffix(r.Header.Get("Authorization"), token) {
			return "401"
		}
	}
	if !sends(r, body) {
		return ""
	}
	for account, list := range t.next {
		if len(list) > 0 && strings.Contains(r.URL.Path, account) {
			t.next[account] = list[1:]
			return list[0]
		}
	}
	return ""
}

func sends(r *http.Request, body []byte) bool {
	for _, end := range []string{"/messages", "/replies", "/sendMessage", "/Messages.json"} {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, end) {
			return !bytes.Contains(body, []byte(`"status":"read"`)) && !bytes.Contains(body, []byte(`"sender_action"`))
		}
	}
	return false
}

// holds keeps whoever asks for the media of the story "held" waiting; true: he has given up.
func (t *trouble) holds(r *http.Request) bool {
	t.mu.Lock()
	held := t.held
	if held == nil || r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/held") {
		t.mu.Unlock()
		return false
	}
	t.asked = true
	t.mu.Unlock()
	select {
	case <-held:
		return false
	case <-r.Context().Done():
		return true
	}
}

// nowhere takes the answer that is lost.
type nowhere struct{ h http.Header }

func (n nowhere) Header() http.Header         { return n.h }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}

// cmdTrouble is what goes wrong at the providers of meta, telegram and sms:
//
//	trouble next ACCOUNT ANSWER…  to the next messages of an account, a part of the path of its calls:
//	                              429:SECONDS · code:N of Meta · 401 · 500, and it was sent · lost: it was sent, and nobody says so
//	trouble revoke TOKEN          a token is refused from now on, until: trouble restore TOKEN
//	trouble hold                  the media "held" is not handed out
//	trouble held                  waits until somebody asks for it
//	trouble release               it is handed out
//	trouble used ACCOUNT          waits until all of next has been answered
func cmdTrouble(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	if neg || len(args) == 0 || len(w.troubles) == 0 {
		ts.Fatalf("usage: trouble next ACCOUNT ANSWER… | revoke TOKEN | restore TOKEN | hold | held | release | used ACCOUNT, after a provider listens")
	}
	for _, t := range w.troubles {
		t.mu.Lock()
		switch args[0] {
		case "next":
			t.next[args[1]] = append(t.next[args[1]], args[2:]...)
		case "revoke":
			t.revoked[args[1]] = true
		case "restore":
			delete(t.revoked, args[1])
		case "hold":
			t.held = make(chan struct{})
		case "release":
			close(t.held)
			t.held = nil
		}
		t.mu.Unlock()
	}
	// Every provider has the script; what comes to pass does so at one of them.
	w.poll(ts, func(context.Context) bool {
		return slices.ContainsFunc(w.troubles, func(t *trouble) bool {
			t.mu.Lock()
			defer t.mu.Unlock()
			return (args[0] != "held" || t.asked) && (args[0] != "used" || len(t.next[args[1]]) == 0)
		})
	}, func() { w.fail(ts, "trouble %s: it did not come to that", strings.Join(args, " ")) })
}

// cmdTook waits until what a provider was given for somebody reads like a file, one
// message a line, in the order in which it came: took meta|telegram|sms ADDRESS FILE.
func cmdTook(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	if neg || len(args) != 3 {
		ts.Fatalf("usage: took meta|telegram|sms ADDRESS FILE")
	}
	want, have := ts.ReadFile(args[2]), ""
	w.poll(ts, func(context.Context) bool {
		have = strings.Join(w.taken(ts, args[0], args[1]), "")
		return have == want
	}, func() { w.fail(ts, "%s took for %s (-want +got):\n%s", args[0], args[1], cmp.Diff(want, have)) })
}

func (w *world) taken(ts *testscript.TestScript, provider, address string) (lines []string) {
	add := func(to, text string) {
		if to == address {
			lines = append(lines, text+"\n")
		}
	}
	switch provider {
	case "meta":
		w.graph.mu.Lock()
		defer w.graph.mu.Unlock()
		for _, m := range w.graph.sent {
			to := at(m, "recipient.id")
			if to == "" {
				to = at(m, "to") + at(m, "recipient")
			}
			add(to, at(m, "text.body")+at(m, "message.text"))
		}
	case "telegram":
		w.bot.mu.Lock()
		defer w.bot.mu.Unlock()
		for _, m := range w.bot.sent {
			add(at(m, "chat_id"), at(m, "text"))
		}
	case "sms":
		w.sms.mu.Lock()
		defer w.sms.mu.Unlock()
		for _, m := range w.sms.sent {
			add(m.Get("To"), m.Get("Body"))
		}
	default:
		ts.Fatalf("took: no provider %q", provider)
	}
	return lines
}

// atOnce does the same n times in parallel.
func atOnce(n int, do func() int) []int {
	results := make([]int, n)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() { results[i] = do() })
	}
	all.Wait()
	return results
}
