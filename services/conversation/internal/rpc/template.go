package rpc

import (
	"context"
	"errors"

	"connectrpc.com/connect"
	"github.com/weftline/weftline/pkg/channel"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
)

// ListTemplates lists the texts that an inbox's provider has approved.
func (s *Server) ListTemplates(ctx context.Context, q *inboxv1.ListTemplatesRequest) (*inboxv1.ListTemplatesResponse, error) {
	if q.GetInboxId() == "" {
		return nil, field("inbox_id", "is required")
	}
	list, err := s.Templates(ctx, q.GetInboxId())
	switch {
	case errors.Is(err, channel.ErrNoTemplates), errors.Is(err, channel.ErrNeedsAttention):
		return nil, connect.NewError(connect.CodeFailedPrecondition, err)
	case err != nil:
		return nil, err
	}
	res := &inboxv1.ListTemplatesResponse{}
	for _, t := range list {
		res.Templates = append(res.Templates, &inboxv1.TemplateText{
			Name: t.Name, Language: t.Language, Category: t.Category, Header: t.Header, Body: t.Body, Footer: t.Footer,
			Places: int32(t.Places), Examples: t.Examples, Unusable: t.Unusable,
		})
	}
	return res, nil
}
