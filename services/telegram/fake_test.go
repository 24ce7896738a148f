package telegram_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
)

const (
	token      = "123456789:AAfakeTokenOfNobody_0123456789abcde"
	otherToken = "987654321:AAfakeTokenOfNobody_0123456789abcde"
	adaID      = 700001
)

// fake is the Bot API as its documentation says, for what this adapter calls.
// It is strict: a method or a parameter that it does not know, and a limit that is
// passed, are refused.
type fake struct {
	*hostedtest.Provider
	t testing.TB

	mu       sync.Mutex
	queue    []queued
	nextID   int64
	sent     int64
	hook     map[string]any
	trouble  map[string]any // of the webhook, in getWebhookInfo
	wake     chan struct{}
	calls    []string // methods other than getUpdates, in order
	last     map[string]map[string]any
	blocked  bool
	conflict string
	offsets  []int64
	files    map[string][]byte
}

type queued struct {
	id   int64
	body json.RawMessage
	done chan struct{}
}

var params = map[string][]string{
	"getMe": {}, "getWebhookInfo": {}, "deleteWebhook": {"drop_pending_updates"},
	"setWebhook":          {"url", "secret_token", "allowed_updates", "max_connections", "drop_pending_updates", "ip_address"},
	"getUpdates":          {"offset", "limit", "timeout", "allowed_updates"},
	"sendMessage":         {"chat_id", "text", "reply_parameters", "entities", "parse_mode", "link_preview_options"},
	"sendPhoto":           {"chat_id", "caption", "reply_parameters", "photo"},
	"sendDocument":        {"chat_id", "caption", "reply_parameters", "document"},
	"sendChatAction":      {"chat_id", "action"},
	"answerCallbackQuery": {"callback_query_id", "text", "show_alert"},
	"getFile":             {"file_id"},
}

