package discord_test

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
)

const (
	token      = "OTAwMDAwMDAwMDAwMDAwMDAx.G5toRy.a-token-of-the-shop-of-nobody"
	otherToken = "OTAwMDAwMDAwMDAwMDAwMDAy.G5toRy.a-token-of-another-of-nobody"
	shop       = "900000000000000001"
	another    = "900000000000000002"
	ada        = "700000000000000001"
	adaDM      = "500000000000000001" // Ada and the shop
	otherDM    = "500000000000000002" // Ada and another
)

// fake is Discord's API as its documentation says, for what this adapter calls.
// It is strict: what it does not know, and a limit that is passed, are refused.
type fake struct {
	*hostedtest.Provider
	t testing.TB

	mu       sync.Mutex
	bots     map[string]map[string]any // by token
	places   map[string]place          // by channel
	said     map[string][]map[string]any
	ids      map[string]string // of messages, by the names that tests give them
	last     int64             // id
	nonces   map[string]map[string]any
	lists    bool // nonces are listed
	files    map[string][]byte
	blocked  bool
	posts    []post
	header   http.Header // of answers to posts
	sessions []*session  // the last one of a bot is open
	silent   bool        // heartbeats are not answered
	beat     int64       // heartbeat_interval in milliseconds
	starts   int         // sessions that may still begin today
	asked    []string    // calls, in order
	revoked  bool
	offline  bool                                              // what is said is told to nobody
	closing  int                                               // code with which who identifies himself is sent away; 0: none
	instead  func(w http.ResponseWriter, r *http.Request) bool // answers a call itself; nil: none
}

// place is a channel of direct messages.
type place struct {
	bot, with string
	kind      int
}

// post is a message that was sent, as it was asked for.
type post struct {
	Channel  string
	Content  string          `json:"content"`
	Nonce    string          `json:"nonce"`
	Enforce  bool            `json:"enforce_nonce"`
	Mentions json.RawMessage `json:"allowed_mentions"`
	Answers  *struct {
		Message string `json:"message_id"`
	} `json:"message_reference"`
	Files []string // name=content
}

func newFake(t testing.TB) *fake {
	f := &fake{
		t: t, said: map[string][]map[string]any{}, ids: map[string]string{}, nonces: map[string]map[string]any{}, files: map[string][]byte{}, header: http.Header{},
		beat: 41250, starts: 1000,
		bots:   map[string]map[string]any{token: person(shop, "shop", "", true), otherToken: person(another, "another", "", true)},
		places: map[string]place{adaDM: {shop, ada, 1}, otherDM: {another, ada, 1}},
	}
	f.Provider = (&hostedtest.Provider{
		Sends: func(r *http.Request) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/messages")
		},
		Serve: f.serve,
	}).Start(t)
	f.Spare(func(r *http.Request) bool { return !strings.HasPrefix(r.URL.Path, "/api/") })
	return f
}

func person(id, name, global string, bot bool) map[string]any {
	u := map[string]any{"id": id, "username": name, "discriminator": "0", "global_name": nil, "avatar": nil, "bot": bot, "public_flags": 0}
	if global != "" {
		u["global_name"] = global
	}
	return u
}

func refuse(w http.ResponseWriter, status, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"code": code, "message": text})
}

