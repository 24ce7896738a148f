package conversation_test

import (
	"testing"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
)

// replied answers a conversation and returns the reply's id.
func (r *rig) replied(c *inboxv1.Conversation, text string) string {
	r.t.Helper()
	sent, err := r.inbox.SendReply(r.t.Context(), &inboxv1.SendReplyRequest{
		ConversationId: c.GetId(), Text: text, IdempotencyKey: "reply-" + c.GetId(), LastSeen: c.GetVersion(),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return sent.GetEntry().GetId()
}

// A mail system that bounces a reply of somebody who was erased since, or of a
// hub of which this data is an older copy, brings its next bounces all the same.
// Nothing of the first is kept: it names him.
func TestABounceOfWhatWasErasedHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	r := start(t)
	ada, bob := r.met("ada@example.org", "first words"), r.met("bob@example.org", "other words")
	toAda, toBob := r.replied(ada, "dear ada"), r.replied(bob, "dear bob")
	r.erase(ada.GetCustomerId())
	before := r.inInput()
	daemon := "mailer-daemon@example.net"
	r.deliver("b1", post{From: daemon, Bounce: toAda, Text: "550 no ada here"})
	r.deliver("b2", post{From: daemon, Bounce: "of-another-hub", Text: "550 nobody here"})
	r.deliver("b3", post{From: daemon, Bounce: toBob, Text: "550 no bob here"})
	eventually(t, "bob's bounce", func() (*inboxv1.GetTimelineResponse, error) {
		return r.inbox.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: bob.GetCustomerId()})
	}, func(l *inboxv1.GetTimelineResponse) bool {
		for _, e := range l.GetEntries() {
			if m := e.GetMessage(); e.GetId() == toBob && m.GetDelivery() == inboxv1.DeliveryState_DELIVERY_STATE_FAILED {
				return m.GetDeliveryDetail() == "550 no bob here"
			}
		}
		return false
	})
	if n := r.inInput() - before; n != 1 {
		t.Errorf("%d bounces are kept, want bob's alone", n)
	}
	r.clean()
}
