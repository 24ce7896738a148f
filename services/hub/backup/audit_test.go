package backup_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/weftline/weftline/services/hub/backup"
	"github.com/weftline/weftline/services/internal/audit"
)

func (h *hub) audit() *audit.Log {
	h.t.Helper()
	l, err := audit.Open(within(h.t), audit.Config{}, audit.Deps{JS: h.bus.JS, State: h.state, Keys: h.keys})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(l.Close)
	return l
}

// TestAuditStaysVerifiable: the copy of a chain that grows meanwhile is a chain,
// with an anchor that is in it, and with all that was recorded before.
func TestAuditStaysVerifiable(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	copied, data := filepath.Join(tmp, "copy"), filepath.Join(tmp, "restored")
	old := open(t, filepath.Join(tmp, "data"), false)
	l := old.audit()
	var written atomic.Uint64
	record := func(i int) error {
		err := l.RecordSync(within(t), audit.Entry{Action: audit.DownloadFile, Object: fmt.Sprintf("f%d", i)})
		if err == nil {
			written.Add(1)
		}
		return err
	}
	for i := range 20 {
		if err := record(i); err != nil {
			t.Fatal(err)
		}
	}
	l.Close() // writes the anchor
	l = old.audit()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var g errgroup.Group
	g.Go(func() error {
		for i := 20; ctx.Err() == nil; i++ {
			if err := record(i); err != nil {
				return err
			}
		}
		return nil
	})
	await(t, "some entries", func() bool { return written.Load() > 40 })
	before := written.Load()
	old.backup(copied)
	await(t, "entries after the copy", func() bool { return written.Load() > before+20 })
	stop()
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := backup.Restore(within(t), copied, data, t.Output()); err != nil {
		t.Fatal(err)
	}
	restored := open(t, data, true).audit()
	r, err := restored.Verify(within(t))
	if err != nil || r.First != nil || r.Entries < before || r.Entries > written.Load() || r.Anchor < 20 {
		t.Fatalf("%+v %v: %d before the copy", r, err, before)
	}
	if err := restored.RecordSync(within(t), audit.Entry{Action: audit.Login}); err != nil {
		t.Fatal(err)
	}
	if again, err := restored.Verify(within(t)); err != nil || again.First != nil || again.Entries != r.Entries+1 {
		t.Fatalf("%+v %v", again, err)
	}
}
