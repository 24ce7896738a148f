package eventstore

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"sort"
)

// Read implements Store.
func (m *Memory) Read(ctx context.Context, partition int, from uint64, limit int) ([]Commit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	commits, _, err := m.tail(partition, from)
	return commits[:min(max(limit, 0), len(commits))], err
}

// Follow implements Store.
func (m *Memory) Follow(ctx context.Context, partition int, after uint64) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		for {
			commits, grown, err := m.tail(partition, after+1)
			if err != nil {
				yield(Commit{}, err)
				return
			}
			for _, c := range commits {
				if ctx.Err() != nil || !yield(c, nil) {
					return
				}
				after = c.Seq
			}
			if len(commits) > 0 {
				continue
			}
			select {
			case <-ctx.Done():
				return
			case <-grown:
			}
		}
	}
}

// Head implements Store.
func (m *Memory) Head(ctx context.Context, partition int) (uint64, error) {
	commits, _, err := m.tail(partition, 0)
	if err != nil || len(commits) == 0 {
		return 0, err
	}
	return commits[len(commits)-1].Seq, ctx.Err()
}

// tail is the commits from a sequence on, and what closes when there are more.
func (m *Memory) tail(partition int, from uint64) ([]Commit, <-chan struct{}, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if partition < 0 || partition >= len(m.partitions) {
		return nil, nil, fmt.Errorf("partition %d of %d does not exist", partition, len(m.partitions))
	}
	p := m.partitions[partition]
	i := sort.Search(len(p.commits), func(i int) bool { return p.commits[i].Seq >= from })
	return p.commits[i:len(p.commits):len(p.commits)], p.grown, nil
}

// LoadSnapshot implements Snapshots.
func (m *Memory) LoadSnapshot(ctx context.Context, tenant, stream string) (Snapshot, bool, error) {
	if err := m.ask(BeforeLoad, tenant, stream); err != nil {
		return Snapshot{}, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.snapshots[tenant+"."+stream]
	s.State = bytes.Clone(s.State)
	return s, ok, ctx.Err()
}

// SaveSnapshot implements Snapshots.
func (m *Memory) SaveSnapshot(ctx context.Context, tenant, stream string, s Snapshot) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s.State = bytes.Clone(s.State)
	m.snapshots[tenant+"."+stream] = s
	return nil
}

// DropSnapshots loses all snapshots, as a deployment may at any time.
func (m *Memory) DropSnapshots() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.snapshots = map[string]Snapshot{}
}
