package conversation

import (
	"context"
	"fmt"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/internal/handleid"
)

// templates lists the approved texts of an inbox.
func (s *Service) templates(ctx context.Context, inboxID string) ([]channel.TemplateText, error) {
	in, ok := s.deps.Inboxes.Get(inboxID)
	if !ok {
		return nil, &customer.NotFoundError{What: "inbox", ID: inboxID}
	}
	if s.deps.Templates == nil {
		return nil, fmt.Errorf("%w: channel %s has none", channel.ErrNoTemplates, in.Channel)
	}
	return s.deps.Templates(ctx, in.Channel, inboxID)
}

// numbers reads national telephone numbers as they are dialled where an inbox
// is: in its setting region, else in the country of its number.
func (s *Service) numbers(inboxID string) handleid.Normaliser {
	in, _ := s.deps.Inboxes.Get(inboxID)
	return handleid.For(in.Settings["region"], in.Settings["number"])
}
