package feed_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/projection"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/cursor"
	"github.com/weftline/weftline/services/conversation/internal/feed"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/view"
	"github.com/weftline/weftline/services/internal/crypt"
	"pgregory.net/rapid"
)

const partitions = 3

// For any cursor, what is replayed and what comes live are together every event
// after it, once, in order: across disconnects anywhere (between two events of
// one commit too), while others append.
func TestLaw07ResumeExact(t *testing.T) {
	t.Parallel()
	keys := crypt.NewMemory()
	rapid.Check(t, func(t *rapid.T) {
		h := historytest.New(partitions, keys)
		for range rapid.IntRange(0, 15).Draw(t, "before") {
			h.Step(t)
			h.Tie(t)
		}
		f := newFeed(t, feed.Config{Tenant: historytest.Tenant}, h.Store, keys)
		stop := run(t, h.Store, f)
		defer stop()

		// The first subscriber begins with nothing seen; others begin later, at a
		// cursor somebody got.
		readers := []*subscriber{{f: f, at: cursor.Cursor{Seqs: make([]uint64, partitions)}.Encode(keys)}}
		for range rapid.IntRange(1, 12).Draw(t, "turns") {
			for range rapid.IntRange(0, 4).Draw(t, "appends") {
				h.Step(t)
				if rapid.Bool().Draw(t, "tied") {
					h.Tie(t)
				}
			}
			r := rapid.SampledFrom(readers).Draw(t, "reader")
			r.read(t, rapid.IntRange(1, 10).Draw(t, "events"), len(reference(t, h.Store))-r.skipped)
			if len(r.got) > 0 && len(readers) < 4 {
				i := rapid.IntRange(0, len(r.got)-1).Draw(t, "fork")
				readers = append(readers, &subscriber{f: f, at: r.got[i].cursor, skipped: r.skipped + i + 1, before: append(append([]seen(nil), r.before...), r.got[:i+1]...)})
			}
		}
		want := reference(t, h.Store)
		for _, r := range readers {
			r.read(t, len(want), len(want)-r.skipped)
			if d := cmp.Diff(byPartition(want), byPartition(append(r.before, r.got...))); d != "" {
				t.Fatalf("events differ (-stored +seen):\n%s", d)
			}
		}
	})
}

// seen is one event as the test knows it.
type seen struct {
	partition int
	id        string // of the entry
	cursor    string
}

type subscriber struct {
	f       *feed.Feed
	at      string
	skipped int
	before  []seen // what was seen by whom the cursor is from
	got     []seen
}