func newFake(t testing.TB) *fake {
	f := &fake{t: t, nextID: 5000, wake: make(chan struct{}), last: map[string]map[string]any{}, files: map[string][]byte{}}
	f.Provider = (&hostedtest.Provider{
		Sends: func(r *http.Request) bool { return strings.HasPrefix(path.Base(r.URL.Path), "sendM") },
		Serve: f.serve,
	}).Start(t)
	return f
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	rest, isFile := strings.CutPrefix(r.URL.Path, "/file")
	given, method, _ := strings.Cut(strings.TrimPrefix(rest, "/bot"), "/")
	if given != token && given != otherToken {
		refuse(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	if isFile {
		f.mu.Lock()
		b, ok := f.files[method]
		f.mu.Unlock()
		if !ok {
			refuse(w, http.StatusNotFound, "Not Found")
			return
		}
		w.Write(b)
		return
	}
	allowed, ok := params[method]
	if !ok {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	args, err := arguments(r, body)
	if err != nil {
		f.t.Errorf("%s: %v", method, err)
		refuse(w, http.StatusBadRequest, "Bad Request: "+err.Error())
		return
	}
	for k := range args {
		if !slices.Contains(allowed, k) {
			f.t.Errorf("%s has no parameter %s", method, k)
			refuse(w, http.StatusBadRequest, "Bad Request: unknown parameter "+k)
			return
		}
	}
	if method == "getUpdates" && given == otherToken { // nobody writes to that bot
		<-r.Context().Done()
		return
	}
	if method == "getUpdates" {
		f.updates(w, r, args)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.last[method] = append(f.calls, method), args
	f.method(w, method, args)
}

func (f *fake) method(w http.ResponseWriter, method string, args map[string]any) {
	switch method {
	case "getMe":
		grant(w, map[string]any{"id": 123456789, "is_bot": true, "first_name": "Shop", "username": "shop_bot"})
	case "setWebhook":
		if !strings.HasPrefix(fmt.Sprint(args["url"]), "https://") {
			refuse(w, http.StatusBadRequest, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
			return
		}
		f.hook = args
		grant(w, true)
	case "deleteWebhook":
		f.hook = nil
		grant(w, true)
	case "getWebhookInfo":
		info := map[string]any{"url": "", "has_custom_certificate": false, "pending_update_count": 0}
		if f.hook != nil {
			maps.Copy(info, f.hook)
			delete(info, "secret_token")
			maps.Copy(info, f.trouble)
		}
		grant(w, info)
	case "answerCallbackQuery", "sendChatAction":
		grant(w, true)
	case "getFile":
		id := fmt.Sprint(args["file_id"])
		if _, ok := f.files["documents/"+id]; !ok {
			refuse(w, http.StatusBadRequest, "Bad Request: wrong file_id or the file is temporarily unavailable")
			return
		}
		grant(w, map[string]any{"file_id": id, "file_path": "documents/" + id})
	default:
		f.send(w, method, args)
	}
}

func (f *fake) send(w http.ResponseWriter, method string, args map[string]any) {
	text, limit := fmt.Sprint(args["text"]), 4096
	if method != "sendMessage" {
		text, limit = "", 1024
		if args["caption"] != nil {
			text = fmt.Sprint(args["caption"])
		}
	}
	switch n := channel.UTF16Units.Length(text); {
	case n > limit:
		refuse(w, http.StatusBadRequest, "Bad Request: message is too long")
		return
	case method == "sendMessage" && strings.TrimSpace(text) == "":
		refuse(w, http.StatusBadRequest, "Bad Request: message text is empty")
		return
	case f.blocked:
		refuse(w, http.StatusForbidden, "Forbidden: bot was blocked by the user")
		return
	}
	f.sent++
	if text != "" {
		f.Show(text)
	}
	grant(w, map[string]any{"message_id": f.sent, "date": time.Now().Unix(), "chat": map[string]any{"id": args["chat_id"], "type": "private"}})
}

// updates holds the question as long as it asks for, and forgets what is below its offset.
func (f *fake) updates(w http.ResponseWriter, r *http.Request, args map[string]any) {
	num := func(k string) int64 { n, _ := args[k].(json.Number).Int64(); return n }
	var from int64
	if args["offset"] != nil {
		from = num("offset")
	}
	hold := time.After(time.Duration(num("timeout")) * time.Second)
	for first := true; ; first = false {
		f.mu.Lock()
		if f.hook != nil {
			f.mu.Unlock()
			refuse(w, http.StatusConflict, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
			return
		}
		if f.conflict != "" {
			f.mu.Unlock()
			refuse(w, http.StatusConflict, f.conflict)
			return
		}
		if first {
			f.offsets = append(f.offsets, from)
		}
		f.queue = slices.DeleteFunc(f.queue, func(q queued) bool {
			if q.id < from {
				close(q.done)
			}
			return q.id < from
		})
		var out []json.RawMessage
		for _, q := range f.queue[:min(len(f.queue), int(num("limit")))] {
			out = append(out, q.body)
		}
		wake := f.wake
		f.mu.Unlock()
		if len(out) > 0 {
			grant(w, out)
			return
		}
		select {
		case <-wake:
		case <-hold:
			grant(w, []int{})
			return
		case <-r.Context().Done():
			return
		}
	}
}

// enqueue gives an update to who asks, and waits until it is confirmed.
func (f *fake) enqueue(ctx context.Context, fields map[string]any) error {
	f.mu.Lock()
	f.nextID++
	fields = maps.Clone(fields)
	fields["update_id"] = f.nextID
	body, err := json.Marshal(fields)
	if err != nil {
		f.t.Error(err)
	}
	q := queued{f.nextID, body, make(chan struct{})}
	f.queue = append(f.queue, q)
	close(f.wake)
	f.wake = make(chan struct{})
	f.mu.Unlock()
	select {
	case <-q.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func arguments(r *http.Request, body []byte) (map[string]any, error) {
	kind, p, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || r.Method != http.MethodPost {
		return nil, fmt.Errorf("%s with %q", r.Method, kind)
	}
	args := map[string]any{}
	if kind == "application/json" {
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		return args, d.Decode(&args)
	}
	for form := multipart.NewReader(bytes.NewReader(body), p["boundary"]); ; {
		part, err := form.NextPart()
		if err == io.EOF {
			return args, nil
		}
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		args[part.FormName()] = string(b)
		if part.FileName() != "" {
			args[part.FormName()] = part.FileName() + "=" + string(b)
		}
	}
}

func grant(w http.ResponseWriter, result any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"ok": true, "result": result})
}

func refuse(w http.ResponseWriter, code int, description string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(map[string]any{"ok": false, "error_code": code, "description": description})
}

// number is a stable message_id of a name.
func number(name string) int64 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return int64(h.Sum32()>>1) + 1
}

func ada() map[string]any {
	return map[string]any{"id": adaID, "is_bot": false, "first_name": "Ada", "last_name": "Lovelace", "language_code": "en"}
}

func adaChat() map[string]any {
	return map[string]any{"id": adaID, "first_name": "Ada", "last_name": "Lovelace", "type": "private"}
}

func said(name, text string, at time.Time) map[string]any {
	return map[string]any{"message": map[string]any{"message_id": number(name), "from": ada(), "chat": adaChat(), "date": at.Unix(), "text": text}}
}
