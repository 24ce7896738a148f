package intake_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/weftline/weftline/services/internal/intake"
	"github.com/weftline/weftline/services/internal/natsbus"
)

func TestRemovedOriginalIsGone(t *testing.T) {
	t.Parallel()
	r := newRig(t, intake.Config{InlineLimit: 100})
	ctx := within(t)
	small, large, other := raw(1, "ada@example.org"), raw(2, "ada@example.org"), raw(3, "ada@example.org")
	large.Body = bytes.Repeat([]byte("x"), 5000)
	if err := r.in.Accept(ctx, small, large, other); err != nil {
		t.Fatal(err)
	}
	var all []intake.Input
	for _, lane := range r.read(t, 3) {
		all = append(all, lane...)
	}
	if r.blobs.held.Load() != 1 || len(all) != 3 {
		t.Fatalf("%d blobs, %d inputs", r.blobs.held.Load(), len(all))
	}
	for range 2 { // the second time after a crash, as it were
		for _, in := range all[:2] {
			if err := r.in.Remove(ctx, in.Ref); err != nil {
				t.Fatal(err)
			}
			if _, err := r.in.Open(ctx, in.Ref); !errors.Is(err, intake.ErrNoInput) {
				t.Fatalf("open %s: %v", in.Ref, err)
			}
		}
	}
	if got, err := r.in.Open(ctx, all[2].Ref); err != nil || !bytes.Equal(got.Body, other.Body) {
		t.Fatalf("the other one: %v", err)
	}
	if r.stored(t) != 1 || r.blobs.held.Load() != 0 {
		t.Fatalf("%d messages, %d blobs are left", r.stored(t), r.blobs.held.Load())
	}
	if err := r.in.Remove(ctx, "elsewhere/1"); !errors.Is(err, intake.ErrNoInput) {
		t.Fatalf("a reference to nothing: %v", err)
	}
}

// Cut off between blob and message, it goes on; an erased one goes too.
func TestRemoveGoesOn(t *testing.T) {
	t.Parallel()
	r := newRig(t, intake.Config{InlineLimit: 100})
	ctx := within(t)
	half, erased := raw(1, "ada@example.org"), raw(2, "bob@example.org")
	half.Body = bytes.Repeat([]byte("x"), 5000)
	if err := r.in.Accept(ctx, half, erased); err != nil {
		t.Fatal(err)
	}
	refs := map[string]string{}
	for key, lane := range r.read(t, 2) {
		refs[lane[0].Raw.Peek.Address] = lane[0].Ref
		if lane[0].Raw.Peek == erased.Peek {
			if err := r.keys.Destroy(ctx, intake.DataKey(key)); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.blobs.lose(t)
	for _, ref := range refs {
		if err := r.in.Remove(ctx, ref); err != nil {
			t.Fatal(err)
		}
	}
	if r.stored(t) != 0 {
		t.Fatalf("%d messages are left", r.stored(t))
	}
}

// An input that was put back from POISON takes the place it had before with it.
func TestRemoveAfterReplay(t *testing.T) {
	t.Parallel()
	r := newRig(t, intake.Config{})
	ctx := within(t)
	if err := r.in.Accept(ctx, raw(1, "ada@example.org")); err != nil {
		t.Fatal(err)
	}
	first := one(t, r.read(t, 1))
	var p, seq int
	if _, err := fmt.Sscanf(first.Ref, "in/%d/%d", &p, &seq); err != nil {
		t.Fatal(err)
	}
	m, err := r.bus.Read(ctx, fmt.Sprintf("IN-%d", p), uint64(seq))
	if err != nil {
		t.Fatal(err)
	}
	back := nats.NewMsg(m.Metadata.Get(natsbus.MetaSubject))
	back.Data = m.Payload
	for k, v := range m.Metadata {
		back.Header.Set(k, v)
	}
	back.Header = natsbus.OwnHeader(back.Header)
	back.Header.Set(natsbus.ReplayOf, first.Ref)
	ack, err := r.bus.JS.PublishMsg(ctx, back)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.in.Remove(ctx, fmt.Sprintf("in/%d/%d", p, ack.Sequence)); err != nil {
		t.Fatal(err)
	}
	if r.stored(t) != 0 {
		t.Fatalf("%d messages are left", r.stored(t))
	}
}

func one(t *testing.T, lanes map[string][]intake.Input) intake.Input {
	t.Helper()
	for _, lane := range lanes {
		return lane[0]
	}
	t.Fatal("nothing was read")
	return intake.Input{}
}
