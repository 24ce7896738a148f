package rpc

import (
	"context"
	"strconv"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/identity"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/telemetry"
)

// Ties is what can be ordered about links and joins; *identity.Service is meant.
type Ties interface {
	Merge(ctx context.Context, m identity.Merge) (identity.Done, error)
	Unmerge(ctx context.Context, o identity.Order, links []string) (identity.Done, []person.Edge, error)
	Refuse(ctx context.Context, o identity.Order, a, b, suggestion string) (identity.Done, error)
	Join(ctx context.Context, o identity.Order, a, b string) (identity.Done, error)
	Unjoin(ctx context.Context, o identity.Order, a, b, join string) (identity.Done, error)
}

func (s Identity) tie(ctx context.Context, key string) identity.Order {
	who, _ := actor.From(ctx) // the guard has seen it
	return identity.Order{Tenant: s.tenant(), Actor: who.ID, Key: keyOrNew(key), Trace: telemetry.Traceparent(ctx)}
}

// settled waits until reads show what an order did.
func (s Identity) settled(ctx context.Context, d identity.Done, err error) error {
	for _, c := range d.Commits {
		s.settle(ctx, c.Partition, c.Seq)
	}
	return err
}

// PreviewMerge shows both sides and the result.
func (s Identity) PreviewMerge(ctx context.Context, q *identityv1.PreviewMergeRequest) (*identityv1.PreviewMergeResponse, error) {
	if q.GetA() == "" || q.GetB() == "" {
		return nil, field("b", "and a are required")
	}
	if q.GetA() == q.GetB() {
		return nil, &customer.RefusedError{Reason: "a and b are the same"} // as Merge
	}
	res, err := s.Reader.PreviewMerge(ctx, q.GetA(), q.GetB(), s.Limits)
	if err != nil {
		return nil, err
	}
	return res, s.read(ctx, audit.Entry{
		Action: audit.ReadCustomer, Customer: audit.ID(q.GetA()), IDs: map[string]string{"other": audit.ID(q.GetB())},
	})
}

// Merge makes one person of two.
func (s Identity) Merge(ctx context.Context, q *identityv1.MergeRequest) (*identityv1.MergeResponse, error) {
	if err := reason(q.GetReason()); err != nil {
		return nil, err
	}
	if q.GetToken() == "" {
		return nil, field("token", "is required: it comes with a preview")
	}
	done, err := s.Ties.Merge(ctx, identity.Merge{
		Order: s.tie(ctx, q.GetIdempotencyKey()), A: q.GetA(), B: q.GetB(), Token: q.GetToken(), Suggestion: q.GetSuggestionId(),
	})
	entry := audit.Entry{Action: audit.IdentityMerge, Customer: audit.ID(q.GetA()), Object: done.ID, IDs: ids("other", q.GetB())}
	if err = s.settled(ctx, done, err); err == nil {
		entry = s.saying(ctx, entry, q.GetReason(), q.GetA(), q.GetB())
	}
	if err := s.Did(ctx, entry, err); err != nil {
		return nil, err
	}
	p, err := s.person(ctx, q.GetA())
	return &identityv1.MergeResponse{LinkId: done.ID, Person: p}, err
}

// PreviewUnmerge shows what would come apart.
func (s Identity) PreviewUnmerge(ctx context.Context, q *identityv1.PreviewUnmergeRequest) (*identityv1.PreviewUnmergeResponse, error) {
	res, err := s.Reader.PreviewUnmerge(ctx, q)
	if err != nil {
		return nil, err
	}
	return res, s.read(ctx, audit.Entry{Action: audit.ReadCustomer, Customer: res.GetA().GetPerson().GetId()})
}

