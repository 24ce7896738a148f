package proof

import (
	"context"
	"errors"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/handleid"
)

// Answer to a code.
type Answer struct {
	// Proven: by this very call. A challenge gives it once.
	Proven bool
	Status
}

// Attempt is something that came back.
type Attempt struct {
	Tenant string
	ID     string
	Method string // "" for a code
	Secret string
	// Via is the handle it came over; required where the challenge has one.
	Via *channel.Address
}

// Check takes a code or a link's secret. A wrong one is no error: it costs a
// try, unless it can be none at all. What is not there answers like what is over.
func (s *Service) Check(ctx context.Context, q Attempt) (Answer, error) {
	if q.Tenant == "" {
		q.Tenant = subject.DefaultTenant
	}
	if q.Method != MethodLink {
		q.Method = MethodCode
	}
	secret, formed := tidy(q.Method, q.Secret)
	hash := s.hash(q.Tenant, q.ID, q.Method, secret)
	over := Answer{Status: Status{ID: q.ID, State: Void}}
	if !Is(q.ID) || !subject.ValidToken(q.ID) {
		return over, nil
	}
	c, err := s.find(ctx, q.ID)
	if errors.Is(err, docstore.ErrNotFound) {
		return over, nil
	}
	if err != nil {
		return Answer{}, err
	}
	if c.Tenant != q.Tenant || c.Method != q.Method || c.Via != s.via(q.Via) {
		return over, nil
	}
	if c.State == Proven { // somebody's right code, and what follows is half done
		c, err = s.settle(ctx, c)
		return Answer{Status: s.status(c)}, err
	}
	newest, err := s.current(ctx, c)
	if err != nil {
		return Answer{}, err
	}
	if c.State == Open && !newest {
		c, err = s.end(ctx, c.id, Void)
		return Answer{Status: s.status(c)}, err
	}
	now := micro(s.now())
	right := false
	c, _, err = s.change(ctx, c.id, func(c *challenge) bool {
		right = false
		if c.State != Open || now >= c.Expires || !formed {
			return false
		}
		if right = equal(c.Hash, hash); right {
			c.State, c.Hash = Proven, ""
			return true
		}
		if c.Tries--; c.Tries <= 0 {
			c.Tries, c.State, c.Hash = 0, Failed, ""
		}
		return true
	})
	switch {
	case err != nil:
		return Answer{}, err
	case right:
		// The code is spent: what follows must not end with the caller.
		c, err = s.settle(context.WithoutCancel(ctx), c)
		return Answer{Proven: err == nil && c.State == Passed, Status: s.status(c)}, err
	case c.State == Open && now >= c.Expires:
		c, err = s.end(ctx, c.id, Expired)
	case c.State == Failed && c.Keyed:
		err = s.shred(ctx, c)
	}
	return Answer{Status: s.status(c)}, err
}

func (s *Service) via(a *channel.Address) string {
	if a == nil {
		return ""
	}
	return handleid.Of(s.Keys, *a)
}
