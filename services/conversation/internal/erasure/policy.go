package erasure

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/estate"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Policy says how long an inbox keeps conversations that are closed and silent.
type Policy struct {
	Inbox string
	Days  int
}

// String names the policy in events: "support/730d".
func (p Policy) String() string { return p.Inbox + "/" + strconv.Itoa(p.Days) + "d" }

// Figures are what a run of a policy would destroy now, or did.
type Figures struct {
	Policy
	Conversations, Messages int64
	Held                    int64     // kept back by a hold
	Oldest                  time.Time // last word in the oldest; zero when there is none
}

// PreviewRetention is the dry run of all policies.
func (s *Service) PreviewRetention(ctx context.Context) ([]Figures, error) {
	var out []Figures
	for _, p := range s.Policies {
		f := Figures{Policy: p}
		err := s.due(ctx, p, func(row *readmodel.Conversation, held bool) error {
			if held {
				f.Held++
				return nil
			}
			f.count(row)
			return nil
		})
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func (f *Figures) count(row *readmodel.Conversation) {
	f.Conversations++
	f.Messages += row.Version
	if at := time.UnixMicro(row.LastAt).UTC(); f.Oldest.IsZero() || at.Before(f.Oldest) {
		f.Oldest = at
	}
}

func (s *Service) before(p Policy) time.Time {
	return s.Now().Add(-time.Duration(p.Days) * 24 * time.Hour)
}

// due yields the conversations a policy is over for, the oldest first.
func (s *Service) due(ctx context.Context, p Policy, fn func(row *readmodel.Conversation, held bool) error) error {
	to := fmt.Sprintf("%013x", max(0, s.before(p).UnixMicro()))
	for after := ""; ; {
		const page = 200
		proj, release := s.Live.Acquire()
		names := proj.Names()
		items, err := s.Live.Store().List(ctx, names.Conversations, docstore.Query{
			Index: readmodel.ByStatusInbox, Prefix: []any{readmodel.StatusClosed, p.Inbox}, To: to, Limit: page, After: after,
		})
		release()
		if err != nil {
			return fmt.Errorf("list conversations of inbox %s: %w", p.Inbox, err)
		}
		for _, it := range items {
			after = it.Token
			row := &readmodel.Conversation{ID: it.ID}
			if err := json.Unmarshal(it.JSON, row); err != nil {
				return fmt.Errorf("read conversation: %w", err)
			}
			if row.Retired {
				continue
			}
			state, err := s.Customers.Load(ctx, s.Tenant, row.Customer)
			if err != nil {
				return err
			}
			if state.Erased != "" {
				continue
			}
			if err := fn(row, len(state.Holds) > 0); err != nil {
				return err
			}
		}
		if len(items) < page {
			return nil
		}
	}
}

// Retire runs all policies. A run that is cut off is taken up by the next one.
func (s *Service) Retire(ctx context.Context, actor string) ([]Figures, error) {
	s.running.Lock()
	defer s.running.Unlock()
	var out []Figures
	did := false
	for _, p := range s.Policies {
		f := Figures{Policy: p}
		estates := map[string]*estate.Estate{}
		err := s.due(ctx, p, func(row *readmodel.Conversation, held bool) error {
			if held {
				f.Held++
				return nil
			}
			if estates[row.Customer] == nil {
				if len(estates) >= 64 {
					clear(estates)
				}
				est, err := s.streams.Of(ctx, row.Customer)
				if err != nil {
					return err
				}
				estates[row.Customer] = est
			}
			done, err := s.retire(ctx, estates[row.Customer], row, p, actor)
			if err != nil {
				return err
			}
			if done {
				did = true
				f.count(row)
			}
			return nil
		})
		out = append(out, f)
		if err != nil {
			return out, err
		}
	}
	if !did {
		return out, nil
	}
	return out, s.afterRetiring(ctx)
}

func (s *Service) afterRetiring(ctx context.Context) error {
	if err := s.scrub(ctx); err != nil || s.Copies == nil {
		return err
	}
	return s.Copies.Erase(ctx)
}

// lastRun is when the policies ran, in the collection of retirements' neighbour.
const lastRun = "retention/last"

// retireDaily runs the policies once a day.
func (s *Service) retireDaily(ctx context.Context) {
	if len(s.Policies) == 0 {
		return
	}
	day := s.Now().UTC().Format(time.DateOnly)
	if done, err := s.applied(ctx, lastRun+"/"+day); err != nil || done {
		return
	}
	figures, err := s.Retire(ctx, "retention")
	if err != nil {
		if ctx.Err() == nil {
			s.Slog.Error("retention failed and is tried again in an hour", "error", err)
		}
		return
	}
	for _, f := range figures {
		s.Slog.Info("retention", "policy", f.Policy.String(), "conversations", f.Conversations, "held", f.Held)
	}
	if err := s.setApplied(ctx, lastRun+"/"+day); err != nil && ctx.Err() == nil {
		s.Slog.Error("the day of a retention cannot be noted", "error", err)
	}
}
