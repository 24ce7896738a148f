package replay_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/replay"
	"github.com/weftline/weftline/services/conversation/internal/settle"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

// rig is an importer beside the real domain, over a store in memory.
type rig struct {
	*domaintest.Domain
	t     testing.TB
	blobs *blob.Dir
	im    *replay.Importer

	looking sync.Mutex
	// before, when set, is called before each append of an import.
	before func(appends []eventstore.Append)
}

// locked is the view, which is not safe for concurrent use.
type locked struct{ r *rig }

func (l locked) Known(ctx context.Context, tenant, entry string) (bool, error) {
	l.r.looking.Lock()
	defer l.r.looking.Unlock()
	return l.r.View.Known(ctx, tenant, entry)
}

func (l locked) WaitFor(ctx context.Context, partition int, seq uint64) error {
	l.r.looking.Lock()
	defer l.r.looking.Unlock()
	return l.r.View.WaitFor(ctx, partition, seq)
}

// disturbed is the store, with somebody who does something beside.
type disturbed struct {
	eventstore.Store
	r *rig
}

func (d *disturbed) Append(ctx context.Context, appends ...eventstore.Append) []eventstore.Result {
	if d.r.before != nil {
		d.r.before(appends)
	}
	return d.Store.Append(ctx, appends...)
}

func setup(t testing.TB) *rig {
	t.Helper()
	r := &rig{Domain: domaintest.New(t), t: t}
	var err error
	if r.blobs, err = blob.NewDir(t.TempDir(), r.Keys); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.blobs.Close() })
	state, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = state.Close() })
	if r.im, err = replay.New(t.Context(), replay.Deps{
		Events: &disturbed{r.Store, r}, Customers: r.Customers, Claims: r.Claims, Settle: settle.New(r.Claims, r.Customers, locked{r}, r.Keys), Keys: r.Keys, Blobs: r.blobs, State: state,
		Known:    locked{r}.Known,
		EventID:  r.Orders.EventID,
		Sanitise: func(html string) string { return strings.ReplaceAll(html, "<script>", "") },
		Agent: func(_ context.Context, ref string) (string, bool) {
			return "ag1", ref == "grace@shop.test"
		},
		Channel: func(inbox string) (string, bool) { return "email", inbox == "support" },
		Log:     slog.New(slog.DiscardHandler),
	}); err != nil {
		t.Fatal(err)
	}
	return r
}

// run imports lines under a header.
func (r *rig) run(cfg replay.Config, lines ...string) (replay.Report, error) {
	r.t.Helper()
	r.CatchUp()
	file := `{"weftline_import":1,"source":"old"}` + "\n" + strings.Join(lines, "\n") + "\n"
	rep, err := r.im.Run(r.t.Context(), cfg, bytes.NewReader([]byte(file)), int64(len(file)))
	r.CatchUp()
	return rep, err
}

// must imports lines of which none is bad.
func (r *rig) must(lines ...string) replay.Report {
	r.t.Helper()
	rep, err := r.run(replay.Config{}, lines...)
	if err != nil || rep.BadLines > 0 {
		r.t.Fatalf("import: %v, bad %v", err, rep.Bad)
	}
	return rep
}

// ofStream are the commits of a stream.
func (r *rig) ofStream(name string) (out []event.Commit) {
	r.t.Helper()
	for _, c := range r.Commits() {
		if c.Stream == name {
			out = append(out, c)
		}
	}
	return out
}

// ownerOf is the customer who owns an e-mail address.
func (r *rig) ownerOf(address string) string {
	r.t.Helper()
	own, err := r.Claims.Find(r.t.Context(), "default", email(address))
	if err != nil || !own.Owned() {
		r.t.Fatalf("%s belongs to %q, %v", address, own.Customer, err)
	}
	return own.Customer
}

const day = "2024-05-01T"

func customer(id, address string) string {
	return fmt.Sprintf(`{"type":"customer","id":%q,"name":"Name %s","handles":[{"kind":"email","address":%q,"assurance":1}]}`, id, id, address)
}

func conversation(id, customer, more string) string {
	return fmt.Sprintf(`{"type":"conversation","id":%q,"customer":%q,"inbox":"support","channel":"email"%s}`, id, customer, more)
}

func message(id, conversation, direction, clock, more string) string {
	return fmt.Sprintf(`{"type":"message","id":%q,"conversation":%q,"direction":%q,"at":"%s%sZ","text":"text of %s"%s}`, id, conversation, direction, day, clock, id, more)
}

func at(clock string) time.Time {
	t, err := time.Parse(time.RFC3339, day+clock+"Z")
	if err != nil {
		panic(err)
	}
	return t
}
