package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/schema"
)

// reader is what reads need: a connection for the time of a call.
type reader func(ctx context.Context, fn func(*conn) error) error

// Get reads one document.
func (s *Store) Get(ctx context.Context, collection, id string) (docstore.Doc, error) {
	return s.get(ctx, s.readers.with, collection, id)
}

func (s *Store) get(ctx context.Context, with reader, collection, id string) (docstore.Doc, error) {
	docs, err := s.getMany(ctx, with, collection, id)
	if err != nil {
		return docstore.Doc{}, err
	}
	if docs[0].JSON == nil {
		return docstore.Doc{}, fmt.Errorf("get from %s: %w", collection, docstore.ErrNotFound)
	}
	return docs[0], nil
}

// GetMany reads many documents with one statement: one read transaction, whose
// locks cost more than the look-ups in it.
func (s *Store) GetMany(ctx context.Context, collection string, ids ...string) ([]docstore.Doc, error) {
	return s.getMany(ctx, s.readers.with, collection, ids...)
}

func (s *Store) getMany(ctx context.Context, with reader, collection string, ids ...string) ([]docstore.Doc, error) {
	t, err := s.tables.Get(collection)
	if err != nil {
		return nil, err
	}
	docs := make([]docstore.Doc, len(ids))
	for i, id := range ids {
		docs[i].ID = id
	}
	look := eachOf
	if len(ids) <= fewIDs {
		look = oneByOne
	}
	if err := with(ctx, func(c *conn) error { return look(ctx, c, t, docs) }); err != nil {
		return nil, fmt.Errorf("get from %s: %w", collection, err)
	}
	return docs, nil
}

// fewIDs is up to how many documents are cheaper to look up one by one.
const fewIDs = 2

func oneByOne(ctx context.Context, c *conn, t *schema.Table, docs []docstore.Doc) error {
	// A running statement is not interrupted: it takes microseconds, watching ctx takes as long.
	still := context.WithoutCancel(ctx)
	st, err := c.stmt(still, `SELECT seq, json FROM `+table(t)+` WHERE id = ? AND json IS NOT NULL`)
	if err != nil {
		return err
	}
	for i := range docs {
		if err := ctx.Err(); err != nil {
			return err
		}
		var seq int64
		err := st.QueryRowContext(still, docs[i].ID).Scan(&seq, &docs[i].JSON)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		docs[i].Seq = uint64(seq)
	}
	return nil
}

// eachOf finds documents by a list of ids, whatever its length: the place in it comes back with each.
func eachOf(ctx context.Context, c *conn, t *schema.Table, docs []docstore.Doc) error {
	ids := make([]string, len(docs))
	for i, d := range docs {
		ids[i] = d.ID
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	rows, err := c.query(context.WithoutCancel(ctx), `SELECT l.key, d.seq, d.json FROM json_each(?) l CROSS JOIN `+table(t)+
		` d ON d.id = l.value WHERE d.json IS NOT NULL`, string(list))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		var i int
		var seq int64
		var doc []byte
		if err := rows.Scan(&i, &seq, &doc); err != nil {
			return err
		}
		docs[i].Seq, docs[i].JSON = uint64(seq), doc
	}
	return rows.Err()
}

// List reads a page along the index.
func (s *Store) List(ctx context.Context, collection string, q docstore.Query) ([]docstore.Item, error) {
	return s.list(ctx, s.readers.with, collection, q)
}

func (s *Store) list(ctx context.Context, with reader, collection string, q docstore.Query) ([]docstore.Item, error) {
	t, err := s.tables.Get(collection)
	if err != nil {
		return nil, err
	}
	p, err := t.Plan(q)
	if err != nil {
		return nil, err
	}
	query, args := page(t, p)
	var items []docstore.Item
	err = with(ctx, func(c *conn) error {
		items, err = list(context.WithoutCancel(ctx), c, p.Scope, query, args)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", collection, err)
	}
	return items, nil
}

// list reads rows of id, seq, json, key.
func list(ctx context.Context, c *conn, scope schema.Scope, query string, args []any) ([]docstore.Item, error) {
	rows, err := c.query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var items []docstore.Item
	for rows.Next() {
		var it docstore.Item
		var seq int64
		var key any
		if err := rows.Scan(&it.ID, &seq, &it.JSON, &key); err != nil {
			return nil, err
		}
		it.Seq = uint64(seq)
		it.Token = scope.Token(schema.Position{Key: key, ID: it.ID})
		items = append(items, it)
	}
	return items, rows.Err()
}

// Count counts along the index, without touching documents.
func (s *Store) Count(ctx context.Context, collection, index string, prefix []any, limit int) (int64, error) {
	t, err := s.tables.Get(collection)
	if err != nil {
		return 0, err
	}
	ix, args, err := t.Prefix(index, prefix)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", collection, err)
	}
	if limit <= 0 {
		limit = -1
	}
	var n int64
	err = s.readers.with(ctx, func(c *conn) error {
		return one(ctx, c, `SELECT count(*) FROM (SELECT 1`+prefixed(t, ix)+` LIMIT ?)`, append(args, limit), &n)
	})
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", collection, err)
	}
	return n, nil
}

// Checkpoint reads a position.
func (s *Store) Checkpoint(ctx context.Context, name string, partition int) (uint64, error) {
	return s.checkpoint(ctx, s.readers.with, name, partition)
}

func (s *Store) checkpoint(ctx context.Context, with reader, name string, partition int) (uint64, error) {
	var seq int64
	err := with(ctx, func(c *conn) error {
		return one(context.WithoutCancel(ctx), c, `SELECT seq FROM checkpoint WHERE name = ? AND part = ?`, []any{name, partition}, &seq)
	})
	if err != nil {
		return 0, fmt.Errorf("read checkpoint %s: %w", name, err)
	}
	return uint64(seq), nil
}

// DropCheckpoints forgets all partitions of a name.
func (s *Store) DropCheckpoints(ctx context.Context, name string) error {
	err := s.writer.tx(ctx, func(ctx context.Context, c *conn) error {
		_, err := c.exec(ctx, `DELETE FROM checkpoint WHERE name = ?`, name)
		return err
	})
	if err != nil {
		return fmt.Errorf("drop checkpoints %s: %w", name, err)
	}
	return nil
}
