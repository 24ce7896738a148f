package query

import (
	"cmp"
	"context"
	"slices"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/view"
	"github.com/weftline/weftline/services/internal/docstore"
)

// ListConversations returns a page of the queue, newest activity first.
func (r *Reader) ListConversations(ctx context.Context, q *inboxv1.ListConversationsRequest) (*inboxv1.ListConversationsResponse, error) {
	size, err := pageSize(q.GetPageSize())
	if err != nil {
		return nil, err
	}
	of := pageOf{"conversations", q.GetCustomerId(), q.GetStatus().String(), q.GetAssignee(), q.GetInboxId()}
	before, err := r.parsePageToken(of, q.GetPageToken())
	if err != nil {
		return nil, err
	}
	p, release := r.live.Acquire()
	defer release()
	asOf := r.asOf(p)
	rows, err := r.rows(ctx, p.Names(), q, before, size+1)
	if err != nil {
		return nil, err
	}
	out := &inboxv1.ListConversationsResponse{AsOf: asOf}
	if len(rows) > size {
		rows = rows[:size]
		out.NextPageToken = r.pageToken(of, rows[size-1].Last)
	}
	if out.Conversations, err = r.showRows(ctx, p, rows); err != nil {
		return nil, err
	}
	out.Counts, err = r.counts(ctx, p.Names())
	return out, err
}

// rows reads up to n rows older than before. Without a status it merges the
// pages of all of them.
func (r *Reader) rows(ctx context.Context, n readmodel.Names, q *inboxv1.ListConversationsRequest, before string, limit int) ([]*readmodel.Conversation, error) {
	if q.GetCustomerId() != "" {
		return r.customerRows(ctx, n, q, before, limit)
	}
	statuses := readmodel.Statuses
	if s := view.StatusName(q.GetStatus()); s != "" {
		statuses = []string{s}
	}
	var all []*readmodel.Conversation
	for _, status := range statuses {
		dq := docstore.Query{Index: readmodel.ByStatus, Prefix: []any{status}, Desc: true, Limit: limit, To: upTo(before)}
		switch assignee, inbox := q.GetAssignee(), q.GetInboxId(); {
		case assignee != "" && inbox != "":
			dq.Index, dq.Prefix = readmodel.ByStatusBoth, []any{status, assignee, inbox}
		case assignee != "":
			dq.Index, dq.Prefix = readmodel.ByStatusAssignee, []any{status, assignee}
		case inbox != "":
			dq.Index, dq.Prefix = readmodel.ByStatusInbox, []any{status, inbox}
		}
		page, err := list[readmodel.Conversation](ctx, r.store, n.Conversations, dq)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
	}
	if len(statuses) > 1 {
		all = newestOnce(all)
	}
	return all[:min(limit, len(all))], nil
}

// newestOnce sorts merged pages. A row that changed its status between two of
// the reads is in both; it is shown once.
func newestOnce(rows []*readmodel.Conversation) []*readmodel.Conversation {
	slices.SortStableFunc(rows, func(a, b *readmodel.Conversation) int { return cmp.Compare(b.Last, a.Last) })
	seen := make(map[string]bool, len(rows))
	return slices.DeleteFunc(rows, func(c *readmodel.Conversation) bool {
		dup := seen[c.ID]
		seen[c.ID] = true
		return dup
	})
}

// customerRows filters one customer's few conversations page by page.
func (r *Reader) customerRows(ctx context.Context, n readmodel.Names, q *inboxv1.ListConversationsRequest, before string, limit int) ([]*readmodel.Conversation, error) {
	var out []*readmodel.Conversation
	status := view.StatusName(q.GetStatus())
	for {
		page, err := list[readmodel.Conversation](ctx, r.store, n.Conversations, docstore.Query{
			Index: readmodel.ByCustomer, Prefix: []any{q.GetCustomerId()}, Desc: true, Limit: limit, To: upTo(before),
		})
		if err != nil {
			return nil, err
		}
		for _, c := range page {
			before = c.Last
			if (status == "" || c.Status == status) && (q.GetAssignee() == "" || c.Assignee == q.GetAssignee()) &&
				(q.GetInboxId() == "" || c.Inbox == q.GetInboxId()) {
				out = append(out, c)
			}
		}
		if len(page) < limit || len(out) >= limit {
			return out[:min(limit, len(out))], nil
		}
	}
}

