package readmodel

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Projector keeps the documents of one generation. Partitions may be applied
// at the same time, each by one caller. Two processes may project the same
// store: every write is guarded, so they only repeat each other's work.
type Projector struct {
	store  docstore.Store
	keys   Keys
	decode Decoder
	names  Names
	gen    int
	works  []*Work // by partition, its one caller's; nil: begin anew
	graph  *person.Graph
	cache  *Cache

	mu      sync.Mutex
	applied []uint64
	changed chan struct{} // closed and replaced when applied grows
}

// NewProjector declares the collections of a generation and reads how far they are.
func NewProjector(ctx context.Context, store docstore.Store, keys Keys, decode Decoder, generation, partitions int) (*Projector, error) {
	if err := store.Declare(ctx, Collections(generation)...); err != nil {
		return nil, fmt.Errorf("declare read models, generation %d: %w", generation, err)
	}
	p := &Projector{
		store: store, keys: keys, decode: decode, names: NamesOf(generation), gen: generation,
		works: make([]*Work, partitions), applied: make([]uint64, partitions), changed: make(chan struct{}), cache: newCache(),
	}
	for i := range p.applied {
		seq, err := store.Checkpoint(ctx, p.names.Checkpoint, i)
		if err != nil {
			return nil, fmt.Errorf("checkpoint of read models, partition %d: %w", i, err)
		}
		p.applied[i] = seq
	}
	var err error
	if p.graph, err = loadGraph(ctx, store, p.names); err != nil {
		return nil, err
	}
	return p, nil
}

// Names of the collections it writes.
func (p *Projector) Names() Names { return p.names }

// Graph says who is one person, as far as Applied. It is alive: it follows
// every Apply.
func (p *Projector) Graph() *person.Graph { return p.graph }

// Cache of documents it writes.
func (p *Projector) Cache() *Cache { return p.cache }

// Generation it writes.
func (p *Projector) Generation() int { return p.gen }

// Apply folds commits of one partition, in order, and moves the checkpoint past
// them. Commits already applied are skipped. On an error nothing is lost: give
// them again.
func (p *Projector) Apply(ctx context.Context, partition int, commits []eventstore.Commit) error {
	from := p.Applied(partition)
	for len(commits) > 0 && commits[0].Seq <= from {
		commits = commits[1:]
	}
	if len(commits) == 0 {
		return nil
	}
	w := p.works[partition]
	if p.works[partition] = nil; w == nil { // or the batch before failed
		w = NewWork(p.names, p.keys, partition)
	}
	decoded := make([]Commit, len(commits))
	for i, c := range commits {
		d, err := p.decode.Decode(c)
		if err != nil {
			return err
		}
		decoded[i] = d
		w.Need(d)
	}
	if err := w.Load(ctx, p.store); err != nil {
		return err
	}
	for _, c := range decoded {
		if err := w.Fold(ctx, c); err != nil {
			return err
		}
	}
	ops, err := w.Ops()
	if err != nil {
		return err
	}
	last := commits[len(commits)-1].Seq
	err = p.store.Apply(ctx, docstore.Batch{
		Ops:         ops,
		Checkpoints: []docstore.Checkpoint{{Name: p.names.Checkpoint, Partition: partition, Seq: last}},
	})
	if err != nil {
		return fmt.Errorf("write read models of partition %d up to %d: %w", partition, last, err)
	}
	for _, c := range decoded {
		for _, ev := range c.Events {
			p.graph.ApplyAt(c.Stream, time.UnixMicro(c.RecordedAt.UnixMicro()).UTC(), ev)
		}
	}
	p.cache.Forget(ops)
	w.Reuse()
	p.works[partition] = w
	p.mu.Lock()
	p.applied[partition] = last
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	return nil
}

// Applied is the last sequence of a partition that reads see.
func (p *Projector) Applied(partition int) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.applied[partition]
}

// Vector is Applied of all partitions.
func (p *Projector) Vector() []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]uint64(nil), p.applied...)
}

// Checkpoint is Applied, for a runner that asks where to begin.
func (p *Projector) Checkpoint(_ context.Context, partition int) (uint64, error) {
	return p.Applied(partition), nil
}

// WaitFor returns when reads see the commit, or with ctx's error.
func (p *Projector) WaitFor(ctx context.Context, partition int, seq uint64) error {
	for {
		done, changed := p.reached(partition, seq)
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for sequence %d of partition %d: %w", seq, partition, ctx.Err())
		}
	}
}

func (p *Projector) reached(partition int, seq uint64) (bool, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.applied[partition] >= seq, p.changed
}

// catchUpBatch is how many commits are applied at once when catching up: more
// would hold the database's one writer for too long beside live projection.
const catchUpBatch = 1000

// CatchUp applies the commits of a partition up to a sequence, exactly. step,
// when set, hears of every batch.
func CatchUp(ctx context.Context, events eventstore.Store, p *Projector, partition int, upTo uint64, step func(commits int)) error {
	for p.Applied(partition) < upTo {
		commits, err := events.Read(ctx, partition, p.Applied(partition)+1, catchUpBatch)
		if err != nil {
			return fmt.Errorf("read partition %d: %w", partition, err)
		}
		for len(commits) > 0 && commits[len(commits)-1].Seq > upTo {
			commits = commits[:len(commits)-1]
		}
		if len(commits) == 0 {
			return nil
		}
		if err := p.Apply(ctx, partition, commits); err != nil {
			return err
		}
		if step != nil {
			step(len(commits))
		}
	}
	return nil
}
