package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/natsbus"
	"github.com/weftline/weftline/services/internal/natsbus/natsbustest"
)

// rig is a server and a state store, over which logs are opened.
type rig struct {
	t     *testing.T
	ctx   context.Context
	bus   *natsbus.Bus
	state docstore.Store
	keys  *crypt.Ring

	mu    sync.Mutex
	words bytes.Buffer // of the logs
}

func newRig(t *testing.T) *rig {
	ctx, cancel := context.WithTimeout(actor.With(context.Background(), actor.Actor{ID: "ada", Kind: actor.KindAgent, From: "192.0.2.7"}), time.Minute)
	t.Cleanup(cancel)
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &rig{t: t, ctx: ctx, bus: natsbustest.New(t), state: db, keys: crypt.NewMemory()}
}

func (r *rig) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.words.Write(b)
}

func (r *rig) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.words.String()
}

func (r *rig) open(cfg audit.Config) *audit.Log {
	r.t.Helper()
	l, err := audit.Open(r.ctx, cfg, audit.Deps{JS: r.bus.JS, State: r.state, Keys: r.keys, Log: slog.New(slog.NewTextHandler(r, nil))})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(l.Close)
	return l
}

// write records n entries and closes the log: they and the anchor are on disk.
func (r *rig) write(n int) {
	r.t.Helper()
	l := r.open(audit.Config{})
	for i := range n {
		if err := l.RecordSync(r.ctx, audit.Entry{Action: audit.DownloadFile, Object: fmt.Sprintf("f%d", i)}); err != nil {
			r.t.Fatal(err)
		}
	}
	l.Close()
}

