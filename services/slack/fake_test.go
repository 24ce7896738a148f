package slack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rivo/uniseg"

	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
)

const (
	token      = "xoxb-1234567890-fakeTokenOfNobody"
	otherToken = "xoxb-1234567890-fakeTokenOfAnother"
	oldSecret  = "8f742231b10e8888abcd99yyyzzz85a5"
	newSecret  = "9f742231b10e8888abcd99yyyzzz85a6"
	team       = "T0SHOP"
	botUser    = "U0BOT"
	ada        = "U0ADA"
	adaDM      = "D0ADA"
)

// fake is the Web API as its documentation says, for what this adapter calls.
// It is strict: a method or an argument that it does not know is refused and fails the test.
type fake struct {
	*hostedtest.Provider
	t testing.TB

	mu      sync.Mutex
	clock   int64
	said    map[string][]posted // by channel
	last    map[string]map[string]any
	calls   []string
	names   map[string]string // of users
	uploads map[string]*upload
	refuses map[string]map[string]any // by method: what it answers instead
	files   map[string]string         // by path: bodies, behind the token
	page    int                       // messages on a page of history
}

type posted struct {
	TS       string `json:"ts"`
	Text     string `json:"text"`
	Thread   string `json:"thread_ts,omitempty"`
	Bot      string `json:"bot_id"`
	Metadata any    `json:"metadata,omitempty"`
	files    []string
}

type upload struct {
	name   string
	length int
	data   string
	done   bool
}

var params = map[string][]string{
	"auth.test":                    {},
	"chat.postMessage":             {"channel", "text", "thread_ts", "mrkdwn", "metadata"},
	"conversations.open":           {"users", "return_im"},
	"conversations.history":        {"channel", "oldest", "latest", "inclusive", "include_all_metadata", "limit", "cursor"},
	"conversations.replies":        {"channel", "ts", "oldest", "latest", "inclusive", "include_all_metadata", "limit", "cursor"},
	"users.info":                   {"user", "include_locale"},
	"files.info":                   {"file"},
	"files.getUploadURLExternal":   {"filename", "length", "alt_text", "snippet_type"},
	"files.completeUploadExternal": {"files", "channel_id", "thread_ts", "initial_comment"},
}

func newFake(t testing.TB) *fake {
	f := &fake{
		t: t, said: map[string][]posted{}, last: map[string]map[string]any{}, names: map[string]string{ada: "Ada"},
		uploads: map[string]*upload{}, refuses: map[string]map[string]any{}, files: map[string]string{}, page: 200,
	}
	f.Provider = (&hostedtest.Provider{
		Sends:  func(r *http.Request) bool { return path.Base(r.URL.Path) == "chat.postMessage" },
		Serve:  f.serve,
		Refuse: func(w http.ResponseWriter) { f.no(w, "token_revoked") },
	}).Start(t)
	return f
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id, ok := strings.CutPrefix(r.URL.Path, "/upload/"); ok { // its address is its only secret
		u := f.uploads[id]
		if form, ok := formFile(r, body); ok { // as Slack's SDK does, with the token
			body = form
		} else if r.Header.Get("Authorization") != "" {
			f.t.Error("the token goes where it is not needed")
		}
		if u == nil || r.Method != http.MethodPost || len(body) != u.length {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		u.data = string(body)
		fmt.Fprintf(w, "OK - %d", len(body))
		return
	}
	bearer := r.Header.Get("Authorization")
	if strings.HasPrefix(r.URL.Path, "/files-pri/") {
		data, ok := f.files[r.URL.Path]
		switch {
		case bearer != "Bearer "+token:
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!DOCTYPE html><html><head><title>Sign in</title>")
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		default:
			fmt.Fprint(w, data)
		}
		return
	}
	method := strings.TrimPrefix(r.URL.Path, "/api/")
	args, err := arguments(r, body)
	known, ok := params[method]
	if !ok || err != nil {
		f.t.Errorf("there is no %s %s: %v", r.Method, r.URL.Path, err)
		f.no(w, "unknown_method")
		return
	}
	for k := range args {
		if !slices.Contains(known, k) && k != "token" {
			f.t.Errorf("%s has no argument %s", method, k)
		}
	}
	f.calls, f.last[method] = append(f.calls, method), args
	switch {
	case bearer != "Bearer "+token && bearer != "Bearer "+otherToken:
		f.no(w, "invalid_auth")
	case f.refuses[method] != nil:
		json.NewEncoder(w).Encode(f.refuses[method])
	default:
		f.method(w, method, args)
	}
}

// formFile is the file of a form: uploads are such, or the bytes alone.
func formFile(r *http.Request, body []byte) ([]byte, bool) {
	kind, p, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return nil, false
	}
	part, err := multipart.NewReader(bytes.NewReader(body), p["boundary"]).NextPart()
	if err != nil {
		return nil, false
	}
	b, err := io.ReadAll(part)
	return b, err == nil
}

