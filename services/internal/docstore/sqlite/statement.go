package sqlite

import (
	"strings"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/schema"
)

// Names are quoted and prefixed; schema has checked that they hold [a-z0-9_] only.
func table(t *schema.Table) string { return `"c_` + t.Name + `"` }
func words(t *schema.Table) string { return `"w_` + t.Name + `"` }
func column(field string) string   { return `"f_` + field + `"` }

func columns(t *schema.Table) string {
	var b strings.Builder
	for _, f := range t.Fields {
		b.WriteString(", ")
		b.WriteString(column(f)) // no type: integers stay integers, strings strings
	}
	return b.String()
}

func createIndex(t *schema.Table, ix docstore.Index) string {
	var cols []string
	for _, f := range schema.IndexFields(ix) {
		cols = append(cols, column(f))
	}
	kind := "INDEX"
	if ix.Unique {
		kind = "UNIQUE INDEX"
	} else {
		cols = append(cols, "id")
	}
	return `CREATE ` + kind + ` ` + indexName(t, ix) + ` ON ` + table(t) + ` (` + strings.Join(cols, ", ") + `)`
}

// statements are the writes of one table.
type statements struct {
	find, put, putNewer, create, update, remove, removeAt string
}

// statementsOf makes them once for a declaration.
func (s *Store) statementsOf(t *schema.Table) *statements {
	if q, ok := s.writes.Load(t); ok {
		return q.(*statements)
	}
	q := &statements{
		find: `SELECT n, words FROM ` + table(t) + ` WHERE id = ?`,
		put:  upsert(t, ""), putNewer: upsert(t, "excluded.seq > @.seq"), create: upsert(t, "@.json IS NULL"), update: update(t),
		remove:   `DELETE FROM ` + table(t) + ` WHERE id = ?`,
		removeAt: `DELETE FROM ` + table(t) + ` WHERE id = ? AND seq = ? AND json IS NOT NULL`,
	}
	s.writes.Store(t, q)
	return q
}

// upsert puts a row by id. where limits the update of a row that is there,
// whose words stay: putWords changes them.
func upsert(t *schema.Table, where string) string {
	var b strings.Builder
	b.WriteString(`INSERT INTO ` + table(t) + ` (id, seq, json, words` + columns(t) + `) VALUES (?, ?, ?, ?` +
		strings.Repeat(", ?", len(t.Fields)) + `) ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, json = excluded.json`)
	for _, f := range t.Fields {
		b.WriteString(`, ` + column(f) + ` = excluded.` + column(f))
	}
	if where != "" {
		b.WriteString(` WHERE ` + strings.ReplaceAll(where, "@", table(t)))
	}
	return b.String()
}

// update changes a row that is there and has a revision.
func update(t *schema.Table) string {
	var b strings.Builder
	b.WriteString(`UPDATE ` + table(t) + ` SET seq = ?, json = ?`)
	for _, f := range t.Fields {
		b.WriteString(`, ` + column(f) + ` = ?`)
	}
	b.WriteString(` WHERE id = ? AND seq = ? AND json IS NOT NULL`)
	return b.String()
}

// prefixed is the part of a query that picks an index's rows. Rows without
// a field are not among them; nor are deleted ones, whose fields are all NULL.
func prefixed(t *schema.Table, ix docstore.Index) string {
	var conds []string
	for _, f := range ix.Prefix {
		conds = append(conds, column(f)+" = ?")
	}
	switch {
	case ix.Sort != "":
		conds = append(conds, column(ix.Sort)+" IS NOT NULL")
	case len(conds) == 0:
		conds = append(conds, "json IS NOT NULL")
	}
	return ` FROM ` + table(t) + ` INDEXED BY ` + indexName(t, ix) + ` WHERE ` + strings.Join(conds, " AND ")
}

func indexName(t *schema.Table, ix docstore.Index) string {
	return `"i_` + t.Name + `.` + ix.Name + `"`
}

// page is the statement of a List and its arguments.
func page(t *schema.Table, p schema.Plan) (string, []any) {
	var b strings.Builder
	args := append(make([]any, 0, len(p.Prefix)+5), p.Prefix...)
	sort, more, dir := "id", ">", ""
	if p.Index.Sort != "" {
		sort = column(p.Index.Sort)
	}
	if p.Desc {
		more, dir = "<", " DESC"
	}
	b.WriteString(`SELECT id, seq, json, ` + sort + prefixed(t, p.Index))
	if p.From != nil {
		b.WriteString(` AND ` + sort + ` >= ?`)
		args = append(args, p.From)
	}
	if p.To != nil {
		b.WriteString(` AND ` + sort + ` < ?`)
		args = append(args, p.To)
	}
	if p.After != nil {
		if p.Index.Sort == "" {
			b.WriteString(` AND id ` + more + ` ?`)
			args = append(args, p.After.ID)
		} else {
			b.WriteString(` AND (` + sort + `, id) ` + more + ` (?, ?)`)
			args = append(args, p.After.Key, p.After.ID)
		}
	}
	b.WriteString(` ORDER BY ` + sort + dir)
	if p.Index.Sort != "" {
		b.WriteString(`, id` + dir)
	}
	b.WriteString(` LIMIT ?`)
	return b.String(), append(args, p.Limit)
}
