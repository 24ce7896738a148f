package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

const botToken = "123456789:AAstoryTokenOfNobody_0123456789"

// botAPI is as much of the Bot API as a story needs: updates are asked for, messages sent.
type botAPI struct {
	*httptest.Server
	mu      sync.Mutex
	updates []map[string]any
	sent    []any
	actions []any
	blocked bool
}

func (b *botAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var args map[string]any
	method, of := path.Base(r.URL.Path), path.Base(path.Dir(r.URL.Path))
	if of != "bot"+botToken || json.NewDecoder(r.Body).Decode(&args) != nil {
		http.Error(w, `{"ok":false,"error_code":401,"description":"Unauthorized"}`, http.StatusUnauthorized)
		return
	}
	var result any = true
	switch method {
	case "getUpdates":
		from, _ := args["offset"].(float64)
		patience, _ := args["timeout"].(float64)
		result = b.next(r, int(from), time.Duration(patience)*time.Second)
	case "sendMessage":
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.blocked {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}`))
			return
		}
		b.sent = append(b.sent, args)
		result = map[string]any{"message_id": 1000 + len(b.sent)}
	case "sendChatAction":
		b.mu.Lock()
		defer b.mu.Unlock()
		b.actions = append(b.actions, args)
	case "deleteWebhook", "answerCallbackQuery":
	default:
		http.Error(w, `{"ok":false,"error_code":404,"description":"Not Found"}`, http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"ok": true, "result": result})
}

// next waits for an update that is wanted, as long as it was asked to.
func (b *botAPI) next(r *http.Request, from int, patience time.Duration) []map[string]any {
	over := time.NewTimer(patience)
	defer over.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		b.mu.Lock()
		// Their ids are their places in the list, from 1.
		wanted := b.updates[min(max(from-1, 0), len(b.updates)):]
		b.mu.Unlock()
		if len(wanted) > 0 {
			return wanted
		}
		select {
		case <-tick.C:
		case <-over.C:
			return []map[string]any{}
		case <-r.Context().Done():
			return nil
		}
	}
}

// cmdTelegram is the Bot API of the inbox "bot", which asks for updates:
//
//	telegram listens            before start
//	telegram update FILE…       updates that the bot is given; they are numbered here
//	telegram blocks             from now on the customer's chat refuses the bot
//	telegram got N PATH VALUE   waits for the Nth message that was sent; VALUE as in got
func cmdTelegram(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	switch {
	case neg:
		ts.Fatalf("telegram cannot be negated")
	case len(args) == 1 && args[0] == "listens":
		w.bot = &botAPI{}
		w.bot.Server = httptest.NewServer(w.troubled(w.bot))
		ts.Defer(func() {
			w.bot.CloseClientConnections() // the hub is waiting for updates
			w.bot.Close()
		})
		w.inboxes = append(w.inboxes, map[string]any{"id": "bot", "channel": "telegram", "name": "Shop bot", "settings": map[string]string{
			"bot_token": botToken, "api_url": w.bot.URL, "receive": "polling", "mask": ts.Getenv("MASK"),
		}})
	case len(args) > 1 && args[0] == "update":
		for _, name := range args[1:] {
			var u map[string]any
			ts.Check(json.Unmarshal([]byte(expand(ts, ts.ReadFile(name))), &u))
			w.bot.mu.Lock()
			u["update_id"] = len(w.bot.updates) + 1
			w.bot.updates = append(w.bot.updates, u)
			w.bot.mu.Unlock()
		}
	case len(args) == 1 && args[0] == "blocks":
		w.bot.mu.Lock()
		w.bot.blocked = true
		w.bot.mu.Unlock()
	case len(args) == 4 && args[0] == "got":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		w.gotSent(ts, n, args[2], expand(ts, args[3]), func() []any {
			w.bot.mu.Lock()
			defer w.bot.mu.Unlock()
			return append([]any(nil), w.bot.sent...)
		})
	default:
		ts.Fatalf("usage: telegram listens | update FILE… | blocks | got N PATH VALUE")
	}
}

// gotSent waits for the nth of what a provider was sent.
func (w *world) gotSent(ts *testscript.TestScript, n int, path, want string, sent func() []any) {
	ctx, cancel := within()
	defer cancel()
	for {
		if all := sent(); len(all) >= n {
			if have := at(all[n-1], path); !matches(have, want) {
				w.fail(ts, "message %d has %q at %s, wanted %q", n, have, path, want)
			}
			return
		}
		select {
		case <-ctx.Done():
			w.fail(ts, "the provider was sent no message %d", n)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
