package meta

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// maxRequest: Meta sends up to a thousand updates in one request, at most 3 MB ("Webhooks for WhatsApp").
const maxRequest = 4 << 20

const headerSignature = "X-Hub-Signature-256"

// admit checks the signature over the raw bytes ("Validate payloads"). It covers no time.
func (p *platform) admit(in inbox.Inbox, r *hosted.Request) error {
	c, err := p.kind.read(in.Settings)
	if err != nil {
		return fmt.Errorf("%w: the inbox's settings are wrong", hosted.ErrRefused)
	}
	given, ok := strings.CutPrefix(r.Header.Get(headerSignature), "sha256=")
	mac, err := hex.DecodeString(given)
	if !ok || err != nil || !hosted.Signed(func() hash.Hash { return sha256.New() }, c.secrets, r.Body, mac) {
		return fmt.Errorf("%w: %s does not fit", hosted.ErrRefused, headerSignature)
	}
	return nil
}

// greet answers the verification request ("Verification requests").
func (p *platform) greet(w http.ResponseWriter, r *http.Request, in inbox.Inbox) {
	c, err := p.kind.read(in.Settings)
	q := r.URL.Query()
	challenge := q.Get("hub.challenge")
	if err != nil || q.Get("hub.mode") != "subscribe" || !hosted.Matches([]string{c.verify}, q.Get("hub.verify_token")) || len(challenge) > 200 {
		http.Error(w, "verify token is wrong", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, challenge)
}

// batch is what comes in one request ("Event notifications").
type batch struct {
	Object string  `json:"object"`
	Entry  []entry `json:"entry"`
}

// entry is of one account. Its time is when Meta sent it, another one each time it tries: it is not kept.
type entry struct {
	ID        string            `json:"id"`
	Changes   []change          `json:"changes,omitempty"`
	Messaging []json.RawMessage `json:"messaging,omitempty"`
}

type change struct {
	Field string          `json:"field"`
	Value json.RawMessage `json:"value"`
}

// single is a batch of one thing, as it is stored.
func single(object, contentType, id string, e entry) channel.Raw {
	body, err := json.Marshal(batch{Object: object, Entry: []entry{e}})
	if err != nil {
		panic(err) // what was decoded can be encoded
	}
	if id == "" {
		id = hosted.Name(body)
	}
	return channel.Raw{ProviderID: id, ContentType: contentType, Body: body}
}

// mineOr finds the inbox that an account of a batch belongs to: one app has one
// address for all its numbers and pages. An inbox is only found by the secret of the app that sent it.
func (p *platform) mineOr(in inbox.Inbox, c config, account string) (id string, found bool) {
	if account == c.account {
		return in.ID, true
	}
	for _, other := range p.deps.Inboxes.List(p.name) {
		o, err := p.kind.read(other.Settings)
		if err == nil && o.account == account && slices.ContainsFunc(o.secrets, func(s string) bool { return hosted.Matches(c.secrets, s) }) {
			return other.ID, true
		}
	}
	return in.ID, false
}

// stray marks what is for an account that no inbox has: it is kept and shown as unread.
const stray = "; account=unknown"

func place(raw channel.Raw, id string, found bool) channel.Raw {
	raw.Inbox = id
	if !found {
		raw.ContentType += stray
	}
	return raw
}
