package query

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/repeat"
	"github.com/weftline/weftline/services/internal/docstore"
	"google.golang.org/protobuf/types/known/timestamppb"
)

var repeatKinds = []string{repeat.NewConversation, repeat.NewChannel, repeat.NewAgent}

// ListRepeats pages what the repeat meter counted, newest first: what RepeatDays
// sums up, one by one.
func (r *Reader) ListRepeats(ctx context.Context, q *identityv1.ListRepeatsRequest) (*identityv1.ListRepeatsResponse, error) {
	size, err := pageSize(q.GetPageSize())
	if err != nil {
		return nil, err
	}
	of := pageOf{"repeats", q.GetKind()}
	before, err := r.parsePageToken(of, q.GetPageToken())
	if err != nil {
		return nil, err
	}
	kinds := repeatKinds
	if k := q.GetKind(); k != "" {
		if !slices.Contains(kinds, k) {
			return nil, &FieldError{"kind", "must be " + strings.Join(kinds, ", ") + " or empty"}
		}
		kinds = []string{k}
	}
	p, release := r.live.Acquire()
	defer release()
	page, err := r.newestRepeats(ctx, p, kinds, before, size+1)
	if err != nil {
		return nil, err
	}
	out := &identityv1.ListRepeatsResponse{}
	if len(page) > size {
		page = page[:size]
		out.NextPageToken = r.pageToken(of, page[size-1].Latest)
	}
	out.Repeats, err = r.showRepeats(ctx, p, page)
	return out, err
}

// newestRepeats merges a page of each kind, and what counts because of a join.
func (r *Reader) newestRepeats(ctx context.Context, p *readmodel.Projector, kinds []string, before string, limit int) ([]*readmodel.Repeat, error) {
	var all []*readmodel.Repeat
	for _, kind := range kinds {
		page, err := list[readmodel.Repeat](ctx, r.store, p.Names().Repeats, docstore.Query{
			Index: readmodel.ByLatest, Prefix: []any{kind}, Desc: true, Limit: limit, To: upTo(before),
		})
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
	}
	if slices.Contains(kinds, repeat.NewConversation) {
		joined, err := r.joinedRepeats(ctx, p)
		if err != nil {
			return nil, err
		}
		for _, d := range joined {
			if before == "" || d.Latest < before {
				all = append(all, d)
			}
		}
	}
	slices.SortFunc(all, func(a, b *readmodel.Repeat) int { return cmp.Compare(b.Latest, a.Latest) })
	return all[:min(len(all), limit)], nil
}

// showRepeats says who and about what.
func (r *Reader) showRepeats(ctx context.Context, p *readmodel.Projector, page []*readmodel.Repeat) ([]*identityv1.Repeat, error) {
	var customers, conversations, handles []string
	for _, d := range page {
		customers, conversations = append(customers, d.Customer), append(conversations, d.Conversation)
	}
	who, err := getMany[readmodel.Customer](ctx, r.store, p.Names().Customers, customers...)
	if err != nil {
		return nil, err
	}
	rows, err := getMany[readmodel.Conversation](ctx, r.store, p.Names().Conversations, conversations...)
	if err != nil {
		return nil, err
	}
	for _, c := range who {
		handles = append(handles, handlesOf(c)...)
	}
	found, err := r.handles(ctx, p.Names(), handles)
	if err != nil {
		return nil, err
	}
	var out []*identityv1.Repeat
	for _, d := range page {
		shown := &identityv1.Repeat{
			Kind: d.Kind, CustomerId: d.Customer, ConversationId: d.Conversation,
			At: timestamppb.New(time.UnixMicro(d.At).UTC()), EarlierConversationIds: d.Before,
		}
		switch d.Kind {
		case repeat.Conversation:
			shown.Kind, shown.Joined = repeat.NewConversation, true
		case repeat.NewChannel, repeat.NewAgent:
			shown.EntryId = d.Latest[strings.LastIndexByte(d.Latest, '/')+1:]
		}
		if shown.CustomerName, err = r.name(ctx, who[d.Customer], found); err != nil {
			return nil, err
		}
		if row := rows[d.Conversation]; row != nil {
			if shown.Subject, err = r.view.Subject(ctx, row); err != nil {
				return nil, err
			}
		}
		out = append(out, shown)
	}
	return out, nil
}