func give(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	f.mu.Lock()
	instead := f.instead
	f.mu.Unlock()
	if instead != nil && instead(w, r) {
		return
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/gateway"):
		f.gateway(w, r)
		return
	case strings.HasPrefix(r.URL.Path, "/cdn/"):
		f.cdn(w, r)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bot ")
	me := f.bots[given]
	if !strings.HasPrefix(r.Header.Get("User-Agent"), "DiscordBot (") {
		refuse(w, http.StatusForbidden, 40333, "Cloudflare is blocking your request")
		return
	}
	if !ok || me == nil {
		refuse(w, http.StatusUnauthorized, 0, "401: Unauthorized")
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/api/v10")
	if !ok {
		f.t.Errorf("%s is no address of version 10", r.URL.Path)
	}
	f.asked = append(f.asked, r.Method+" "+path)
	part := strings.Split(path, "/")
	switch {
	case path == "/users/@me" && r.Method == http.MethodGet:
		give(w, me)
	case path == "/applications/@me":
		give(w, map[string]any{"id": me["id"], "name": me["username"], "bot": me, "flags": 0})
	case path == "/gateway/bot":
		give(w, map[string]any{"url": f.ws("/gateway"), "shards": 1, "session_start_limit": map[string]any{"total": 1000, "remaining": f.starts, "reset_after": 14400000, "max_concurrency": 1}})
	case path == "/users/@me/channels" && r.Method == http.MethodPost:
		f.open(w, me, body)
	case part[1] == "channels" && len(part) > 2:
		p, ok := f.places[part[2]]
		if !ok {
			refuse(w, http.StatusNotFound, 10003, "Unknown Channel")
			return
		}
		if p.bot != me["id"] {
			refuse(w, http.StatusForbidden, 50001, "Missing Access")
			return
		}
		f.inChannel(w, r, part[2], part[3:], me, body)
	default:
		f.t.Errorf("%s %s is not known to the fake", r.Method, path)
		refuse(w, http.StatusNotFound, 0, "404: Not Found")
	}
}

func (f *fake) inChannel(w http.ResponseWriter, r *http.Request, channelID string, rest []string, me map[string]any, body []byte) {
	switch route := strings.Join(rest, "/"); {
	case route == "" && r.Method == http.MethodGet:
		p := f.places[channelID]
		give(w, map[string]any{"id": channelID, "type": p.kind, "last_message_id": nil, "flags": 0, "recipients": []any{person(p.with, "ada", "Ada Lovelace", false)}})
	case route == "typing" && r.Method == http.MethodPost:
		w.WriteHeader(http.StatusNoContent)
	case route == "messages" && r.Method == http.MethodPost:
		f.create(w, r, channelID, me, body)
	case route == "messages" && r.Method == http.MethodGet:
		f.list(w, r, channelID)
	case len(rest) == 2 && rest[0] == "messages" && r.Method == http.MethodGet:
		for _, m := range f.said[channelID] {
			if m["id"] == rest[1] {
				give(w, m)
				return
			}
		}
		refuse(w, http.StatusNotFound, 10008, "Unknown Message")
	default:
		f.t.Errorf("%s %s is not known to the fake", r.Method, r.URL.Path)
		refuse(w, http.StatusNotFound, 0, "404: Not Found")
	}
}

// open: the channel with somebody is always the same ("Create DM").
func (f *fake) open(w http.ResponseWriter, me map[string]any, body []byte) {
	var v struct {
		User string `json:"recipient_id"`
	}
	if json.Unmarshal(body, &v) != nil || v.User == "" {
		refuse(w, http.StatusBadRequest, 50035, "Invalid Form Body")
		return
	}
	for id, p := range f.places {
		if p.bot == me["id"] && p.with == v.User && p.kind == 1 {
			give(w, map[string]any{"id": id, "type": 1, "last_message_id": nil, "flags": 0, "recipients": []any{person(v.User, "ada", "Ada Lovelace", false)}})
			return
		}
	}
	refuse(w, http.StatusBadRequest, 10013, "Unknown User")
}

// list: after gives what is next to it, newest first ("Get Channel Messages").
func (f *fake) list(w http.ResponseWriter, r *http.Request, channelID string) {
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	after, err2 := strconv.ParseInt("0"+q.Get("after"), 10, 64)
	if q.Get("limit") == "" {
		limit, err = 50, nil
	}
	if err != nil || err2 != nil || limit < 1 || limit > 100 {
		refuse(w, http.StatusBadRequest, 50035, "Invalid Form Body")
		return
	}
	out := []map[string]any{}
	for _, m := range f.said[channelID] {
		if id, _ := strconv.ParseInt(m["id"].(string), 10, 64); id > after {
			shown := map[string]any{}
			for k, v := range m {
				if k != "nonce" || f.lists {
					shown[k] = v
				}
			}
			out = append(out, shown)
		}
	}
	if q.Has("after") {
		out = out[:min(limit, len(out))]
	} else {
		out = out[max(0, len(out)-limit):]
	}
	slices.Reverse(out)
	give(w, out)
}

// create is "Create Message".
func (f *fake) create(w http.ResponseWriter, r *http.Request, channelID string, me map[string]any, body []byte) {
	p := post{Channel: channelID}
	files, err := readForm(r.Header.Get("Content-Type"), body, &p)
	switch {
	case err != nil:
		refuse(w, http.StatusBadRequest, 50109, "The request body contains invalid JSON.")
		return
	case f.blocked:
		refuse(w, http.StatusForbidden, 50007, "Cannot send messages to this user")
		return
	case p.Content == "" && len(files) == 0:
		refuse(w, http.StatusBadRequest, 50006, "Cannot send an empty message")
		return
	case utf8.RuneCountInString(p.Content) > 2000 || len(p.Nonce) > 25 || len(files) > 10:
		refuse(w, http.StatusBadRequest, 50035, "Invalid Form Body")
		return
	}
	for k, v := range f.header {
		w.Header()[k] = v
	}
	if key := me["id"].(string) + p.Nonce; p.Nonce != "" && p.Enforce && f.nonces[key] != nil {
		give(w, f.nonces[key])
		return
	}
	m := f.message(channelID, me, p.Content, time.Now())
	m["nonce"] = p.Nonce
	for i, file := range files {
		name, content, _ := strings.Cut(file, "=")
		path := fmt.Sprintf("/cdn/%s/%d/%s", m["id"], i, name)
		f.files[path] = []byte(content)
		m["attachments"] = append(m["attachments"].([]any), map[string]any{"id": f.next(), "filename": name, "size": len(content), "url": f.URL + path, "proxy_url": f.URL + path})
	}
	if p.Answers != nil {
		m["type"], m["message_reference"] = 19, map[string]any{"type": 0, "channel_id": channelID, "message_id": p.Answers.Message}
	}
	p.Files = files
	f.posts = append(f.posts, p)
	f.said[channelID] = append(f.said[channelID], m)
	if p.Nonce != "" {
		f.nonces[me["id"].(string)+p.Nonce] = m
	}
	f.Show(rendered(p.Content))
	f.dispatch(me["id"].(string), "MESSAGE_CREATE", m)
	give(w, m)
}

// readForm reads JSON, or a form with payload_json and files[n].
func readForm(kind string, body []byte, p *post) (files []string, err error) {
	media, params, _ := mime.ParseMediaType(kind)
	if media == "application/json" {
		return nil, json.Unmarshal(body, p)
	}
	form := multipart.NewReader(strings.NewReader(string(body)), params["boundary"])
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		b, _ := io.ReadAll(part)
		switch name := part.FormName(); {
		case name == "payload_json":
			if err := json.Unmarshal(b, p); err != nil {
				return nil, err
			}
		case name == fmt.Sprintf("files[%d]", len(files)):
			files = append(files, part.FileName()+"="+string(b))
		default:
			return nil, fmt.Errorf("a part is called %q", name)
		}
	}
}

func (f *fake) cdn(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		f.t.Error("a credential goes to a file's server")
	}
	f.mu.Lock()
	b, ok := f.files[r.URL.RequestURI()]
	f.mu.Unlock()
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, "This content is no longer available.")
		return
	}
	w.Write(b)
}

