package replay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// writers is how many customers are written at once.
const writers = 64

// restAfter is how many commits a stream gets before a snapshot is made of it:
// else the first who opens it here would fold them all.
const restAfter = 500

// agents are those asked for.
type agents struct {
	sync.Mutex
	ids map[string]string // "" nobody
}

func (r *run) count(fn func(*Report)) {
	r.counting.Lock()
	defer r.counting.Unlock()
	fn(&r.report)
}

// write writes the streams, many at once, each in time order.
func (r *run) write(ctx context.Context, groups map[string][]item) error {
	done, err := r.finished(ctx)
	if err != nil {
		return err
	}
	of := int64(0)
	for _, items := range groups {
		of += int64(len(items))
	}
	var n atomic.Int64
	g, each := errgroup.WithContext(ctx)
	g.SetLimit(writers)
	for _, whose := range slices.Sorted(maps.Keys(groups)) {
		items := groups[whose]
		mark := r.mark(whose, items)
		if done[mark] {
			n.Add(int64(len(items)))
			r.count(func(p *Report) { p.Already += entries(items) })
			continue
		}
		g.Go(func() error {
			if err := r.stream(each, whose, items, 0, func(k int) {
				r.tell.tell(Progress{Phase: "write", Done: n.Add(int64(k)), Of: of, Unit: "entries"})
			}); err != nil {
				return fmt.Errorf("import: %w", err)
			}
			return r.finish(each, mark)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	r.tell.now(Progress{Phase: "write", Done: n.Load(), Of: of, Unit: "entries"})
	return r.flush(ctx)
}

// tally is what became of the entries of a chunk.
type tally struct{ written, already, erased int }

// stream writes one customer's items. What it cannot, because an address was
// moved since the import looked, it writes to the new owner after that; hop
// counts how often that happened.
func (r *run) stream(ctx context.Context, whose string, items []item, hop int, progress func(int)) error {
	s, err := r.load(ctx, whose)
	if err != nil {
		return err
	}
	before := len(s.done)
	away := &handover{whose: whose, ends: map[*end]*end{}, talks: map[*talk]*talk{}, items: map[string][]item{}}
	mine := map[string]bool{} // commits tried here and perhaps stored, of a chunk that is tried again
	for len(items) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		var turns []turn
		var sum tally
		left := &handover{whose: whose, ends: away.ends, talks: away.talks, items: map[string][]item{}}
		size, n := 0, 0
		for ; n < len(items) && len(turns) < chunkCommits && size < chunkBytes; n++ {
			if left.takes(items[n]) {
				continue
			}
			t, here, err := r.look(ctx, s, whose, items[n], &sum, mine)
			if err != nil {
				return err
			}
			if !here {
				turns = append(turns, t)
				size += t.size
			}
		}
		if len(turns) > 0 {
			next, err := r.append(ctx, whose, s, turns)
			if stale, ok := staleIn(err); ok && hop < hops {
				for _, t := range turns {
					mine[t.commit] = true
				}
				if s, err = r.load(ctx, whose); err != nil {
					return err
				}
				if err := r.follow(ctx, away, s, stale, items); err != nil {
					return err
				}
				continue
			}
			if err != nil {
				return err
			}
			s = next
		}
		for to, its := range left.items {
			away.items[to] = append(away.items[to], its...)
		}
		r.count(func(p *Report) {
			p.Written += sum.written
			p.Already += sum.already
			p.Erased += sum.erased + left.gone
		})
		clear(mine)
		items = items[n:]
		progress(n)
	}
	if len(s.done)-before >= restAfter {
		if err := r.Customers.Rest(ctx, r.cfg.Tenant, whose); err != nil {
			return err
		}
	}
	for _, to := range slices.Sorted(maps.Keys(away.items)) {
		if err := r.stream(ctx, to, away.items[to], hop+1, func(int) {}); err != nil {
			return err
		}
	}
	return nil
}

// look makes a turn of an item, unless it is here already.
func (r *run) look(ctx context.Context, s *stream, whose string, it item, sum *tally, mine map[string]bool) (t turn, here bool, err error) {
	entry := it.id != ""
	if s.erased {
		if entry {
			sum.erased++
		}
		return t, true, nil
	}
	if entry {
		_, here = s.done[commitOf(it)]
		here = here || it.kind == kindMessage && s.state.SeenMessage(it.id)
		if !here && (it.same || whose != it.who.derived) {
			// It may have come to somebody who owned the address then.
			if here, err = r.Known(ctx, r.cfg.Tenant, it.id); err != nil {
				return t, false, err
			}
		}
		if here && !mine[commitOf(it)] {
			sum.already++
		} else {
			sum.written++
		}
	}
	if here {
		return t, true, nil
	}
	t, err = r.turn(ctx, whose, it)
	return t, false, err
}

func commitOf(it item) string {
	switch it.kind {
	case kindMessage:
		return "msg:" + it.id
	case kindReply:
		return "reply:" + it.id
	case kindNote:
		return "note:" + it.id
	}
	return "event:" + it.id
}

func entries(items []item) (n int) {
	for _, it := range items {
		if it.id != "" {
			n++
		}
	}
	return n
}

// mark names what is to be written to a stream: the same only for the same
// lines of the same file.
func (r *run) mark(whose string, items []item) string {
	h := sha256.New()
	for _, it := range items {
		fmt.Fprintf(h, "%d:%d:%d,", it.kind, it.line, it.at.UnixMicro())
	}
	return r.digest + "/" + whose + "/" + hex.EncodeToString(h.Sum(nil)[:8])
}
