package bench

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/pkg/weftline/inbox/v1/inboxv1connect"
)

// checkTold reads the timeline of everybody who wrote in a round: there is one
// for each, with all that he said, once and in the order in which he said it.
func (b *bench) checkTold(ctx context.Context, api inboxv1connect.InboxServiceClient, s source, fresh []*inboxv1.Conversation, from int) error {
	if len(fresh) != b.Customers {
		return fmt.Errorf("%d customers wrote, and there are %d conversations", b.Customers, len(fresh))
	}
	var mu sync.Mutex
	seen := map[int]bool{}
	var g errgroup.Group
	g.SetLimit(4)
	for _, c := range fresh {
		g.Go(func() error {
			res, err := api.GetTimeline(ctx, &inboxv1.GetTimelineRequest{CustomerId: c.GetCustomerId(), PageSize: 50, Kinds: []string{"message"}})
			if err != nil {
				return fmt.Errorf("read a timeline: %w", err)
			}
			var texts []string
			for _, e := range res.GetEntries() {
				texts = append(texts, e.GetMessage().GetText())
			}
			if s.unnumbered {
				if len(texts) != eachSays {
					return fmt.Errorf("a timeline has %d messages, %d were said", len(texts), eachSays)
				}
				return nil
			}
			sender, err := saidBy(texts)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if sender < from || sender >= from+b.Customers || seen[sender] {
				return fmt.Errorf("customer %d is on another timeline as well, or did not write now", sender)
			}
			seen[sender] = true
			return nil
		})
	}
	return g.Wait()
}

// saidBy is whose messages these are, if they are all of his and as he said them.
func saidBy(texts []string) (sender int, err error) {
	if len(texts) != eachSays {
		return 0, fmt.Errorf("a timeline has %d messages, %d were said", len(texts), eachSays)
	}
	for i, t := range texts {
		who, n, ok := parseText(t)
		if i == 0 {
			sender = who
		}
		switch {
		case !ok || t != text(who, n):
			return 0, fmt.Errorf("message %d on a timeline is not what was said", i)
		case who != sender:
			return 0, fmt.Errorf("message %d on the timeline of customer %d is one of customer %d", i, sender, who)
		case n != i:
			return 0, fmt.Errorf("message %d on the timeline of customer %d is the one he said as number %d", i, sender, n)
		}
	}
	return sender, nil
}
