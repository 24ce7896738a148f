package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/jetstore"
)

// Ranks of streams, in the order they are taken; see the package comment.
const (
	rankQueue = iota
	rankOther // AUDIT, PUB, and what an operator may have added
	rankIn
	rankPoison
	rankEvt
	ranks
)

func isIn(name string) bool { return strings.HasPrefix(name, "IN-") }

func rank(c jetstream.StreamConfig) int {
	switch {
	case c.Retention != jetstream.LimitsPolicy:
		return rankQueue
	case isIn(c.Name):
		return rankIn
	case c.Name == subject.StreamPoison:
		return rankPoison
	case strings.HasPrefix(c.Name, "EVT-"):
		return rankEvt
	}
	return rankOther
}

// streams takes state.db and the streams, in their order.
func (w *writer) streams(ctx context.Context) error {
	resume := func() {}
	if w.src.Quiesce != nil {
		r, err := w.src.Quiesce(ctx)
		if err != nil {
			return fmt.Errorf("pause consumers: %w", err)
		}
		resume = sync.OnceFunc(r)
		defer resume()
	}
	r := &receivers{w: w}
	r.group, ctx = errgroup.WithContext(ctx)
	err := r.begin(ctx)
	resume()
	if err != nil {
		r.group.Go(func() error { return err }) // ends what was begun
	}
	if err := r.group.Wait(); err != nil {
		return err
	}
	slices.SortFunc(w.manifest.Streams, func(a, b Stream) int { return strings.Compare(a.Name, b.Name) })
	for i := range w.manifest.Streams {
		s := &w.manifest.Streams[i]
		s.Reserve = r.reserve[s.Name]
		fmt.Fprintf(w.out, "%-12s %d messages, up to %d\n", s.Name, s.Messages, s.Last)
	}
	return nil
}

// receivers takes streams side by side.
type receivers struct {
	w       *writer
	group   *errgroup.Group
	mu      sync.Mutex // of the manifest's lists
	reserve map[string]uint64
}

func (r *receivers) begin(ctx context.Context) error {
	if err := r.w.database(ctx, r.w.src.State, stateDB); err != nil {
		return err
	}
	var names [ranks][]string
	list := r.w.src.JS.ListStreams(ctx)
	for i := range list.Info() {
		if i.Config.Name == "KV_"+jetstore.SnapBucket {
			continue // folded from EVT; an old one beside a newer log is right, but of no use
		}
		k := rank(i.Config)
		names[k] = append(names[k], i.Config.Name)
	}
	if err := list.Err(); err != nil {
		return fmt.Errorf("list streams: %w", err)
	}
	if len(names[rankIn]) == 0 || len(names[rankEvt]) == 0 {
		return errors.New("this NATS has no streams IN and EVT: is it the hub's")
	}
	for k, of := range names {
		for _, name := range of {
			if err := r.take(ctx, name, k == rankQueue); err != nil {
				return fmt.Errorf("stream %s: %w", name, err)
			}
		}
	}
	// Now the log's moment is past: whatever it names of IN is no later than this.
	r.reserve = make(map[string]uint64)
	for _, name := range names[rankIn] {
		s, err := r.w.src.JS.Stream(ctx, name)
		if err != nil {
			return fmt.Errorf("stream %s: %w", name, err)
		}
		r.reserve[name] = s.CachedInfo().State.LastSeq
	}
	return nil
}

// take begins a stream's copy, and receives the rest of it: now when whole is
// set, else in a goroutine of the group.
func (r *receivers) take(ctx context.Context, name string, whole bool) error {
	file := "streams/" + name + ".snapshot"
	f, err := create(r.w.dir, file)
	if err != nil {
		return err
	}
	s, err := beginSnapshot(ctx, r.w.src.NC, name)
	if err != nil {
		return errors.Join(err, f.f.Close())
	}
	receive := func() error {
		if err := s.receive(ctx, f); err != nil {
			return errors.Join(err, f.f.Close())
		}
		done, err := f.finish()
		if err != nil {
			return err
		}
		return r.add(name, s, done)
	}
	if whole {
		return receive()
	}
	r.group.Go(func() error {
		if err := receive(); err != nil {
			return fmt.Errorf("stream %s: %w", name, err)
		}
		return nil
	})
	return nil
}

func (r *receivers) add(name string, s *snapshot, f File) error {
	var at struct {
		Messages uint64    `json:"messages"`
		First    uint64    `json:"first_seq"`
		Last     uint64    `json:"last_seq"`
		LastTime time.Time `json:"last_ts"`
	}
	if err := json.Unmarshal(s.State, &at); err != nil {
		return fmt.Errorf("read its state: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m := &r.w.manifest
	m.Files = append(m.Files, f)
	m.Streams = append(m.Streams, Stream{
		Name: name, File: f.Name, Config: s.Config, State: s.State,
		Messages: at.Messages, First: at.First, Last: at.Last, LastTime: at.LastTime,
	})
	return nil
}
