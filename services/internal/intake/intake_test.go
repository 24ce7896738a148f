package intake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/trace"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/intake"
)

func TestAcceptedOnceInOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t, intake.Config{})
	ctx := within(t)
	var all []channel.Raw
	for i := range 120 {
		all = append(all, raw(i, fmt.Sprintf("ada%d@example.org", i%7)))
	}
	if err := r.in.Accept(ctx, all...); err != nil {
		t.Fatal(err)
	}
	if err := r.in.Accept(ctx, all[:20]...); err != nil { // the provider offers them again
		t.Fatal(err)
	}
	if n := r.stored(t); n != 120 {
		t.Fatalf("%d stored, want 120", n)
	}
	got := r.read(t, 120)
	if len(got) != 7 {
		t.Fatalf("%d lanes, want one per sender", len(got))
	}
	for i := range 7 {
		a := all[i].Peek
		lane := got["default."+handleid.Of(r.keys, a)]
		var want []channel.Raw
		for j := i; j < 120; j += 7 {
			want = append(want, all[j])
		}
		var have []channel.Raw
		for _, in := range lane {
			have = append(have, *in.Raw)
			again, err := r.in.Open(ctx, in.Ref)
			if err != nil {
				t.Fatalf("open %s: %v", in.Ref, err)
			}
			if d := cmp.Diff(*in.Raw, again); d != "" {
				t.Fatal(d)
			}
		}
		if d := cmp.Diff(want, have); d != "" {
			t.Fatal(d)
		}
	}
}

func TestNothingInClear(t *testing.T) {
	t.Parallel()
	r := newRig(t, intake.Config{})
	ctx := within(t)
	in := raw(1, "Ada.Lovelace@example.org")
	in.Body = bytes.Repeat([]byte("a secret of Ada. "), 100)
	if err := r.in.Accept(ctx, in); err != nil {
		t.Fatal(err)
	}
	if err := r.in.Report(ctx, channel.Receipt{Channel: "email", Inbox: "support", Outbound: "r1", State: channel.StateFailed, Detail: "a secret of Ada"}); err != nil {
		t.Fatal(err)
	}
	for p := range 4 {
		s, err := r.bus.JS.Stream(ctx, fmt.Sprintf("IN-%d", p))
		if err != nil {
			t.Fatal(err)
		}
		for seq := range s.CachedInfo().State.LastSeq {
			m, err := s.GetMsg(ctx, seq+1)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.ToLower(fmt.Sprint(m.Subject, m.Header, string(m.Data)))
			for _, word := range []string{"secret", "lovelace", "example.org", "inbox/1"} {
				if strings.Contains(text, word) {
					t.Errorf("%q is readable", word)
				}
			}
		}
	}
}

