package backup_test

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/services/hub/backup"
	"github.com/weftline/weftline/services/internal/intake"
)

// TestRestoredTwice: a restored hub is copied and restored again.
func TestRestoredTwice(t *testing.T) {
	t.Parallel()
	dir := sample(t)
	for range 2 {
		data := filepath.Join(t.TempDir(), "restored")
		if err := backup.Restore(within(t), dir, data, io.Discard); err != nil {
			t.Fatal(err)
		}
		h := open(t, data, true)
		found := 0
		for p := range partitions {
			for seq := range uint64(3) {
				raw, err := h.intake.Open(within(t), fmt.Sprintf("in/%d/%d", p, seq+1))
				if err == nil && len(raw.Body) > 0 {
					found++
				} else if !errors.Is(err, intake.ErrNoInput) {
					t.Error(err)
				}
			}
		}
		if found != 2 {
			t.Fatalf("%d inputs, want 2", found)
		}
		dir = filepath.Join(t.TempDir(), "copy")
		h.backup(dir)
		h.close()
	}
}

// TestSequencesStay: messages were deleted at both ends and in between, and a
// consumer left one unacknowledged.
func TestSequencesStay(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	h := open(t, filepath.Join(tmp, "data"), false)
	ctx := within(t)
	for i := range 10 {
		if _, err := h.bus.JS.Publish(ctx, fmt.Sprintf("weftline.v1.default.event.x.%d.y", i), []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	s, err := h.bus.JS.Stream(ctx, "PUB")
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.CreateConsumer(ctx, jetstream.ConsumerConfig{Durable: "reader", AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		m, err := c.Next(jetstream.FetchMaxWait(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if i != 2 {
			if err := m.DoubleAck(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, seq := range []uint64{1, 7, 10} {
		if err := s.DeleteMsg(ctx, seq); err != nil {
			t.Fatal(err)
		}
	}
	copied, data := filepath.Join(tmp, "copy"), filepath.Join(tmp, "restored")
	h.backup(copied)
	if err := backup.Restore(ctx, copied, data, io.Discard); err != nil {
		t.Fatal(err)
	}
	r := open(t, data, true)
	c, err = r.bus.JS.Consumer(ctx, "PUB", "reader")
	if err != nil {
		t.Fatal(err)
	}
	i := c.CachedInfo()
	if i.AckFloor.Stream != 2 || i.NumAckPending != 1 || i.Delivered.Stream != 5 || i.NumPending != 3 {
		t.Errorf("consumer is at %+v, acknowledged to %+v, %d unacknowledged, %d pending", i.Delivered, i.AckFloor, i.NumAckPending, i.NumPending)
	}
	ack, err := r.bus.JS.Publish(ctx, "weftline.v1.default.event.x.new.y", []byte("{}"))
	if err != nil || ack.Sequence != 11 {
		t.Errorf("the next sequence is %+v, want 11: %v", ack, err)
	}
}
