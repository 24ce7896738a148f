package eventstore

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
)

// Memory is a Store and Snapshots in memory: for tests, and to read what a
// store does. It keeps the letter of the contract and no more: sequences have
// gaps, an ID used at or before Expect is stored again.
type Memory struct {
	mu         sync.Mutex
	partitions []*memoryPartition
	streams    map[string][]place // by tenant and stream, oldest first
	snapshots  map[string]Snapshot
	hook       Hook
}

type memoryPartition struct {
	commits []Commit
	grown   chan struct{} // closed and replaced at every append
}

// place is an index into a partition's commits.
type place struct{ partition, index int }

// Op is a moment at which a Hook is asked.
type Op string

// The moments. An error at BeforeAppend: nothing is stored, the error is the
// result. At AfterAppend: the commit is stored, but the author gets the error
// (return ErrUnknown for an answer that was lost). At BeforeLoad: Load and
// LoadSnapshot fail.
const (
	BeforeAppend Op = "before append"
	AfterAppend  Op = "after append"
	BeforeLoad   Op = "before load"
)

// Hook lets a test crash, delay or interleave: it is called without any lock
// held and may use the store itself.
type Hook func(op Op, tenant, stream string) error

var (
	_ Store     = (*Memory)(nil)
	_ Snapshots = (*Memory)(nil)
)

// NewMemory makes an empty store. It panics unless partitions is at least 1.
func NewMemory(partitions int) *Memory {
	if partitions < 1 {
		panic(fmt.Sprintf("eventstore: %d partitions", partitions))
	}
	m := &Memory{streams: map[string][]place{}, snapshots: map[string]Snapshot{}}
	for range partitions {
		m.partitions = append(m.partitions, &memoryPartition{grown: make(chan struct{})})
	}
	return m
}

// SetHook replaces the hook; nil takes it away.
func (m *Memory) SetHook(h Hook) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hook = h
}

func (m *Memory) ask(op Op, tenant, stream string) error {
	m.mu.Lock()
	h := m.hook
	m.mu.Unlock()
	if h == nil {
		return nil
	}
	return h(op, tenant, stream)
}

// Append implements Store.
func (m *Memory) Append(ctx context.Context, appends ...Append) []Result {
	results := make([]Result, len(appends))
	before := map[string]Result{}
	for i, a := range appends {
		key := a.Tenant + "." + a.Stream
		if r, chained := before[key]; chained {
			a.Expect = r.Seq
			if r.Err != nil {
				results[i] = Result{Partition: r.Partition, Err: r.Err}
				continue
			}
		}
		results[i] = m.append(ctx, a)
		before[key] = results[i]
	}
	return results
}

func (m *Memory) append(ctx context.Context, a Append) Result {
	r := Result{Partition: m.PartitionOf(a.Tenant, a.Stream)}
	body, err := Encode(a)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = m.ask(BeforeAppend, a.Tenant, a.Stream)
	}
	if err != nil {
		r.Err = err
		return r
	}
	c, err := Decode(body) // a copy the author cannot change afterwards
	if err != nil {
		r.Err = err
		return r
	}
	c.Tenant, c.Stream, c.Partition = a.Tenant, a.Stream, r.Partition
	if r = m.store(a, c); r.Err != nil {
		return r
	}
	if err := m.ask(AfterAppend, a.Tenant, a.Stream); err != nil {
		return Result{Partition: r.Partition, Err: err}
	}
	return r
}

func (m *Memory) store(a Append, c Commit) Result {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := Result{Partition: c.Partition}
	key := a.Tenant + "." + a.Stream
	var last uint64
	for i, at := range slices.Backward(m.streams[key]) {
		there := m.partitions[at.partition].commits[at.index]
		if i == len(m.streams[key])-1 {
			last = there.Seq
		} else if there.Seq <= a.Expect {
			break
		}
		if there.ID == c.ID {
			r.Seq, r.Duplicate = there.Seq, true
			return r
		}
	}
	if last != a.Expect {
		r.Err = &ConflictError{Stream: a.Stream, Expect: a.Expect}
		return r
	}
	p := m.partitions[c.Partition]
	c.Seq, c.Prev = m.next(p), last
	m.streams[key] = append(m.streams[key], place{c.Partition, len(p.commits)})
	p.commits = append(p.commits, c)
	close(p.grown)
	p.grown = make(chan struct{})
	r.Seq = c.Seq
	return r
}

// next leaves a gap after every third commit, so that nobody counts on seq + 1.
func (m *Memory) next(p *memoryPartition) uint64 {
	n := len(p.commits)
	if n == 0 {
		return 1
	}
	seq := p.commits[n-1].Seq + 1
	if n%3 == 0 {
		seq++
	}
	return seq
}

// Load implements Store.
func (m *Memory) Load(ctx context.Context, tenant, stream string, after uint64) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		if err := m.ask(BeforeLoad, tenant, stream); err != nil {
			yield(Commit{}, err)
			return
		}
		m.mu.Lock()
		places := m.streams[tenant+"."+stream]
		commits := make([]Commit, 0, len(places))
		for _, at := range places {
			if c := m.partitions[at.partition].commits[at.index]; c.Seq > after {
				commits = append(commits, c)
			}
		}
		m.mu.Unlock()
		for _, c := range commits {
			if err := ctx.Err(); err != nil {
				yield(Commit{}, err)
				return
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// Partitions implements Store.
func (m *Memory) Partitions() int { return len(m.partitions) }

// PartitionOf implements Store.
func (m *Memory) PartitionOf(tenant, stream string) int {
	return PartitionOf(tenant, stream, len(m.partitions))
}
