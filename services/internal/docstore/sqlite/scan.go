package sqlite

import (
	"context"
	"fmt"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/schema"
)

// scanRows is the length of a page of Scan: one read lock each, so that a
// slow fn does not keep the write-ahead log from shrinking.
const scanRows = 200

type scanned struct {
	docstore.Doc
	n int64
}

// Scan reads page by page.
func (s *Store) Scan(ctx context.Context, collection string, fn func(docstore.Doc) error) error {
	t, err := s.tables.Get(collection)
	if err != nil {
		return err
	}
	for after := ""; ; {
		var docs []scanned
		err := s.readers.with(ctx, func(c *conn) error {
			docs, err = scanPage(context.WithoutCancel(ctx), c, t, after)
			return err
		})
		if err != nil {
			return fmt.Errorf("scan %s: %w", collection, err)
		}
		for _, d := range docs {
			if err := fn(d.Doc); err != nil {
				return err
			}
		}
		if len(docs) < scanRows {
			return nil
		}
		after = docs[len(docs)-1].ID
	}
}

func scanPage(ctx context.Context, c *conn, t *schema.Table, after string) ([]scanned, error) {
	rows, err := c.query(ctx, `SELECT id, seq, json, n FROM `+table(t)+` WHERE id > ? AND json IS NOT NULL ORDER BY id LIMIT ?`, after, scanRows)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var docs []scanned
	for rows.Next() {
		var d scanned
		var seq int64
		if err := rows.Scan(&d.ID, &seq, &d.JSON, &d.n); err != nil {
			return nil, err
		}
		d.Seq = uint64(seq)
		docs = append(docs, d)
	}
	return docs, rows.Err()
}