func (f *fake) method(w http.ResponseWriter, method string, args map[string]any) {
	arg := func(k string) string { s, _ := args[k].(string); return s }
	switch method {
	case "auth.test":
		f.yes(w, map[string]any{"url": "https://shop.slack.com/", "team": "Shop", "team_id": team, "user": "hub", "user_id": botUser, "bot_id": "B0BOT"})
	case "users.info":
		if f.names[arg("user")] == "" {
			f.no(w, "user_not_found")
			return
		}
		f.yes(w, map[string]any{"user": map[string]any{"id": arg("user"), "team_id": team, "name": "ada", "profile": map[string]any{"display_name": f.names[arg("user")], "real_name": "Ada Lovelace"}}})
	case "conversations.open":
		if f.names[arg("users")] == "" {
			f.no(w, "user_not_found")
			return
		}
		f.yes(w, map[string]any{"channel": map[string]any{"id": "D" + strings.TrimPrefix(arg("users"), "U")}})
	case "chat.postMessage":
		f.post(w, args)
	case "conversations.history", "conversations.replies":
		f.history(w, method, args)
	case "files.info":
		f.yes(w, map[string]any{"file": map[string]any{"id": arg("file"), "url_private": f.URL + "/files-pri/" + arg("file")}})
	case "files.getUploadURLExternal":
		var n int
		fmt.Sscan(fmt.Sprint(args["length"]), &n)
		id := fmt.Sprintf("F0UP%d", len(f.uploads)+1)
		f.uploads[id] = &upload{name: arg("filename"), length: n}
		f.yes(w, map[string]any{"upload_url": f.URL + "/upload/" + id, "file_id": id})
	case "files.completeUploadExternal":
		f.complete(w, args)
	}
}

func (f *fake) post(w http.ResponseWriter, args map[string]any) {
	in, _ := args["channel"].(string)
	text, _ := args["text"].(string)
	switch n := len([]rune(text)); {
	case in == "" || !strings.ContainsAny(in[:1], "CDG"):
		f.no(w, "channel_not_found")
		return
	case n == 0:
		f.no(w, "no_text")
		return
	case n > 40_000:
		f.no(w, "msg_too_long")
		return
	}
	if markup := args["mrkdwn"]; markup != false && markup != "false" {
		f.t.Errorf("stars and underscores of %q become bold and italic", text)
	}
	m := f.add(in, text, args)
	f.Show(strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text))
	f.yes(w, map[string]any{"channel": in, "ts": m.TS, "message": m})
}

func (f *fake) add(in, text string, args map[string]any) posted {
	f.clock++
	thread, _ := args["thread_ts"].(string)
	m := posted{TS: fmt.Sprintf("%d.%06d", time.Now().Unix(), f.clock), Text: text, Thread: thread, Bot: "B0BOT", Metadata: args["metadata"]}
	f.said[in] = append(f.said[in], m)
	return m
}

// history gives the latest first, the replies of a thread the first first; without being asked, no metadata.
func (f *fake) history(w http.ResponseWriter, method string, args map[string]any) {
	in, _ := args["channel"].(string)
	oldest, _ := args["oldest"].(string)
	ts, _ := args["ts"].(string)
	var all []posted
	for _, m := range f.said[in] {
		if m.Thread == ts && (oldest == "" || m.TS >= oldest) {
			if args["include_all_metadata"] != "true" {
				m.Metadata = nil
			}
			all = append(all, m)
		}
	}
	if method == "conversations.history" {
		slices.Reverse(all)
	}
	from := 0
	if c, _ := args["cursor"].(string); c != "" {
		fmt.Sscan(c, &from)
	}
	end := min(from+f.page, len(all))
	more, next := end < len(all), ""
	if more {
		next = fmt.Sprint(end)
	}
	f.yes(w, map[string]any{"messages": all[from:end], "has_more": more, "response_metadata": map[string]any{"next_cursor": next}})
}

