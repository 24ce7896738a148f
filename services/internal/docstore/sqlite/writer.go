package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// writer owns the one connection that writes.
type writer struct {
	db   *sql.DB
	c    *conn
	sem  chan struct{} // holds one token: whoever has it owns c
	bulk *Bulk         // whose transaction is open, if any; guarded by sem
}

const (
	logPages     = 16_000 // of write-ahead log before it is moved into the file: 64 MiB. Each move is two fsyncs on the log's disk
	logPagesBulk = 20_000 // fewer moves of hot pages while rebuilding
)

func newWriter(ctx context.Context, path string, opts Options) (*writer, error) {
	sync := "synchronous(NORMAL)"
	if opts.Sync == Full {
		sync = "synchronous(FULL)"
	}
	db, err := open(path, opts, "journal_mode(WAL)", sync, "secure_delete(1)",
		fmt.Sprintf("cache_size(-%d)", opts.CacheMiB*1024), fmt.Sprintf("wal_autocheckpoint(%d)", logPages))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	w := &writer{db: db, sem: make(chan struct{}, 1)}
	if w.c, err = take(ctx, db); err == nil {
		err = format(ctx, w.c)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	w.sem <- struct{}{}
	return w, nil
}

// lock makes the caller the writer, after what a bulk left open is committed.
func (w *writer) lock(ctx context.Context) (*conn, error) {
	if err := w.acquire(ctx); err != nil {
		return nil, err
	}
	if w.bulk != nil {
		w.bulk.commit(context.WithoutCancel(ctx))
	}
	return w.c, nil
}

func (w *writer) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-w.sem:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *writer) unlock() { w.sem <- struct{}{} }

// tx runs fn in an immediate transaction. Once begun it is not cancelled: a
// batch is short, and an interrupted statement would only make it begin again.
func (w *writer) tx(ctx context.Context, fn func(context.Context, *conn) error) error {
	c, err := w.lock(ctx)
	if err != nil {
		return err
	}
	defer w.unlock()
	return inTx(context.WithoutCancel(ctx), c, fn)
}

// inTx runs fn in a transaction; the caller owns the writer.
func inTx(ctx context.Context, c *conn, fn func(context.Context, *conn) error) error {
	if _, err := c.exec(ctx, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	if err := fn(ctx, c); err != nil {
		return errors.Join(err, rollback(ctx, c))
	}
	if _, err := c.exec(ctx, `COMMIT`); err != nil {
		return errors.Join(err, rollback(ctx, c))
	}
	return nil
}

// rollback ends a transaction; SQLite may have done so by itself, on a full disk for instance.
func rollback(ctx context.Context, c *conn) error {
	if _, err := c.exec(ctx, `ROLLBACK`); err != nil && !noTransaction(err) {
		return err
	}
	return nil
}

func (w *writer) close() error {
	<-w.sem // for ever: nobody writes after it
	if w.bulk != nil {
		w.bulk.commit(context.Background())
	}
	w.c.forget()
	_ = w.c.conn.Close() // the pool below reports
	return w.db.Close()
}
