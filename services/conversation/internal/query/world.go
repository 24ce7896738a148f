package query

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/view"
	"github.com/weftline/weftline/services/internal/docstore"
)

// world is the documents a person's timeline is made of: those projected now
// (stored), or those folded up to a moment of the past (folded). One way of
// reading serves both, so the past is shown as it was shown then.
type world interface {
	persons() *person.Graph
	customers(ctx context.Context, ids ...string) (map[string]*readmodel.Customer, error)
	handles(ctx context.Context, ids []string) (view.Handles, error)
	units(ctx context.Context, ids ...string) (map[string]*readmodel.Unit, error)
	unitsOn(ctx context.Context, handle string, limit int) ([]*readmodel.Unit, error)
	rows(ctx context.Context, ids ...string) (map[string]*readmodel.Conversation, error)
	// rowsOf are a customer's conversations, newest activity first.
	rowsOf(ctx context.Context, customer string, limit int) ([]*readmodel.Conversation, error)
	rowsOn(ctx context.Context, topic string, limit int) ([]*readmodel.Conversation, error)
	// changes are what was done to messages, by readmodel.ChangesID.
	changes(ctx context.Context, ids ...string) (map[string]*readmodel.Changes, error)
	// meant are the entries a reference (keyed hash) may mean.
	meant(ctx context.Context, hash string) ([]string, error)
	entriesByID(ctx context.Context, ids ...string) (map[string]*readmodel.Entry, error)
	entries(ctx context.Context, q entries) (page []*readmodel.Entry, next string, err error)
}

// entries asks for a page of one of the timeline's indexes by position.
type entries struct {
	index  string // readmodel.ByCustomer, ByConversation or ByTranscript
	prefix string
	desc   bool
	from   string // position, inclusive; "" for the first
	to     string // exclusive; "" for after the last
	limit  int
	after  string // next of the page before
}

// stored is the world as it is projected now.
type stored struct {
	*Reader
	p *readmodel.Projector
	n readmodel.Names
}

func (r *Reader) stored(p *readmodel.Projector) stored { return stored{r, p, p.Names()} }

func (w stored) persons() *person.Graph { return w.p.Graph() }

func (w stored) customers(ctx context.Context, ids ...string) (map[string]*readmodel.Customer, error) {
	return cached[readmodel.Customer](ctx, w.store, w.p, w.n.Customers, ids...)
}

func (w stored) handles(ctx context.Context, ids []string) (view.Handles, error) {
	return w.Reader.heldHandles(ctx, w.p, ids)
}

func (w stored) units(ctx context.Context, ids ...string) (map[string]*readmodel.Unit, error) {
	return getMany[readmodel.Unit](ctx, w.store, w.n.Units, ids...)
}

func (w stored) unitsOn(ctx context.Context, handle string, limit int) ([]*readmodel.Unit, error) {
	return list[readmodel.Unit](ctx, w.store, w.n.Units, docstore.Query{
		Index: readmodel.ByHandle, Prefix: []any{handle}, Desc: true, Limit: limit,
	})
}

func (w stored) rows(ctx context.Context, ids ...string) (map[string]*readmodel.Conversation, error) {
	return cached[readmodel.Conversation](ctx, w.store, w.p, w.n.Conversations, ids...)
}

func (w stored) rowsOf(ctx context.Context, customer string, limit int) ([]*readmodel.Conversation, error) {
	return list[readmodel.Conversation](ctx, w.store, w.n.Conversations, docstore.Query{
		Index: readmodel.ByCustomer, Prefix: []any{customer}, Desc: true, Limit: limit,
	})
}

func (w stored) rowsOn(ctx context.Context, topic string, limit int) ([]*readmodel.Conversation, error) {
	return list[readmodel.Conversation](ctx, w.store, w.n.Conversations, docstore.Query{
		Index: readmodel.ByTopic, Prefix: []any{topic}, Desc: true, Limit: limit,
	})
}

func (w stored) entriesByID(ctx context.Context, ids ...string) (map[string]*readmodel.Entry, error) {
	return getMany[readmodel.Entry](ctx, w.store, w.n.Timeline, ids...)
}

func (w stored) changes(ctx context.Context, ids ...string) (map[string]*readmodel.Changes, error) {
	return getMany[readmodel.Changes](ctx, w.store, w.n.Changes, ids...)
}

func (w stored) meant(ctx context.Context, hash string) ([]string, error) {
	refs, err := list[readmodel.Ref](ctx, w.store, w.n.Refs, docstore.Query{Index: readmodel.ByRef, Prefix: []any{hash}, Limit: maxMeant})
	out := make([]string, len(refs))
	for i, r := range refs {
		out[i] = r.Entry
	}
	return out, err
}

// maxMeant bounds the messages that may carry one id.
const maxMeant = 20

func (w stored) entries(ctx context.Context, q entries) ([]*readmodel.Entry, string, error) {
	dq := docstore.Query{Index: q.index, Prefix: []any{q.prefix}, Desc: q.desc, Limit: q.limit, After: q.after, To: upTo(q.to)}
	if q.from != "" {
		dq.From = q.from
	}
	items, err := w.store.List(ctx, w.n.Timeline, dq)
	if err != nil {
		return nil, "", fmt.Errorf("list %s: %w", w.n.Timeline, err)
	}
	page := make([]*readmodel.Entry, len(items))
	for i, it := range items {
		page[i] = &readmodel.Entry{ID: it.ID}
		if err := json.Unmarshal(it.JSON, page[i]); err != nil {
			return nil, "", fmt.Errorf("read document of %s: %w", w.n.Timeline, err)
		}
	}
	if len(items) < q.limit {
		return page, "", nil
	}
	return page, items[len(items)-1].Token, nil
}
