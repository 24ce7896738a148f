package rpc

import (
	"context"
	"strconv"

	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/conversation/internal/view"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/handleid"
)

// ListConversations returns a queue page.
func (s *Server) ListConversations(ctx context.Context, q *inboxv1.ListConversationsRequest) (*inboxv1.ListConversationsResponse, error) {
	if _, known := inboxv1.Status_name[int32(q.GetStatus())]; !known {
		return nil, field("status", "is not a status")
	}
	return s.Reader.ListConversations(ctx, q)
}

// GetConversation returns one row.
func (s *Server) GetConversation(ctx context.Context, q *inboxv1.GetConversationRequest) (*inboxv1.GetConversationResponse, error) {
	if q.GetConversationId() == "" {
		return nil, field("conversation_id", "is required")
	}
	return s.Reader.GetConversation(ctx, q.GetConversationId())
}

// GetTimeline returns a page of a customer's timeline.
func (s *Server) GetTimeline(ctx context.Context, q *inboxv1.GetTimelineRequest) (*inboxv1.GetTimelineResponse, error) {
	if q.GetCustomerId() == "" {
		return nil, field("customer_id", "is required")
	}
	if err := s.mayRead(ctx, "customer/"+q.GetCustomerId()); err != nil {
		return nil, err
	}
	res, err := s.Reader.GetTimeline(ctx, q)
	if err != nil {
		return nil, err
	}
	return res, s.read(ctx, audit.Entry{Action: audit.ReadTimeline, Customer: audit.ID(q.GetCustomerId())})
}

// FindCustomer finds by id or by address.
func (s *Server) FindCustomer(ctx context.Context, q *inboxv1.FindCustomerRequest) (*inboxv1.FindCustomerResponse, error) {
	var c *inboxv1.Customer
	var err error
	switch by := q.GetBy().(type) {
	case *inboxv1.FindCustomerRequest_CustomerId:
		c, err = s.Reader.Customer(ctx, by.CustomerId)
	case *inboxv1.FindCustomerRequest_Handle:
		h := by.Handle
		a := query.Address(h.GetKind(), h.GetAddress(), h.GetInboxId())
		switch {
		case h.GetKind() == "":
			return nil, field("handle.kind", "is required")
		case h.GetAddress() == "" || len(h.GetAddress()) > 1000:
			return nil, field("handle.address", "must have 1 to 1000 bytes")
		case handleid.Scoped(h.GetKind()) && a.Scope == "":
			return nil, field("handle.inbox_id", "is required for this kind")
		}
		c, err = s.Reader.CustomerByAddress(ctx, a)
	default:
		return nil, field("by", "customer_id or handle is required")
	}
	if err != nil {
		return nil, err
	}
	return &inboxv1.FindCustomerResponse{Customer: c}, s.read(ctx, audit.Entry{Action: audit.ReadCustomer, Customer: c.GetId()})
}

// ListCustomers pages customers.
func (s *Server) ListCustomers(ctx context.Context, q *inboxv1.ListCustomersRequest) (*inboxv1.ListCustomersResponse, error) {
	res, err := s.Reader.ListCustomers(ctx, q)
	if err != nil {
		return nil, err
	}
	return res, s.read(ctx, audit.Entry{Action: audit.ReadCustomers})
}

// Search finds messages, replies and notes. The words asked for are not recorded: they may be anything.
func (s *Server) Search(ctx context.Context, q *inboxv1.SearchRequest) (*inboxv1.SearchResponse, error) {
	res, err := s.Reader.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	return res, s.read(ctx, audit.Entry{Action: audit.ReadSearch, IDs: map[string]string{"hits": strconv.Itoa(len(res.GetHits()))}})
}

// ListMessages is a channel's transcript.
func (s *Server) ListMessages(ctx context.Context, q *channelv1.ListMessagesRequest) (*channelv1.ListMessagesResponse, error) {
	if q.GetKind() == "" {
		return nil, field("kind", "is required")
	}
	if q.GetAddress() == "" || len(q.GetAddress()) > 1000 {
		return nil, field("address", "must have 1 to 1000 bytes")
	}
	return s.Reader.Transcript(ctx, q)
}

// statusName checks a status that must be given.
func statusName(status inboxv1.Status) (string, error) {
	name := view.StatusName(status)
	if _, known := inboxv1.Status_name[int32(status)]; !known || name == "" {
		return "", field("status", "must be open, pending, snoozed or closed")
	}
	return name, nil
}
