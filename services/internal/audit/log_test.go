package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
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

// rewrite puts other messages into the stream, as who has the disk can.
func (r *rig) rewrite(change func([]*jetstream.RawStreamMsg) []*jetstream.RawStreamMsg) {
	r.t.Helper()
	s, err := r.bus.JS.Stream(r.ctx, subject.StreamAudit)
	if err != nil {
		r.t.Fatal(err)
	}
	info := s.CachedInfo()
	var all []*jetstream.RawStreamMsg
	for seq := info.State.FirstSeq; seq <= info.State.LastSeq && info.State.Msgs > 0; seq++ {
		m, err := s.GetMsg(r.ctx, seq)
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, m)
	}
	if err := r.bus.JS.DeleteStream(r.ctx, subject.StreamAudit); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.bus.JS.CreateStream(r.ctx, info.Config); err != nil {
		r.t.Fatal(err)
	}
	for _, m := range change(all) {
		if _, err := r.bus.JS.Publish(r.ctx, m.Subject, m.Data); err != nil {
			r.t.Fatal(err)
		}
	}
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

// TestTampering: each is named, and stays named however long the hub goes on.
func TestTampering(t *testing.T) {
	t.Parallel()
	type msgs = []*jetstream.RawStreamMsg
	for name, c := range map[string]struct {
		change func(msgs) msgs
		kind   string
		entry  uint64
	}{
		"altered": {func(m msgs) msgs {
			m[2].Data = bytes.Replace(m[2].Data, []byte("f2"), []byte("f9"), 1)
			return m
		}, audit.Altered, 3},
		"address altered": {func(m msgs) msgs {
			i := bytes.Index(m[2].Data, []byte(`"b":"`)) + 20
			m[2].Data[i] ^= 'A' ^ 'B'
			return m
		}, audit.Altered, 3},
		"address taken out": {func(m msgs) msgs {
			m[2].Data = regexp.MustCompile(`,"from_box":\{[^}]*\}`).ReplaceAll(m[2].Data, nil)
			return m
		}, audit.Altered, 3},
		"removed":     {func(m msgs) msgs { return append(m[:4:4], m[5:]...) }, audit.Removed, 5},
		"first":       {func(m msgs) msgs { return m[1:] }, audit.Removed, 1},
		"reordered":   {func(m msgs) msgs { m[1], m[2] = m[2], m[1]; return m }, audit.Reordered, 2},
		"all of it":   {func(msgs) msgs { return nil }, audit.Truncated, 1},
		"end cut off": {func(m msgs) msgs { return m[:6] }, audit.Truncated, 7},
		"forged end": {func(m msgs) msgs {
			data, last, _ := audit.Chain([]audit.Entry{{Action: audit.Login, Kind: "agent", Outcome: "ok"}})
			m = msgs{{Subject: m[0].Subject, Data: data[0]}}
			for last.N < 12 {
				var b []byte
				b, last, _ = audit.Forge(last, audit.Entry{Action: audit.Login, Kind: "agent", Outcome: "ok"})
				m = append(m, &jetstream.RawStreamMsg{Subject: m[0].Subject, Data: b})
			}
			return m
		}, audit.Altered, 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.write(8)
			if rep := r.verify(); rep.First != nil || rep.Entries != 8 || rep.Anchor != 8 {
				t.Fatalf("before: %+v", rep)
			}
			r.rewrite(c.change)
			rep := r.verify()
			if rep.First == nil || rep.First.Kind != c.kind || rep.First.Entry != c.entry {
				t.Fatalf("found %v, want %s %d", rep.First, c.kind, c.entry)
			}
			r.write(20)
			after := r.verify()
			if after.First == nil || after.First.Entry != c.entry {
				t.Fatalf("20 entries later: found %v, want %d", after.First, c.entry)
			}
		})
	}
}

// A hub that finds its end cut off says so at once.
func TestCutEndIsLogged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.write(3)
	r.open(audit.Config{}).Close()
	if r.said() != "" {
		t.Fatalf("nothing is wrong yet: %s", r.said())
	}
	r.rewrite(func(m []*jetstream.RawStreamMsg) []*jetstream.RawStreamMsg { return m[:1] })
	r.open(audit.Config{}).Close()
	if !bytes.Contains([]byte(r.said()), []byte("not what its anchor says")) {
		t.Fatalf("it said: %s", r.said())
	}
}

