package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/schema"
)

// step is a checked operation.
type step struct {
	docstore.Op
	table *schema.Table
	sql   *statements
	row   schema.Row
	words indexed
}

// prepare checks a batch and extracts fields, before any lock is taken.
func (s *Store) prepare(b docstore.Batch) ([]step, error) {
	steps := make([]step, len(b.Ops))
	for i, op := range b.Ops {
		t, err := s.tables.Get(op.Collection)
		if err != nil {
			return nil, fmt.Errorf("apply operation %d: %w", i, err)
		}
		if op, err = schema.CheckOp(op); err != nil {
			return nil, fmt.Errorf("apply operation %d on %s: %w", i, op.Collection, err)
		}
		steps[i] = step{Op: op, table: t, sql: s.statementsOf(t)}
		if op.Delete {
			steps[i].Doc.JSON = nil
			steps[i].row.Values = make([]any, len(t.Fields))
		} else if steps[i].row, err = t.Extract(op.Doc.JSON); err != nil {
			return nil, fmt.Errorf("apply operation %d on %s: %w", i, op.Collection, err)
		}
		steps[i].words = wordsOf(t, steps[i].row)
	}
	for _, cp := range b.Checkpoints {
		if cp.Seq > 1<<63-1 {
			return nil, fmt.Errorf("apply checkpoint %s: seq: at most 1<<63-1 is allowed", cp.Name)
		}
	}
	return steps, nil
}

// Apply is one transaction, which callers at the same time may share.
func (s *Store) Apply(ctx context.Context, b docstore.Batch) error {
	steps, err := s.prepare(b)
	if err != nil {
		return err
	}
	if len(steps)+len(b.Checkpoints) == 0 {
		return ctx.Err()
	}
	return s.apply(ctx, &job{steps: steps, checkpoints: b.Checkpoints, done: make(chan struct{})})
}

func apply(ctx context.Context, c *conn, steps []step, checkpoints []docstore.Checkpoint) error {
	for i, st := range steps {
		if err := st.do(ctx, c); err != nil {
			return fmt.Errorf("apply operation %d on %s: %w", i, st.Collection, explain(err))
		}
	}
	for _, cp := range checkpoints {
		_, err := c.exec(ctx, `INSERT INTO checkpoint (name, part, seq) VALUES (?, ?, ?)
			ON CONFLICT (name, part) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq`, cp.Name, cp.Partition, int64(cp.Seq))
		if err != nil {
			return fmt.Errorf("apply checkpoint %s: %w", cp.Name, err)
		}
	}
	return nil
}

func (st step) do(ctx context.Context, c *conn) error {
	if st.table.Searchable() {
		return st.doWords(ctx, c)
	}
	query, args := st.statement()
	n, err := c.exec(ctx, query, args...)
	if err == nil && n == 0 {
		err = st.refused()
	}
	return err
}

// doWords writes a row with the words it is found by. One statement for both
// would be RETURNING, but each of those makes FTS write what it has gathered.
func (st step) doWords(ctx context.Context, c *conn) error {
	var n, was sql.NullInt64
	if err := one(ctx, c, st.sql.find, []any{st.Doc.ID}, &n, &was); err != nil {
		return err
	}
	query, args := st.statement()
	res, err := c.run(ctx, query, args...)
	if err != nil {
		return err
	}
	changed, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if changed == 0 {
		return st.refused()
	}
	if !n.Valid { // a new row, and its fingerprint is in it
		made, err := res.LastInsertId()
		if err != nil || !st.words.is.Valid {
			return err
		}
		return addWords(ctx, c, st.table, made, st.words)
	}
	return putWords(ctx, c, st.table, n.Int64, was, st.words)
}

// statement changes the row, or nothing: a guarded step that comes late.
func (st step) statement() (string, []any) {
	q, id, seq := st.sql, st.Doc.ID, int64(st.Doc.Seq)
	switch {
	case st.IfRev > 0 && st.Delete && seq == 0:
		return q.removeAt, []any{id, int64(st.IfRev)}
	case st.IfRev > 0:
		args := append([]any{seq, blob(st.Doc.JSON)}, st.row.Values...)
		return q.update, append(args, id, int64(st.IfRev))
	case st.Delete && seq == 0:
		return q.remove, []any{id}
	}
	args := append([]any{id, seq, blob(st.Doc.JSON), st.words.is}, st.row.Values...)
	switch {
	case st.Create:
		return q.create, args
	case seq > 0:
		return q.putNewer, args
	}
	return q.put, args
}

// refused is why nothing was changed; nil where that is as it should be.
func (st step) refused() error {
	switch {
	case st.IfRev > 0:
		return docstore.ErrStale
	case st.Create:
		return docstore.ErrExists
	}
	return nil
}

// blob keeps an absent document NULL; the driver stores an empty slice for a nil one.
func blob(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

// one scans the single row of a query, if there is one.
func one(ctx context.Context, c *conn, query string, args []any, dest ...any) error {
	rows, err := c.query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
	}
	return rows.Err()
}
