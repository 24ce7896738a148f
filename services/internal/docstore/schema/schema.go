// Package schema is what both engines of docstore share: checking of
// declarations, documents and queries, extraction of indexed fields, page
// tokens and search words. An engine that uses it cannot differ in these.
package schema

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/weftline/weftline/services/internal/docstore"
)

var nameRE = regexp.MustCompile(`^[a-z0-9_]{1,48}$`)

// Table is a checked declaration.
type Table struct {
	docstore.Collection
	Fields []string // every field that an index or filter needs, sorted

	fields  map[string]int
	text    map[string]bool
	indexes map[string]docstore.Index
}

// NewTable checks a declaration.
func NewTable(c docstore.Collection) (*Table, error) {
	t := &Table{Collection: c, fields: map[string]int{}, text: map[string]bool{}, indexes: map[string]docstore.Index{}}
	if !nameRE.MatchString(c.Name) {
		return nil, fmt.Errorf("declare collection %q: name must match %s", c.Name, nameRE)
	}
	add := func(field string) error {
		if !nameRE.MatchString(field) {
			return fmt.Errorf("declare collection %s: field %q must match %s", c.Name, field, nameRE)
		}
		if !slices.Contains(t.Fields, field) {
			t.Fields = append(t.Fields, field)
		}
		return nil
	}
	for _, ix := range c.Indexes {
		if err := t.checkIndex(ix); err != nil {
			return nil, err
		}
		t.indexes[ix.Name] = ix
		for _, f := range IndexFields(ix) {
			if err := add(f); err != nil {
				return nil, err
			}
		}
	}
	for _, f := range c.TextFilter {
		if err := add(f); err != nil {
			return nil, err
		}
	}
	for _, f := range c.Text {
		if !nameRE.MatchString(f) {
			return nil, fmt.Errorf("declare collection %s: text field %q must match %s", c.Name, f, nameRE)
		}
		t.text[f] = true
	}
	slices.Sort(t.Fields)
	for i, f := range t.Fields {
		t.fields[f] = i
	}
	return t, nil
}

func (t *Table) checkIndex(ix docstore.Index) error {
	switch {
	case !nameRE.MatchString(ix.Name):
		return fmt.Errorf("declare collection %s: index %q: name must match %s", t.Name, ix.Name, nameRE)
	case ix.Unique && (ix.Sort != "" || len(ix.Prefix) == 0):
		return fmt.Errorf("declare collection %s: unique index %s: needs a prefix and no sort", t.Name, ix.Name)
	}
	if _, twice := t.indexes[ix.Name]; twice {
		return fmt.Errorf("declare collection %s: index %s declared twice", t.Name, ix.Name)
	}
	fields := IndexFields(ix)
	for i, f := range fields {
		if slices.Contains(fields[:i], f) {
			return fmt.Errorf("declare collection %s: index %s: field %q twice", t.Name, ix.Name, f)
		}
	}
	return nil
}

// IndexFields are the document fields of an index, in order.
func IndexFields(ix docstore.Index) []string {
	fields := slices.Clone(ix.Prefix)
	if ix.Sort != "" {
		fields = append(fields, ix.Sort)
	}
	return fields
}

// Fingerprint is equal for two declarations exactly when stored rows and
// indexes of one serve the other. Engines keep it to see what an upgrade changed.
func (t *Table) Fingerprint() string {
	// The leading number is the version of extraction and of word splitting.
	b, err := json.Marshal([]any{1, t.Indexes, t.Fields, t.Text})
	if err != nil {
		panic(err) // strings and bools only
	}
	return string(b)
}

// Searchable says whether the collection has text fields.
func (t *Table) Searchable() bool { return len(t.Text) > 0 }

// Tables is the set of declared collections. The zero value is ready; safe for concurrent use.
type Tables struct {
	mu sync.RWMutex
	m  map[string]*Table
}

// Put adds or replaces a declaration.
func (ts *Tables) Put(t *Table) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.m == nil {
		ts.m = map[string]*Table{}
	}
	ts.m[t.Name] = t
}

// Remove forgets a declaration.
func (ts *Tables) Remove(name string) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.m, name)
}

// Get returns a declared collection.
func (ts *Tables) Get(name string) (*Table, error) {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	if t, ok := ts.m[name]; ok {
		return t, nil
	}
	return nil, fmt.Errorf("collection %q is not declared", name)
}
