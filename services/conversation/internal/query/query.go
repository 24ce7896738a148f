// Package query answers what agents, integrators and channels ask of the read
// models. Every list is one index page (or a merge of four); nothing scans.
package query

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/conversation/internal/cursor"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/view"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/handleid"
)

// Page sizes.
const (
	DefaultPage = 50
	MaxPage     = 200
)

// ErrNotFound: there is no such thing, or it is not visible (yet).
var ErrNotFound = errors.New("not found")

// MissingError is ErrNotFound that says of what.
type MissingError struct{ What string }

func (e *MissingError) Error() string { return e.What + " " + ErrNotFound.Error() }

// Is makes it ErrNotFound.
func (e *MissingError) Is(target error) bool { return target == ErrNotFound }

// missing is what is not there of a document's type.
func missing(v any) error {
	switch v.(type) {
	case *readmodel.Customer:
		return &MissingError{"customer"}
	case *readmodel.Conversation:
		return &MissingError{"conversation"}
	case *readmodel.Entry:
		return &MissingError{"entry"}
	case *readmodel.Handle:
		return &MissingError{"handle"}
	}
	return ErrNotFound
}

// FieldError: a field of the request is out of its limits.
type FieldError struct {
	Field   string // as in the proto
	Problem string // names the limit
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// Keys is what reading needs of the keyring. Sealing happens only in memory, to
// fold a timeline as it was.
type Keys interface {
	readmodel.Keys
	view.Keys
	handleid.Hasher
}

// Reader answers queries. Safe for concurrent use.
type Reader struct {
	live   *readmodel.Live
	store  docstore.Store
	events eventstore.Store
	decode readmodel.Decoder
	keys   Keys
	view   *view.Viewer
	tenant string
}

// New makes a Reader of one tenant, "" being the default one.
func New(live *readmodel.Live, events eventstore.Store, decode readmodel.Decoder, keys Keys, tenant string) *Reader {
	if tenant == "" {
		tenant = subject.DefaultTenant
	}
	return &Reader{
		live: live, store: live.Store(), events: events, decode: decode,
		keys: keys, view: view.New(keys), tenant: tenant,
	}
}

// Live is the projection it reads.
func (r *Reader) Live() *readmodel.Live { return r.live }

// View shows documents as the Reader does.
func (r *Reader) View() *view.Viewer { return r.view }

// asOf is the cursor of what a projector has applied. Take it before reading:
// what is read then is at least as new, and live events after it lose nothing.
func (r *Reader) asOf(p *readmodel.Projector) string {
	return cursor.Cursor{Seqs: p.Vector()}.Encode(r.keys)
}

// pageSize applies the default and the limit.
func pageSize(n int32) (int, error) {
	switch {
	case n == 0:
		return DefaultPage, nil
	case n < 0 || n > MaxPage:
		return 0, &FieldError{"page_size", fmt.Sprintf("must be 0 to %d", MaxPage)}
	}
	return int(n), nil
}

// upTo makes a token the exclusive upper bound of a descending list.
func upTo(key string) any {
	if key == "" {
		return nil
	}
	return key
}

func unmarshal(doc []byte, v any) error {
	if err := json.Unmarshal(doc, v); err != nil {
		return fmt.Errorf("read document: %w", err)
	}
	return nil
}

// get reads one document; ErrNotFound when there is none.
func get[T any](ctx context.Context, s docstore.Store, collection, id string) (*T, error) {
	m, err := getMany[T](ctx, s, collection, id)
	if err != nil {
		return nil, err
	}
	if m[id] == nil {
		return nil, missing(m[id])
	}
	return m[id], nil
}

// getMany reads documents by id; missing ones are not in the map.
func getMany[T any](ctx context.Context, s docstore.Store, collection string, ids ...string) (map[string]*T, error) {
	out := make(map[string]*T, len(ids))
	var unique []string
	for _, id := range ids {
		if _, ok := out[id]; !ok && id != "" && len(id) <= docstore.MaxID {
			out[id] = nil
			unique = append(unique, id)
		}
	}
	if len(unique) == 0 {
		return out, nil
	}
	docs, err := s.GetMany(ctx, collection, unique...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", collection, err)
	}
	for i, d := range docs {
		if d.JSON == nil {
			delete(out, unique[i])
			continue
		}
		v := new(T)
		if err := json.Unmarshal(d.JSON, v); err != nil {
			return nil, fmt.Errorf("read document of %s: %w", collection, err)
		}
		setID(v, unique[i])
		out[unique[i]] = v
	}
	return out, nil
}

// cached is getMany through the projector's cache: for customers, handles and
// conversations, which are read far more often than written. They are shared.
func cached[T any](ctx context.Context, s docstore.Store, p *readmodel.Projector, collection string, ids ...string) (map[string]*T, error) {
	docs, moment := p.Cache().Get(collection, ids)
	out := make(map[string]*T, len(ids))
	var missing []string
	for i, id := range ids {
		if v, ok := docs[i].(*T); ok {
			out[id] = v
		} else {
			missing = append(missing, id)
		}
	}
	found, err := getMany[T](ctx, s, collection, missing...)
	if err != nil {
		return nil, err
	}
	for id, v := range found {
		p.Cache().Put(collection, id, v, moment)
		out[id] = v
	}
	return out, nil
}

// list reads a page of an index.
func list[T any](ctx context.Context, s docstore.Store, collection string, q docstore.Query) ([]*T, error) {
	items, err := s.List(ctx, collection, q)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", collection, err)
	}
	out := make([]*T, len(items))
	for i, it := range items {
		v := new(T)
		if err := json.Unmarshal(it.JSON, v); err != nil {
			return nil, fmt.Errorf("read document of %s: %w", collection, err)
		}
		setID(v, it.ID)
		out[i] = v
	}
	return out, nil
}

func setID(v any, id string) {
	switch d := v.(type) {
	case *readmodel.Entry:
		d.ID = id
	case *readmodel.Conversation:
		d.ID = id
	case *readmodel.Customer:
		d.ID = id
	case *readmodel.Handle:
		d.ID = id
	case *readmodel.Pair:
		d.ID = id
	case *readmodel.Unit:
		d.ID = id
	}
}
