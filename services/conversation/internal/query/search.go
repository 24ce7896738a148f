package query

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/docstore"
)

// MaxQuery is how many characters a search may have.
const MaxQuery = 200

// Search finds messages, replies and notes that hold all words, newest first.
func (r *Reader) Search(ctx context.Context, q *inboxv1.SearchRequest) (*inboxv1.SearchResponse, error) {
	size, err := pageSize(q.GetPageSize())
	if err != nil {
		return nil, err
	}
	words := strings.TrimSpace(q.GetQuery())
	if words == "" || utf8.RuneCountInString(words) > MaxQuery {
		return nil, &FieldError{"query", fmt.Sprintf("must have 1 to %d characters", MaxQuery)}
	}
	of := pageOf{"search", words}
	after, err := r.parsePageToken(of, q.GetPageToken())
	if err != nil {
		return nil, err
	}
	p, release := r.live.Acquire()
	defer release()
	n := p.Names()
	items, err := r.store.Search(ctx, n.Search, docstore.SearchQuery{Words: words, Limit: size + 1, After: after})
	if errors.Is(err, docstore.ErrBadToken) {
		return nil, &FieldError{"page_token", "is not one of ours"}
	}
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	out := &inboxv1.SearchResponse{}
	if len(items) > size {
		items = items[:size]
		out.NextPageToken = r.pageToken(of, items[size-1].Token)
	}
	found := make([]readmodel.Search, len(items))
	for i, it := range items {
		if err := json.Unmarshal(it.JSON, &found[i]); err != nil {
			return nil, fmt.Errorf("read document of %s: %w", n.Search, err)
		}
	}
	out.Hits, err = r.hits(ctx, p, found, words)
	return out, err
}

func (r *Reader) hits(ctx context.Context, p *readmodel.Projector, found []readmodel.Search, words string) ([]*inboxv1.SearchResponse_Hit, error) {
	n := p.Names()
	var entryIDs, customerIDs []string
	for _, f := range found {
		entryIDs, customerIDs = append(entryIDs, f.Entry), append(customerIDs, f.Customer)
	}
	entries, err := getMany[readmodel.Entry](ctx, r.store, n.Timeline, entryIDs...)
	if err != nil {
		return nil, err
	}
	customers, err := getMany[readmodel.Customer](ctx, r.store, n.Customers, customerIDs...)
	if err != nil {
		return nil, err
	}
	some := r.some(r.stored(p))
	var at []*readmodel.Entry
	for _, e := range entries {
		if e != nil {
			at = append(at, e)
		}
	}
	if err := some.learn(ctx, at); err != nil {
		return nil, err
	}
	for _, e := range slices.Clone(at) { // what an edit says is found as its message
		if t := some.target(e); t != nil {
			entries[e.ID] = t
			at = append(at, t)
		}
	}
	changes, err := some.changesTo(ctx, at)
	if err != nil {
		return nil, err
	}
	var handleIDs []string
	for _, e := range at {
		handleIDs = append(handleIDs, e.Handle)
	}
	for _, c := range customers {
		handleIDs = append(handleIDs, handlesOf(c)...)
	}
	handles, err := r.handles(ctx, p.Names(), handleIDs)
	if err != nil {
		return nil, err
	}
	var hits []*inboxv1.SearchResponse_Hit
	for _, f := range found {
		e := entries[f.Entry]
		if e == nil || e.Hidden || e.ID == f.Entry && replaced(changes[e.ID]) || e.ID != f.Entry && !current(changes[e.ID], f.Entry) {
			continue // it reads otherwise now
		}
		if f.Names, err = r.shownNames(ctx, f.Names, handles[e.Handle], e.Tenure); err != nil {
			return nil, err
		}
		hit := &inboxv1.SearchResponse_Hit{Snippet: snippet(f, words)}
		if hit.Entry, err = r.view.Entry(ctx, e, handles, changes[e.ID]...); err != nil {
			return nil, err
		}
		if hit.CustomerName, err = r.view.Name(ctx, handles, customers[f.Customer]); err != nil {
			return nil, err
		}
		hits = append(hits, hit)
	}
	return hits, nil
}

// shownNames takes the id of a chat's visitor out of the names that are searched:
// it is our own or the host site's, and shown to agents nowhere.
func (r *Reader) shownNames(ctx context.Context, names string, h *readmodel.Handle, tenure int64) (string, error) {
	if h == nil || h.Kind != "chat" {
		return names, nil
	}
	a, err := r.view.Address(ctx, h, tenure)
	if err != nil || a.Address == "" {
		return names, err
	}
	return strings.ReplaceAll(names, a.Address, ""), nil
}

// replaced says that a message does not read any more as it was said.
func replaced(changes []*readmodel.Entry) bool {
	return slices.ContainsFunc(changes, func(c *readmodel.Entry) bool {
		return c.Verb == readmodel.Edited || c.Verb == readmodel.Deleted
	})
}

// current says whether a message reads as an edit has it.
func current(changes []*readmodel.Entry, edit string) bool {
	newest := ""
	for _, c := range changes {
		switch c.Verb {
		case readmodel.Deleted:
			return false
		case readmodel.Edited:
			newest = c.ID
		}
	}
	return newest == edit
}

// snippetRunes is about how long a snippet is.
const snippetRunes = 160

// snippet is the neighbourhood of the first word found, on one line.
func snippet(f readmodel.Search, words string) string {
	for _, field := range []string{f.Text, f.Subject, f.Names} {
		line := []rune(strings.Join(strings.Fields(field), " "))
		lower := []rune(strings.Map(unicode.ToLower, string(line)))
		for _, w := range strings.FieldsFunc(strings.ToLower(words), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if at := indexRunes(lower, []rune(w)); at >= 0 {
				return around(line, at)
			}
		}
	}
	return around([]rune(strings.Join(strings.Fields(f.Text+" "+f.Subject), " ")), 0)
}

func around(line []rune, at int) string {
	from := max(0, at-snippetRunes/3)
	to := min(len(line), from+snippetRunes)
	s := string(line[from:to])
	if from > 0 {
		s = "…" + s
	}
	if to < len(line) {
		s += "…"
	}
	return s
}

func indexRunes(in, word []rune) int {
	if len(word) == 0 {
		return -1
	}
	for i := 0; i+len(word) <= len(in); i++ {
		match := true
		for j, w := range word {
			if in[i+j] != w {
				match = false
				break
			}
		}
		if match {
			return i
		}
	}
	return -1
}
