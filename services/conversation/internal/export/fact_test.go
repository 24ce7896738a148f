package export

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

func TestFactsAreWords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data any
		want []fact
	}{
		"nothing": {nil, nil},
		"an event of business": {
			map[string]any{"type": "order.placed", "title": "Order <1>", "link": "", "payload": json.RawMessage(`{"total": 12.5, "of": ["a"]}`)},
			[]fact{{"payload", `{"total":12.5,"of":["a"]}`}, {"title", "Order <1>"}, {"type", "order.placed"}},
		},
		"no payload":  {map[string]any{"payload": json.RawMessage(nil), "removed": false}, nil},
		"progress":    {map[string]any{"detail": "", "state": "sent"}, []fact{{"state", "sent"}}},
		"a list":      {map[string]any{"tags": []string{"a", "b"}, "none": []string{}, "map": map[string]int{}, "at": time.Time{}, "on": true, "target_ref": "x"}, []fact{{"on", "yes"}, {"tags", "a, b"}, {"target ref", "x"}}},
		"an assignee": {event.ConversationAssigned{Conversation: "c1", Assignee: "ada"}, []fact{{"conversation", "c1"}, {"assignee", "ada"}}},
	} {
		got, err := facts(c.data)
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, d)
		}
	}
}
