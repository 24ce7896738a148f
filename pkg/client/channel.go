package client

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Channel is an inbox of the API channel, seen from the backend of an app:
// what its users say goes in by Post, and what agents answer comes to
// Handler. docs/api-channel.md describes both. Safe for concurrent use.
type Channel struct {
	// URL of the hub, such as https://support.example.org.
	URL string
	// Inbox is the id of the inbox.
	Inbox string
	// Secret is the inbox's signing secret: whsec_ and 24 to 64 bytes in base64.
	Secret string
	// HTTP makes the requests; nil: one that gives up after 30 s.
	HTTP *http.Client
}

// ChannelEvent is what both sides post. Which fields matter depends on Type.
type ChannelEvent struct {
	// Type is message, edited, deleted, reacted, unreacted, receipt or typing;
	// the hub posts message, and typing and ping, which may be ignored.
	Type string `json:"type"`
	// ID of the message; the same again is one message for ever.
	ID   string     `json:"id,omitempty"`
	From *ChannelID `json:"from,omitempty"`
	To   *ChannelID `json:"to,omitempty"`
	At   time.Time  `json:"at,omitzero"` // zero: when it comes

	Subject string        `json:"subject,omitempty"`
	Text    string        `json:"text,omitempty"` // at most 100,000 characters
	Files   []ChannelFile `json:"files,omitempty"`
	Thread  string        `json:"thread,omitempty"`
	Answers string        `json:"answers,omitempty"`

	Message string `json:"message,omitempty"` // that edited, deleted, reacted and receipt are about
	Emoji   string `json:"emoji,omitempty"`
	State   string `json:"state,omitempty"` // of a receipt: delivered, read, failed
	Detail  string `json:"detail,omitempty"`

	Author       string `json:"author,omitempty"` // who answers, as customers see him
	Conversation string `json:"conversation,omitempty"`
	Automatic    bool   `json:"automatic,omitempty"`
	Typing       bool   `json:"typing,omitempty"`
}

// ChannelID is one of the app's users.
type ChannelID struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Email is a claim, unless EmailVerified says that the backend has proven it.
	Email         string `json:"email,omitempty"`
	EmailVerified bool   `json:"email_verified,omitempty"`
}

// ChannelFile is an attachment: at most 10 of a message, each 5 MiB.
type ChannelFile struct {
	Name string `json:"name"`
	Type string `json:"type,omitempty"`
	Data []byte `json:"data"`
}

// ErrNotStored: the hub could not keep it now. Post the same event, with the same ID, again.
var ErrNotStored = errors.New("the hub did not store the event")

// signatureAge is how far a signature's time may be off (Standard Webhooks 1.0).
const signatureAge = 5 * time.Minute

// maxPosted bounds what Handler reads of one request.
const maxPosted = 64 << 20

// Post brings one event. When it returns nil the hub has it on disk. An error
// that wraps ErrNotStored, or one of the network, passes: post the same event
// again. Any other is an *Error: the signature, the size or the inbox is wrong.
func (c *Channel) Post(ctx context.Context, e ChannelEvent) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	base, err := url.Parse(strings.TrimSuffix(c.URL, "/"))
	if err != nil || base.Host == "" {
		return fmt.Errorf("client: URL %q: want an http or https URL", c.URL)
	}
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("client: encode event: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base.JoinPath("hooks", "api", c.Inbox).String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	id, stamp := rand.Text(), strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", stamp)
	r.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(signature(key, id, stamp, body)))
	client := c.HTTP
	if client == nil {
		client = &http.Client{Timeout: 30 * time.Second}
	}
	res, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("client: post event: %w", err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	switch {
	case res.StatusCode < 300:
		return nil
	case res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("%w: %s", ErrNotStored, res.Status)
	}
	return &Error{Status: res.StatusCode, Code: http.StatusText(res.StatusCode), Message: strings.TrimSpace(string(text))}
}

// Handler takes what the hub posts: fn gets each event whose signature fits. An
// event may come again after an answer that was lost, with the same id, which
// is fn's third argument. When fn returns an error the hub tries again later.
func (c *Channel) Handler(fn func(ctx context.Context, e ChannelEvent, id string) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, err := c.key()
		if err != nil {
			http.Error(w, "the secret is wrong here", http.StatusInternalServerError)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPosted))
		if err != nil {
			http.Error(w, "not read", http.StatusRequestEntityTooLarge)
			return
		}
		id := r.Header.Get("Webhook-Id")
		if !signed(r.Header, key, id, body, time.Now()) {
			http.Error(w, "the signature does not fit", http.StatusUnauthorized)
			return
		}
		var e ChannelEvent
		if err := json.Unmarshal(body, &e); err != nil {
			http.Error(w, "not JSON of an event", http.StatusBadRequest)
			return
		}
		if err := fn(r.Context(), e, id); err != nil {
			http.Error(w, "not taken, bring it again", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

func (c *Channel) key() ([]byte, error) {
	text, ok := strings.CutPrefix(c.Secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("client: Secret: want whsec_ and 24 to 64 bytes in base64")
	}
	return key, nil
}

// signature is that of Standard Webhooks 1.0, scheme v1.
func signature(key []byte, id, stamp string, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(id + "." + stamp + "."))
	m.Write(body)
	return m.Sum(nil)
}

func signed(h http.Header, key []byte, id string, body []byte, now time.Time) bool {
	stamp := h.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || id == "" || now.Sub(time.Unix(seconds, 0)).Abs() > signatureAge {
		return false
	}
	want, good := signature(key, id, stamp, body), false
	for field := range strings.FieldsSeq(h.Get("Webhook-Signature")) {
		mac, ok := strings.CutPrefix(field, "v1,")
		if got, err := base64.StdEncoding.DecodeString(mac); ok && err == nil {
			good = hmac.Equal(got, want) || good
		}
	}
	return good
}
