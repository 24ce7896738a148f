package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/estate"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/ledger"
)

const colRetired = "retirements"

// retirement is one conversation being retired. Stored: names stay.
type retirement struct {
	Customer     string    `json:"customer"`
	Conversation string    `json:"conversation"`
	Policy       string    `json:"policy"`
	Before       time.Time `json:"before"`
	Units        []string  `json:"units"`
	Parts        []part    `json:"parts"`
	Replayed     bool      `json:"replayed,omitempty"`
}

// retire plans one conversation's end, and takes it there.
func (s *Service) retire(ctx context.Context, est *estate.Estate, row *readmodel.Conversation, p Policy, actor string) (bool, error) {
	r := &retirement{Customer: row.Customer, Conversation: row.ID, Policy: p.String(), Before: s.before(p)}
	mine := *est // what is others' in this conversation goes with it, unless they are under a hold
	mine.Units, mine.Foreign, mine.Homes = nil, nil, est.Homes[:1]
	b := newBag("retire/"+row.ID, row.Customer, 0)
	b.keys("draft/" + row.ID)
	for _, u := range slices.Concat(est.Units, est.Foreign) {
		if u.Home != row.Customer || u.Conversation != row.ID {
			continue
		}
		if u.Owner != "" && u.Owner != row.Customer {
			state, err := s.Customers.Load(ctx, s.Tenant, u.Owner)
			if err != nil {
				return false, err
			}
			if len(state.Holds) > 0 {
				mine.Foreign = append(mine.Foreign, u)
				continue
			}
		}
		mine.Units = append(mine.Units, u)
		r.Units = append(r.Units, u.Key)
		b.keys(u.Key)
	}
	err := s.streams.Walk(ctx, &mine, func(it estate.Item) error {
		_, changed := it.Event.(event.MessageChanged)
		if readmodel.ConversationOf(it.Event) != row.ID && !(changed && slices.Contains(r.Units, it.Unit)) {
			return nil
		}
		if _, note := it.Event.(event.NoteAdded); note {
			// Under the customer's key, which stays: its commit goes instead.
			b.commit(ledger.Commit{Partition: it.Commit.Partition, Seq: it.Commit.Seq})
		}
		return s.planItem(ctx, b, row.Customer, it)
	})
	if err != nil {
		return false, err
	}
	b.cut()
	r.Parts = b.parts
	for i := range r.Parts {
		r.Parts[i].Lanes = nil // other conversations' originals are there too
	}
	if err := s.putRetirement(ctx, r); err != nil {
		return false, err
	}
	s.Step("retire planned")
	done, err := s.finishRetired(ctx, r)
	if done && err == nil && s.Audit != nil {
		err = s.Audit.Record(ctx, Record{Actor: actor, Action: audit.EraseRetired, Customer: r.Customer, Object: r.Conversation})
	}
	return done, err
}

// finishRetired decides, and then destroys. done is false when the conversation
// is not over any more: somebody wrote, or placed a hold.
func (s *Service) finishRetired(ctx context.Context, r *retirement) (done bool, err error) {
	cmd := customer.Retire{Conversation: r.Conversation, Policy: r.Policy, Before: r.Before, Units: r.Units, Replayed: r.Replayed}
	_, err = s.Customers.Execute(ctx, s.Tenant, r.Customer, aggregate.Turn[customer.State]{
		ID:     cmd.CommitID(),
		Decide: func(st customer.State) ([]event.Event, error) { return customer.Decide(st, cmd) },
		Actor:  "retention",
	})
	_, refused := errors.AsType[*customer.RefusedError](err)
	_, held := errors.AsType[*customer.HeldError](err)
	_, erased := errors.AsType[*customer.ErasedError](err)
	_, missing := errors.AsType[*customer.NotFoundError](err)
	switch {
	case refused, held, erased:
		return false, s.dropRetirement(ctx, r)
	case missing: // decided before the crash, or never there in an older copy
	case err != nil:
		return false, err
	}
	s.Step("retired")
	for _, p := range r.Parts {
		entry := ledger.Entry{
			ID: "retired/" + r.Conversation + "/" + strconv.Itoa(p.N), Kind: ledger.KindRetired, At: s.Now().UTC(), Tenant: s.Tenant,
			Customer: r.Customer, Conversation: r.Conversation, Policy: r.Policy, Actor: "retention",
			Keys: p.Keys, Blobs: p.Blobs, Inputs: p.Inputs, Commits: p.Commits,
			Replies: p.Replies,
		}
		if err := s.Ledger.Add(entry); err != nil {
			return false, err
		}
		if err := s.setApplied(ctx, entry.ID); err != nil {
			return false, err
		}
		if err := s.Keys.Destroy(ctx, p.Keys...); err != nil {
			return false, err
		}
		s.Step("retire keys")
		if err := s.cleanPart(ctx, p); err != nil {
			return false, err
		}
		for _, c := range p.Commits {
			if err := s.Log.Delete(ctx, c.Partition, c.Seq); err != nil {
				return false, err
			}
		}
	}
	if err := s.cleanPublic(ctx, fmt.Sprintf("weftline.v1.%s.event.conversation.%s.*", s.Tenant, r.Conversation)); err != nil {
		return false, err
	}
	if s.Feed != nil {
		s.Feed.Forget("customer." + r.Customer)
	}
	if !r.Replayed {
		if err := s.shown(ctx, "customer."+r.Customer); err != nil {
			return false, err
		}
	}
	return true, s.dropRetirement(ctx, r)
}

// replayRetired ends a conversation again in an older copy of the data.
func (s *Service) replayRetired(ctx context.Context, e ledger.Entry) error {
	r := &retirement{Customer: e.Customer, Conversation: e.Conversation, Policy: e.Policy, Replayed: true}
	for _, k := range e.Keys {
		if _, ok := estate.HandleOf(k); ok {
			r.Units = append(r.Units, k)
		}
	}
	r.Parts = []part{{Customer: e.Customer, Keys: e.Keys, Blobs: e.Blobs, Inputs: e.Inputs, Commits: e.Commits}}
	_, err := s.finishRetired(ctx, r)
	return err
}

func (s *Service) putRetirement(ctx context.Context, r *retirement) error {
	b, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode retirement: %w", err)
	}
	op := docstore.Op{Collection: colRetired, Doc: docstore.Doc{ID: r.Conversation, JSON: b}}
	if err := s.State.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}}); err != nil {
		return fmt.Errorf("note retirement: %w", err)
	}
	return nil
}

func (s *Service) dropRetirement(ctx context.Context, r *retirement) error {
	op := docstore.Op{Collection: colRetired, Doc: docstore.Doc{ID: r.Conversation}, Delete: true}
	return s.State.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}})
}

// resumeRetired takes up what a crash cut off.
func (s *Service) resumeRetired(ctx context.Context) {
	var left []*retirement
	err := s.State.Scan(ctx, colRetired, func(d docstore.Doc) error {
		r := &retirement{}
		if err := json.Unmarshal(d.JSON, r); err != nil {
			return err
		}
		left = append(left, r)
		return nil
	})
	for _, r := range left {
		if err == nil {
			_, err = s.finishRetired(ctx, r)
		}
	}
	if len(left) > 0 && err == nil {
		err = s.afterRetiring(ctx)
	}
	if err != nil && ctx.Err() == nil {
		s.Slog.Error("a retention is stuck and is tried again", "error", err)
	}
}
