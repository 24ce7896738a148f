package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

func (i *instance) serve(w http.ResponseWriter, r *http.Request) {
	i.change(func() { i.requests++ })
	if r.Method != http.MethodGet || r.Header.Get("Authorization") != "Bearer "+mastodonToken {
		i.unknown(w, r)
		return
	}
	switch r.URL.Path {
	case "/api/v1/accounts/verify_credentials":
		answerJSON(w, http.StatusOK, mastodonUser("1", "shop", "The Shop"))
	case "/api/v2/instance":
		answerJSON(w, http.StatusOK, map[string]any{
			"domain": mastodonDomain, "title": "Bench", "version": "4.4.0",
			"configuration": map[string]any{
				"urls":     map[string]any{"streaming": "ws" + i.URL[len("http"):]},
				"statuses": map[string]any{"max_characters": 500, "max_media_attachments": 4, "characters_reserved_per_url": 23},
			},
		})
	case "/api/v1/notifications":
		i.list(w, r)
	case "/api/v1/streaming/user":
		i.stream(w, r)
	default:
		i.unknown(w, r)
	}
}

func (i *instance) unknown(w http.ResponseWriter, r *http.Request) {
	i.refuse("the hub asks the instance for %s %s, or with another token", r.Method, r.URL.Path)
	answerJSON(w, http.StatusNotFound, map[string]any{"error": "Record not found"})
}

// list: min_id gives what is immediately newer, newest first, and acknowledges what came before ("GET /api/v1/notifications").
func (i *instance) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	from, err2 := strconv.Atoi("0" + q.Get("min_id"))
	if err != nil || limit < 1 || limit > 80 || err2 != nil || !slices.Contains(q["types[]"], "mention") {
		i.refuse("the hub asks for notifications with %s", r.URL.RawQuery)
		answerJSON(w, http.StatusUnprocessableEntity, map[string]any{"error": "limit, min_id or types"})
		return
	}
	var page []map[string]any
	i.change(func() {
		i.acknowledge(from)
		i.listed = time.Now()
		page = slices.Clone(i.notifications[min(from, len(i.notifications)):])
	})
	if q.Has("min_id") {
		page = page[:min(limit, len(page))]
	} else {
		page = page[max(0, len(page)-limit):]
	}
	slices.Reverse(page)
	if page == nil {
		page = []map[string]any{}
	}
	answerJSON(w, http.StatusOK, page)
}

// stream tells of what comes from now on, and that it lives ("GET /api/v1/streaming/user").
func (i *instance) stream(w http.ResponseWriter, r *http.Request) {
	told := 0
	i.change(func() {
		i.streams++
		told = len(i.notifications)
	})
	defer i.change(func() { i.streams-- })
	w.Header().Set("Content-Type", "text/event-stream")
	say := func(s string) bool {
		_, err := io.WriteString(w, s)
		return err == nil
	}
	flush := http.NewResponseController(w).Flush
	alive := time.NewTicker(15 * time.Second)
	defer alive.Stop()
	for ok := say(":)\n"); ok && flush() == nil; {
		i.mu.Lock()
		news, changed := slices.Clone(i.notifications[told:]), i.changed
		i.mu.Unlock()
		for _, n := range news {
			b, err := json.Marshal(n)
			if err != nil {
				i.refuse("write an event: %w", err)
				return
			}
			ok = ok && say(fmt.Sprintf("event: notification\ndata: %s\n\n", b))
		}
		if told += len(news); len(news) > 0 {
			continue
		}
		select {
		case <-changed:
		case <-alive.C:
			ok = say(":thump\n")
		case <-r.Context().Done():
			return
		}
	}
}