// Unmerge takes links back.
func (s Identity) Unmerge(ctx context.Context, q *identityv1.UnmergeRequest) (*identityv1.UnmergeResponse, error) {
	if err := reason(q.GetReason()); err != nil {
		return nil, err
	}
	done, edges, err := s.Ties.Unmerge(ctx, s.tie(ctx, q.GetIdempotencyKey()), q.GetLinkIds())
	entry := audit.Entry{Action: audit.IdentityUnmerge, IDs: map[string]string{"links": strconv.Itoa(len(q.GetLinkIds()))}}
	if len(edges) > 0 {
		entry.Customer, entry.Object, entry.IDs["other"] = edges[0].A, edges[0].Link, edges[0].B
	}
	if err = s.settled(ctx, done, err); err == nil {
		var about []string
		for _, e := range edges {
			about = append(about, e.A, e.B)
		}
		entry = s.saying(ctx, entry, q.GetReason(), about...)
	}
	if err := s.Did(ctx, entry, err); err != nil {
		return nil, err
	}
	out := &identityv1.UnmergeResponse{}
	seen := map[string]bool{}
	for _, e := range edges {
		for _, c := range []string{e.A, e.B} {
			p, err := s.person(ctx, c)
			if err != nil {
				return nil, err
			}
			if !seen[p.GetId()] {
				seen[p.GetId()] = true
				out.Persons = append(out.Persons, p)
			}
		}
	}
	return out, nil
}

// ListSuggestions pages what is open.
func (s Identity) ListSuggestions(ctx context.Context, q *identityv1.ListSuggestionsRequest) (*identityv1.ListSuggestionsResponse, error) {
	res, err := s.Reader.ListSuggestions(ctx, q)
	if err != nil {
		return nil, err
	}
	return res, s.read(ctx, audit.Entry{Action: audit.ReadCustomers})
}

// RefuseSuggestion says no for good.
func (s Identity) RefuseSuggestion(ctx context.Context, q *identityv1.RefuseSuggestionRequest) (*identityv1.RefuseSuggestionResponse, error) {
	if q.GetSuggestionId() == "" {
		return nil, field("suggestion_id", "is required")
	}
	done, err := s.Ties.Refuse(ctx, s.tie(ctx, q.GetIdempotencyKey()), q.GetA(), q.GetB(), q.GetSuggestionId())
	return &identityv1.RefuseSuggestionResponse{}, s.Did(ctx, audit.Entry{
		Action: audit.SuggestionRefused, Customer: audit.ID(q.GetA()), Object: audit.ID(q.GetSuggestionId()), IDs: ids("other", q.GetB()),
	}, s.settled(ctx, done, err))
}

// JoinConversations shows two as one.
func (s Identity) JoinConversations(ctx context.Context, q *identityv1.JoinConversationsRequest) (*identityv1.JoinConversationsResponse, error) {
	done, err := s.Ties.Join(ctx, s.tie(ctx, q.GetIdempotencyKey()), q.GetA(), q.GetB())
	return &identityv1.JoinConversationsResponse{JoinId: done.ID}, s.Did(ctx, audit.Entry{
		Action: audit.IdentityJoin, Conversation: audit.ID(q.GetA()), Object: done.ID, IDs: ids("other_conversation", q.GetB()),
	}, s.settled(ctx, done, err))
}

// UnjoinConversations takes a join back.
func (s Identity) UnjoinConversations(ctx context.Context, q *identityv1.UnjoinConversationsRequest) (*identityv1.UnjoinConversationsResponse, error) {
	if q.GetJoinId() == "" {
		return nil, field("join_id", "is required")
	}
	done, err := s.Ties.Unjoin(ctx, s.tie(ctx, q.GetIdempotencyKey()), q.GetA(), q.GetB(), q.GetJoinId())
	return &identityv1.UnjoinConversationsResponse{}, s.Did(ctx, audit.Entry{
		Action: audit.IdentityUnjoin, Conversation: audit.ID(q.GetA()), Object: audit.ID(q.GetJoinId()), IDs: ids("other_conversation", q.GetB()),
	}, s.settled(ctx, done, err))
}
