package email_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/inbox"
)

const patience = time.Minute

// eventually waits for a condition on real sockets.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("not in %s: %s", patience, what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// hub records what an adapter hands over, as the real intake would keep it.
type hub struct {
	mu    sync.Mutex
	raws  []channel.Raw
	calls int
	fail  func(n int) error // asked before the nth call
}

func (h *hub) Accept(_ context.Context, inputs ...channel.Raw) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls++
	if h.fail != nil {
		if err := h.fail(h.calls); err != nil {
			return err
		}
	}
	h.raws = append(h.raws, inputs...)
	return nil
}

func (h *hub) Report(context.Context, ...channel.Receipt) error { return nil }

func (h *hub) all() []channel.Raw {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.raws)
}

// subjects lists what arrived, by parsing it.
func (h *hub) subjects(t testing.TB) []string {
	t.Helper()
	var out []string
	for _, r := range h.all() {
		items, err := testParser().Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, items[0].Message.Content.Subject)
	}
	return out
}

// book is a registry whose inboxes tests set.
type book struct {
	mu      sync.Mutex
	inboxes map[string]inbox.Inbox
	health  map[string]inbox.Health
	changed chan struct{}
}

func newBook(list ...inbox.Inbox) *book {
	b := &book{inboxes: map[string]inbox.Inbox{}, health: map[string]inbox.Health{}, changed: make(chan struct{}, 1)}
	for _, in := range list {
		b.inboxes[in.ID] = in
	}
	return b
}

func (b *book) set(list ...inbox.Inbox) {
	b.mu.Lock()
	b.inboxes = map[string]inbox.Inbox{}
	for _, in := range list {
		b.inboxes[in.ID] = in
	}
	b.mu.Unlock()
	b.changed <- struct{}{}
}

func (b *book) List(string) []inbox.Inbox {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.SortedFunc(maps.Values(b.inboxes), func(x, y inbox.Inbox) int { return strings.Compare(x.ID, y.ID) })
}

func (b *book) Get(id string) (inbox.Inbox, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	in, ok := b.inboxes[id]
	return in, ok
}

func (b *book) Watch(ctx context.Context, channel string, fn func([]inbox.Inbox)) {
	for {
		fn(slices.DeleteFunc(b.List(channel), func(in inbox.Inbox) bool { return in.Paused }))
		select {
		case <-ctx.Done():
			return
		case <-b.changed:
		}
	}
}

func (b *book) SetHealth(id string, h inbox.Health) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.health[id]
	if h.LastIn.IsZero() {
		h.LastIn = old.LastIn
	}
	if h.LastOut.IsZero() {
		h.LastOut = old.LastOut
	}
	if h.State == "" {
		h.State, h.Detail = old.State, old.Detail
	}
	b.health[id] = h
}

func (b *book) Health(id string) inbox.Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.health[id]
}

func (b *book) Save(context.Context, inbox.Inbox) (inbox.Inbox, error) {
	return inbox.Inbox{}, errors.New("not in tests")
}
func (b *book) Delete(context.Context, string) error { return errors.New("not in tests") }

// shelf keeps blobs in memory.
type shelf struct {
	mu    sync.Mutex
	blobs map[string][]byte
}

func (s *shelf) Put(ctx context.Context, dataKey string, r io.Reader, limit int64) (string, int64, error) {
	s.mu.Lock()
	key := fmt.Sprint("blob-", len(s.blobs))
	s.mu.Unlock()
	n, err := s.PutAs(ctx, key, dataKey, r, limit)
	return key, n, err
}

func (s *shelf) PutAs(_ context.Context, key, _ string, r io.Reader, limit int64) (int64, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return 0, err
	}
	if int64(len(b)) > limit {
		return 0, blob.ErrTooLarge
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.blobs == nil {
		s.blobs = map[string][]byte{}
	}
	s.blobs[key] = b
	return int64(len(b)), nil
}

func (s *shelf) Get(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.blobs[key]
	if !ok {
		return nil, blob.ErrNotFound
	}
	return b, nil
}

func (s *shelf) Delete(_ context.Context, key string) error { return nil }

// world is an email service with what is around it.
type world struct {
	hub   *hub
	book  *book
	blobs *shelf
	state docstore.Store
	keys  crypt.Keyring
	roots *x509.CertPool
	svc   *email.Service

	timing email.Timing // of services made from now on
	client *http.Client

	signature func(ctx context.Context, agent string) (string, error)
}

func newWorld(t testing.TB, inboxes ...inbox.Inbox) *world {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w := &world{hub: &hub{}, book: newBook(inboxes...), blobs: &shelf{}, state: store, keys: crypt.NewDeterministic("email corpus"), roots: x509.NewCertPool()}
	w.timing = email.Timing{RetryMin: 10 * time.Millisecond, RetryMax: 50 * time.Millisecond, AuthRetry: 30 * time.Millisecond, SMTPStep: 3 * time.Second}
	w.roots.AddCert(testCA().cert)
	w.svc = w.service(t)
	return w
}

// service makes another service over the same state, as after a restart.
func (w *world) service(t testing.TB) *email.Service {
	t.Helper()
	svc, err := email.New(email.Deps{
		Intake: w.hub, Inboxes: w.book, State: w.state, Keys: w.keys, Blobs: w.blobs, Log: slog.New(slog.DiscardHandler), Roots: w.roots, Timing: w.timing, Client: w.client, Signature: w.signature,
	})
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

// run runs the service until the returned function is called.
func (w *world) run(t testing.TB, svc *email.Service) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- svc.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-done:
				if err != nil {
					t.Errorf("run: %v", err)
				}
			case <-time.After(patience):
				t.Error("run does not end")
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func (w *world) message(t *testing.T, i int) *channel.Message {
	t.Helper()
	items, err := w.svc.Parser().Parse(w.withTenant(i))
	if err != nil {
		t.Fatal(err)
	}
	return items[0].Message
}

// withTenant gives an input the tenant its mails are sent under, as the intake does.
func (w *world) withTenant(i int) channel.Raw {
	r := w.hub.all()[i]
	r.Tenant = "t1"
	return r
}

func (w *world) ids(t *testing.T) []string {
	var out []string
	for i := range w.hub.all() {
		out = append(out, w.message(t, i).ID)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ca signs the certificates of test servers.
type ca struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

var testCA = sync.OnceValue(func() ca {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test ca"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return ca{cert, key}
})

// serverTLS is a server's configuration with a certificate for the name.
func serverTLS(t testing.TB, name string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, testCA().cert, &key.PublicKey, testCA().key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func port(t testing.TB, l net.Listener) string {
	t.Helper()
	_, p, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return p
}
