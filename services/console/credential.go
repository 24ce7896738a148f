package console

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/weftline/weftline/services/internal/docstore"
)

// SessionAge is how long a login lasts.
const SessionAge = 14 * 24 * time.Hour

// secret makes 256 random bits as text; digest is what is stored of it.
func secret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func digest(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(h[:])
}

// sessions are logins, found by the digest of the cookie.
type sessions struct {
	docs docstore.Store
	now  func() time.Time
}

type sessionDoc struct {
	Agent   string `json:"agent"`
	Expires int64  `json:"expires"` // Unix ms
}

func (s *sessions) create(ctx context.Context, agent string) (string, error) {
	sec := secret()
	b, err := json.Marshal(sessionDoc{Agent: agent, Expires: s.now().Add(SessionAge).UnixMilli()})
	if err != nil {
		return "", err
	}
	return sec, s.docs.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: "sessions", Doc: docstore.Doc{ID: digest(sec), JSON: b}, Create: true}}})
}

// agent returns whose session it is; an empty secret matches nothing.
func (s *sessions) agent(ctx context.Context, sec string) (string, error) {
	if sec == "" {
		return "", docstore.ErrNotFound
	}
	return s.byDigest(ctx, digest(sec))
}

// byDigest is agent for those who keep no secret: tickets and sockets.
func (s *sessions) byDigest(ctx context.Context, id string) (string, error) {
	d, err := s.docs.Get(ctx, "sessions", id)
	if err != nil {
		return "", err
	}
	var doc sessionDoc
	if err := json.Unmarshal(d.JSON, &doc); err != nil {
		return "", err
	}
	if s.now().UnixMilli() >= doc.Expires {
		return "", docstore.ErrNotFound
	}
	return doc.Agent, nil
}

func (s *sessions) end(ctx context.Context, sec string) error {
	return s.docs.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: "sessions", Doc: docstore.Doc{ID: digest(sec)}, Delete: true}}})
}

// endAll ends every session of an agent but one (its digest; "": none is kept), and
// sweeps expired ones on the way.
func (s *sessions) endAll(ctx context.Context, agent, but string) error {
	old, err := s.docs.List(ctx, "sessions", docstore.Query{Index: "agent", Prefix: []any{agent}, Limit: 5000})
	if err != nil {
		return err
	}
	expired, err := s.docs.List(ctx, "sessions", docstore.Query{Index: "expires", To: s.now().UnixMilli(), Limit: 1000})
	if err != nil {
		return err
	}
	var ops []docstore.Op
	for _, it := range slices.Concat(old, expired) {
		if it.ID == but {
			continue
		}
		ops = append(ops, docstore.Op{Collection: "sessions", Doc: docstore.Doc{ID: it.ID}, Delete: true})
	}
	if len(ops) == 0 {
		return nil
	}
	return s.docs.Apply(ctx, docstore.Batch{Ops: ops})
}

// tokens are API tokens: "wl_<id>_<secret>".
type tokens struct {
	docs docstore.Store
	now  func() time.Time

	mu   sync.Mutex
	used map[string]time.Time // last use, kept here and shown; not worth a write per call
}

type tokenDoc struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Digest  string    `json:"digest"`
	Scopes  []string  `json:"scopes"`
	Created time.Time `json:"created"`
}

// Scopes a token can have.
var tokenScopes = []string{"inbox", "events"}

func checkToken(name string, scopes []string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if len(scopes) > len(tokenScopes) {
		return fmt.Errorf("scopes: %d are given, there are %d", len(scopes), len(tokenScopes))
	}
	for _, s := range scopes {
		if !slices.Contains(tokenScopes, s) {
			return fmt.Errorf("scopes: %q is not allowed: %s", s, strings.Join(tokenScopes, ", "))
		}
	}
	return nil
}

func (t *tokens) create(ctx context.Context, name string, scopes []string) (tokenDoc, string, error) {
	if err := checkToken(name, scopes); err != nil {
		return tokenDoc{}, "", err
	}
	if len(scopes) == 0 {
		scopes = tokenScopes
	}
	sec := secret()
	doc := tokenDoc{ID: strings.ToLower(ulid.Make().String()), Name: name, Digest: digest(sec), Scopes: scopes, Created: t.now().UTC()}
	b, err := json.Marshal(doc)
	if err != nil {
		return doc, "", err
	}
	err = t.docs.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: "api_tokens", Doc: docstore.Doc{ID: doc.ID, JSON: b}, Create: true}}})
	return doc, "wl_" + doc.ID + "_" + sec, err
}

func (t *tokens) find(ctx context.Context, presented string) (tokenDoc, error) {
	rest, ok := strings.CutPrefix(presented, "wl_")
	id, sec, ok2 := strings.Cut(rest, "_")
	if !ok || !ok2 || id == "" || sec == "" {
		return tokenDoc{}, docstore.ErrNotFound
	}
	d, err := t.docs.Get(ctx, "api_tokens", id)
	if err != nil {
		return tokenDoc{}, err
	}
	var doc tokenDoc
	if err := json.Unmarshal(d.JSON, &doc); err != nil {
		return tokenDoc{}, err
	}
	if doc.Digest == "" || !equal(doc.Digest, digest(sec)) {
		return tokenDoc{}, docstore.ErrNotFound
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.used == nil {
		t.used = map[string]time.Time{}
	}
	t.used[doc.ID] = t.now()
	return doc, nil
}

func (t *tokens) list(ctx context.Context) ([]tokenDoc, error) {
	var out []tokenDoc
	err := t.docs.Scan(ctx, "api_tokens", func(d docstore.Doc) error {
		var doc tokenDoc
		err := json.Unmarshal(d.JSON, &doc)
		out = append(out, doc)
		return err
	})
	return out, err
}

func (t *tokens) lastUsed(id string) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.used[id]
}

func (t *tokens) revoke(ctx context.Context, id string) error {
	if _, err := t.docs.Get(ctx, "api_tokens", id); err != nil {
		return err
	}
	return t.docs.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: "api_tokens", Doc: docstore.Doc{ID: id}, Delete: true}}})
}

// tickets let a websocket in: made by an authenticated request, good once for 30 s,
// and for no longer than the session of that request.
type tickets struct {
	now func() time.Time
	mu  sync.Mutex
	by  map[string]ticket
}

type ticket struct {
	session string // digest
	expires time.Time
}

func newTickets(now func() time.Time) *tickets { return &tickets{now: now, by: map[string]ticket{}} }

const ticketAge = 30 * time.Second

func (t *tickets) issue(session string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for k, v := range t.by {
		if t.now().After(v.expires) {
			delete(t.by, k)
		}
	}
	s := secret()
	t.by[digest(s)] = ticket{session, t.now().Add(ticketAge)}
	return s
}

var errTicket = errors.New("ticket is unknown, used or expired")

// redeem returns the digest of the session.
func (t *tickets) redeem(s string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := digest(s)
	v, ok := t.by[k]
	delete(t.by, k)
	if !ok || s == "" || t.now().After(v.expires) {
		return "", errTicket
	}
	return v.session, nil
}
