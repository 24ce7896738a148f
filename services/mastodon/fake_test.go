package mastodon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
)

const (
	token      = "token-of-the-shop"
	otherToken = "token-of-another"
	domain     = "social.test"
)

// fake is the API of an instance as its documentation says, for what this
// adapter calls. It is strict: what it does not know, and a limit that is passed, are refused.
type fake struct {
	*hostedtest.Provider
	t testing.TB

	mu            sync.Mutex
	statuses      map[string]map[string]any
	notifications []map[string]any // by id, growing
	next          int              // id of the next notification
	own           int              // id of the next post of ours
	keys          map[string]string
	media         map[string][]byte
	processing    int // calls until a file can be posted
	streams       []chan string
	seen          map[string]int // by token: the largest min_id asked for
	posted        []map[string]any
	limit         int
	open          int           // streams that were opened
	silent        bool          // the stream tells nothing
	asked         int           // how often notifications were asked for, by the shop
	held          chan struct{} // notifications are not listed until it is closed; nil: they are
}

func newFake(t testing.TB) *fake {
	f := &fake{t: t, statuses: map[string]map[string]any{}, next: 100, own: 900_000, keys: map[string]string{}, media: map[string][]byte{}, seen: map[string]int{}, limit: 500}
	f.Provider = (&hostedtest.Provider{
		Sends: func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Path == "/api/v1/statuses" },
		Serve: f.serve,
	}).Start(t)
	return f
}

func refuse(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"error": text})
}

