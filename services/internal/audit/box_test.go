package audit_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/audit"
)

// stored is everything in the stream, as one piece.
func (r *rig) stored() []byte {
	r.t.Helper()
	s, err := r.bus.JS.Stream(r.ctx, subject.StreamAudit)
	if err != nil {
		r.t.Fatal(err)
	}
	var all []byte
	for seq := uint64(1); seq <= s.CachedInfo().State.LastSeq; seq++ {
		m, err := s.GetMsg(r.ctx, seq)
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, m.Data...)
	}
	return all
}

// last is the newest entry, as List shows it.
func (r *rig) last(l *audit.Log) audit.Listed {
	r.t.Helper()
	page, _, err := l.List(r.ctx, audit.Filter{}, 1, "")
	if err != nil || len(page) != 1 {
		r.t.Fatal(len(page), err)
	}
	return page[0]
}

// TestReasonGoesWithWhomItSpeaksOf: the words are in the log, sealed under all
// customers they may speak of; one of them goes, and they do, and the chain holds.
func TestReasonGoesWithWhomItSpeaksOf(t *testing.T) {
	t.Parallel()
	const why = "Pia called: ☎ she is one with her brother's account"
	keys := []string{"customer/a", "customer/b", "customer/c"}
	for _, gone := range keys {
		t.Run(gone, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			l := r.open(audit.Config{})
			if err := l.RecordSync(r.ctx, audit.Entry{Action: audit.IdentityMerge, Customer: "a", Why: why, WhyKeys: keys}); err != nil {
				t.Fatal(err)
			}
			if e := r.last(l); e.Why != why || e.WhyGone || e.From != "192.0.2.7" || e.FromGone {
				t.Fatalf("%+v", e)
			}
			// More than a name of three letters: what is sealed stands there in base64, and can spell that.
			if b := r.stored(); bytes.Contains(b, []byte("Pia called")) || bytes.Contains(b, []byte("192.0.2.7")) {
				t.Fatalf("in the clear: %s", b)
			}
			if err := r.keys.Destroy(r.ctx, gone); err != nil {
				t.Fatal(err)
			}
			if e := r.last(l); e.Why != "" || !e.WhyGone || e.From != "192.0.2.7" || e.Action != audit.IdentityMerge {
				t.Fatalf("%+v", e)
			}
			if rep, err := l.Verify(r.ctx); err != nil || rep.First != nil || rep.Entries != 1 {
				t.Fatal(rep, err)
			}
			// What comes late does not bring it back, and is recorded all the same.
			if err := l.RecordSync(r.ctx, audit.Entry{Action: audit.IdentityUnmerge, Why: why, WhyKeys: keys}); err != nil {
				t.Fatal(err)
			}
			if e := r.last(l); e.Action != audit.IdentityUnmerge || e.Why != "" {
				t.Fatalf("%+v", e)
			}
		})
	}
}

func TestReasonIsBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	l := r.open(audit.Config{})
	for name, why := range map[string]string{"long": strings.Repeat("x", 2001), "not UTF-8": "a\xffb"} {
		if err := l.RecordSync(r.ctx, audit.Entry{Action: audit.IdentityMerge, Why: why, WhyKeys: []string{"k"}}); err == nil {
			t.Errorf("%s: was taken", name)
		}
	}
	// Nobody could make it unreadable: it is not stored.
	if err := l.RecordSync(r.ctx, audit.Entry{Action: audit.IdentityMerge, Why: "Pia called"}); err != nil {
		t.Fatal(err)
	}
	if e := r.last(l); e.Why != "" || e.WhyGone || bytes.Contains(r.stored(), []byte("Pia called")) {
		t.Fatalf("%+v", e)
	}
}

// A box is of its entry: put into another, which who can forge a chain can do, it opens nothing.
func TestBoxIsOfItsEntry(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	l := r.open(audit.Config{})
	for _, a := range []string{audit.IdentityMerge, audit.IdentityUnmerge} {
		if err := l.RecordSync(r.ctx, audit.Entry{Action: a, Why: "of " + a, WhyKeys: []string{"k"}}); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	r.rewrite(func(m []*jetstream.RawStreamMsg) []*jetstream.RawStreamMsg {
		data, err := audit.SwapBoxes(m[0].Data, m[1].Data)
		if err != nil {
			t.Fatal(err)
		}
		m[0].Data, m[1].Data = data[0], data[1]
		return m
	})
	if e := r.last(r.open(audit.Config{})); e.Action != audit.IdentityUnmerge || e.Why != "" || e.From != "" {
		t.Fatalf("%+v", e)
	}
}
