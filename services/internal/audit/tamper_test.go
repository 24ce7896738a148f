package audit_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/docstore"
)

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