// The end is cut off under a log that is open: what it writes next shows the gap.
func TestCutUnderAWriter(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	l := r.open(audit.Config{})
	for range 3 {
		if err := l.RecordSync(r.ctx, audit.Entry{Action: audit.DownloadFile, Object: "f"}); err != nil {
			t.Fatal(err)
		}
	}
	r.rewrite(func(m []*jetstream.RawStreamMsg) []*jetstream.RawStreamMsg { return m[:1] })
	if err := l.RecordSync(r.ctx, audit.Entry{Action: audit.Login}); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if rep := r.verify(); rep.First == nil || rep.First.Kind != audit.Removed || rep.First.Entry != 2 || rep.First.Until != 3 {
		t.Fatalf("%v", rep.First)
	}
}

// A hub that dies between the chain and its anchor leaves nothing wrong.
func TestDeathBeforeTheAnchor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.write(2)
	stale := r.anchor()
	r.write(3)
	r.setAnchor(stale)
	if rep := r.verify(); rep.First != nil || rep.Entries != 5 || rep.Anchor != 2 {
		t.Fatalf("%+v", rep)
	}
	r.write(1)
	if rep := r.verify(); rep.First != nil || rep.Entries != 6 || rep.Anchor != 6 {
		t.Fatalf("%+v", rep)
	}
	if r.said() != "" {
		t.Fatalf("it said: %s", r.said())
	}
}

func (r *rig) anchor() []byte {
	r.t.Helper()
	d, err := r.state.Get(r.ctx, audit.Collection.Name, subject.DefaultTenant)
	if err != nil {
		r.t.Fatal(err)
	}
	return d.JSON
}

func (r *rig) setAnchor(doc []byte) {
	r.t.Helper()
	if err := r.state.Drop(r.ctx, audit.Collection.Name); err != nil {
		r.t.Fatal(err)
	}
	if err := r.state.Declare(r.ctx, audit.Collection); err != nil {
		r.t.Fatal(err)
	}
	var a struct{ N uint64 }
	if err := json.Unmarshal(doc, &a); err != nil {
		r.t.Fatal(err)
	}
	if err := r.state.Apply(r.ctx, docstore.Batch{Ops: []docstore.Op{{Collection: audit.Collection.Name, Doc: docstore.Doc{ID: subject.DefaultTenant, Seq: a.N, JSON: doc}}}}); err != nil {
		r.t.Fatal(err)
	}
}

// The server refuses what an operator's tool would do by mistake.
func TestStreamCannotBeEmptied(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.write(2)
	s, err := r.bus.JS.Stream(r.ctx, subject.StreamAudit)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Purge(r.ctx); err == nil {
		t.Error("purged")
	}
	if err := s.DeleteMsg(r.ctx, 1); err == nil {
		t.Error("deleted")
	}
	cfg := s.CachedInfo().Config
	cfg.DenyDelete, cfg.DenyPurge = false, false
	if _, err := r.bus.JS.UpdateStream(r.ctx, cfg); err == nil {
		t.Error("the refusal was taken back")
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

func TestNotedHead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.write(3)
	noted := r.verify()
	r.write(2)
	l := r.open(audit.Config{})
	for name, c := range map[string]struct {
		a    audit.Anchor
		kind string
	}{
		"held":    {audit.Anchor{N: noted.Last, Hash: noted.Hash}, ""},
		"another": {audit.Anchor{N: noted.Last - 1, Hash: noted.Hash}, audit.Altered},
		"further": {audit.Anchor{N: 99, Hash: noted.Hash}, audit.Truncated},
	} {
		rep, err := l.Verify(r.ctx, c.a)
		kind := ""
		if rep.First != nil {
			kind = rep.First.Kind
		}
		if err != nil || kind != c.kind {
			t.Errorf("%s: %v %v", name, rep.First, err)
		}
	}
}