func (f *fake) complete(w http.ResponseWriter, args map[string]any) {
	list, _ := args["files"].([]any)
	in, _ := args["channel_id"].(string)
	var names []string
	for _, e := range list {
		id, _ := e.(map[string]any)["id"].(string)
		u := f.uploads[id]
		if u == nil || u.done || len(u.data) != u.length {
			f.no(w, "file_not_found")
			return
		}
		u.done = true
		names = append(names, u.name+"="+u.data)
	}
	if len(names) == 0 || in == "" {
		f.no(w, "invalid_arguments")
		return
	}
	f.clock++
	f.said[in] = append(f.said[in], posted{TS: fmt.Sprintf("%d.%06d", time.Now().Unix(), f.clock), Bot: "B0BOT", files: names})
	f.yes(w, map[string]any{"files": list})
}

// arguments come as JSON, as a form (objects in it as JSON) or in the query.
func arguments(r *http.Request, body []byte) (map[string]any, error) {
	args := map[string]any{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return args, json.Unmarshal(body, &args)
	}
	form := r.URL.Query()
	if r.Method == http.MethodPost {
		var err error
		if form, err = url.ParseQuery(string(body)); err != nil {
			return nil, err
		}
	}
	for k := range form {
		args[k] = form.Get(k)
		var v any
		if strings.HasPrefix(form.Get(k), "{") || strings.HasPrefix(form.Get(k), "[{") {
			if json.Unmarshal([]byte(form.Get(k)), &v) == nil {
				args[k] = v
			}
		}
	}
	return args, nil
}

func (f *fake) yes(w http.ResponseWriter, v map[string]any) {
	v["ok"] = true
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(v)
}

func (f *fake) no(w http.ResponseWriter, code string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(map[string]any{"ok": false, "error": code})
}

// stamp is the ts of a message by its name in a test: the same name, the same ts.
func stamp(name string, at time.Time) string {
	sum := 0
	if at.Nanosecond() == 0 {
		name = "" // of a message whose time is looked at
	}
	for _, b := range []byte(name) {
		sum = (sum*31 + int(b)) % 1_000_000
	}
	return fmt.Sprintf("%d.%06d", at.Unix(), sum)
}

// wrapped is an event in its envelope.
func wrapped(eventID string, event map[string]any) map[string]any {
	return map[string]any{
		"token": "Jhj5dZrVaK7ZwHHjRyZWjbDl", "team_id": team, "api_app_id": "A0HUB", "type": "event_callback", "event_id": eventID, "event_time": time.Now().Unix(),
		"authorizations": []any{map[string]any{"team_id": team, "user_id": botUser, "is_bot": true}}, "is_ext_shared_channel": false, "event": event,
	}
}

// typed is what Slack makes of what somebody types: three characters escaped,
// emoji as their names, which its blocks explain.
func typed(text string) (string, []any) {
	var out strings.Builder
	var emoji []any
	for rest, state := text, -1; rest != ""; {
		var cluster string
		cluster, rest, _, state = uniseg.StepString(rest, state)
		if r := []rune(cluster); r[0] >= 0x1f300 {
			var code []string
			for _, c := range r {
				code = append(code, fmt.Sprintf("%x", c))
			}
			name := "e" + strings.Join(code, "_")
			emoji = append(emoji, map[string]any{"type": "emoji", "name": name, "unicode": strings.Join(code, "-")})
			out.WriteString(":" + name + ":")
			continue
		}
		out.WriteString(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(cluster))
	}
	return out.String(), []any{map[string]any{"type": "rich_text", "elements": []any{map[string]any{"type": "rich_text_section", "elements": emoji}}}}
}

func said(id, text string, at time.Time) map[string]any {
	words, blocks := typed(text)
	ts := stamp(id, at)
	return wrapped("Ev"+id, map[string]any{
		"type": "message", "channel_type": "im", "channel": adaDM, "user": ada, "team": team, "text": words, "ts": ts, "event_ts": ts,
		"client_msg_id": "5b9e2a26-6f6f-4d7e-9b1e-" + id, "blocks": blocks,
	})
}
