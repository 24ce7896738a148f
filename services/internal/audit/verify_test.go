package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weftline/weftline/services/internal/audit"
)

// message is one of the stream, apart into its entries' raw JSON.
type message struct {
	V       int    `json:"v"`
	Entries []part `json:"entries"`
}

type part struct {
	Hash  string          `json:"hash"`
	Entry json.RawMessage `json:"entry"`
}

// world is a chain and where its entries are.
type world struct {
	messages []message
	firsts   []uint64 // number of each message's first entry
	last     audit.Anchor
}

func drawWorld(t *rapid.T) world {
	var batches [][]audit.Entry
	var firsts []uint64
	n := uint64(1)
	for range rapid.IntRange(2, 6).Draw(t, "messages") {
		var b []audit.Entry
		firsts = append(firsts, n)
		for range rapid.IntRange(1, 4).Draw(t, "entries") {
			b = append(b, audit.Entry{
				At: time.Unix(int64(n), 0).UTC(), Kind: "agent", Outcome: "ok", Actor: rapid.SampledFrom([]string{"a1", "a2"}).Draw(t, "actor"),
				Action: rapid.SampledFrom([]string{audit.Login, audit.ReadTimeline, audit.DownloadFile}).Draw(t, "action"),
				IDs:    map[string]string{"x": fmt.Sprint(n)},
			})
			n++
		}
		batches = append(batches, b)
	}
	raw, last, err := audit.Chain(batches...)
	if err != nil {
		t.Fatal(err)
	}
	w := world{firsts: firsts, last: last}
	for _, b := range raw {
		var m message
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		w.messages = append(w.messages, m)
	}
	return w
}