// showRows joins rows with their customers, those they are one person with, and handles.
func (r *Reader) showRows(ctx context.Context, p *readmodel.Projector, rows []*readmodel.Conversation) ([]*inboxv1.Conversation, error) {
	var ids []string
	members := map[string][]string{}
	for _, c := range rows {
		members[c.Customer] = p.Graph().Members(c.Customer)
		ids = append(ids, members[c.Customer]...)
	}
	customers, err := getMany[readmodel.Customer](ctx, r.store, p.Names().Customers, ids...)
	if err != nil {
		return nil, err
	}
	var handleIDs []string
	for _, c := range rows {
		for _, t := range c.Targets {
			handleIDs = append(handleIDs, t.Handle)
		}
	}
	for _, c := range customers {
		handleIDs = append(handleIDs, handlesOf(c)...)
	}
	handles, err := r.handles(ctx, p.Names(), handleIDs)
	if err != nil {
		return nil, err
	}
	topics, err := r.topicIDs(ctx, p, rows)
	if err != nil {
		return nil, err
	}
	out := make([]*inboxv1.Conversation, len(rows))
	for i, c := range rows {
		var others []*readmodel.Customer
		for _, m := range members[c.Customer] {
			if m != c.Customer {
				others = append(others, customers[m])
			}
		}
		if out[i], err = r.view.Conversation(ctx, c, customers[c.Customer], handles, others...); err != nil {
			return nil, err
		}
		out[i].PersonId, out[i].TopicId = p.Graph().Canonical(c.Customer), topics[c.ID]
	}
	return out, nil
}

// Place puts a row that is shown with its customer alone where it belongs:
// person, name and topic, as far as links and joins are projected.
func (r *Reader) Place(ctx context.Context, row *readmodel.Conversation, shown *inboxv1.Conversation) error {
	p, release := r.live.Acquire()
	defer release()
	shown.PersonId = p.Graph().Canonical(row.Customer)
	topics, err := r.topicIDs(ctx, p, []*readmodel.Conversation{row})
	if err != nil {
		return err
	}
	shown.TopicId = topics[row.ID]
	if len(p.Graph().Members(row.Customer)) < 2 {
		return nil
	}
	rows, err := r.showRows(ctx, p, []*readmodel.Conversation{row})
	if err != nil {
		return err
	}
	shown.CustomerName = rows[0].GetCustomerName()
	return nil
}

func handlesOf(c *readmodel.Customer) []string {
	if c == nil {
		return nil
	}
	ids := make([]string, len(c.Handles))
	for i, h := range c.Handles {
		ids[i] = h.Handle
	}
	return ids
}

func (r *Reader) counts(ctx context.Context, n readmodel.Names) (*inboxv1.Counts, error) {
	ids := make([]string, r.events.Partitions())
	for i := range ids {
		ids[i] = readmodel.CountsID(i)
	}
	docs, err := getMany[readmodel.Counts](ctx, r.store, n.Counts, ids...)
	if err != nil {
		return nil, err
	}
	var sum readmodel.Counts
	for _, d := range docs {
		if d != nil {
			sum.Add(*d)
		}
	}
	out := &inboxv1.Counts{
		Open: sum.ByStatus[readmodel.StatusOpen], Pending: sum.ByStatus[readmodel.StatusPending],
		Snoozed: sum.ByStatus[readmodel.StatusSnoozed], Closed: sum.ByStatus[readmodel.StatusClosed],
		OpenUnassigned: sum.OpenByAssignee[readmodel.NoAssignee],
		OpenByAssignee: sum.OpenByAssignee, OpenByInbox: sum.OpenByInbox,
	}
	delete(out.OpenByAssignee, readmodel.NoAssignee)
	return out, nil
}

// GetConversation returns one row, ErrNotFound when there is none.
func (r *Reader) GetConversation(ctx context.Context, id string) (*inboxv1.GetConversationResponse, error) {
	p, release := r.live.Acquire()
	defer release()
	asOf := r.asOf(p)
	row, err := get[readmodel.Conversation](ctx, r.store, p.Names().Conversations, id)
	if err != nil {
		return nil, err
	}
	shown, err := r.showRows(ctx, p, []*readmodel.Conversation{row})
	if err != nil {
		return nil, err
	}
	return &inboxv1.GetConversationResponse{Conversation: shown[0], AsOf: asOf}, nil
}
