package proof_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/proof"
	"github.com/weftline/weftline/services/conversation/internal/settle"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

// world is the real domain with challenges, and what went out.
type world struct {
	*proof.Service
	*domaintest.Domain
	state docstore.Store
	deps  proof.Deps

	mu    sync.Mutex
	out   []channel.Outbound
	links []proof.Link
	// fail makes one of the steps that follow a right code fail, by its name.
	fail string
	// refused is what the rules say.
	refused string
}

var errPlanted = errors.New("planted")

func newWorld(t testing.TB) *world {
	t.Helper()
	state, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = state.Close() })
	w := &world{Domain: domaintest.New(t), state: state}
	w.deps = proof.Deps{
		State: state, Keys: w.Keys, Outbox: w, Handles: handles{w.Claims, settle.New(w.Claims, w.Customers, w.View, w.Keys), w}, Customers: w.Customers, Links: w,
		Reach: func(string, string) (string, error) { return "email", nil },
		Own:   func(a channel.Address) bool { return a.Address == "help@shop.example" },
		Now:   func() time.Time { return w.Clock }, Workspace: "Shop", PublicURL: "https://hub.example", Log: slog.New(slog.DiscardHandler),
	}
	if w.Service, err = proof.New(t.Context(), w.deps); err != nil {
		t.Fatal(err)
	}
	return w
}

// Publish is the outbox.
func (w *world) Publish(ctx context.Context, dataKey string, out channel.Outbound) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail == "publish" {
		return errPlanted
	}
	if dataKey != proof.Key(out.ID) {
		return errors.New("sealed under " + dataKey)
	}
	if err := w.Keys.Ensure(ctx, dataKey); err != nil {
		return err
	}
	w.out = append(w.out, out)
	return nil
}

// LinkProven is the rules.
func (w *world) LinkProven(_ context.Context, _ string, l proof.Link) (string, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail == "link" {
		return "", "", errPlanted
	}
	w.links = append(w.links, l)
	if w.refused != "" {
		return "", w.refused, nil
	}
	return "link:" + l.Proof, "", nil
}

// handles fail where they are told to.
type handles struct {
	*claim.Claimer
	settler *settle.Settler
	w       *world
}

func (h handles) Prove(ctx context.Context, tenant string, o claim.Owned, level int, ev event.Evidence, actor string) error {
	if h.w.failing("prove") {
		return errPlanted
	}
	return h.Claimer.Prove(ctx, tenant, o, level, ev, actor)
}

func (h handles) Claim(ctx context.Context, req claim.Request) (claim.Owned, error) {
	own, err := h.settler.Claim(ctx, req)
	if err == nil && h.w.failing("claim") {
		return own, errPlanted // it is written, and nobody is told
	}
	return own, err
}

func (w *world) failing(step string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fail == step
}

func (w *world) planting(step string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = step
}

var (
	codeForm = regexp.MustCompile(`\b\d{6}\b`)
	linkForm = regexp.MustCompile(`https://hub\.example/prove/(\S+)`)
)

// secret is what the last letter of a challenge has for its reader.
func (w *world) secret(id string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := len(w.out) - 1; i >= 0; i-- {
		if w.out[i].ID != id {
			continue
		}
		if m := linkForm.FindStringSubmatch(w.out[i].Content.Text); m != nil {
			_, secret, _ := proof.SplitToken(m[1])
			return secret
		}
		return codeForm.FindString(w.out[i].Content.Text)
	}
	return ""
}

// writes makes a customer who owns an address at a level, and returns him.
func (w *world) writes(t testing.TB, address string, level int) string {
	t.Helper()
	id := strings.ReplaceAll(address, "@", ".")
	if err := w.Deliver("email", "support", id, channel.Message{
		ID: id, From: channel.Address{Kind: "email", Address: address}, OccurredAt: w.Clock,
		Content: channel.Content{Text: "hello"}, Assurance: level,
	}); err != nil {
		t.Fatal(err)
	}
	return w.owner(t, channel.Address{Kind: "email", Address: address}).Customer
}

func (w *world) owner(t testing.TB, a channel.Address) claim.Owned {
	t.Helper()
	o, err := w.Claims.Load(context.Background(), "default", a)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func mailbox(address string) channel.Address { return channel.Address{Kind: "email", Address: address} }

func (w *world) start(t testing.TB, customer, address string) proof.Status {
	t.Helper()
	st, err := w.Start(context.Background(), proof.Request{Customer: customer, Address: mailbox(address), Inbox: "support", Actor: "ag"})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func (w *world) check(t testing.TB, id, secret string) proof.Answer {
	t.Helper()
	a, err := w.Check(context.Background(), proof.Attempt{ID: id, Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// wrong is a code that is not this one.
func wrong(code string) string {
	if code == "" {
		return "000000"
	}
	return code[:5] + string('0'+(code[5]-'0'+1)%10)
}
