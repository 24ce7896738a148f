package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/hosted"
)

// mailgun: a route that forwards to an address ending in /mime posts the whole mail in
// body-mime. timestamp and token are signed, the mail is not.
type mailgun struct {
	mu   sync.Mutex
	used map[string]used
}

// used is what a token came with: brought again it must come with the same.
type used struct {
	mail [sha256.Size]byte
	at   time.Time
}

const maxTokens = 50_000

func (*mailgun) early(email.Webhook, *http.Request) error { return nil }

func (m *mailgun) admit(c email.Webhook, r *hosted.Request) error {
	f, err := form(r)
	if err != nil {
		return fmt.Errorf("%w: %w", hosted.ErrRefused, err)
	}
	mac, err := hex.DecodeString(f["signature"])
	if err != nil || !hosted.Signed(sha256.New, c.Secrets, []byte(f["timestamp"]+f["token"]), mac) {
		return fmt.Errorf("%w: signature is wrong", hosted.ErrRefused)
	}
	sec, err := strconv.ParseInt(f["timestamp"], 10, 64)
	if err != nil {
		return fmt.Errorf("%w: timestamp cannot be read", hosted.ErrRefused)
	}
	if err := fresh(time.Unix(sec, 0), r.At); err != nil {
		return err
	}
	return m.once(f["token"], sha256.Sum256([]byte(f["body-mime"])), r.At)
}

// once refuses a token that came with another mail. It is remembered in this process; the oldest are forgotten first.
func (m *mailgun) once(token string, mail [sha256.Size]byte, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if u, ok := m.used[token]; ok && u.mail != mail {
		return fmt.Errorf("%w: the signature belongs to another mail", hosted.ErrRefused)
	}
	if len(m.used) >= maxTokens {
		for t, u := range m.used {
			if now.Sub(u.at) > window/2 || len(m.used) >= maxTokens {
				delete(m.used, t)
			}
		}
	}
	m.used[token] = used{mail, now}
	return nil
}

func (*mailgun) split(r *hosted.Request) ([]found, error) {
	f, err := form(r)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(f["body-mime"]) == "" {
		return nil, fmt.Errorf("%w: body-mime is missing; let the route forward to the address with /mime at its end", errNoMail)
	}
	return []found{{mail: []byte(f["body-mime"]), from: f["sender"], to: strings.Split(f["recipient"], ",")}}, nil
}
