// Package skeleton is the smallest whole channel: postcards. A card comes in
// as one HTTP request and goes out as another. Copy it to begin a new adapter;
// docs/adding-a-channel.md walks through it.
package skeleton

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weftline/weftline/pkg/channel"
)

// Name is the channel's name and the kind of its handles.
const Name = "postcard"

// ContentType of stored cards.
const ContentType = "application/vnd.weftline.postcard+json"

// Limits of a card: bytes as it comes, characters of its text.
const (
	maxCard = 64 << 10
	maxText = 2000
)

// Config of one inbox.
type Config struct {
	Inbox   string
	Secret  string // the post office proves itself with it; at least 16 bytes
	SendURL string // where cards go out
}

// Adapter sends and receives postcards for one inbox. Safe for concurrent use.
type Adapter struct {
	cfg    Config
	intake channel.Intake
	client *http.Client
	now    func() time.Time
}

var _ channel.Adapter = (*Adapter)(nil)

// New checks the settings, naming key and limit.
func New(cfg Config, intake channel.Intake, client *http.Client) (*Adapter, error) {
	switch {
	case cfg.Inbox == "":
		return nil, errors.New("postcard: inbox is empty")
	case len(cfg.Secret) < 16:
		return nil, fmt.Errorf("postcard: secret has %d bytes, 16 are the least", len(cfg.Secret))
	case !strings.HasPrefix(cfg.SendURL, "http"):
		return nil, fmt.Errorf("postcard: send url %q is not an http URL", cfg.SendURL)
	}
	return &Adapter{cfg: cfg, intake: intake, client: client, now: time.Now}, nil
}

// Channel is "postcard".
func (a *Adapter) Channel() string { return Name }

// Capabilities: short plain text, and the post office drops repeated ids.
func (a *Adapter) Capabilities() channel.Capabilities {
	return channel.Capabilities{TextLimit: maxText, IdempotentSend: true}
}

// Run waits: cards come by request, so there is nothing to poll.
func (a *Adapter) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// ServeHTTP takes a card. 204 is said only when it is on disk; everything else
// makes the post office bring it again.
func (a *Adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secret, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if subtle.ConstantTimeCompare([]byte(secret), []byte(a.cfg.Secret)) != 1 {
		http.Error(w, "wrong secret", http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCard))
	if err != nil {
		http.Error(w, "card is too large or broken off", http.StatusBadRequest)
		return
	}
	// The id comes from the envelope, so that nothing has to be parsed before it is safe.
	id := r.Header.Get("Card-Id")
	if id == "" || len(id) > 128 {
		http.Error(w, "Card-Id must have 1 to 128 bytes", http.StatusBadRequest)
		return
	}
	err = a.intake.Accept(r.Context(), channel.Raw{
		Channel: Name, Inbox: a.cfg.Inbox, ProviderID: id,
		ReceivedAt: a.now().UTC(), ContentType: ContentType, Body: body,
	})
	if err != nil {
		http.Error(w, "not stored, bring it again", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// Card is the post office's format.
type Card struct {
	ID   string `json:"id"`
	From string `json:"from"`
	To   string `json:"to"`
	Text string `json:"text"`
}

// Parse reads a stored card. A name on a card proves nothing: assurance 0.
func (a *Adapter) Parse(raw channel.Raw) ([]channel.Item, error) {
	if raw.ContentType != ContentType {
		return nil, fmt.Errorf("parse postcard: content type %q is not known", raw.ContentType)
	}
	var c Card
	if err := json.Unmarshal(raw.Body, &c); err != nil {
		return nil, fmt.Errorf("parse postcard: %w", err)
	}
	if c.From == "" {
		return nil, errors.New("parse postcard: from is empty")
	}
	return []channel.Item{{Message: &channel.Message{
		ID: raw.ProviderID, From: channel.Address{Kind: Name, Address: c.From},
		Content: channel.Content{Text: c.Text}, Evidence: "written on the card",
	}}}, nil
}

// Send posts a card. The answer decides what the hub does next.
func (a *Adapter) Send(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	r := channel.Receipt{
		Tenant: out.Tenant, Channel: Name, Inbox: out.Inbox, Outbound: out.ID, Customer: out.Customer,
		ProviderID: out.ID, At: a.now().UTC(),
	}
	if n := utf8.RuneCountInString(out.Content.Text); n > maxText {
		r.State, r.Detail = channel.StateFailed, fmt.Sprintf("a card holds %d characters, these are %d", maxText, n)
		return r, nil
	}
	body, err := json.Marshal(Card{ID: out.ID, To: out.To.Address, Text: out.Content.Text})
	if err != nil {
		return channel.Receipt{}, fmt.Errorf("encode postcard: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.cfg.SendURL, bytes.NewReader(body))
	if err != nil {
		return channel.Receipt{}, fmt.Errorf("send postcard: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+a.cfg.Secret)
	resp, err := a.client.Do(req)
	if err != nil {
		// It may or may not have arrived. Sending again is harmless here; where
		// it is not, return StateUnknown instead.
		return channel.Receipt{}, fmt.Errorf("send postcard: %w", err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode < 300:
		r.State = channel.StateSent
		return r, nil
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		err := fmt.Errorf("send postcard: post office says %s", resp.Status)
		if s, convErr := strconv.Atoi(resp.Header.Get("Retry-After")); convErr == nil && s > 0 {
			return channel.Receipt{}, &channel.RetryAfterError{After: time.Duration(s) * time.Second, Err: err}
		}
		return channel.Receipt{}, err
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		return channel.Receipt{}, fmt.Errorf("send postcard: %s: %w", resp.Status, channel.ErrNeedsAttention)
	}
	r.State, r.Detail = channel.StateFailed, "post office refuses: "+resp.Status
	return r, nil
}
