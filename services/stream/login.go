package stream

import (
	"context"
	"net/http"
	"strings"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/natsbus"
)

// login lets API tokens with the scope into the embedded NATS server. The
// client's name, and so its consumer and its inbox prefix, is the token's id:
// the middle part of wl_<id>_<secret>.
func (s *Service) login(ctx context.Context, presented string) (natsbus.Client, bool) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/v1/events", nil)
	if err != nil {
		return natsbus.Client{}, false
	}
	r.Header.Set("Authorization", "Bearer "+presented)
	who, ok := s.bearer(r)
	if !ok || !who.May(Scope) {
		return natsbus.Client{}, false
	}
	name := strings.TrimPrefix(who.ID, "token:")
	return natsbus.Client{Name: name, Subject: subject.PubAll(s.cfg.Tenant)}, subject.ValidToken(name)
}