func (r *rig) verify() audit.Report {
	r.t.Helper()
	l := r.open(audit.Config{})
	defer l.Close()
	report, err := l.Verify(r.ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	return report
}

func TestEntriesComeBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	l := r.open(audit.Config{})
	const n = 60
	for i := range n {
		e := audit.Entry{Action: audit.DownloadFile, Customer: fmt.Sprintf("c%d", i%3), Object: fmt.Sprintf("f%d", i)}
		record := l.Record
		if i%7 == 0 {
			record = l.RecordSync
		}
		if err := record(r.ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	if err := l.Record(r.ctx, audit.Entry{Action: audit.Login}); err == nil {
		t.Fatal("a closed log took an entry")
	}
	if rep := r.verify(); rep.First != nil || rep.Entries != n || rep.Anchor != n {
		t.Fatalf("%+v", rep)
	}
	// A message holds more than one: they were gathered.
	s, err := r.bus.JS.Stream(r.ctx, subject.StreamAudit)
	if err != nil {
		t.Fatal(err)
	}
	if msgs := s.CachedInfo().State.Msgs; msgs >= n {
		t.Fatalf("%d messages for %d entries", msgs, n)
	}
	l = r.open(audit.Config{})
	var got []audit.Listed
	for token, more := "", true; more; more = token != "" {
		var page []audit.Listed
		if page, token, err = l.List(r.ctx, audit.Filter{}, 7, token); err != nil || len(page) > 7 {
			t.Fatal(len(page), err)
		}
		got = append(got, page...)
	}
	if len(got) != n {
		t.Fatalf("%d listed", len(got))
	}
	for i, e := range got {
		k := n - 1 - i
		if e.N != uint64(k+1) || e.Object != fmt.Sprintf("f%d", k) || e.Actor != "ada" || e.Kind != "agent" || e.From != "192.0.2.7" || e.Outcome != "ok" || e.At.IsZero() {
			t.Fatalf("%d: %+v", i, e)
		}
	}
	for name, c := range map[string]struct {
		f    audit.Filter
		want int
	}{
		"customer":       {audit.Filter{Customer: "c1"}, n / 3},
		"actor":          {audit.Filter{Actor: "bob"}, 0},
		"group":          {audit.Filter{Action: "download"}, n},
		"not a prefix":   {audit.Filter{Action: "down"}, 0},
		"since":          {audit.Filter{Since: got[9].At}, 10},
		"until":          {audit.Filter{Until: got[9].At}, n - 10},
		"since tomorrow": {audit.Filter{Since: time.Now().Add(24 * time.Hour)}, 0},
	} {
		page, next, err := l.List(r.ctx, c.f, 1000, "")
		if err != nil || next != "" || len(page) != c.want {
			t.Errorf("%s: %d entries, next %q, %v; want %d", name, len(page), next, err, c.want)
		}
	}
	for _, token := range []string{"x", "1", "0.0", "1.x"} {
		if _, _, err := l.List(r.ctx, audit.Filter{}, 10, token); err == nil {
			t.Errorf("token %q was taken", token)
		}
	}
}

// Several processes write one chain.
func TestWritersMakeOneChain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const writers, each = 4, 30
	var g errgroup.Group
	for w := range writers {
		l := r.open(audit.Config{Flush: time.Millisecond})
		g.Go(func() error {
			for i := range each {
				record := l.Record
				if i%2 == 0 {
					record = l.RecordSync
				}
				if err := record(r.ctx, audit.Entry{Action: audit.DownloadFile, Object: fmt.Sprintf("w%d-%d", w, i)}); err != nil {
					return err
				}
			}
			l.Close()
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if rep := r.verify(); rep.First != nil || rep.Entries != writers*each || rep.Anchor != writers*each {
		t.Fatalf("%+v", rep)
	}
	l := r.open(audit.Config{})
	page, _, err := l.List(r.ctx, audit.Filter{}, 1000, "")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range page {
		seen[e.Object] = true
	}
	if len(seen) != writers*each {
		t.Fatalf("%d different entries", len(seen))
	}
}

func TestOnlyIDs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	l := r.open(audit.Config{})
	for name, e := range map[string]audit.Entry{
		"address":   {Action: audit.ReadCustomer, Customer: "ada@example.org"},
		"number":    {Action: audit.ReadCustomer, Object: "+4930123456"},
		"words":     {Action: audit.ReadSearch, IDs: map[string]string{"words": "where is"}},
		"no action": {Customer: "c1"},
		"sentence":  {Action: audit.Login, Reason: "wrong password"},
		"from":      {Action: audit.Login, From: "somewhere"},
	} {
		if err := l.RecordSync(r.ctx, e); err == nil {
			t.Errorf("%s was taken", name)
		}
		if err := l.Record(r.ctx, e); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if audit.ID("ada@example.org") != "" || audit.ID("01j-x") != "01j-x" {
		t.Error("ID")
	}
}

func TestRepeatedReadsAreOneEntry(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	now, mu := time.Now(), sync.Mutex{}
	l := r.open(audit.Config{Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}})
	record := func(e audit.Entry) {
		t.Helper()
		if err := l.Record(r.ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	read := audit.Entry{Action: audit.ReadTimeline, Customer: "c1"}
	record(read)
	record(read)
	record(audit.Entry{Action: audit.ReadTimeline, Customer: "c2"})
	record(audit.Entry{Action: audit.DownloadFile, Object: "f1"})
	record(audit.Entry{Action: audit.DownloadFile, Object: "f1"})
	mu.Lock()
	now = now.Add(5 * time.Minute)
	mu.Unlock()
	record(read)
	l.Close()
	if rep := r.verify(); rep.Entries != 5 {
		t.Fatalf("%d entries", rep.Entries)
	}
}

// A full queue blocks: nothing is lost, and the caller's context ends the wait.
func TestFullQueueBlocks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	l := r.open(audit.Config{Queue: 1, Flush: time.Millisecond})
	if err := r.bus.JS.DeleteStream(r.ctx, subject.StreamAudit); err != nil {
		t.Fatal(err)
	}
	if err := l.RecordSync(r.ctx, audit.Entry{Action: audit.Login}); err == nil {
		t.Fatal("on disk without a stream")
	}
	ctx, cancel := context.WithTimeout(r.ctx, 300*time.Millisecond)
	defer cancel()
	taken := 1
	var err error
	for err == nil {
		if err = l.Record(ctx, audit.Entry{Action: audit.DownloadFile}); err == nil {
			taken++
		}
	}
	if ctx.Err() == nil || taken > 3 {
		t.Fatalf("%d taken, then %v", taken, err)
	}
	// The stream is back: what was taken is written.
	if err := r.bus.Declare(r.ctx, natsbus.Config{}); err != nil {
		t.Fatal(err)
	}
	if err := l.RecordSync(r.ctx, audit.Entry{Action: audit.Logout}); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if rep := r.verify(); rep.First != nil || rep.Entries != uint64(taken+1) {
		t.Fatalf("%+v, %d were taken", rep, taken+1)
	}
}
