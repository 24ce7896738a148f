package query

import (
	"context"
	"fmt"
	"slices"
	"time"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/repeat"
)

// Days of the repeat meter.
const (
	DefaultDays = 30
	MaxDays     = 366
)

// Repeats are the figures of a customer's person: the sums of his customers'.
// ErrNotFound when there is no such customer.
func (r *Reader) Repeats(ctx context.Context, customer string) (*identityv1.Repeats, error) {
	p, release := r.live.Acquire()
	defer release()
	if _, err := get[readmodel.Customer](ctx, r.store, p.Names().Customers, customer); err != nil {
		return nil, err
	}
	members := p.Graph().Members(customer)
	out := &identityv1.Repeats{}
	for _, m := range members {
		if err := r.count(ctx, p, out, readmodel.ByCustomer, m); err != nil {
			return nil, err
		}
	}
	joined, err := r.joinedRepeats(ctx, p)
	if err != nil {
		return nil, err
	}
	for _, d := range joined {
		if slices.Contains(members, d.Customer) {
			out.NewConversation++
		}
	}
	total(out)
	return out, nil
}

// RepeatDays are everybody's figures of the last days up to today (UTC), oldest
// first, and their sum. days 0 means DefaultDays.
func (r *Reader) RepeatDays(ctx context.Context, days int32, now time.Time) (*identityv1.Repeats, []*identityv1.RepeatDay, error) {
	switch {
	case days == 0:
		days = DefaultDays
	case days < 0 || days > MaxDays:
		return nil, nil, &FieldError{"days", fmt.Sprintf("must be 0 to %d", MaxDays)}
	}
	p, release := r.live.Acquire()
	defer release()
	joined, err := r.joinedRepeats(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	sum := &identityv1.Repeats{}
	var out []*identityv1.RepeatDay
	for i := days - 1; i >= 0; i-- {
		day := now.UTC().AddDate(0, 0, -int(i)).Format(time.DateOnly)
		d := &identityv1.RepeatDay{Day: day, Repeats: &identityv1.Repeats{}}
		if err := r.count(ctx, p, d.GetRepeats(), readmodel.ByDay, day); err != nil {
			return nil, nil, err
		}
		for _, j := range joined {
			if j.Day == day {
				d.Repeats.NewConversation++
			}
		}
		total(d.GetRepeats())
		sum.NewConversation += d.GetRepeats().GetNewConversation()
		sum.NewChannel += d.GetRepeats().GetNewChannel()
		sum.NewAgent += d.GetRepeats().GetNewAgent()
		sum.Conversations += d.GetRepeats().GetConversations()
		out = append(out, d)
	}
	total(sum)
	return sum, out, nil
}

func total(r *identityv1.Repeats) {
	r.Total = r.GetNewConversation() + r.GetNewChannel() + r.GetNewAgent()
}

// count adds what an index holds of a customer or day.
func (r *Reader) count(ctx context.Context, p *readmodel.Projector, out *identityv1.Repeats, index, of string) error {
	for kind, to := range map[string]*int64{
		repeat.Conversation: &out.Conversations, repeat.NewConversation: &out.NewConversation,
		repeat.NewChannel: &out.NewChannel, repeat.NewAgent: &out.NewAgent,
	} {
		n, err := r.store.Count(ctx, p.Names().Repeats, index, []any{of, kind}, 0)
		if err != nil {
			return fmt.Errorf("count repeats: %w", err)
		}
		*to += n
	}
	return nil
}

// joinedRepeats are the conversations that repeat an earlier one because an
// agent joined the two, and for no other reason; Before are those earlier ones. A join is not in the
// customer's stream, so it is looked at when read; there are few.
func (r *Reader) joinedRepeats(ctx context.Context, p *readmodel.Projector) ([]*readmodel.Repeat, error) {
	peers := map[string][]string{}
	var ids []string
	for _, j := range p.Graph().Joined() {
		for i, c := range j {
			if peers[c] == nil {
				ids = append(ids, readmodel.RepeatID(repeat.Conversation, c), readmodel.RepeatID(repeat.NewConversation, c))
			}
			peers[c] = append(peers[c], j[1-i])
		}
	}
	found := map[string]*readmodel.Repeat{}
	for part := range slices.Chunk(ids, 500) {
		docs, err := getMany[readmodel.Repeat](ctx, r.store, p.Names().Repeats, part...)
		if err != nil {
			return nil, err
		}
		for id, d := range docs {
			found[id] = d
		}
	}
	var out []*readmodel.Repeat
	for c, others := range peers {
		d := found[readmodel.RepeatID(repeat.Conversation, c)]
		if d == nil || found[readmodel.RepeatID(repeat.NewConversation, c)] != nil {
			continue
		}
		d.Before = slices.DeleteFunc(d.Before, func(o string) bool { return !slices.Contains(others, o) })
		if len(d.Before) > 0 {
			out = append(out, d)
		}
	}
	return out, nil
}
