package ingest_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/handleid"
)

func stateStore(t *testing.T) docstore.Store {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func refutations(t *testing.T, events eventstore.Store) *ingest.Refutations {
	t.Helper()
	r, err := ingest.NewRefutations(t.Context(), stateStore(t), events, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// counting counts how often one stream is read.
type counting struct {
	eventstore.Store
	stream string
	loads  atomic.Int64
}

func (c *counting) Load(ctx context.Context, tenant, stream string, after uint64) iter.Seq2[eventstore.Commit, error] {
	if stream == c.stream {
		c.loads.Add(1)
	}
	return c.Store.Load(ctx, tenant, stream, after)
}

// TestOtherSenderIsLookedAtOnlyWhereHeCanBe counts how often the handle of the
// sender a mail could have been stored with is read: never, where nothing that
// was refuted ever came.
func TestOtherSenderIsLookedAtOnlyWhereHeCanBe(t *testing.T) {
	t.Parallel()
	asIs := func(_ context.Context, items []channel.Item) []channel.Item { return items }
	for name, c := range map[string]struct {
		answer  func(context.Context, []channel.Item) []channel.Item
		refuted string // inbox through which one came before
		looks   bool
	}{
		"the inbox verifies nothing":         {asIs, "", false},
		"it does, and refuted nobody":        {confirm, "", false},
		"it refuted somebody":                {confirm, "support", true},
		"it refuted somebody, and then not":  {asIs, "support", true},
		"another inbox refuted somebody":     {asIs, "sales", false},
		"another one, while this verifies":   {confirm, "sales", false},
		"what is refuted now is looked into": {refute, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoubting(t)
			if c.refuted != "" {
				d.answer = refute
				must(t, d.Deliver("email", c.refuted, "bad", mail("bad", "eve@x.org", "0")))
			}
			d.answer = c.answer
			other := mail("", "ada@x.org", "").From
			if other.Scope = channel.ScopeUnverified; name == "what is refuted now is looked into" {
				other.Scope = ""
			}
			counted := &counting{Store: d.Store, stream: "handle." + handleid.Of(d.Keys, other)}
			d.handler.Claims = claim.New(aggregate.New(aggregate.Config{}, aggregate.Handle(), counted, d.Domain.Store, slog.New(slog.DiscardHandler)), d.Keys,
				func() string { return "new" })
			for n := range 20 {
				id := fmt.Sprintf("m%d", n)
				must(t, d.Deliver("email", "support", id, mail(id, "ada@x.org", "hello")))
			}
			if n := counted.loads.Load(); (n > 0) != c.looks {
				t.Errorf("read %d times for 20 mails, want some: %v", n, c.looks)
			}
			if n := len(received(t, d)); n < 20 {
				t.Errorf("%d messages", n)
			}
		})
	}
}

// Marks are for ever, and for one inbox of one tenant. A log that is older than
// they are has none, so one may have come anywhere.
func TestRefutationsAreRemembered(t *testing.T) {
	t.Parallel()
	ctx, state, events := t.Context(), stateStore(t), eventstore.NewMemory(2)
	now := domaintest.Start
	open := func() *ingest.Refutations {
		r, err := ingest.NewRefutations(ctx, state, events, func() time.Time { return now })
		must(t, err)
		return r
	}
	ever := func(r *ingest.Refutations, tenant, inbox string) bool {
		ok, err := r.Ever(ctx, tenant, inbox)
		must(t, err)
		return ok
	}
	r, beside := open(), open()
	if ever(r, "t", "a") || ever(beside, "t", "a") {
		t.Fatal("of a new log")
	}
	must(t, r.Note(ctx, "t", "a"))
	if !ever(r, "t", "a") || ever(r, "t", "b") || ever(r, "u", "a") || !ever(open(), "t", "a") {
		t.Fatal("not as noted")
	}
	now = now.Add(time.Minute)
	if !ever(beside, "t", "a") {
		t.Fatal("another process does not learn of it")
	}
	d := domaintest.New(t)
	must(t, d.Deliver("email", "support", "m", mail("m", "ada@x.org", "hello")))
	old, err := ingest.NewRefutations(ctx, stateStore(t), d.Store, nil)
	must(t, err)
	if !ever(old, "t", "a") {
		t.Fatal("an older log")
	}
}
