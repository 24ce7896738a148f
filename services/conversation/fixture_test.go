package conversation_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/weftline/inbox/v1/inboxv1connect"
	"github.com/weftline/weftline/services/conversation"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/internal/intake"
	"github.com/weftline/weftline/services/internal/jetstore"
	"github.com/weftline/weftline/services/internal/natsbus"
	"github.com/weftline/weftline/services/internal/natsbus/natsbustest"
)

// rig is the whole target over a real embedded NATS server and SQLite.
type rig struct {
	t       *testing.T
	bus     *natsbus.Bus
	keys    *crypt.Ring
	blobs   *blob.Dir
	blobDir string
	intake  *intake.Intake
	svc     *conversation.Service
	inbox   inboxv1connect.InboxServiceClient
	url     string
	scratch func() docstore.Store
	metrics *prometheus.Registry
	audit   ledger
	events  *jetstore.Store
	views   docstore.Store
	removed sync.Map // inboxes, by id
}

// bulkRead is more than one test reads by the way.
const bulkRead = 5

// post is the format of the test's channel.
type post struct {
	From, Name, Text, Subject string
	Kind                      string // of From; unset: email
	Files                     map[string][]byte
	Remote                    []string // files the provider keeps: "gone", or what is in them
	Broken                    bool
	Says                      string // another address that is typed as the sender's
	Refuted                   bool   // by what verifies senders
	// A change, where Action is set; At shifts its time.
	Action, Target, Emoji string
	At                    time.Duration
	Assurance             int

	Consent, Thread string

	Bounce string // it is the bounce of this reply
	ID     string // of its message; "": the provider's
}

// poster is a channel whose inputs are JSON.
type poster struct{}

func (poster) Parse(raw channel.Raw) ([]channel.Item, error) {
	var p post
	if err := json.Unmarshal(raw.Body, &p); err != nil {
		return nil, err
	}
	if p.Broken {
		panic("parser met something it did not expect")
	}
	if p.Bounce != "" {
		return []channel.Item{{Receipt: &channel.Receipt{Outbound: p.Bounce, State: channel.StateFailed, Detail: p.Text, At: raw.ReceivedAt}}}, nil
	}
	m := channel.Message{
		ID: raw.ProviderID, From: channel.Address{Kind: "email", Address: p.From, Name: p.Name}, OccurredAt: raw.ReceivedAt,
		Content: channel.Content{Subject: p.Subject, Text: p.Text}, Assurance: 2, Refs: []string{raw.ProviderID}, ClientID: "c-" + raw.ProviderID,
	}
	if p.ID != "" {
		m.ID = p.ID
	}
	if p.Kind != "" {
		m.From.Kind, m.From.Scope = p.Kind, "support"
	}
	if p.Says != "" {
		m.ClaimsHandle, m.Flags = &channel.Address{Kind: "email", Address: p.Says}, []string{"offline_capture"}
	}
	if p.Refuted {
		m.From.Scope, m.Assurance, m.Evidence, m.Flags = channel.ScopeUnverified, 0, "dmarc=fail", []string{"unverified"}
	}
	for _, name := range []string{"broken.gif", "cat.png", "page.html"} {
		if data, ok := p.Files[name]; ok {
			m.Content.Attachments = append(m.Content.Attachments, channel.Attachment{Name: name, ContentType: "image/png", Size: int64(len(data)), Part: name})
		}
	}
	m.Consent, m.Thread = channel.ConsentWish(p.Consent), p.Thread
	if p.Assurance > 0 {
		m.Assurance = p.Assurance
	}
	if p.Action != "" {
		return []channel.Item{{Change: &channel.Change{
			ID: raw.ProviderID, From: m.From, Target: p.Target, Action: channel.Action(p.Action), Content: m.Content, Emoji: p.Emoji,
			OccurredAt: raw.ReceivedAt.Add(p.At), Assurance: m.Assurance,
		}}}, nil
	}
	for _, r := range p.Remote {
		m.Content.Attachments = append(m.Content.Attachments, channel.Attachment{Name: "remote.bin", Remote: r})
	}
	return []channel.Item{{Message: &m}}, nil
}

func (poster) Fetch(_ context.Context, _ string, a channel.Attachment) (io.ReadCloser, error) {
	if a.Remote == "gone" {
		return nil, channel.ErrGone
	}
	if a.Remote == "later" {
		return nil, errors.New("not now")
	}
	return io.NopCloser(strings.NewReader(a.Remote)), nil
}

func (poster) OpenPart(raw channel.Raw, part string) ([]byte, string, error) {
	var p post
	if err := json.Unmarshal(raw.Body, &p); err != nil {
		return nil, "", err
	}
	data, ok := p.Files[part]
	if !ok {
		return nil, "", fmt.Errorf("no part %s", part)
	}
	return data, "", nil
}

// inboxes are those of the target; a test can remove one.
type inboxes struct{ removed *sync.Map }

