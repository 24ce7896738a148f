package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/schema"
)

// Declare creates tables and indexes, or brings those of an older declaration
// up to date, filling new columns and the word index from the documents.
func (s *Store) Declare(ctx context.Context, collections ...docstore.Collection) error {
	var tables []*schema.Table
	for _, c := range collections {
		t, err := schema.NewTable(c)
		if err != nil {
			return err
		}
		tables = append(tables, t)
	}
	err := s.writer.tx(ctx, func(ctx context.Context, c *conn) error {
		for _, t := range tables {
			if err := declare(ctx, c, t); err != nil {
				return fmt.Errorf("declare collection %s: %w", t.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, t := range tables {
		s.tables.Put(t)
	}
	return nil
}

// Collections are the names of what was ever declared in the file and not dropped.
func (s *Store) Collections(ctx context.Context) (names []string, err error) {
	err = s.readers.with(ctx, func(c *conn) error {
		rows, err := c.query(ctx, `SELECT name FROM collection ORDER BY name`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			names = append(names, name)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list collections: %w", err)
	}
	return names, nil
}

func declare(ctx context.Context, c *conn, t *schema.Table) error {
	var spec string
	err := c.conn.QueryRowContext(ctx, `SELECT spec FROM collection WHERE name = ?`, t.Name).Scan(&spec)
	if err == nil && spec == t.Fingerprint() {
		return nil
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	fresh := err != nil
	if fresh {
		// An own rowid: VACUUM may renumber the implicit one, and the word index refers to it.
		if err := run(ctx, c, `CREATE TABLE `+table(t)+` (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
			seq INTEGER NOT NULL, words INTEGER, json BLOB`+columns(t)+`)`); err != nil {
			return err
		}
	} else if err := adapt(ctx, c, t); err != nil {
		return err
	}
	if t.Searchable() {
		// Words come split and folded, so that this tokenizer only has to see
		// the spaces. secure-delete: a deleted word must leave the index's pages.
		if err := run(ctx, c, `CREATE VIRTUAL TABLE `+words(t)+` USING fts5(w, detail=none, prefix='2 3', tokenize='ascii')`,
			`INSERT INTO `+words(t)+`(`+words(t)+`, rank) VALUES('secure-delete', 1)`); err != nil {
			return err
		}
	}
	if !fresh {
		if err := refill(ctx, c, t); err != nil {
			return err
		}
	}
	for _, ix := range t.Indexes {
		if err := run(ctx, c, createIndex(t, ix)); err != nil {
			return explain(err)
		}
	}
	_, err = c.conn.ExecContext(ctx, `INSERT INTO collection (name, spec) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET spec = excluded.spec`, t.Name, t.Fingerprint())
	return err
}

// adapt removes what an older declaration left: indexes, columns, words.
func adapt(ctx context.Context, c *conn, t *schema.Table) error {
	old, err := strs(ctx, c, `SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL`, "c_"+t.Name)
	if err != nil {
		return err
	}
	var steps []string
	for _, name := range old {
		steps = append(steps, `DROP INDEX "`+name+`"`)
	}
	have, err := strs(ctx, c, `SELECT name FROM pragma_table_info(?) WHERE name LIKE 'f\_%' ESCAPE '\'`, "c_"+t.Name)
	if err != nil {
		return err
	}
	for _, col := range have {
		if !slices.Contains(t.Fields, strings.TrimPrefix(col, "f_")) {
			steps = append(steps, `ALTER TABLE `+table(t)+` DROP COLUMN "`+col+`"`)
		}
	}
	for _, f := range t.Fields {
		if !slices.Contains(have, "f_"+f) {
			steps = append(steps, `ALTER TABLE `+table(t)+` ADD COLUMN `+column(f))
		}
	}
	steps = append(steps, `DROP TABLE IF EXISTS `+words(t))
	c.forget()
	return run(ctx, c, steps...)
}

// refill writes extracted columns and words of all documents again.
func refill(ctx context.Context, c *conn, t *schema.Table) error {
	sets := []string{"words = NULL"}
	for _, f := range t.Fields {
		sets = append(sets, column(f)+" = ?")
	}
	update := `UPDATE ` + table(t) + ` SET ` + strings.Join(sets, ", ") + ` WHERE n = ?`
	for after := ""; ; {
		docs, err := scanPage(ctx, c, t, after)
		if err != nil {
			return err
		}
		for _, d := range docs {
			row, err := t.Extract(d.JSON)
			if err != nil {
				return fmt.Errorf("document %s: %w", d.ID, err)
			}
			if _, err := c.exec(ctx, update, append(slices.Clone(row.Values), d.n)...); err != nil {
				return err
			}
			if err := putWords(ctx, c, t, d.n, sql.NullInt64{}, wordsOf(t, row)); err != nil {
				return err
			}
		}
		if len(docs) < scanRows {
			return nil
		}
		after = docs[len(docs)-1].ID
	}
}

// Drop removes a collection's table.
func (s *Store) Drop(ctx context.Context, collection string) error {
	t, err := schema.NewTable(docstore.Collection{Name: collection})
	if err != nil {
		return err
	}
	err = s.writer.tx(ctx, func(ctx context.Context, c *conn) error {
		c.forget()
		return run(ctx, c, `DROP TABLE IF EXISTS `+table(t), `DROP TABLE IF EXISTS `+words(t),
			`DELETE FROM collection WHERE name = '`+t.Name+`'`)
	})
	if err != nil {
		return fmt.Errorf("drop collection %s: %w", collection, err)
	}
	s.tables.Remove(collection)
	return nil
}

func run(ctx context.Context, c *conn, statements ...string) error {
	for _, st := range statements {
		if _, err := c.conn.ExecContext(ctx, st); err != nil {
			return err
		}
	}
	return nil
}

func strs(ctx context.Context, c *conn, query string, args ...any) ([]string, error) {
	rows, err := c.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}
