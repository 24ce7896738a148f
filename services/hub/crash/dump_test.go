package crash

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/hub/hubtest"
	"google.golang.org/protobuf/proto"
)

// dump is everything the hub shows.
type dump struct {
	customers     []customer
	conversations []*inboxv1.Conversation
	sent          map[string]int                    // mails the SMTP server took, by reply
	transcripts   map[string][]hubtest.Item         // by visitor
	told          map[string]int                    // events about each message
	progress      map[string]map[string]bool        // states of each reply, as events told them
	digest        string                            // of customers, timelines and conversations
	replies       map[string]*inboxv1.TimelineEntry // by entry id
}

type customer struct {
	*inboxv1.Customer
	entries []*inboxv1.TimelineEntry // oldest first
}

// take reads all of it through the API.
func (r *rig) take(ctx context.Context) (*dump, error) {
	d := &dump{sent: map[string]int{}, replies: map[string]*inboxv1.TimelineEntry{}, transcripts: map[string][]hubtest.Item{}}
	h := sha256.New()
	add := func(m proto.Message) error {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		h.Write(b)
		return err
	}
	for token := ""; ; {
		var page inboxv1.ListCustomersResponse
		if err := r.call(ctx, "ListCustomers", fmt.Sprintf(`{"pageSize":200,"pageToken":%q}`, token), &page); err != nil {
			return nil, err
		}
		for _, c := range page.GetCustomers() {
			entries, err := r.timeline(ctx, c.GetId())
			if err != nil {
				return nil, err
			}
			d.customers = append(d.customers, customer{c, entries})
			if err := add(c); err != nil {
				return nil, err
			}
			for _, e := range entries {
				if e.GetMessage().GetDirection() == inboxv1.Direction_DIRECTION_OUTBOUND {
					d.replies[e.GetId()] = e
				}
				if err := add(e); err != nil {
					return nil, err
				}
			}
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	for token := ""; ; {
		var page inboxv1.ListConversationsResponse
		if err := r.call(ctx, "ListConversations", fmt.Sprintf(`{"pageSize":200,"pageToken":%q}`, token), &page); err != nil {
			return nil, err
		}
		for _, c := range page.GetConversations() {
			d.conversations = append(d.conversations, c)
			if err := add(c); err != nil {
				return nil, err
			}
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	for _, m := range r.sink.Mails() {
		if id := strings.Split(m.MessageID(), "."); len(id) > 1 && id[0] == "wl" {
			d.sent[id[1]]++
		}
	}
	r.integrator.mu.Lock()
	d.told, d.progress = maps.Clone(r.integrator.messages), maps.Clone(r.integrator.states)
	r.integrator.mu.Unlock()
	d.digest = hex.EncodeToString(h.Sum(nil))
	return d, nil
}

func (r *rig) timeline(ctx context.Context, id string) ([]*inboxv1.TimelineEntry, error) {
	var pages [][]*inboxv1.TimelineEntry
	for token := ""; ; {
		var page inboxv1.GetTimelineResponse
		if err := r.call(ctx, "GetTimeline", fmt.Sprintf(`{"customerId":%q,"pageSize":200,"pageToken":%q}`, id, token), &page); err != nil {
			return nil, err
		}
		pages = append(pages, page.GetEntries())
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	slices.Reverse(pages) // they run from the newest backwards
	return slices.Concat(pages...), nil
}

// settled says whether nothing is on its way any more.
func (d *dump) settled(l *ledger) bool {
	inbound := 0
	for _, c := range d.customers {
		for _, e := range c.entries {
			m := e.GetMessage()
			switch {
			case m.GetDirection() == inboxv1.Direction_DIRECTION_INBOUND:
				inbound++
			case m != nil && (m.GetDelivery() == inboxv1.DeliveryState_DELIVERY_STATE_QUEUED || m.GetDelivery() == inboxv1.DeliveryState_DELIVERY_STATE_RETRYING):
				return false
			}
		}
	}
	mails, chats, _ := l.counts()
	return inbound >= mails+chats && len(d.told) >= inbound
}

// transcript is everything a visitor's widget can show.
func (r *rig) transcript(ctx context.Context, who string, atLeast int) ([]hubtest.Item, error) {
	hello := r.hello(who)
	hello.After = strings.Repeat("0", 28) // before the first position
	w, err := hubtest.DialWidget(ctx, r.url(), "shop", hello)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	items, _ := w.Items(ctx, func(items []hubtest.Item) bool { return len(items) >= atLeast })
	return items, nil
}
