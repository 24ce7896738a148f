package feed

import (
	"context"
	"sync"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// kept are the rows of one partition as they were after the commits that were
// shown last. The next commit of the same stream is folded onto them: nothing
// is read from the store, and the projection may be as late as it likes.
type kept struct {
	mu   sync.Mutex
	gen  int             // generation of the read models it began with
	work *readmodel.Work // nil: begin anew
	upTo map[string]uint64
}

// keepStreams bounds the streams kept of a partition; then it begins anew.
const keepStreams = 1_024

// begin returns the work to fold the next commit onto.
func (k *kept) begin(p *readmodel.Projector, keys readmodel.Keys, partition int) *readmodel.Work {
	if k.work == nil || k.gen != p.Generation() || len(k.upTo) > keepStreams {
		k.gen, k.upTo = p.Generation(), map[string]uint64{}
		k.work = readmodel.NewWork(p.Names(), keys, partition)
	}
	k.work.Reuse()
	return k.work
}

func (k *kept) forget() { k.work = nil }

// after folds a commit and returns the work in which the rows are as they are
// after it; nil when they cannot be had. The caller holds k's lock, and lets it
// go when it needs the rows no more.
func (f *Feed) after(ctx context.Context, k *kept, p *readmodel.Projector, d readmodel.Commit) (*readmodel.Work, error) {
	applied := p.Applied(d.Partition)
	w := k.begin(p, f.cfg.Keys, d.Partition)
	from, shown := k.upTo[d.Stream]
	switch {
	case shown && from >= d.Seq: // somebody is behind: beside what is kept
		return f.alone(ctx, p, d, applied)
	case !shown:
		from = applied
	}
	commits, ok, err := f.need(w, d, from)
	if ok && err == nil && w.Lacks() {
		// What is loaded is as of the projection, so it is folded from there; what
		// is kept and newer stays as it is.
		if from > applied {
			commits, ok, err = f.need(w, d, applied)
		}
		if ok && err == nil {
			err = w.LoadRows(ctx, f.cfg.Rows.Store())
		}
	}
	if !ok || err != nil {
		k.forget() // it holds places of documents that were not loaded
		return nil, err
	}
	for _, c := range commits {
		if rewrites(c) {
			k.forget()
			return f.alone(ctx, p, d, applied)
		}
	}
	if err := fold(ctx, w, commits); err != nil {
		k.forget()
		return nil, err
	}
	k.upTo[d.Stream] = d.Seq
	return w, nil
}

// alone is after with everything read from the store, and nothing kept.
func (f *Feed) alone(ctx context.Context, p *readmodel.Projector, d readmodel.Commit, applied uint64) (*readmodel.Work, error) {
	w := readmodel.NewWork(p.Names(), f.cfg.Keys, d.Partition)
	commits, ok, err := f.need(w, d, applied)
	if !ok || err != nil {
		return nil, err
	}
	if err := w.LoadRows(ctx, f.cfg.Rows.Store()); err != nil {
		return nil, err
	}
	return w, fold(ctx, w, commits)
}

// need names the documents of a commit and of those of its stream before it
// that came after a sequence. ok is false when the window does not reach back.
func (f *Feed) need(w *readmodel.Work, d readmodel.Commit, after uint64) (commits []readmodel.Commit, ok bool, err error) {
	ahead, ok := f.ahead(d.Commit, after)
	if !ok {
		return nil, false, nil
	}
	for _, c := range ahead {
		k, err := f.decode.Decode(c)
		if err != nil {
			return nil, false, err
		}
		commits = append(commits, k)
	}
	commits = append(commits, d)
	for _, c := range commits {
		w.Need(c)
	}
	return commits, true, nil
}

func fold(ctx context.Context, w *readmodel.Work, commits []readmodel.Commit) error {
	for _, c := range commits {
		if err := w.Fold(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// rewrites says that a commit changes rows by more than their stream's next
// event: rows made of moved messages, or emptied ones.
func rewrites(c readmodel.Commit) bool {
	for _, ev := range c.Events {
		switch ev.(type) {
		case event.MessagesMoved, event.ConversationRetired, event.CustomerErased, event.ErasureDone:
			return true
		}
	}
	return false
}
