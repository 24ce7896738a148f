package audit_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weftline/weftline/services/internal/audit"
)

// TestAddressesExpire: an address is there for its days and no longer, entries
// stay, and the chain holds before and after.
func TestAddressesExpire(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	start := time.Date(2026, 11, 27, 23, 30, 0, 0, time.UTC)
	var now atomic.Int64
	now.Store(start.UnixNano())
	cfg := audit.Config{AddressDays: 30, Now: func() time.Time { return time.Unix(0, now.Load()) }}
	for i, c := range []struct {
		after time.Duration // since start
		gone  string        // of entries 1…: x where the address is gone
	}{
		{0, "."},
		{time.Hour, ".."}, // the next day
		{29 * 24 * time.Hour, "..."},
		{29*24*time.Hour + time.Hour, "x..."}, // the start of its day is 30 days ago
		{30*24*time.Hour + time.Hour, "xx..."},
		{400 * 24 * time.Hour, "xxxxx."},
	} {
		now.Store(start.Add(c.after).UnixNano())
		l := r.open(cfg)
		if err := l.RecordSync(r.ctx, audit.Entry{Action: audit.DownloadFile, Object: fmt.Sprintf("f%d", i)}); err != nil {
			t.Fatal(err)
		}
		page, _, err := l.List(r.ctx, audit.Filter{}, 100, "")
		if err != nil || len(page) != len(c.gone) {
			t.Fatal(len(page), err)
		}
		for _, e := range page {
			gone := c.gone[e.N-1] == 'x'
			if e.FromGone != gone || (e.From == "") != gone || e.Object != fmt.Sprintf("f%d", e.N-1) {
				t.Errorf("after %s, entry %d: %q gone %v, want gone %v", c.after, e.N, e.From, e.FromGone, gone)
			}
		}
		l.Close()
		if rep := r.verify(); rep.First != nil || rep.Entries != uint64(i+1) {
			t.Fatalf("after %s: %+v", c.after, rep)
		}
	}
}

// A hub that was off, or that is restored from an older copy, removes what is
// over before it does anything else.
func TestAddressesExpireAtTheStart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	then := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l := r.open(audit.Config{Now: func() time.Time { return then }})
	if err := l.RecordSync(r.ctx, audit.Entry{Action: audit.Login}); err != nil {
		t.Fatal(err)
	}
	l.Close()
	l = r.open(audit.Config{Now: func() time.Time { return then.AddDate(0, 0, 89) }})
	if e := r.last(l); e.From == "" {
		t.Fatalf("too early: %+v", e)
	}
	l.Close()
	if e := r.last(r.open(audit.Config{Now: func() time.Time { return then.AddDate(0, 0, 90) }})); !e.FromGone {
		t.Fatalf("%+v", e)
	}
}

func TestNoAddresses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	l := r.open(audit.Config{AddressDays: -1})
	if err := l.RecordSync(r.ctx, audit.Entry{Action: audit.Login}); err != nil {
		t.Fatal(err)
	}
	if e := r.last(l); e.From != "" || e.FromGone || e.Actor != "ada" {
		t.Fatalf("%+v", e)
	}
}