func give(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func account(id, acct, name string) map[string]any {
	user, _, _ := strings.Cut(acct, "@")
	return map[string]any{
		"id": id, "username": user, "acct": acct, "display_name": name, "locked": false, "bot": false,
		"created_at": "2022-11-01T00:00:00.000Z", "note": "", "url": "https://" + domain + "/@" + acct, "avatar": "", "header": "", "fields": []any{}, "emojis": []any{},
	}
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	given := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	p := r.URL.Path
	if strings.HasPrefix(p, "/system/") {
		if given != "" {
			f.t.Error("a credential goes to a file's server")
		}
		f.mu.Lock()
		b, ok := f.media[p]
		f.mu.Unlock()
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write(b)
		return
	}
	if given != token && given != otherToken {
		refuse(w, http.StatusUnauthorized, "The access token is invalid")
		return
	}
	me := account("1", "shop", "The Shop")
	if given == otherToken {
		me = account("2", "other", "Another")
	}
	switch id, _ := strings.CutPrefix(p, "/api/v1/statuses/"); {
	case p == "/api/v1/accounts/verify_credentials":
		give(w, me)
	case p == "/api/v1/instance": // for older clients
		give(w, map[string]any{"uri": domain, "title": "Test", "version": "4.4.0", "urls": map[string]any{"streaming_api": "ws" + strings.TrimPrefix(f.URL, "http")}})
	case p == "/api/v2/instance":
		f.mu.Lock()
		defer f.mu.Unlock()
		give(w, map[string]any{
			"domain": domain, "title": "Test", "version": "4.4.0",
			"configuration": map[string]any{
				"urls":              map[string]any{"streaming": "ws" + strings.TrimPrefix(f.URL, "http")},
				"statuses":          map[string]any{"max_characters": f.limit, "max_media_attachments": 4, "characters_reserved_per_url": 23},
				"media_attachments": map[string]any{"supported_mime_types": []string{"image/png"}, "image_size_limit": 16777216},
			},
		})
	case p == "/api/v1/notifications":
		f.list(w, r, given)
	case p == "/api/v1/streaming/user":
		f.stream(w, r, given)
	case p == "/api/v1/statuses" && r.Method == http.MethodPost:
		f.post(w, r, body, me)
	case id != p && r.Method == http.MethodGet:
		f.mu.Lock()
		defer f.mu.Unlock()
		if s, ok := f.statuses[id]; ok {
			give(w, s)
			return
		}
		refuse(w, http.StatusNotFound, "Record not found")
	case p == "/api/v1/accounts/1/statuses":
		f.mu.Lock()
		defer f.mu.Unlock()
		out := slices.Clone(f.posted)
		slices.Reverse(out)
		give(w, out)
	case p == "/api/v2/media" && r.Method == http.MethodPost:
		f.upload(w, r, body)
	case strings.HasPrefix(p, "/api/v1/media/"):
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.processing--; f.processing > 0 {
			w.WriteHeader(http.StatusPartialContent)
		}
		give(w, map[string]any{"id": strings.TrimPrefix(p, "/api/v1/media/"), "type": "image"})
	default:
		f.t.Errorf("%s %s is not known to the fake", r.Method, p)
		refuse(w, http.StatusNotFound, "Record not found")
	}
}

// list: min_id gives what is immediately newer, newest first ("GET /api/v1/notifications").
func (f *fake) list(w http.ResponseWriter, r *http.Request, given string) {
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil || limit < 1 || limit > 80 {
		refuse(w, http.StatusUnprocessableEntity, "limit")
		return
	}
	from, err := strconv.Atoi("0" + q.Get("min_id"))
	if err != nil {
		f.t.Errorf("min_id %q", q.Get("min_id"))
	}
	if given == token {
		f.mu.Lock()
		f.asked++
		held := f.held
		f.mu.Unlock()
		if held != nil {
			select {
			case <-held:
			case <-r.Context().Done():
				return
			}
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[given] = max(f.seen[given], from)
	out := []map[string]any{}
	if given == otherToken {
		give(w, out)
		return
	}
	for _, n := range f.notifications {
		id, _ := strconv.Atoi(n["id"].(string))
		if id > from && (len(q["types[]"]) == 0 || slices.Contains(q["types[]"], n["type"].(string))) && (n["filtered"] == nil || q.Get("include_filtered") == "true") {
			out = append(out, n)
		}
	}
	if q.Get("min_id") != "" {
		out = out[:min(limit, len(out))]
	} else {
		out = out[max(0, len(out)-limit):]
	}
	slices.Reverse(out)
	give(w, out)
}

func (f *fake) stream(w http.ResponseWriter, r *http.Request, given string) {
	told := make(chan string, 1000)
	f.mu.Lock()
	f.open++
	if given == token {
		f.streams = append(f.streams, told)
	}
	f.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	io.WriteString(w, ":)\n")
	w.(http.Flusher).Flush()
	for {
		select {
		case s, ok := <-told:
			if !ok {
				return
			}
			io.WriteString(w, s)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// tell gives an event to who listens; f.mu is held.
func (f *fake) tell(name, data string) {
	if f.silent {
		return
	}
	for _, s := range f.streams {
		s <- "event: " + name + "\ndata: " + data + "\n\n:thump\n"
	}
}

// hangUp ends all streams.
func (f *fake) hangUp() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.streams {
		close(s)
	}
	f.streams = nil
}

// number is a stable id of a name.
func number(name string) string {
	h := fnv.New32a()
	h.Write([]byte(name))
	return fmt.Sprint(110_000_000_000 + int64(h.Sum32()))
}

// said is a post of Ada's that names the shop.
func said(name, text, visibility string, at time.Time) map[string]any {
	return map[string]any{
		"id": number(name), "created_at": at.UTC().Format("2006-01-02T15:04:05.000Z"), "edited_at": nil, "in_reply_to_id": nil, "in_reply_to_account_id": nil,
		"visibility": visibility, "spoiler_text": "", "sensitive": false, "language": "en", "uri": "https://far.test/1", "url": "https://far.test/1",
		"content":           `<p><span class="h-card"><a href="https://` + domain + `/@shop" class="u-url mention">@<span>shop</span></a></span> ` + html.EscapeString(text) + `</p>`,
		"account":           account("77", "Ada@far.test", "Ada Lovelace"),
		"media_attachments": []any{}, "tags": []any{}, "emojis": []any{}, "reblog": nil, "poll": nil, "card": nil,
		"mentions": []any{map[string]any{"id": "1", "username": "shop", "acct": "shop", "url": "https://" + domain + "/@shop"}},
	}
}

// mention makes a notification of a post, and tells the stream; it gives the notification's id.
func (f *fake) mention(s map[string]any) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.statuses[s["id"].(string)] = s
	return f.notify("mention", s)
}

func (f *fake) notify(kind string, s map[string]any) int {
	f.next++
	n := map[string]any{"id": fmt.Sprint(f.next), "type": kind, "created_at": time.Now().UTC().Format(time.RFC3339Nano), "account": account("77", "Ada@far.test", "Ada Lovelace"), "status": s}
	f.notifications = append(f.notifications, n)
	b, _ := json.Marshal(n)
	f.tell("notification", string(b))
	return f.next
}

// confirmed waits until the adapter has asked for what comes after a notification.
func (f *fake) confirmed(ctx context.Context, id int) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		f.mu.Lock()
		ok := f.seen[token] >= id
		f.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// length is the instance's count: an address is 23, of a name the host does not count.
func length(text string) (n int) {
	for i, word := range strings.Fields(text) {
		if i > 0 {
			n++
		}
		switch {
		case strings.HasPrefix(word, "https://"):
			n += 23
		case strings.HasPrefix(word, "@") && strings.Count(word, "@") == 2:
			n += strings.LastIndexByte(word, '@')
		default:
			n += len([]rune(word))
		}
	}
	return n
}

func (f *fake) post(w http.ResponseWriter, r *http.Request, body []byte, me map[string]any) {
	var p struct {
		Status     string   `json:"status"`
		InReplyTo  string   `json:"in_reply_to_id"`
		Visibility string   `json:"visibility"`
		Media      []string `json:"media_ids"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if kind := r.Header.Get("Content-Type"); strings.HasPrefix(kind, "application/x-www-form-urlencoded") {
		v, _ := url.ParseQuery(string(body))
		p.Status, p.InReplyTo, p.Visibility, p.Media = v.Get("status"), v.Get("in_reply_to_id"), v.Get("visibility"), v["media_ids[]"]
	} else if err := d.Decode(&p); err != nil {
		f.t.Errorf("post: %v", err)
	}
	key := r.Header.Get("Idempotency-Key")
	f.mu.Lock()
	defer f.mu.Unlock()
	if id, ok := f.keys[key]; ok && key != "" {
		give(w, f.statuses[id])
		return
	}
	switch {
	case length(p.Status) > f.limit:
		refuse(w, http.StatusUnprocessableEntity, fmt.Sprintf("Validation failed: Text character limit of %d exceeded", f.limit))
		return
	case p.Status == "" && len(p.Media) == 0:
		refuse(w, http.StatusUnprocessableEntity, "Validation failed: Text can't be blank")
		return
	case !slices.Contains([]string{"public", "unlisted", "private", "direct"}, p.Visibility):
		refuse(w, http.StatusUnprocessableEntity, "visibility")
		return
	case p.InReplyTo != "" && f.statuses[p.InReplyTo] == nil:
		refuse(w, http.StatusNotFound, "The post you are trying to reply to does not appear to exist.")
		return
	}
	f.own++
	id := fmt.Sprint(f.own)
	var files []any
	for _, m := range p.Media {
		if f.media[m] == nil {
			refuse(w, http.StatusUnprocessableEntity, "Validation failed: media")
			return
		}
		files = append(files, map[string]any{"id": m, "type": "image", "url": f.URL + "/system/" + m})
	}
	s := map[string]any{
		"id": id, "created_at": time.Now().UTC().Format(time.RFC3339Nano), "in_reply_to_id": nil, "visibility": p.Visibility, "account": me,
		"content": "<p>" + strings.ReplaceAll(html.EscapeString(p.Status), "\n", "<br />") + "</p>", "media_attachments": files, "mentions": []any{}, "spoiler_text": "",
	}
	if p.InReplyTo != "" {
		s["in_reply_to_id"] = p.InReplyTo
	}
	f.statuses[id] = s
	if key != "" {
		f.keys[key] = id
	}
	f.posted = append(f.posted, s)
	name, text, _ := strings.Cut(p.Status, " ")
	if !strings.HasPrefix(name, "@") || strings.Count(name, "@") != 2 {
		f.t.Errorf("nobody is named: %q", p.Status)
	}
	f.Show(text)
	give(w, s)
}

func (f *fake) upload(w http.ResponseWriter, r *http.Request, body []byte) {
	_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	part, err := multipart.NewReader(bytes.NewReader(body), params["boundary"]).NextPart()
	if err != nil || part.FormName() != "file" {
		f.t.Errorf("upload: %v", err)
		refuse(w, http.StatusUnprocessableEntity, "file")
		return
	}
	b, _ := io.ReadAll(part)
	f.mu.Lock()
	defer f.mu.Unlock()
	id := fmt.Sprint("m", len(f.media)+1)
	f.media[id] = b
	if part.Header.Get("Content-Type") == "text/plain" {
		refuse(w, http.StatusUnprocessableEntity, "Validation failed: File content type is invalid")
		return
	}
	if f.processing > 0 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
	}
	give(w, map[string]any{"id": id, "type": "image", "url": nil})
}
