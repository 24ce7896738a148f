package customer_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// What an address has received by a time: what went out to it, in this tenure,
// by then, and is not known to be further.
func TestUntil(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var s customer.State
	seq := uint64(0)
	add := func(es ...event.Event) {
		seq++
		s = customer.Evolve(s, event.Commit{Stream: "customer.a", Seq: seq, At: began, Events: es})
	}
	reply := func(id, handle string, tenure int64, states ...string) {
		add(event.ReplyRequested{Reply: id, Conversation: "c", Handle: handle, Tenure: tenure, Unit: event.UnitKey("c", handle, tenure)})
		for i, state := range states {
			add(event.ReplyProgressed{Reply: id, Conversation: "c", State: state, At: began.Add(time.Duration(i) * time.Second)})
		}
	}
	reply("sent", "h", 2, "sent")
	reply("retried", "h", 2, "unknown", "sent") // a second later
	reply("delivered", "h", 2, "sent", "delivered")
	reply("read", "h", 2, "sent", "delivered", "read")
	reply("failed", "h", 2, "sent", "failed")
	reply("queued", "h", 2)
	reply("before", "h", 1, "sent")
	reply("elsewhere", "other", 2, "sent")
	if _, underWay := s.Until("other", 2, "read", began); underWay {
		t.Error("nothing is queued there")
	}

	for name, tc := range map[string]struct {
		state string
		at    time.Time
		want  []string
	}{
		"delivered":                       {"delivered", began, []string{"sent"}},
		"read":                            {"read", began, []string{"sent", "delivered"}},
		"read later":                      {"read", began.Add(time.Second), []string{"sent", "retried", "delivered"}},
		"before anything went out":        {"read", began.Add(-1), nil},
		"nothing moves back from further": {"sent", began.Add(time.Hour), nil},
	} {
		got, underWay := s.Until("h", 2, tc.state, tc.at)
		if d := cmp.Diff(tc.want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
		if !underWay {
			t.Errorf("%s: one is queued", name)
		}
	}
}
