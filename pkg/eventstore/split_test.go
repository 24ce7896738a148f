package eventstore

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// whole reads the stored form by encoding/json alone.
func whole(body []byte) (c Commit, err error) {
	err = json.Unmarshal(body, &c)
	return c, err
}

// FuzzSplit: what split takes apart is what encoding/json reads, for every valid body.
func FuzzSplit(f *testing.F) {
	for _, body := range []string{
		`{"id":"a","at":"2026-01-02T03:04:05.000006Z","by":"x","why":"y","tp":"z","ev":[{"t":"a.b","v":1,"d":{"x":"}\\"{"}},{"t":"a.c","v":22,"d":{}}]}`,
		`{"id":"a","at":"2026-01-02T03:04:05Z","ev":[{"t":"a.b","v":1,"d":{"x":"\\\\"}}]}`,
		`{"id":"\u00e9","at":"2026-01-02T03:04:05+01:00","ev":[{"t":"a.b","v":1,"d":null}]}`,
		`{"id":"a","at":"2026-01-02T03:04:05Z","ev":[]}`, `{"id":"a","at":"2026-01-02T03:04:05Z","ev":[{"t":"a","v":01,"d":{}}]}`,
		`{"id":"a","at":"x","ev":[{"t":"a","v":1,"d":{}}]}`, ` {"id":"a"}`, ``, `{"id":"`, `{"id":"a","at":"2026-01-02T03:04:05Z","ev":[{"t":"a","v":1,"d":{"`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, ok := split(body)
		if !ok || !json.Valid(body) {
			return
		}
		want, err := whole(body)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-json +split)\n%s", body, err, diff)
		}
	})
}

// TestSplitTakesWhatEncodeWrites: the shorter way is the one that is gone, and
// it gives what the longer one does.
func TestSplitTakesWhatEncodeWrites(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		parts := []string{`"`, `\`, `{`, `}`, `[`, `]`, `a`, `,`, `:`, "é", "\n", "<", "\u2028"}
		var b strings.Builder
		for range r.IntN(12) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		return b.String()
	}
	var value func(depth int) any
	value = func(depth int) any {
		switch n := r.IntN(6); {
		case n == 0 && depth > 0:
			return map[string]any{text(): value(depth - 1), "k": value(depth - 1)}
		case n == 1 && depth > 0:
			return []any{value(depth - 1), value(depth - 1)}
		case n == 2:
			return r.Float64()
		case n == 3:
			return nil
		}
		return text()
	}
	for range 2_000 {
		c := Commit{ID: "msg:1", RecordedAt: time.UnixMicro(r.Int64N(4e15)), Actor: "customer"}
		if r.IntN(2) == 0 {
			c.Cause, c.Trace = "in/0/7", "00-0af7-01"
		}
		for range 1 + r.IntN(3) {
			data, err := json.Marshal(map[string]any{"a": value(4), text(): value(4)})
			if err != nil {
				t.Fatal(err)
			}
			c.Records = append(c.Records, Record{Type: "conversation.message_received", V: 1 + r.IntN(20), Data: data})
		}
		body, err := Encode(Append{Tenant: "t", Stream: "customer.a", Commit: c})
		if err != nil {
			t.Fatal(err)
		}
		got, ok := split(body)
		want, err := whole(body)
		if diff := cmp.Diff(want, got); diff != "" || err != nil || !ok {
			t.Fatalf("%s: taken %v, %v (-json +split)\n%s", body, ok, err, diff)
		}
	}
}

// BenchmarkDecode reads the stored form of a usual message.
func BenchmarkDecode(b *testing.B) {
	body, err := Encode(Append{Tenant: "t", Stream: "customer.a", Commit: Commit{
		ID: "msg:1", RecordedAt: time.UnixMicro(1), Actor: "customer",
		Records: []Record{{Type: "conversation.message_received", V: 2, Data: json.RawMessage(`{"body":"` + strings.Repeat("A", 900) + `"}`)}},
	}})
	if err != nil {
		b.Fatal(err)
	}
	for name, read := range map[string]func([]byte) (Commit, error){"json": whole, "decode": Decode} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := read(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
