package customer_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// clone goes through the snapshot's JSON: it also shows that a snapshot says all.
func clone(t *testing.T, s customer.State) customer.State {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var out customer.State
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestStateIsBounded: ten thousand messages, conversations and replies later a
// snapshot is still small, and what was forgotten is asked for.
func TestStateIsBounded(t *testing.T) {
	t.Parallel()
	s := given(first())
	var seq uint64 = 1
	add := func(id string, list ...event.Event) {
		seq++
		s = customer.Evolve(s, customer.Commit{ID: id, Stream: "customer.a", Seq: seq, At: minute(int(seq)), Events: list})
	}
	for i := range 3000 {
		c, m, r := fmt.Sprintf("c%d", i), fmt.Sprintf("x%d", i), fmt.Sprintf("r%d", i)
		reply := requested(r, m)
		reply.Conversation, reply.Unit = c, event.UnitKey(c, "h", 1)
		add("msg:"+m, openedBy(c, c), withRefs(received(m, c, "h", true), m))
		add("reply:"+r, reply)
		if i%2 == 0 {
			add("close"+c, event.ConversationClosed{Conversation: c})
		}
	}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 256<<10 {
		t.Errorf("snapshot has %d bytes", len(data))
	}
	if diff := cmp.Diff(s, clone(t, s)); diff != "" {
		t.Errorf("snapshot loses something\n%s", diff)
	}

	var recall *customer.RecallError
	if _, err := customer.Decide(s, receive("m1", "h", minute(1))); !errors.As(err, &recall) || recall.Floor < 1 {
		t.Errorf("a message that was forgotten: %v", err)
	}
	old := receive("m1", "h", minute(1))
	old.RecalledTo = seq
	if _, err := customer.Decide(s, old); err != nil {
		t.Errorf("after asking: %v", err)
	}
	var missing *customer.MissingError
	if _, err := customer.Decide(s, customer.Tag{ID: "k", Conversation: "c0", Tag: "x"}); !errors.As(err, &missing) {
		t.Errorf("a conversation that was forgotten: %v", err)
	}
	// Something happened to it meanwhile: what is known is still not all.
	add("tag", event.ConversationTagged{Conversation: "c0", Tag: "y"})
	if _, err := customer.Decide(s, customer.Tag{ID: "k", Conversation: "c0", Tag: "x"}); !errors.As(err, &missing) {
		t.Errorf("a conversation known in part: %v", err)
	}
}

// TestForgottenReplyIsKnownByLookup: receipts of replies the state has forgotten.
func TestForgottenReplyIsKnownByLookup(t *testing.T) {
	t.Parallel()
	s := given(first())
	known := &customer.Reply{ID: "r", Conversation: "c", Unit: event.UnitKey("c", "h", 1), Course: customer.Asked().Progressed("sent", t0)}
	got, err := customer.Decide(s, customer.Progress{Reply: "r", State: "read", At: t0, Known: known})
	want := es(event.ReplyProgressed{Reply: "r", Conversation: "c", State: "read", At: t0})
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if got, _ := customer.Decide(s, customer.Progress{Reply: "r", State: "retrying", At: t0, Known: known}); got != nil {
		t.Errorf("went backwards: %v", got)
	}
}

// TestForgottenReplyStaysForgotten: what happens to a reply that was forgotten
// does not bring half of it back, and the look-up has to know of it before it is believed.
func TestForgottenReplyStaysForgotten(t *testing.T) {
	t.Parallel()
	few := customer.DefaultBounds
	few.Replies = 1
	s := given(first())
	seq := uint64(1)
	add := func(e event.Event) {
		seq++
		s = few.Evolve(s, customer.Commit{Stream: "customer.a", Seq: seq, At: minute(int(seq)), Events: es(e)})
	}
	add(requested("r", "m1"))
	add(event.ReplyProgressed{Reply: "r", Conversation: "c", State: "sent", At: t0})
	add(requested("r2", "m1"))
	add(event.ReplyProgressed{Reply: "r", Conversation: "c", State: "failed", At: t0}) // it came back
	if _, ok := s.Reply("r"); ok {
		t.Error("half of a forgotten reply is held")
	}
	known := &customer.Reply{
		ID: "r", Conversation: "c", Unit: event.UnitKey("c", "h", 1),
		Course: customer.Asked().Progressed("sent", t0).Progressed("failed", t0),
	}
	var recall *customer.RecallError
	for _, c := range []customer.Command{
		customer.Progress{Reply: "r", State: "read", At: t0, Known: known, RecalledTo: seq - 1},
		customer.Retry{ID: "k", Reply: "r", Conversation: "c", Known: known, RecalledTo: seq - 1},
	} {
		if _, err := customer.Decide(s, c); !errors.As(err, &recall) || recall.Floor != seq {
			t.Errorf("%T: %v", c, err)
		}
	}
	var refused *customer.RefusedError
	if _, err := customer.Decide(s, customer.Retry{ID: "k", Reply: "r", Conversation: "c", Known: known, RecalledTo: seq}); !errors.As(err, &refused) {
		t.Errorf("one that came back is sent again: %v", err)
	}
}

// TestCarriedUnitLeadsToTheAttachedTenure: the head of a moved conversation may
// be answered, because its unit moved with it.
func TestCarriedUnitLeadsToTheAttachedTenure(t *testing.T) {
	t.Parallel()
	head := openedBy("c2", "c")
	head.Continues = "c"
	head.Carried = []event.Handed{{Unit: event.UnitKey("c", "h", 1), OpenedAt: t0, Conversation: "c", Topic: "c", LastMessage: "m1"}}
	s := given(es(event.CustomerCreated{}, event.HandleAttached{Handle: "h", Kind: "email", Tenure: 2, Seen: []string{"m1"}}, head))
	if !s.SeenMessage("m1") {
		t.Error("handed over, not seen")
	}
	got, err := customer.Decide(s, customer.Send{At: t0, Reply: "r", Conversation: "c2", Author: "ag"})
	want := requested("r", "m1")
	want.Conversation, want.Tenure, want.Unit = "c2", 2, event.UnitKey("c2", "h", 2)
	want.UnitOpened = new(t0) // it goes on with a unit that began then
	if diff := cmp.Diff(es(want), got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}
