package query

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/weftline/weftline/services/conversation/internal/cursor"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/view"
	"github.com/weftline/weftline/services/internal/docstore"
)

// folded is the world as it was at a moment, made of the streams a person's
// timeline comes from, with the folds the projector uses. It costs reading
// those streams, and is exact whatever the projections hold now.
type folded struct {
	*Reader
	p      *readmodel.Projector
	cut    cut
	work   *readmodel.Work
	graph  *person.Graph
	loaded map[string]bool // streams
	sorted sync.Once       // pages are read side by side
	byPage map[[2]string][]*readmodel.Entry
	seen   []span // by partition
}

// span is the last commit of a partition that was taken, and the first that was not.
type span struct{ last, first uint64 }

// folded reads what the timeline of a customer's person is made of.
func (r *Reader) folded(ctx context.Context, p *readmodel.Projector, at cut, id string) (*folded, error) {
	w := &folded{
		Reader: r, p: p, cut: at, work: readmodel.NewWork(readmodel.NamesOf(1), r.keys, 0), graph: person.New(),
		loaded: map[string]bool{}, seen: make([]span, r.events.Partitions()),
	}
	members, err := w.loadPerson(ctx, id)
	if err != nil {
		return nil, err
	}
	handles := map[string]bool{}
	for _, m := range members {
		for _, h := range handlesOf(w.work.Customer(m)) {
			handles[h] = true
		}
	}
	for h := range handles {
		if err := w.loadHandle(ctx, h); err != nil {
			return nil, err
		}
	}
	if err := w.loadNeighbours(ctx, handles); err != nil {
		return nil, err
	}
	for _, c := range w.work.Conversations() {
		for _, o := range p.Graph().JoinPeers(c.ID) {
			if err := w.load(ctx, "join."+person.PairID(c.ID, o)); err != nil {
				return nil, err
			}
		}
	}
	return w, nil
}

// loadPerson follows links as they were from a customer on.
func (w *folded) loadPerson(ctx context.Context, id string) (members []string, err error) {
	for grown := true; grown; {
		grown = false
		members = w.graph.Members(id)
		for _, m := range members {
			if w.loaded["customer."+m] {
				continue
			}
			grown = true
			if err := w.load(ctx, "customer."+m); err != nil {
				return nil, err
			}
			for _, o := range w.p.Graph().Peers(m) {
				if err := w.load(ctx, "link."+person.PairID(m, o)); err != nil {
					return nil, err
				}
			}
		}
	}
	return members, nil
}

// loadNeighbours: customers whose stored messages may belong to these handles'
// owners, and owners they may belong to.
func (w *folded) loadNeighbours(ctx context.Context, handles map[string]bool) error {
	for h := range handles {
		doc := w.work.Handle(h)
		if !doc.MovedAfter(0) {
			continue
		}
		for _, p := range doc.Periods {
			if err := w.load(ctx, "customer."+p.Customer); err != nil {
				return err
			}
		}
		// Who holds units on it had it attached then, so he is among the periods;
		// what is read here is what an imported history may lack of them.
		after := ""
		for {
			units, err := w.store.List(ctx, w.p.Names().Units, docstore.Query{
				Index: readmodel.ByHandle, Prefix: []any{h}, Limit: docstore.MaxPage, After: after,
			})
			if err != nil {
				return fmt.Errorf("list units: %w", err)
			}
			for _, it := range units {
				var u readmodel.Unit
				if err := unmarshal(it.JSON, &u); err != nil {
					return err
				}
				if err := w.load(ctx, "customer."+u.Customer); err != nil {
					return err
				}
				after = it.Token
			}
			if len(units) < docstore.MaxPage {
				break
			}
		}
	}
	return nil
}

// load folds a stream up to the cut, once.
func (w *folded) load(ctx context.Context, stream string) error {
	_, err := w.fold(ctx, stream, false)
	return err
}

// loadHandle folds a handle. One that was claimed after the cut is shown as it
// was claimed: a customer's message can be projected before its handle.
func (w *folded) loadHandle(ctx context.Context, id string) error {
	_, err := w.fold(ctx, "handle."+id, true)
	return err
}

func (w *folded) fold(ctx context.Context, stream string, first bool) (taken int, err error) {
	if w.loaded[stream] || strings.HasSuffix(stream, ".") {
		return 0, nil
	}
	w.loaded[stream] = true
	partition := w.events.PartitionOf(w.tenant, stream)
	for c, err := range w.events.Load(ctx, w.tenant, stream, 0) {
		if err != nil {
			return taken, fmt.Errorf("load stream: %w", err)
		}
		c.Stream, c.Tenant, c.Partition = stream, w.tenant, partition
		d, err := w.decode.Decode(c)
		if err != nil {
			return taken, err
		}
		in := w.cut.includes(d)
		w.note(partition, d.Seq, in)
		if !in && !(first && taken == 0) {
			break
		}
		taken++
		w.work.Need(d)
		if err := w.work.Fold(ctx, d); err != nil {
			return taken, err
		}
		for _, ev := range d.Events {
			w.graph.ApplyAt(stream, d.RecordedAt, ev)
		}
		if !in {
			break
		}
	}
	return taken, nil
}

