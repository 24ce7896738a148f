package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/schema"
)

// indexed are the words a row is found by, and their fingerprint, NULL for none.
type indexed struct {
	text string
	is   sql.NullInt64
}

func wordsOf(t *schema.Table, row schema.Row) indexed {
	if !t.Searchable() || len(row.Text) == 0 {
		return indexed{}
	}
	var split []string
	for _, s := range row.Text {
		split = append(split, schema.Words(s)...)
	}
	text := strings.Join(split, " ")
	return indexed{text, sql.NullInt64{Int64: fingerprint(text), Valid: text != ""}}
}

// putWords brings the word index up to date for row n. was is the fingerprint
// of the words that are indexed: most updates leave the text as it is, and a
// change of the index costs more than the rest of the put.
func putWords(ctx context.Context, c *conn, t *schema.Table, n int64, was sql.NullInt64, now indexed) error {
	if now.is == was {
		return nil
	}
	if was.Valid {
		if _, err := c.exec(ctx, `DELETE FROM `+words(t)+` WHERE rowid = ?`, n); err != nil {
			return err
		}
	}
	if now.is.Valid {
		if err := addWords(ctx, c, t, n, now); err != nil {
			return err
		}
	}
	_, err := c.exec(ctx, `UPDATE `+table(t)+` SET words = ? WHERE n = ?`, now.is, n)
	return err
}

func addWords(ctx context.Context, c *conn, t *schema.Table, n int64, now indexed) error {
	_, err := c.exec(ctx, `INSERT INTO `+words(t)+` (rowid, w) VALUES (?, ?)`, n, now.text)
	return err
}

// fingerprint is equal for equal texts, and nobody can make it equal for others.
func fingerprint(text string) int64 {
	sum := sha256.Sum256([]byte(text))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// Search asks the word index, newest row first.
func (s *Store) Search(ctx context.Context, collection string, q docstore.SearchQuery) ([]docstore.Item, error) {
	t, err := s.tables.Get(collection)
	if err != nil {
		return nil, err
	}
	p, err := t.PlanSearch(q)
	if err != nil || len(p.Words) == 0 {
		return nil, err
	}
	// Words hold letters and digits only, so quoting them is enough to keep them from being syntax.
	match := `"` + strings.Join(p.Words, `" AND "`) + `" *`
	query := `SELECT c.id, c.seq, c.json, c.n FROM ` + words(t) + ` JOIN ` + table(t) + ` c ON c.n = ` + words(t) + `.rowid
		WHERE ` + words(t) + ` MATCH ?`
	args := []any{match}
	if p.After != nil {
		query += ` AND ` + words(t) + `.rowid < ?`
		args = append(args, p.After.Key)
	}
	for _, f := range p.Filter {
		query += ` AND +c.` + column(f.Field) + ` = ?`
		args = append(args, f.Value)
	}
	query += ` ORDER BY ` + words(t) + `.rowid DESC LIMIT ?`
	var items []docstore.Item
	err = s.readers.with(ctx, func(c *conn) error {
		items, err = list(ctx, c, p.Scope, query, append(args, p.Limit))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("search %s: %w", collection, err)
	}
	return items, nil
}