// next is an id that is behind all others; f.mu is held.
func (f *fake) next() string {
	now := time.Since(time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)).Milliseconds() << 22
	f.last = max(f.last+1<<12, now)
	return strconv.FormatInt(f.last, 10)
}

// message is one that somebody writes; f.mu is held.
func (f *fake) message(channelID string, author map[string]any, content string, at time.Time) map[string]any {
	return map[string]any{
		"id": f.next(), "channel_id": channelID, "author": author, "content": content, "timestamp": at.UTC().Format("2006-01-02T15:04:05.000000+00:00"), "edited_timestamp": nil,
		"tts": false, "mention_everyone": false, "mentions": []any{}, "mention_roles": []any{}, "attachments": []any{}, "embeds": []any{}, "components": []any{}, "pinned": false, "type": 0, "flags": 0,
	}
}

// rendered is what people see of a text without markup: what stands behind a backslash. Links are left alone.
var (
	unmarked = regexp.MustCompile("\\\\([!-/:-@\\[-`{-~])")
	linked   = regexp.MustCompile(`https?://[^\s<]+[^<.,:;"'\]\s]`)
)

func rendered(text string) string {
	var b strings.Builder
	at := 0
	for _, s := range linked.FindAllStringIndex(text, -1) {
		b.WriteString(unmarked.ReplaceAllString(text[at:s[0]], "$1") + text[s[0]:s[1]])
		at = s[1]
	}
	return b.String() + unmarked.ReplaceAllString(text[at:], "$1")
}

var upgrader = websocket.Upgrader{}
