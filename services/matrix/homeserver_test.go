package matrix_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
)

// homeserver is the client-server API as its specification says, for what this
// adapter and the customers of the tests call. It is strict: what it does not know is refused and fails the test.
type homeserver struct {
	*hostedtest.Provider
	t testing.TB

	mu       sync.Mutex
	wake     chan struct{}
	pos      int // of the last thing that happened
	tokens   map[string]login
	accounts map[string]string // user: password
	rooms    map[string]*fakeRoom
	done     map[string]string // by user and transaction: its event
	media    map[string][]byte
	oldMedia bool // knows only media/v3
	typing   map[string]bool
	seen     map[string]int // by user: the since of the last sync
	logins   int
	lost     bool // does not know any since
	clock    func() time.Time
}

type login struct{ user, device string }

type fakeRoom struct {
	id     string
	events []*fakeEvent
	reads  []fakeRead
}

type fakeEvent struct {
	pos      int
	id       string
	kind     string
	sender   string
	key      *string // of state
	at       int64
	redacts  string
	txn      string
	content  map[string]any
	was      string // membership before
	redacted bool
}

type fakeRead struct {
	pos         int
	user, event string
	at          int64
}

const server = "story.test"

func newHomeserver(t testing.TB) *homeserver {
	h := &homeserver{
		t: t, wake: make(chan struct{}), tokens: map[string]login{}, accounts: map[string]string{}, rooms: map[string]*fakeRoom{},
		done: map[string]string{}, media: map[string][]byte{}, typing: map[string]bool{}, seen: map[string]int{},
		clock: time.Now,
	}
	h.Provider = (&hostedtest.Provider{Sends: sends, Serve: h.serve}).Start(t)
	return h
}

// sends says whether a call sends a message.
func sends(r *http.Request) bool {
	return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/send/m.room.message/weftline.")
}

func (h *homeserver) account(name string) (base, token string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	user := "@" + name + ":" + server
	h.accounts[user] = "secret"
	token = "tok_" + name
	h.tokens[token] = login{user, "D" + name}
	return h.URL, token
}

func deny(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"errcode": code, "error": text})
}

func give(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func (h *homeserver) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	p := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/_matrix/"), "/")
	for i := range p {
		p[i] = unescape(p[i])
	}
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/v3/login") {
		h.login(w, body)
		return
	}
	h.mu.Lock()
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	who, ok := h.tokens[token]
	old := h.oldMedia
	h.mu.Unlock()
	isOld := len(p) > 2 && p[0] == "media" && p[2] == "download"
	if !ok && !isOld {
		deny(w, http.StatusUnauthorized, "M_UNKNOWN_TOKEN", "Unknown token")
		return
	}
	switch {
	case len(p) >= 5 && p[0] == "media" && p[2] == "download", len(p) >= 6 && strings.Join(p[:4], "/") == "client/v1/media/download":
		if !isOld && old {
			deny(w, http.StatusNotFound, "M_UNRECOGNIZED", "Unrecognized request")
			return
		}
		h.mu.Lock()
		b, ok := h.media["mxc://"+strings.Join(p[len(p)-2:], "/")]
		h.mu.Unlock()
		if !ok || isOld != old {
			deny(w, http.StatusNotFound, "M_NOT_FOUND", "Media not found")
			return
		}
		w.Write(b)
		return
	case p[0] == "media" && p[2] == "upload":
		h.mu.Lock()
		uri := fmt.Sprintf("mxc://%s/up%d", server, len(h.media))
		h.media[uri] = body
		h.mu.Unlock()
		give(w, map[string]any{"content_uri": uri})
		return
	case p[0] != "client" || p[1] != "v3":
	case p[2] == "sync":
		h.sync(w, r, who)
		return
	default:
		var args map[string]any
		if len(body) > 0 && json.Unmarshal(body, &args) != nil {
			deny(w, http.StatusBadRequest, "M_NOT_JSON", "Content not JSON.")
			return
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.call(w, r, who, token, p[2:], args) {
			return
		}
	}
	h.t.Errorf("%s %s is not known to the fake", r.Method, r.URL.Path)
	deny(w, http.StatusNotFound, "M_UNRECOGNIZED", "Unrecognized request")
}

