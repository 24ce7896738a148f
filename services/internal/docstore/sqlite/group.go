package sqlite

import (
	"context"
	"slices"
	"sync"

	"github.com/weftline/weftline/services/internal/docstore"
)

// group gathers the batches that wait while another transaction is written:
// whoever writes next takes them all into one, so that callers at the same time
// share the commit and, with Full, its fsync. A caller alone waits for nobody.
type group struct {
	mu      sync.Mutex
	waiting []*job
}

// job is one batch on its way.
type job struct {
	steps       []step
	checkpoints []docstore.Checkpoint
	err         error         // read after done
	done        chan struct{} // closed when the batch is committed or refused
}

// groupOps bounds the operations of a shared transaction. One batch may have more.
const groupOps = 2_000

func (g *group) add(j *job) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, j)
}

// withdraw takes back a job that nobody has begun.
func (g *group) withdraw(j *job) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, j)
	if i < 0 {
		return false
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	return true
}

// take is the next transaction: the oldest job and those behind it that fit.
func (g *group) take() []*job {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, ops := 0, 0
	for _, j := range g.waiting {
		if ops += len(j.steps); n > 0 && ops > groupOps {
			break
		}
		n++
	}
	jobs := g.waiting[:n:n]
	g.waiting = g.waiting[n:]
	return jobs
}

// apply waits until the job is committed, by this caller or by one before it.
func (s *Store) apply(ctx context.Context, j *job) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.group.add(j)
	for {
		select {
		case <-j.done:
			return j.err
		case <-s.writer.sem:
			s.lead(context.WithoutCancel(ctx), j)
			s.writer.unlock()
		case <-ctx.Done():
			if s.group.withdraw(j) {
				return ctx.Err()
			}
			<-j.done // begun, and soon over
			return j.err
		}
	}
}

// lead writes what waits, unless j was written meanwhile. The caller owns the writer.
func (s *Store) lead(ctx context.Context, j *job) {
	select {
	case <-j.done:
		return
	default:
	}
	if s.writer.bulk != nil {
		s.writer.bulk.commit(ctx)
	}
	jobs := s.group.take()
	err := inTx(ctx, s.writer.c, func(ctx context.Context, c *conn) error { return applyAll(ctx, c, jobs) })
	if err != nil && len(jobs) > 1 {
		// Somebody's batch was refused, which must not harm the others.
		for _, j := range jobs {
			j.err = inTx(ctx, s.writer.c, func(ctx context.Context, c *conn) error { return applyAll(ctx, c, []*job{j}) })
		}
	} else if err != nil {
		jobs[0].err = err
	}
	for _, j := range jobs {
		close(j.done)
	}
}

func applyAll(ctx context.Context, c *conn, jobs []*job) error {
	for _, j := range jobs {
		if err := apply(ctx, c, j.steps, j.checkpoints); err != nil {
			return err
		}
	}
	return nil
}
