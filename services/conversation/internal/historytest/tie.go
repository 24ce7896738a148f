package historytest

import (
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"pgregory.net/rapid"
)

// Tie appends one random commit about two customers or two conversations: a
// suggestion, its refusal, a link, an unlink, a join or an unjoin; now and then
// an erasure. With fewer than two customers it appends nothing.
func (h *History) Tie(t *rapid.T) {
	if len(h.Customers) < 2 {
		return
	}
	i := rapid.IntRange(0, len(h.Customers)-2).Draw(t, "one")
	one, other := h.Customers[i], h.Customers[rapid.IntRange(i+1, len(h.Customers)-1).Draw(t, "other")]
	a, b := min(one.ID, other.ID), max(one.ID, other.ID)
	stream := "link." + person.PairID(a, b)
	reason := []event.Reason{{Kind: "asserted", Handle: one.Handles[0].ID, Levels: []int{0, 2}}}
	known := h.ties[stream]
	switch rapid.IntRange(0, 8).Draw(t, "tie") {
	case 0, 1:
		id := h.ID("su")
		h.remember(stream, id)
		h.Append(t, stream, id, "rule", event.LinkSuggested{Suggestion: id, A: a, B: b, Rule: "asserted@1", Reasons: reason})
	case 2:
		if len(known) > 0 {
			h.Append(t, stream, h.ID("cmd:"), "ada", event.LinkRefused{Suggestions: known[:1], Evidence: []string{"e"}})
		}
	case 3, 4, 5:
		id := h.ID("li")
		h.remember(stream, id)
		h.Append(t, stream, id, "rule", event.Linked{Link: id, A: a, B: b, Rule: "proof@1", Reasons: reason})
	case 6:
		if len(known) > 0 {
			h.Append(t, stream, h.ID("cmd:"), "ada", event.Unlinked{Link: rapid.SampledFrom(known).Draw(t, "link"), Reason: "agent"})
		}
	case 7:
		h.joining(t, one, other)
	case 8:
		if rapid.IntRange(0, 3).Draw(t, "erase") == 0 {
			h.Append(t, "customer."+one.ID, h.ID("erase:"), "ada", event.CustomerErased{EraseID: "x"})
		}
	}
}

func (h *History) joining(t *rapid.T, one, other *Customer) {
	type side struct{ conversation, customer string }
	sides := []side{{one.Conversations[0].ID, one.ID}, {other.Conversations[0].ID, other.ID}}
	if sides[0].conversation > sides[1].conversation {
		slices.Reverse(sides)
	}
	stream := "join." + sides[0].conversation + "." + sides[1].conversation
	customers := []string{sides[0].customer, sides[1].customer}
	if known := h.ties[stream]; len(known) > 0 {
		h.Append(t, stream, h.ID("cmd:"), "ada", event.ConversationsUnjoined{Join: known[len(known)-1], Customers: customers})
		delete(h.ties, stream)
		return
	}
	id := h.ID("jo")
	h.remember(stream, id)
	h.Append(t, stream, id, "ada", event.ConversationsJoined{
		Join: id, A: sides[0].conversation, B: sides[1].conversation, Customers: customers,
	})
}

func (h *History) remember(stream, id string) {
	if h.ties == nil {
		h.ties = map[string][]string{}
	}
	h.ties[stream] = append(h.ties[stream], id)
}
