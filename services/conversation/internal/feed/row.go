package feed

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/weftline/weftline/pkg/eventstore"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/view"
)

// rows are the rows of the conversations a commit is about, exactly as they are
// after it. The read models may not have it yet and are not waited for: what
// they lack is folded from the window, as the projector will. A row that cannot
// be had exactly this way (the projection is far behind, or already further) is
// left out.
func (f *Feed) rows(ctx context.Context, d readmodel.Commit) (map[string]*inboxv1.Conversation, error) {
	if f.cfg.Rows == nil {
		return nil, nil
	}
	p, release := f.cfg.Rows.Acquire()
	defer release()
	k := &f.kept[d.Partition]
	k.mu.Lock()
	defer k.mu.Unlock()
	w, err := f.after(ctx, k, p, d)
	if w == nil || err != nil {
		return nil, err
	}
	out := map[string]*inboxv1.Conversation{}
	for _, ev := range d.Events {
		id := readmodel.ConversationOf(ev)
		row, customer := w.RowAt(id, d.Seq), w.CustomerAt(d.Place(0).Customer, d.Seq)
		if out[id] != nil || row == nil || customer == nil {
			continue
		}
		handles, err := f.handlesOf(ctx, customer, row)
		if err != nil {
			return nil, err
		}
		if out[id], err = f.view.Conversation(ctx, row, customer, handles); err != nil {
			return nil, fmt.Errorf("show conversation: %w", err)
		}
		if f.cfg.Place == nil {
			continue
		}
		if err := f.cfg.Place(ctx, row, out[id]); err != nil {
			return nil, fmt.Errorf("place conversation: %w", err)
		}
	}
	return out, nil
}

// ahead are the commits of the same stream that come before c and after a
// sequence. ok is false when the window does not reach back to that one.
func (f *Feed) ahead(c eventstore.Commit, after uint64) (out []eventstore.Commit, ok bool) {
	if after >= c.Seq || c.Prev > 0 && after == c.Prev {
		return nil, true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, it := range slices.Backward(f.window) {
		if it.commit.Partition != c.Partition {
			continue
		}
		if it.commit.Seq > after && it.commit.Seq < c.Seq && it.commit.Stream == c.Stream && it.commit.Tenant == c.Tenant {
			out = append(out, it.commit)
		}
		if it.before.Seqs[c.Partition] <= after {
			slices.Reverse(out)
			return out, true
		}
	}
	return nil, false
}

func (f *Feed) handlesOf(ctx context.Context, c *readmodel.Customer, row *readmodel.Conversation) (view.Handles, error) {
	out := view.Handles{}
	var ids []string
	for _, h := range c.Handles {
		ids = append(ids, h.Handle)
	}
	for _, t := range row.Targets {
		ids = append(ids, t.Handle)
	}
	for _, id := range ids {
		if out[id] != nil {
			continue
		}
		found, err := f.handle(ctx, id)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, found)
	}
	return out, nil
}
