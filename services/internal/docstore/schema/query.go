package schema

import (
	"fmt"

	"github.com/weftline/weftline/services/internal/docstore"
)

// Plan is a checked query.
type Plan struct {
	Index    docstore.Index
	Prefix   []any
	From, To any
	After    *Position
	Desc     bool
	Limit    int
	Scope    Scope
}

// Plan checks a query and decodes its token.
func (t *Table) Plan(q docstore.Query) (Plan, error) {
	p := Plan{Desc: q.Desc, Limit: q.Limit}
	if q.Limit < 1 || q.Limit > docstore.MaxPage {
		return p, fmt.Errorf("list %s: limit %d: 1 to %d is allowed", t.Name, q.Limit, docstore.MaxPage)
	}
	var err error
	if p.Index, p.Prefix, err = t.Prefix(q.Index, q.Prefix); err != nil {
		return p, fmt.Errorf("list %s: %w", t.Name, err)
	}
	if p.From, err = t.bound(p.Index, q.From); err != nil {
		return p, fmt.Errorf("list %s: from: %w", t.Name, err)
	}
	if p.To, err = t.bound(p.Index, q.To); err != nil {
		return p, fmt.Errorf("list %s: to: %w", t.Name, err)
	}
	p.Scope = newScope(append([]any{"list", t.Name, q.Index, q.Desc}, p.Prefix...)...)
	if q.After != "" {
		pos, err := p.Scope.Position(q.After)
		if err != nil {
			return p, fmt.Errorf("list %s: %w", t.Name, err)
		}
		p.After = &pos
	}
	return p, nil
}

func (t *Table) bound(ix docstore.Index, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	if ix.Unique {
		return nil, fmt.Errorf("index %s is unique and has no order", ix.Name)
	}
	v, err := Value(v)
	if _, ok := v.(string); err == nil && ix.Sort == "" && !ok {
		return nil, fmt.Errorf("index %s is ordered by id: must be a string", ix.Name)
	}
	return v, err
}

// Prefix checks an index's name and the values of its prefix.
func (t *Table) Prefix(index string, values []any) (docstore.Index, []any, error) {
	ix, ok := t.indexes[index]
	if !ok {
		return ix, nil, fmt.Errorf("index %q is not declared", index)
	}
	if len(values) != len(ix.Prefix) {
		return ix, nil, fmt.Errorf("index %s: %d prefix values for the fields %v", index, len(values), ix.Prefix)
	}
	out := make([]any, len(values))
	for i, v := range values {
		v, err := Value(v)
		if err != nil {
			return ix, nil, fmt.Errorf("index %s: field %s: %w", index, ix.Prefix[i], err)
		}
		out[i] = v
	}
	return ix, out, nil
}

// SearchPlan is a checked search. No Words: nothing is found.
type SearchPlan struct {
	Words  []string // all of them, the last one as a prefix
	Filter []Equal
	After  *Position
	Limit  int
	Scope  Scope
}

// Equal is one condition of a search.
type Equal struct {
	Field string
	Value any
}

// PlanSearch checks a search and decodes its token.
func (t *Table) PlanSearch(q docstore.SearchQuery) (SearchPlan, error) {
	p := SearchPlan{Limit: q.Limit}
	if !t.Searchable() {
		return p, fmt.Errorf("search %s: no text fields are declared", t.Name)
	}
	if q.Limit < 1 || q.Limit > docstore.MaxPage {
		return p, fmt.Errorf("search %s: limit %d: 1 to %d is allowed", t.Name, q.Limit, docstore.MaxPage)
	}
	if len(q.Words) > docstore.MaxWords {
		return p, fmt.Errorf("search %s: words: %d bytes, at most %d are allowed", t.Name, len(q.Words), docstore.MaxWords)
	}
	p.Words = Words(q.Words)
	normal := map[string]any{}
	for _, field := range t.TextFilter {
		raw, ok := q.Filter[field]
		if !ok {
			continue
		}
		v, err := Value(raw)
		if err != nil {
			return p, fmt.Errorf("search %s: filter %s: %w", t.Name, field, err)
		}
		normal[field] = v
		p.Filter = append(p.Filter, Equal{Field: field, Value: v})
	}
	if len(normal) != len(q.Filter) {
		return p, fmt.Errorf("search %s: filter: fields %v are allowed", t.Name, t.TextFilter)
	}
	p.Scope = searchScope(t.Name, p.Words, normal)
	if q.After != "" {
		pos, err := p.Scope.Position(q.After)
		if err != nil {
			return p, fmt.Errorf("search %s: %w", t.Name, err)
		}
		p.After = &pos
	}
	return p, nil
}
