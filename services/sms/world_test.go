package sms_test

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"fmt"
	"hash"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/sms"
)

const (
	publicURL = "https://hub.test"
	ours      = "+15005550006"
	customer  = "+14155550123"
)

// world is the adapter and one provider, on 127.0.0.1.
type world struct {
	*hostedtest.Provider
	t       testing.TB
	inboxes *hostedtest.Registry
	state   docstore.Store
	blobs   blob.Store
	adapter *sms.Adapter
	mux     *http.ServeMux
}

// newWorld has the inboxes main and other, with the settings given to which api_url is added.
func newWorld(t testing.TB, intake channel.Intake, p *hostedtest.Provider, settings map[string]string) *world {
	w := &world{t: t, Provider: p.Start(t), mux: http.NewServeMux()}
	with := func() map[string]string {
		s := map[string]string{"number": ours, "api_url": w.URL}
		for k, v := range settings {
			s[k] = v
		}
		return s
	}
	w.inboxes = hostedtest.Inboxes(
		inbox.Inbox{ID: "main", Channel: sms.Name, Name: "Main", Settings: with()},
		inbox.Inbox{ID: "other", Channel: sms.Name, Name: "Other", Settings: with()},
	)
	w.state = database(t)
	keys := crypt.NewMemory()
	blobs, err := blob.NewDir(t.TempDir(), keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	w.blobs = blobs
	w.adapter = sms.New(hosted.Deps{
		Intake: intake, Inboxes: w.inboxes, Client: w.Client(), PublicURL: publicURL, State: w.state, Keys: keys, Blobs: blobs, After: w.Clock.After,
	})
	w.adapter.Routes(w.mux)
	run(t, w.adapter)
	// Run says of each inbox that its settings are good. That is over before the test's own steps change its health.
	for end := time.Now().Add(10 * time.Second); w.inboxes.Health("main").State == "" || w.inboxes.Health("other").State == ""; {
		if time.Now().After(end) {
			t.Fatal("the inboxes have no health")
		}
		<-time.After(time.Millisecond)
	}
	return w
}

func database(t testing.TB) docstore.Store {
	db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func run(t testing.TB, a *sms.Adapter) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// post hands a request to the adapter as the provider would.
func (w *world) post(r *http.Request) int {
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	return rec.Code
}

func (w *world) accepted(r *http.Request) error {
	if code := w.post(r); code != http.StatusOK {
		return fmt.Errorf("answer %d", code)
	}
	return nil
}

// read posts a request and parses the one input that it becomes.
func (w *world) read(in *channeltest.Intake, r *http.Request) ([]channel.Item, error) {
	w.t.Helper()
	before := len(in.Taken())
	if err := w.accepted(r); err != nil {
		w.t.Fatal(err)
	}
	taken := in.Taken()[before:]
	if len(taken) != 1 {
		w.t.Fatalf("%d inputs were stored, want 1", len(taken))
	}
	return w.adapter.Parse(taken[0])
}

func (w *world) sender() channel.Sender {
	s, ok := w.adapter.Sender("main")
	if !ok {
		w.t.Fatal("no sender")
	}
	return s
}

func mac(h func() hash.Hash, secret, message string) []byte {
	m := hmac.New(h, []byte(secret))
	m.Write([]byte(message))
	return m.Sum(nil)
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func to(number string) channel.Address {
	return channel.Address{Kind: sms.KindPhone, Address: number}
}

// askable is the adapter as the hub meets it where a provider can be asked what became of a send.
type askable struct {
	*sms.Adapter
	channel.Looker
}