func (i inboxes) Get(id string) (inbox.Inbox, bool) {
	if _, ok := i.removed.Load(id); ok {
		return inbox.Inbox{}, false
	}
	settings := map[string]string{inbox.KeyMask: map[string]string{"masking": "cards,secrets"}[id]}
	if id == "forgetful" {
		settings[inbox.KeyKeepDeleted] = "no"
	}
	return inbox.Inbox{ID: id, Channel: "email", Name: "Support", Settings: settings}, id == "support" || id == "masking" || id == "forgetful"
}

func start(t *testing.T) *rig {
	t.Helper()
	return startWith(t, conversation.Config{BulkRead: bulkRead}, conversation.Erasure{})
}

func startWith(t *testing.T, cfg conversation.Config, erasure conversation.Erasure) *rig {
	t.Helper()
	return startChannel(t, cfg, erasure, channel.Capabilities{})
}

// startChannel is startWith for a channel that can carry no more than this.
func startChannel(t *testing.T, cfg conversation.Config, erasure conversation.Erasure, can channel.Capabilities) *rig {
	t.Helper()
	r := &rig{t: t, bus: natsbustest.New(t), keys: crypt.NewMemory(), metrics: prometheus.NewRegistry()}
	ctx := t.Context()
	log := slog.New(slog.DiscardHandler)
	var err error
	r.blobDir = t.TempDir()
	if r.blobs, err = blob.NewDir(r.blobDir, r.keys); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.blobs.Close() })
	events, err := jetstore.Open(ctx, r.bus.JS, jetstore.Config{Partitions: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = events.Close() })
	r.events = events
	if r.intake, err = intake.New(r.bus, r.keys, r.blobs, intake.Config{Partitions: 4}); err != nil {
		t.Fatal(err)
	}
	n := 0
	r.scratch = func() docstore.Store {
		n++
		s, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), fmt.Sprintf("%d.db", n)), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	r.views = r.scratch()
	r.svc, err = conversation.New(ctx, cfg, conversation.Deps{
		Events: events, Snapshots: events, Views: r.views, State: r.scratch(), Keys: r.keys, Blobs: r.blobs,
		Bus: r.bus, Originals: r.intake, Inboxes: inboxes{&r.removed}, Audit: &r.audit, Log: log, Metrics: r.metrics, Erasure: erasure,
		Agent:        func(_ context.Context, id string) (bool, error) { return id == "ada", nil },
		Parser:       func(string) (channel.Parser, bool) { return poster{}, true },
		Parts:        func(string) (channel.PartOpener, bool) { return poster{}, true },
		Capabilities: func(string, string) (channel.Capabilities, bool) { return can, can.TextLimit > 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	run, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := r.svc.Run(run); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	mux := http.NewServeMux()
	r.svc.Routes(mux)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch q.Header.Get("Authorization") {
		case "agent":
			q = q.WithContext(actor.With(q.Context(), actor.Actor{ID: "ada", Kind: actor.KindAgent, Name: "Ada"}))
		case "events":
			q = q.WithContext(actor.With(q.Context(), actor.Actor{ID: "t1", Kind: actor.KindIntegrator, Scopes: []string{"events"}}))
		}
		mux.ServeHTTP(w, q)
	}))
	t.Cleanup(func() { web.Close(); stop(); all.Wait() })
	r.url = web.URL
	r.inbox = inboxv1connect.NewInboxServiceClient(as("agent"), web.URL)
	return r
}

// files counts the blobs there are.
func (r *rig) files() (n int) {
	r.t.Helper()
	err := filepath.WalkDir(r.blobDir, func(_ string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

// as is an HTTP client of somebody.
func as(who string) *http.Client {
	return &http.Client{Transport: transport(who), Timeout: time.Minute}
}

// ownTransport has connections of its own: httptest.Server.Close ends idle ones of the
// default transport, also those another test is about to write to.
var ownTransport = http.DefaultTransport.(*http.Transport).Clone()

type transport string

func (t transport) RoundTrip(q *http.Request) (*http.Response, error) {
	q = q.Clone(q.Context())
	q.Header.Set("Authorization", string(t))
	return ownTransport.RoundTrip(q)
}

// deliver accepts an input as an adapter does.
func (r *rig) deliver(id string, p post) { r.t.Helper(); r.deliverTo("support", id, p) }

func (r *rig) deliverTo(inbox, id string, p post) {
	r.t.Helper()
	body, err := json.Marshal(p)
	if err != nil {
		r.t.Fatal(err)
	}
	err = r.intake.Accept(r.t.Context(), channel.Raw{
		Channel: "email", Inbox: inbox, ProviderID: id, Peek: channel.Address{Kind: "email", Address: p.From},
		ReceivedAt: time.Now(), ContentType: "application/json", Body: body,
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// eventually asks until ok, with a deadline.
func eventually[T any](t *testing.T, what string, ask func() (T, error), ok func(T) bool) T {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		v, err := ask()
		if err == nil && ok(v) {
			return v
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("still waiting for %s: %v, %v", what, v, err)
		}
	}
}

func (r *rig) call(who, method, path, body string) (int, http.Header, string) {
	r.t.Helper()
	var in io.Reader
	if body != "" {
		in = jsonBody(body)
	}
	q, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, in)
	if err != nil {
		r.t.Fatal(err)
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	res, err := as(who).Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(out)
}