func (w *folded) note(partition int, seq uint64, in bool) {
	s := &w.seen[partition]
	if in {
		s.last = max(s.last, seq)
	} else if s.first == 0 || seq < s.first {
		s.first = seq
	}
}

// asOf is a cursor of the cut, "" when none is exactly it: a vector cannot
// leave out a commit that a later one of its partition is not left out with.
func (w *folded) asOf() string {
	if w.cut.cursor != nil {
		return w.cut.cursor.Encode(w.keys)
	}
	seqs := w.p.Vector()
	for i, s := range w.seen {
		if s.first == 0 {
			seqs[i] = max(seqs[i], s.last)
			continue
		}
		if s.last >= s.first {
			return ""
		}
		if seqs[i] >= s.first || seqs[i] < s.last {
			seqs[i] = s.last
		}
	}
	return cursor.Cursor{Seqs: seqs}.Encode(w.keys)
}

func (w *folded) persons() *person.Graph { return w.graph }

func (w *folded) customers(_ context.Context, ids ...string) (map[string]*readmodel.Customer, error) {
	out := map[string]*readmodel.Customer{}
	for _, id := range ids {
		if c := w.work.Customer(id); c != nil {
			out[id] = c
		}
	}
	return out, nil
}

func (w *folded) handles(ctx context.Context, ids []string) (view.Handles, error) {
	out := view.Handles{}
	for _, id := range ids {
		if err := w.loadHandle(ctx, id); err != nil {
			return nil, err
		}
		if h := w.work.Handle(id); h != nil {
			out[id] = h
		}
	}
	return out, nil
}

func (w *folded) units(_ context.Context, ids ...string) (map[string]*readmodel.Unit, error) {
	out := map[string]*readmodel.Unit{}
	for _, u := range w.work.Units() {
		if slices.Contains(ids, u.ID) {
			out[u.ID] = u
		}
	}
	return out, nil
}

func (w *folded) unitsOn(_ context.Context, handle string, limit int) ([]*readmodel.Unit, error) {
	all := slices.DeleteFunc(w.work.Units(), func(u *readmodel.Unit) bool { return u.Handle != handle })
	slices.SortFunc(all, func(a, b *readmodel.Unit) int { return cmp.Compare(b.ID, a.ID) })
	return all[:min(limit, len(all))], nil
}

func (w *folded) rows(_ context.Context, ids ...string) (map[string]*readmodel.Conversation, error) {
	out := map[string]*readmodel.Conversation{}
	for _, c := range w.work.Conversations() {
		if slices.Contains(ids, c.ID) {
			out[c.ID] = c
		}
	}
	return out, nil
}

func (w *folded) rowsOf(_ context.Context, customer string, limit int) ([]*readmodel.Conversation, error) {
	all := slices.DeleteFunc(w.work.Conversations(), func(c *readmodel.Conversation) bool { return c.Customer != customer })
	slices.SortFunc(all, func(a, b *readmodel.Conversation) int { return cmp.Compare(b.Last, a.Last) })
	return all[:min(limit, len(all))], nil
}

func (w *folded) rowsOn(_ context.Context, topic string, limit int) ([]*readmodel.Conversation, error) {
	all := slices.DeleteFunc(w.work.Conversations(), func(c *readmodel.Conversation) bool { return c.Topic != topic })
	slices.SortFunc(all, func(a, b *readmodel.Conversation) int { return cmp.Compare(b.ID, a.ID) })
	return all[:min(limit, len(all))], nil
}

func (w *folded) entriesByID(_ context.Context, ids ...string) (map[string]*readmodel.Entry, error) {
	out := map[string]*readmodel.Entry{}
	for _, id := range ids {
		if e := w.work.Entry(id); e != nil {
			out[id] = e
		}
	}
	return out, nil
}

func (w *folded) changes(_ context.Context, ids ...string) (map[string]*readmodel.Changes, error) {
	out := map[string]*readmodel.Changes{}
	for _, id := range ids {
		if c := w.work.ChangesOf(id); c != nil {
			out[id] = c
		}
	}
	return out, nil
}

func (w *folded) meant(_ context.Context, hash string) ([]string, error) {
	var out []string
	for _, r := range w.work.Refs(hash) {
		out = append(out, r.Entry)
	}
	return out, nil
}

func (w *folded) entries(_ context.Context, q entries) ([]*readmodel.Entry, string, error) {
	w.sorted.Do(func() {
		w.byPage = map[[2]string][]*readmodel.Entry{}
		for _, e := range w.work.Timeline() {
			for index, prefix := range map[string]string{
				readmodel.ByCustomer: e.Customer, readmodel.ByConversation: e.Conversation, readmodel.ByTranscript: e.Transcript,
			} {
				k := [2]string{index, prefix}
				w.byPage[k] = append(w.byPage[k], e)
			}
		}
	})
	all := slices.Clone(w.byPage[[2]string{q.index, q.prefix}])
	all = slices.DeleteFunc(all, func(e *readmodel.Entry) bool {
		return e.Position < q.from || q.to != "" && e.Position >= q.to
	})
	if q.desc {
		slices.Reverse(all)
	}
	from := 0
	if q.after != "" {
		from, _ = strconv.Atoi(q.after) // made below
	}
	if len(all)-from <= q.limit {
		return all[min(from, len(all)):], "", nil
	}
	return all[from : from+q.limit], strconv.Itoa(from + q.limit), nil
}