// read connects, takes up to n events but no more than there are, and disconnects.
func (s *subscriber) read(t *rapid.T, n, total int) {
	n = min(n, total-len(s.got))
	if n <= 0 {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for ev, err := range s.f.Subscribe(ctx, s.at) {
		if err != nil {
			t.Fatalf("subscribe: %v", err)
		}
		s.got = append(s.got, seen{partition: partitionOf(ev.GetEntry()), id: ev.GetEntry().GetId(), cursor: ev.GetCursor()})
		s.at = ev.GetCursor()
		if n--; n == 0 {
			return
		}
	}
	t.Fatalf("the feed ended or hung, %d events missing", n)
}

var placer = eventstore.NewMemory(partitions)

// partitionOf is where the stream lies that an entry is from.
func partitionOf(e *inboxv1.TimelineEntry) int {
	stream, a := "customer."+e.GetCustomerId(), e.GetActivity()
	switch a.GetVerb() {
	case "suggested", "refused", "linked", "unlinked":
		stream = "link." + person.PairID(e.GetCustomerId(), a.GetValue())
	case "joined", "unjoined":
		stream = "join." + person.PairID(e.GetConversationId(), a.GetValue())
	}
	return placer.PartitionOf(historytest.Tenant, stream)
}

// reference reads all events from the store, with the ids the timeline has.
func reference(t tb, s eventstore.Store) []seen {
	var out []seen
	for p := range partitions {
		commits, err := s.Read(t.Context(), p, 1, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range commits {
			d, err := readmodel.Decoder(codec.Decode).Decode(c)
			if err != nil {
				t.Fatal(err)
			}
			for i, ev := range d.Events {
				place := d.Place(i)
				for _, e := range readmodel.TieEntries(place, ev) {
					out = append(out, seen{partition: p, id: e.ID})
				}
				if place.Customer == "" {
					continue
				}
				if e, ok := readmodel.NewEntry(place, ev); ok {
					out = append(out, seen{partition: p, id: e.ID})
				} else if _, _, ok := readmodel.Progress(place, ev); ok {
					out = append(out, seen{partition: p, id: view.DeliveryEntry(place, "", nil).GetId()})
				}
			}
		}
	}
	return out
}

func byPartition(all []seen) [partitions][]string {
	var out [partitions][]string
	for _, s := range all {
		out[s.partition] = append(out[s.partition], s.id)
	}
	return out
}

type tb interface {
	Fatal(args ...any)
	Context() context.Context
}

func newFeed(t tb, cfg feed.Config, s eventstore.Store, keys crypt.Keyring) *feed.Feed {
	f, err := feed.New(t.Context(), cfg, s, codec.Decode, view.New(keys), keys)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// run drives the feed as the service does, until stop.
func run(t tb, s eventstore.Store, f *feed.Feed) (stop func()) {
	r, err := projection.New(projection.Config{Log: slog.New(slog.DiscardHandler)}, s, f)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = r.Run(ctx) })
	return func() { cancel(); wg.Wait() }
}

func TestBadCursorsAreReset(t *testing.T) {
	t.Parallel()
	keys := crypt.NewMemory()
	h := historytest.New(partitions, keys)
	for range 30 {
		h.Meet(t, address(h), "s", "hello")
	}
	f := newFeed(t, feed.Config{Tenant: historytest.Tenant, MaxReplay: 10}, h.Store, keys)
	head, err := f.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"forged":          "AAAA" + head[4:],
		"another hub":     cursor.Cursor{Seqs: make([]uint64, partitions)}.Encode(crypt.NewMemory()),
		"too far behind":  cursor.Cursor{Seqs: make([]uint64, partitions)}.Encode(keys),
		"from the future": cursor.Cursor{Seqs: []uint64{1 << 40, 0, 0}}.Encode(keys),
		"future partial":  cursor.Cursor{Seqs: heads(t, h.Store), Partial: 1, Seen: 1}.Encode(keys),
	} {
		for _, err := range f.Subscribe(t.Context(), bad) {
			var reset *feed.ResetError
			if !errors.Is(err, feed.ErrReset) || !errors.As(err, &reset) || reset.Head != head {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
}

func TestSlowSubscriberIsToldAndResumes(t *testing.T) {
	t.Parallel()
	keys := crypt.NewMemory()
	h := historytest.New(partitions, keys)
	c := h.Meet(t, address(h), "s", "hello")
	f := newFeed(t, feed.Config{Tenant: historytest.Tenant, Window: 4}, h.Store, keys)
	at, _ := f.Head(t.Context())
	say := func(n int) {
		for range n {
			k := h.Say(t, c, c.Conversations[0], c.Handles[0], "more")
			if err := f.Apply(t.Context(), k.Partition, []eventstore.Commit{k}); err != nil {
				t.Fatal(err)
			}
		}
	}
	say(1)
	n, slow := 0, false
	for ev, err := range f.Subscribe(t.Context(), at) {
		if errors.Is(err, feed.ErrSlow) {
			slow = true
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n, at = n+1, ev.GetCursor()
		switch n {
		case 1:
			say(1) // live from here
		case 2:
			say(20) // while it is busy with this one, the window moves on
		}
	}
	if !slow {
		t.Fatal("was not told")
	}
	for ev, err := range f.Subscribe(t.Context(), at) {
		if err != nil {
			t.Fatal(err)
		}
		if n, at = n+1, ev.GetCursor(); n == 22 {
			break
		}
	}
}

func heads(t tb, s eventstore.Store) []uint64 {
	out := make([]uint64, partitions)
	for p := range out {
		var err error
		if out[p], err = s.Head(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
