package hubtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Frame is what the hub sends to a widget; services/chat/protocol.md says when.
type Frame struct {
	Type       string `json:"type"`
	Token      string `json:"token"`
	Who        string `json:"who"`
	Ticket     string `json:"ticket"`
	Items      []Item `json:"items"`
	Message    *Item  `json:"message"`
	Cursor     string `json:"cursor"`
	ClientID   string `json:"client_id"`
	Code       string `json:"code"`
	Field      string `json:"field"`
	RetryAfter int    `json:"retry_after_ms"`
	ID         string `json:"id"`    // of a proof
	State      string `json:"state"` // of a proof
}

// Item is one line of a visitor's transcript.
type Item struct {
	ID       string `json:"id"`
	ClientID string `json:"client_id"`
	From     string `json:"from"`
	Text     string `json:"text"`
	Position string `json:"position"`
	Files    []struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"files"`
}

// Widget is one connection of a visitor.
type Widget struct {
	ws *websocket.Conn
	wg sync.WaitGroup

	board
	raw     []string
	welcome Frame
	items   []Item
	acks    map[string]bool
	proofs  []Frame
	errs    []Frame
	ended   error
}

// Hello is what a visitor knows of earlier connections; everything may be empty.
type Hello struct {
	Token string `json:"token,omitempty"`
	Who   string `json:"who,omitempty"`
	JWT   string `json:"jwt,omitempty"`
	After string `json:"after,omitempty"` // cursor; "" asks for the newest page
}

// DialWidget connects to a chat inbox of the hub at base and says hello. It
// does not wait for the welcome.
func DialWidget(ctx context.Context, base, inbox string, h Hello) (*Widget, error) {
	ws, _, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(base, "http")+"/chat/"+inbox+"/ws", http.Header{"Origin": {base}})
	if err != nil {
		return nil, fmt.Errorf("dial widget: %w", err)
	}
	w := &Widget{ws: ws, acks: map[string]bool{}}
	if err := w.write(struct {
		Type string `json:"type"`
		Hello
	}{"hello", h}); err != nil {
		ws.Close()
		return nil, err
	}
	w.wg.Go(w.read)
	return w, nil
}

func (w *Widget) read() {
	for {
		_, b, err := w.ws.ReadMessage()
		if err != nil {
			w.change(func() { w.ended = err })
			return
		}
		var f Frame
		if err := json.Unmarshal(b, &f); err != nil {
			w.change(func() { w.ended = err })
			return
		}
		w.change(func() { w.take(f, string(b)) })
	}
}

func (w *Widget) take(f Frame, raw string) {
	w.raw = append(w.raw, raw)
	switch f.Type {
	case "welcome":
		w.welcome = f
	case "messages":
		for _, it := range f.Items {
			w.show(it)
		}
	case "message":
		if f.Message != nil {
			w.show(*f.Message)
		}
	case "ack":
		w.acks[f.ClientID] = true
	case "proof":
		w.proofs = append(w.proofs, f)
	case "error":
		w.errs = append(w.errs, f)
	}
}

// show applies an item as protocol.md says: the same id or client id is the same item.
func (w *Widget) show(it Item) {
	for i, old := range w.items {
		if it.ID != "" && it.ID == old.ID || it.ClientID != "" && it.ClientID == old.ClientID {
			w.items[i] = it
			return
		}
	}
	w.items = append(w.items, it)
}

func (w *Widget) write(v any) error {
	_ = w.ws.SetWriteDeadline(time.Now().Add(5 * time.Second))
	return w.ws.WriteJSON(v)
}

// Send sends a message once. One goroutine at a time.
func (w *Widget) Send(clientID, text string, files ...string) error {
	return w.write(struct {
		Type        string   `json:"type"`
		ClientID    string   `json:"client_id"`
		Text        string   `json:"text"`
		Attachments []string `json:"attachments,omitempty"`
	}{"message", clientID, text, files})
}

// Do sends any frame.
func (w *Widget) Do(frame any) error { return w.write(frame) }

// Proof waits for the nth word about a proof.
func (w *Widget) Proof(ctx context.Context, n int) (Frame, error) {
	w.wait(ctx.Done(), func() bool { return len(w.proofs) >= n || w.ended != nil || len(w.errs) > 0 })
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.proofs) < n {
		return Frame{}, w.why("proof")
	}
	return w.proofs[n-1], nil
}

// Welcome waits for the hub's greeting.
func (w *Widget) Welcome(ctx context.Context) (Frame, error) {
	w.wait(ctx.Done(), func() bool { return w.welcome.Type != "" || w.ended != nil || len(w.errs) > 0 })
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.welcome.Type == "" {
		return w.welcome, w.why("welcome")
	}
	return w.welcome, nil
}

// Acked waits until the hub says that the message is on disk.
func (w *Widget) Acked(ctx context.Context, clientID string) error {
	w.wait(ctx.Done(), func() bool {
		return w.acks[clientID] || w.ended != nil || len(w.errs) > 0
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.acks[clientID] {
		return w.why("ack")
	}
	return nil
}

// WidgetError is an error frame or the end of the connection.
type WidgetError struct {
	Frame Frame // Type is "error" when the hub sent one
	Err   error
	Want  string
}

func (e *WidgetError) Error() string {
	return fmt.Sprintf("widget waits for %s: error %q of field %q, connection: %v", e.Want, e.Frame.Code, e.Frame.Field, e.Err)
}

func (w *Widget) why(want string) error {
	e := &WidgetError{Want: want, Err: w.ended}
	if len(w.errs) > 0 {
		e.Frame, w.errs = w.errs[0], w.errs[1:]
	}
	return e
}

// Items waits until fn accepts what is shown.
func (w *Widget) Items(ctx context.Context, fn func([]Item) bool) ([]Item, error) {
	ok := w.wait(ctx.Done(), func() bool { return fn(w.items) })
	w.mu.Lock()
	defer w.mu.Unlock()
	items := append([]Item(nil), w.items...)
	if !ok {
		return items, errors.New("the widget never showed it")
	}
	return items, nil
}

// Ended waits until the hub closes the connection and returns the close code.
func (w *Widget) Ended(ctx context.Context) (int, error) {
	if !w.wait(ctx.Done(), func() bool { return w.ended != nil }) {
		return 0, errors.New("the connection goes on")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var ce *websocket.CloseError
	if errors.As(w.ended, &ce) {
		return ce.Code, nil
	}
	return 0, w.ended
}

// Raw is every frame as it came.
func (w *Widget) Raw() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.raw...)
}

// Close hangs up.
func (w *Widget) Close() {
	w.ws.Close()
	w.wg.Wait()
}
