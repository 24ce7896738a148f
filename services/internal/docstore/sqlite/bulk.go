package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/internal/docstore"
)

// bulkOps is how many operations share a transaction in bulk.
const bulkOps = 5_000

// Bulk is a rebuild in progress. Its Apply gathers batches into transactions
// of 5,000 operations; a batch is still whole or not at all, and its
// checkpoint still goes with it. Its Get, GetMany, List and Checkpoint see
// what it has applied; other readers see it later, at the latest when
// anything else writes or the rebuild ends. Safe for concurrent use.
type Bulk struct {
	s      *Store
	ops    int   // in the open transaction; guarded by the writer
	failed error // of a commit, whoever caused it; guarded by the writer
}

// Bulk runs fn with write settings for a rebuild. When it returns without
// error everything applied is committed. Several may run at once.
func (s *Store) Bulk(ctx context.Context, fn func(ctx context.Context, b *Bulk) error) error {
	b := &Bulk{s: s}
	if err := s.autocheckpoint(ctx, logPagesBulk); err != nil {
		return fmt.Errorf("begin bulk: %w", err)
	}
	err := fn(ctx, b)
	// Whatever became of fn: every batch that Apply took is whole and is kept.
	if e := s.autocheckpoint(context.WithoutCancel(ctx), logPages); e != nil {
		err = errors.Join(err, fmt.Errorf("end bulk: %w", e))
	}
	return errors.Join(err, b.failed)
}

func (s *Store) autocheckpoint(ctx context.Context, pages int) error {
	c, err := s.writer.lock(ctx) // commits
	if err != nil {
		return err
	}
	defer s.writer.unlock()
	return run(ctx, c, fmt.Sprintf(`PRAGMA wal_autocheckpoint(%d)`, pages))
}

// Apply joins the open transaction.
func (b *Bulk) Apply(ctx context.Context, batch docstore.Batch) error {
	steps, err := b.s.prepare(batch)
	if err != nil {
		return err
	}
	return b.with(ctx, func(c *conn) error {
		ctx := context.WithoutCancel(ctx)
		if b.failed != nil {
			return b.failed // batches that were taken are lost: what follows them must not be kept
		}
		if b.s.writer.bulk == nil {
			if _, err := c.exec(ctx, `BEGIN IMMEDIATE`); err != nil {
				return err
			}
			b.s.writer.bulk = b
		}
		if _, err := c.exec(ctx, `SAVEPOINT batch`); err != nil {
			return err
		}
		if err := apply(ctx, c, steps, batch.Checkpoints); err != nil {
			_, e := c.exec(ctx, `ROLLBACK TO batch`)
			return errors.Join(err, e)
		}
		if _, err := c.exec(ctx, `RELEASE batch`); err != nil {
			return err
		}
		if b.ops += len(steps); b.ops >= bulkOps {
			b.commit(ctx)
		}
		return b.failed
	})
}

// with gives the writer's connection, without ending b's own transaction.
func (b *Bulk) with(ctx context.Context, fn func(*conn) error) error {
	w := b.s.writer
	if err := w.acquire(ctx); err != nil {
		return err
	}
	defer w.unlock()
	if w.bulk != nil && w.bulk != b {
		w.bulk.commit(context.WithoutCancel(ctx))
	}
	return fn(w.c)
}

// commit ends the transaction; the caller owns the writer. A failure is b's
// to report, not that of the writer who happened to come next.
func (b *Bulk) commit(ctx context.Context) {
	w := b.s.writer
	b.ops, w.bulk = 0, nil
	if _, err := w.c.exec(ctx, `COMMIT`); err != nil {
		b.failed = errors.Join(fmt.Errorf("commit bulk: %w", err), rollback(ctx, w.c))
	}
}

// Get reads one document, uncommitted ones included.
func (b *Bulk) Get(ctx context.Context, collection, id string) (docstore.Doc, error) {
	return b.s.get(ctx, b.with, collection, id)
}

// GetMany is docstore.Store's, uncommitted documents included.
func (b *Bulk) GetMany(ctx context.Context, collection string, ids ...string) ([]docstore.Doc, error) {
	return b.s.getMany(ctx, b.with, collection, ids...)
}

// List is docstore.Store's, uncommitted documents included.
func (b *Bulk) List(ctx context.Context, collection string, q docstore.Query) ([]docstore.Item, error) {
	return b.s.list(ctx, b.with, collection, q)
}

// Checkpoint is docstore.Store's, uncommitted batches included.
func (b *Bulk) Checkpoint(ctx context.Context, name string, partition int) (uint64, error) {
	return b.s.checkpoint(ctx, b.with, name, partition)
}