func encode(t *rapid.T, m message) []byte {
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (w world) verify(t *rapid.T, anchors ...audit.Anchor) audit.Report {
	v := audit.NewVerifier(anchors...)
	for i, m := range w.messages {
		if len(m.Entries) > 0 { // a message without entries was removed
			v.Add(uint64(i+1), encode(t, m))
		}
	}
	return v.Report()
}

// place finds an entry.
func (w world) place(n uint64) (m, i int) {
	for m = len(w.firsts) - 1; w.firsts[m] > n; m-- {
	}
	return m, int(n - w.firsts[m])
}

func want(t *rapid.T, r audit.Report, kind string, from, until uint64) {
	t.Helper()
	if r.First == nil || r.First.Kind != kind || r.First.Entry != from || r.First.Until != until {
		t.Fatalf("found %v, want %s %d to %d", r.First, kind, from, until)
	}
}

// TestLawAuditChain: whatever is done to a chain, its first offender is named.
func TestLawAuditChain(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(*rapid.T, world){
		"untouched": func(t *rapid.T, w world) {
			if r := w.verify(t, w.last); r.First != nil || r.Entries != w.last.N || r.Last != w.last.N || r.Hash != w.last.Hash {
				t.Fatalf("%+v", r)
			}
		},
		"altered": func(t *rapid.T, w world) {
			n := rapid.Uint64Range(1, w.last.N).Draw(t, "n")
			m, i := w.place(n)
			e := &w.messages[m].Entries[i]
			e.Entry = bytes.Replace(e.Entry, []byte(`"kind":"agent"`), []byte(`"kind":"other"`), 1)
			want(t, w.verify(t, w.last), audit.Altered, n, n)
		},
		"altered, with a hash that fits": func(t *rapid.T, w world) {
			n := rapid.Uint64Range(1, w.last.N).Draw(t, "n")
			m, i := w.place(n)
			e := &w.messages[m].Entries[i]
			before := audit.Anchor{N: n - 1}
			if n > 1 {
				pm, pi := w.place(n - 1)
				before.Hash = w.messages[pm].Entries[pi].Hash
			}
			b, _, err := audit.Forge(before, audit.Entry{Action: audit.Logout, Kind: "agent", Outcome: "ok"})
			if err != nil {
				t.Fatal(err)
			}
			var forged message
			if err := json.Unmarshal(b, &forged); err != nil {
				t.Fatal(err)
			}
			*e = forged.Entries[0]
			want(t, w.verify(t, w.last), audit.Altered, n, n)
		},
		"any byte": func(t *rapid.T, w world) {
			m := rapid.IntRange(0, len(w.messages)-1).Draw(t, "message")
			b := encode(t, w.messages[m])
			at := rapid.IntRange(0, len(b)-1).Draw(t, "byte")
			b[at] ^= byte(1 << rapid.IntRange(0, 7).Draw(t, "bit"))
			v := audit.NewVerifier(w.last)
			for i := range w.messages {
				if i == m {
					v.Add(uint64(i+1), b)
					continue
				}
				v.Add(uint64(i+1), encode(t, w.messages[i]))
			}
			r := v.Report()
			first, next := w.firsts[m], w.last.N+1
			if m+1 < len(w.firsts) {
				next = w.firsts[m+1]
			}
			if r.First == nil || r.First.Entry < first || r.First.Entry >= next || r.First.Seq != uint64(m+1) {
				t.Fatalf("byte %d of message %d (entries %d to %d): found %v", at, m+1, first, next-1, r.First)
			}
		},
		"removed": func(t *rapid.T, w world) {
			n := rapid.Uint64Range(1, w.last.N-1).Draw(t, "n")
			m, i := w.place(n)
			w.messages[m].Entries = slices.Delete(w.messages[m].Entries, i, i+1)
			want(t, w.verify(t, w.last), audit.Removed, n, n)
		},
		"a message removed": func(t *rapid.T, w world) {
			m := rapid.IntRange(0, len(w.messages)-2).Draw(t, "message")
			w.messages[m].Entries = nil
			want(t, w.verify(t, w.last), audit.Removed, w.firsts[m], w.firsts[m+1]-1)
		},
		"messages exchanged": func(t *rapid.T, w world) {
			a := rapid.IntRange(0, len(w.messages)-2).Draw(t, "a")
			b := rapid.IntRange(a+1, len(w.messages)-1).Draw(t, "b")
			w.messages[a], w.messages[b] = w.messages[b], w.messages[a]
			want(t, w.verify(t, w.last), audit.Reordered, w.firsts[a], w.firsts[a])
		},
		"a message twice": func(t *rapid.T, w world) {
			a := rapid.IntRange(0, len(w.messages)-1).Draw(t, "a")
			w.messages = append(w.messages, w.messages[a])
			want(t, w.verify(t, w.last), audit.Reordered, w.firsts[a], w.firsts[a])
		},
		"truncated": func(t *rapid.T, w world) {
			n := rapid.Uint64Range(1, w.last.N).Draw(t, "n")
			m, i := w.place(n)
			w.messages[m].Entries = w.messages[m].Entries[:i]
			for j := m + 1; j < len(w.messages); j++ {
				w.messages[j].Entries = nil
			}
			want(t, w.verify(t, w.last), audit.Truncated, n, w.last.N)
		},
		"everything written anew": func(t *rapid.T, w world) {
			b, last, err := audit.Chain([]audit.Entry{{Action: audit.Login, Kind: "agent", Outcome: "ok"}})
			if err != nil {
				t.Fatal(err)
			}
			for last.N < w.last.N+2 {
				var more []byte
				if more, last, err = audit.Forge(last, audit.Entry{Action: audit.Login, Kind: "agent", Outcome: "ok"}); err != nil {
					t.Fatal(err)
				}
				b = append(b, more)
			}
			v := audit.NewVerifier(w.last)
			for i := range b {
				v.Add(uint64(i+1), b[i])
			}
			want(t, v.Report(), audit.Altered, w.last.N, w.last.N)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { harm(t, drawWorld(t)) })
		})
	}
}

// An anchor behind the end is no offence: the hub may have died before it moved it.
func TestAnchorMayBeBehind(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		n := rapid.Uint64Range(1, w.last.N).Draw(t, "n")
		m, i := w.place(n)
		if r := w.verify(t, audit.Anchor{N: n, Hash: w.messages[m].Entries[i].Hash}, audit.Anchor{}); r.First != nil || r.Anchor != n {
			t.Fatalf("%+v", r)
		}
	})
}

func TestOffenceIsReadable(t *testing.T) {
	t.Parallel()
	got := audit.Offence{Kind: audit.Removed, Entry: 3, Until: 5, Seq: 7, Why: "6 follows 2"}.String()
	if want := "audit entries 3 to 5: removed, seen at stream sequence 7 (6 follows 2)"; got != want {
		t.Fatalf("%q", got)
	}
}

func TestParseAnchor(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("ab", 32)
	if a, err := audit.ParseAnchor("12:" + hash); err != nil || a.N != 12 || a.Hash != hash {
		t.Fatal(a, err)
	}
	for _, bad := range []string{"", "12", "12:ab", "0:" + hash, "x:" + hash, "12:" + strings.Repeat("zz", 32)} {
		if _, err := audit.ParseAnchor(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