func (h *homeserver) login(w http.ResponseWriter, body []byte) {
	var a struct {
		Type, Password string
		Device         string `json:"device_id"`
		Identifier     struct{ Type, User string }
	}
	json.Unmarshal(body, &a)
	user := a.Identifier.User
	if !strings.HasPrefix(user, "@") {
		user = "@" + user + ":" + server
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if a.Type != "m.login.password" || a.Identifier.Type != "m.id.user" || h.accounts[user] == "" || h.accounts[user] != a.Password {
		deny(w, http.StatusForbidden, "M_FORBIDDEN", "Invalid username or password")
		return
	}
	h.logins++
	device := a.Device
	if device == "" {
		device = fmt.Sprint("GEN", h.logins)
	}
	maps.DeleteFunc(h.tokens, func(_ string, l login) bool { return l == login{user, device} })
	token := fmt.Sprint("session_", h.logins)
	h.tokens[token] = login{user, device}
	give(w, map[string]any{"access_token": token, "user_id": user, "device_id": device})
}

// call serves everything but sync; h.mu is held. False: there is no such call.
func (h *homeserver) call(w http.ResponseWriter, r *http.Request, who login, token string, p []string, args map[string]any) bool {
	key := r.Method + " " + p[0]
	if p[0] == "rooms" && len(p) > 2 {
		key = r.Method + " rooms " + p[2]
	}
	switch key {
	case "GET account":
		give(w, map[string]any{"user_id": who.user, "device_id": who.device})
		return true
	case "POST logout":
		delete(h.tokens, token)
		give(w, struct{}{})
		return true
	case "POST createRoom":
		h.create(w, who.user, args)
		return true
	}
	if len(p) < 2 {
		return false
	}
	room := h.rooms[p[1]]
	if room == nil {
		deny(w, http.StatusForbidden, "M_FORBIDDEN", "You are not in that room")
		return true
	}
	if key == "POST join" {
		if m := room.membership(who.user); m != "invite" && m != "join" {
			deny(w, http.StatusForbidden, "M_FORBIDDEN", "You are not invited to this room.")
			return true
		}
		h.member(room, who.user, who.user, "join", nil)
		give(w, map[string]any{"room_id": room.id})
		return true
	}
	in := room.membership(who.user)
	if in != "join" && !(key == "POST rooms leave" && in == "invite") && !(in == "leave" && r.Method == http.MethodGet) {
		deny(w, http.StatusForbidden, "M_FORBIDDEN", fmt.Sprintf("User %s not in room %s", who.user, room.id))
		return true
	}
	switch key {
	case "POST rooms leave":
		h.member(room, who.user, who.user, "leave", map[string]any{"reason": args["reason"]})
		give(w, struct{}{})
	case "POST rooms invite":
		h.member(room, who.user, fmt.Sprint(args["user_id"]), "invite", nil)
		give(w, struct{}{})
	case "PUT rooms send":
		h.send(w, who, room, p[3], p[4], args, "")
	case "PUT rooms redact":
		h.send(w, who, room, "m.room.redaction", p[4], args, p[3])
	case "PUT rooms state":
		e := h.add(room, p[3], who.user, "", args)
		give(w, map[string]any{"event_id": e.id})
	case "PUT rooms typing":
		h.typing[room.id+" "+p[3]] = args["typing"] == true
		give(w, struct{}{})
	case "POST rooms receipt":
		h.pos++
		room.reads = append(room.reads, fakeRead{h.pos, who.user, p[4], h.clock().UnixMilli()})
		h.stir()
		give(w, struct{}{})
	case "GET rooms state":
		out := []any{}
		for _, e := range room.state(h.pos) {
			out = append(out, e.json(who.user, room.id))
		}
		give(w, out)
	case "GET rooms messages":
		h.messages(w, r, who, room)
	default:
		return false
	}
	return true
}

func (h *homeserver) create(w http.ResponseWriter, user string, args map[string]any) {
	room := &fakeRoom{id: fmt.Sprintf("!room%d:%s", len(h.rooms)+1, server)}
	h.rooms[room.id] = room
	h.state(room, "m.room.create", user, "", map[string]any{"room_version": "11"})
	h.member(room, user, user, "join", nil)
	if list, ok := args["initial_state"].([]any); ok {
		for _, v := range list {
			s := v.(map[string]any)
			h.state(room, s["type"].(string), user, "", s["content"].(map[string]any))
		}
	}
	if name, ok := args["name"].(string); ok {
		h.state(room, "m.room.name", user, "", map[string]any{"name": name})
	}
	invited, _ := args["invite"].([]any)
	for _, v := range invited {
		extra := map[string]any{}
		if args["is_direct"] == true {
			extra["is_direct"] = true
		}
		h.member(room, user, v.(string), "invite", extra)
	}
	give(w, map[string]any{"room_id": room.id})
}

func (h *homeserver) state(room *fakeRoom, kind, sender, key string, content map[string]any) *fakeEvent {
	e := h.add(room, kind, sender, "", content)
	e.key = &key
	return e
}

func (h *homeserver) member(room *fakeRoom, sender, user, membership string, extra map[string]any) {
	was := room.membership(user)
	content := map[string]any{"membership": membership}
	if membership == "join" {
		name, _, _ := strings.Cut(user[1:], ":")
		content["displayname"] = strings.ToUpper(name[:1]) + name[1:]
	}
	maps.Copy(content, extra)
	h.state(room, "m.room.member", sender, user, content).was = was
}

// add appends an event; h.mu is held.
func (h *homeserver) add(room *fakeRoom, kind, sender, txn string, content map[string]any) *fakeEvent {
	h.pos++
	sum := sha256.Sum256([]byte(fmt.Sprint(room.id, h.pos)))
	e := &fakeEvent{
		pos: h.pos, id: "$" + base64.RawURLEncoding.EncodeToString(sum[:]), kind: kind, sender: sender, at: h.clock().UnixMilli(), txn: txn, content: content,
	}
	room.events = append(room.events, e)
	h.stir()
	return e
}

func (h *homeserver) stir() {
	close(h.wake)
	h.wake = make(chan struct{})
}

// send adds an event once for each transaction of a session ("Transaction identifiers").
func (h *homeserver) send(w http.ResponseWriter, who login, room *fakeRoom, kind, txn string, content map[string]any, redacts string) {
	key := strings.Join([]string{who.user, who.device, room.id, kind, txn}, " ")
	if id, ok := h.done[key]; ok {
		give(w, map[string]any{"event_id": id})
		return
	}
	if b, _ := json.Marshal(content); len(b) > 65_000 {
		deny(w, http.StatusRequestEntityTooLarge, "M_TOO_LARGE", "event too large")
		return
	}
	e := h.add(room, kind, who.user, txn, content)
	if redacts != "" {
		e.redacts = redacts
		for _, x := range room.events {
			if x.id == redacts {
				x.content, x.redacted = map[string]any{}, true
			}
		}
	}
	h.done[key] = e.id
	give(w, map[string]any{"event_id": e.id})
}

func (r *fakeRoom) membership(user string) (m string) {
	for _, e := range r.events {
		if e.kind == "m.room.member" && e.key != nil && *e.key == user {
			m = e.content["membership"].(string)
		}
	}
	return m
}

// state is the room's at a position.
func (r *fakeRoom) state(at int) []*fakeEvent {
	latest := map[string]*fakeEvent{}
	for _, e := range r.events {
		if e.key != nil && e.pos <= at {
			latest[e.kind+" "+*e.key] = e
		}
	}
	out := slices.Collect(maps.Values(latest))
	slices.SortFunc(out, func(x, y *fakeEvent) int { return x.pos - y.pos })
	return out
}

func (e *fakeEvent) json(to, room string) map[string]any {
	out := map[string]any{"event_id": e.id, "type": e.kind, "sender": e.sender, "origin_server_ts": e.at, "content": e.content}
	unsigned := map[string]any{"age": 1}
	if e.key != nil {
		out["state_key"] = *e.key
		if e.was != "" {
			unsigned["prev_content"] = map[string]any{"membership": e.was}
		}
	}
	if room != "" {
		out["room_id"] = room
	}
	if e.redacts != "" {
		out["redacts"] = e.redacts
		c := maps.Clone(e.content)
		c["redacts"] = e.redacts
		out["content"] = c
	}
	if e.redacted {
		unsigned["redacted_because"] = map[string]any{"type": "m.room.redaction"}
	}
	if e.txn != "" && e.sender == to {
		unsigned["transaction_id"] = e.txn
	}
	out["unsigned"] = unsigned
	return out
}

func position(token string) (int, bool) {
	if token == "" {
		return 0, true
	}
	n, err := strconv.Atoi(token[1:])
	return n, err == nil && (token[0] == 's' || token[0] == 't')
}
