package chat_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/chat"
)

// hub is the rest of the hub as the adapter sees it: an intake that parses what
// it takes into a transcript, which lags behind by as much as a test likes.
type hub struct {
	t       testing.TB
	mu      sync.Mutex
	fail    error
	raws    map[string]channel.Raw
	order   []string
	reports []channel.Receipt
	lines   map[string][]*channelv1.ListMessagesResponse_Item // by address
	seq     int
	lag     int           // newest lines not projected yet
	grown   chan struct{} // closed and replaced at every change
	asked   []*channelv1.ListMessagesRequest
}

func newHub(t testing.TB) *hub {
	return &hub{t: t, raws: map[string]channel.Raw{}, lines: map[string][]*channelv1.ListMessagesResponse_Item{}, grown: make(chan struct{})}
}

func (h *hub) wake() { close(h.grown); h.grown = make(chan struct{}) }

func (h *hub) Accept(_ context.Context, inputs ...channel.Raw) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fail != nil {
		return h.fail
	}
	for _, r := range inputs {
		if _, twice := h.raws[r.ProviderID]; twice {
			continue
		}
		h.raws[r.ProviderID] = r
		h.order = append(h.order, r.ProviderID)
		items, err := chat.Parser{}.Parse(r)
		if err != nil {
			return err
		}
		m := items[0].Message
		h.seq++
		it := &channelv1.ListMessagesResponse_Item{
			Id: fmt.Sprintf("in-%d", h.seq), Position: fmt.Sprintf("%09d", h.seq), Text: m.Content.Text,
			Direction: inboxv1.Direction_DIRECTION_INBOUND, ClientId: m.ClientID, Flags: m.Flags,
		}
		for _, f := range m.Content.Attachments {
			it.Attachments = append(it.Attachments, &inboxv1.Attachment{Id: f.Blob, Name: f.Name, ContentType: f.ContentType, Size: f.Size})
		}
		h.lines[m.From.Address] = append(h.lines[m.From.Address], it)
	}
	h.wake()
	return nil
}

func (h *hub) Report(_ context.Context, receipts ...channel.Receipt) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reports = append(h.reports, receipts...)
	h.wake()
	return nil
}

// reply appends an agent's reply and returns what the outbox would hand to Send.
func (h *hub) reply(inboxID, address, text string) channel.Outbound {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	id, pos := fmt.Sprintf("out-%d", h.seq), fmt.Sprintf("%09d", h.seq)
	h.lines[address] = append(h.lines[address], &channelv1.ListMessagesResponse_Item{
		Id: id, Position: pos, Text: text, Direction: inboxv1.Direction_DIRECTION_OUTBOUND, AuthorName: "Grace",
	})
	return channel.Outbound{
		ID: id, Channel: chat.Name, Inbox: inboxID, Customer: "c1", Position: pos, AuthorName: "Grace",
		To: channel.Address{Kind: chat.Name, Scope: inboxID, Address: address}, Content: channel.Content{Text: text},
	}
}

func (h *hub) setLag(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lag = n
	h.wake()
}

func (h *hub) ListMessages(ctx context.Context, r *channelv1.ListMessagesRequest) (*channelv1.ListMessagesResponse, error) {
	for first := true; ; first = false {
		h.mu.Lock()
		if first {
			h.asked = append(h.asked, r)
		}
		all := h.lines[r.GetAddress()]
		all = all[:max(0, len(all)-h.lag)]
		grown := h.grown
		h.mu.Unlock()
		if r.GetAtLeast() != "" && (len(all) == 0 || all[len(all)-1].GetPosition() < r.GetAtLeast()) {
			select {
			case <-grown:
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		size := int(r.GetPageSize())
		if r.GetAfter() == "" {
			return &channelv1.ListMessagesResponse{Items: all[max(0, len(all)-size):]}, nil
		}
		i := slices.IndexFunc(all, func(it *channelv1.ListMessagesResponse_Item) bool { return it.GetPosition() > r.GetAfter() })
		if i < 0 {
			return &channelv1.ListMessagesResponse{}, nil
		}
		end := min(len(all), i+size)
		return &channelv1.ListMessagesResponse{Items: all[i:end], More: end < len(all)}, nil
	}
}

func (h *hub) accepted() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.order)
}

func (h *hub) raw(i int) channel.Raw {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.raws[h.order[i]]
}

// until waits for a condition over the hub's state.
func (h *hub) until(what string, ok func() bool) {
	h.t.Helper()
	deadline := time.After(time.Minute)
	for {
		h.mu.Lock()
		done, grown := ok(), h.grown
		h.mu.Unlock()
		if done {
			return
		}
		select {
		case <-grown:
		case <-deadline:
			h.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// address of the handle of the i-th accepted input.
func (h *hub) address(i int) string {
	items, err := chat.Parser{}.Parse(h.raw(i))
	if err != nil {
		h.t.Fatal(err)
	}
	return items[0].Message.From.Address
}