func TestLargeBodyGoesToTheBlobStore(t *testing.T) {
	t.Parallel()
	r := newRig(t, intake.Config{InlineLimit: 1000, MaxBody: 5000})
	ctx := within(t)
	in := raw(1, "ada@example.org")
	in.Body = bytes.Repeat([]byte{0, 1, 2, 250}, 1250)
	in.Via = map[string]string{"client": "192.0.2.10"}
	for range 2 {
		if err := r.in.Accept(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.blobs.held.Load(); n != 1 {
		t.Fatalf("%d bodies in the blob store, want 1: the second copy is removed", n)
	}
	for _, lane := range r.read(t, 1) {
		if d := cmp.Diff(in, *lane[0].Raw); d != "" {
			t.Fatal(d)
		}
	}
	in.Body = append(in.Body, 0)
	in.ProviderID = "another"
	err := r.in.Accept(ctx, in)
	var bad *intake.InvalidError
	if !errors.As(err, &bad) || bad.Field != "inputs[0].body" || !strings.Contains(err.Error(), "at most 5000 bytes, have 5001") {
		t.Fatalf("too large: %v", err)
	}
	if n := r.blobs.held.Load(); n != 1 {
		t.Fatal("the refused body was stored")
	}
}

func TestInvalidInputStoresNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, intake.Config{})
	for field, change := range map[string]func(*channel.Raw){
		"inputs[1].tenant":       func(in *channel.Raw) { in.Tenant = "a.b" },
		"inputs[1].channel":      func(in *channel.Raw) { in.Channel = "" },
		"inputs[1].inbox":        func(in *channel.Raw) { in.Inbox = "sup>port" },
		"inputs[1].provider_id":  func(in *channel.Raw) { in.ProviderID = "" },
		"inputs[1].content_type": func(in *channel.Raw) { in.ContentType = strings.Repeat("x", 300) },
		"inputs[1].peek":         func(in *channel.Raw) { in.Peek.Name = strings.Repeat("x", 3000) },
		"inputs[1].via":          func(in *channel.Raw) { in.Via = map[string]string{"rcpt_to": strings.Repeat("x", 17<<10)} },
	} {
		bad := raw(2, "ada@example.org")
		change(&bad)
		err := r.in.Accept(within(t), raw(1, "ada@example.org"), bad)
		var invalid *intake.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for field, rec := range map[string]channel.Receipt{
		"receipts[0].state":    {Channel: "email", Inbox: "support", Outbound: "r", State: "gone"},
		"receipts[0].outbound": {Channel: "email", Inbox: "support", State: channel.StateSent},
		"receipts[0].customer": {Channel: "email", Inbox: "support", Outbound: "r", Customer: "a b", State: channel.StateSent},
	} {
		err := r.in.Report(within(t), rec)
		var invalid *intake.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if n := r.stored(t); n != 0 {
		t.Fatalf("%d stored, want none", n)
	}
}

func TestReceiptsOrderWithTheCustomer(t *testing.T) {
	t.Parallel()
	r := newRig(t, intake.Config{})
	sc := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	ctx := trace.ContextWithSpanContext(within(t), sc)
	at := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	rec := channel.Receipt{Tenant: "default", Channel: "email", Inbox: "support", Outbound: "r1", Customer: "c1", State: channel.StateSent, ProviderID: "<m@x>", Detail: "250 ok", At: at}
	second := rec
	second.State = channel.StateDelivered
	if err := r.in.Report(ctx, rec, second); err != nil {
		t.Fatal(err)
	}
	m, err := r.bus.JS.Stream(ctx, "IN-"+fmt.Sprint(slices.IndexFunc([]int{0, 1, 2, 3}, func(p int) bool {
		s, err := r.bus.JS.Stream(ctx, fmt.Sprintf("IN-%d", p))
		return err == nil && s.CachedInfo().State.Msgs > 0
	})))
	if err != nil {
		t.Fatal(err)
	}
	stored, err := m.GetMsg(ctx, 1)
	if err != nil || !strings.Contains(stored.Header.Get("traceparent"), sc.TraceID().String()) {
		t.Fatalf("trace: %v %v", stored.Header, err)
	}
	got := r.read(t, 2)["default.c1"]
	if len(got) != 2 {
		t.Fatalf("lane of the customer has %d receipts", len(got))
	}
	if d := cmp.Diff([]channel.Receipt{rec, second}, []channel.Receipt{*got[0].Receipt, *got[1].Receipt}); d != "" {
		t.Fatal(d)
	}
	if _, err := r.in.Open(ctx, got[0].Ref); !errors.Is(err, intake.ErrNoInput) {
		t.Fatalf("a receipt is no original: %v", err)
	}
}

func TestErasedAndMissing(t *testing.T) {
	t.Parallel()
	r := newRig(t, intake.Config{})
	ctx := within(t)
	in := raw(1, "ada@example.org")
	if err := r.in.Accept(ctx, in); err != nil {
		t.Fatal(err)
	}
	var ref string
	for _, lane := range r.read(t, 1) {
		ref = lane[0].Ref
	}
	if err := r.keys.Destroy(ctx, intake.DataKey(handleid.Of(r.keys, in.Peek))); err != nil {
		t.Fatal(err)
	}
	if _, err := r.in.Open(ctx, ref); !errors.Is(err, crypt.ErrShredded) {
		t.Fatalf("erased: %v", err)
	}
	// Whoever was erased may write again.
	again := raw(2, "ada@example.org")
	if err := r.in.Accept(ctx, again, raw(3, "bob@example.org")); err != nil {
		t.Fatalf("a new message of who was erased: %v", err)
	}
	var opened int
	for p := range 4 {
		for seq := range uint64(3) {
			if got, err := r.in.Open(ctx, fmt.Sprintf("in/%d/%d", p, seq+1)); err == nil {
				opened++
				if got.ProviderID == again.ProviderID {
					if d := cmp.Diff(again, got); d != "" {
						t.Fatal(d)
					}
				}
			}
		}
	}
	if opened != 2 {
		t.Fatalf("%d originals open, want the two new ones", opened)
	}
	for _, bad := range []string{"", "in/9/1", "in/0/99", "in/0/0", "in/-1/1", "in/0/x", "evt/0/1"} {
		if _, err := r.in.Open(ctx, bad); !errors.Is(err, intake.ErrNoInput) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// A ciphertext that was moved to another message does not open.
func TestCiphertextIsBound(t *testing.T) {
	t.Parallel()
	r := newRig(t, intake.Config{})
	ctx := within(t)
	if err := r.in.Accept(ctx, raw(1, "ada@example.org"), raw(2, "ada@example.org")); err != nil {
		t.Fatal(err)
	}
	var msgs []*message.Message
	for p := range 4 {
		for seq := range uint64(2) {
			if m, err := r.bus.Read(ctx, fmt.Sprintf("IN-%d", p), seq+1); err == nil {
				msgs = append(msgs, m)
			}
		}
	}
	if len(msgs) != 2 {
		t.Fatalf("%d messages", len(msgs))
	}
	if _, err := intake.Decode(ctx, r.keys, r.blobs, msgs[0].Metadata, msgs[1].Payload); err == nil {
		t.Fatal("opened under another message's id")
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, intake.Config{})
	var wg sync.WaitGroup
	for w := range 32 {
		wg.Go(func() {
			for i := range 10 {
				in := raw(w*10+i, fmt.Sprintf("a%d@example.org", w))
				if err := r.in.Accept(within(t), in); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := r.stored(t); n != 320 {
		t.Fatalf("%d stored, want 320", n)
	}
}

func BenchmarkAccept(b *testing.B) {
	r := newRig(b, intake.Config{})
	var n atomic.Int64
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := int(n.Add(1))
			in := raw(i, fmt.Sprintf("a%d@example.org", i%5000))
			if err := r.in.Accept(context.Background(), in); err != nil {
				b.Error(err)
			}
		}
	})
}
