package policy_test

import (
	"testing"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
)

// An imported reply is not sent, also where its stream does not say that it went out.
func TestAnImportedReplyIsNeverSent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	m := eventOf[event.MessageReceived](t, b)
	body, err := seal.JSON(t.Context(), b.Keys, m.Unit, event.ReplyBody{}, event.ReplyAAD("old"))
	if err != nil {
		t.Fatal(err)
	}
	for _, imported := range []bool{true, false} { // the second shows that it would be sent
		reply := event.ReplyRequested{
			Reply: "old", Conversation: m.Conversation, Handle: m.Handle, Tenure: m.Tenure, Channel: m.Channel, Inbox: m.Inbox,
			Unit: m.Unit, Body: body, Imported: imported,
		}
		records, err := codec.Encode([]event.Event{reply})
		if err != nil {
			t.Fatal(err)
		}
		c := eventstore.Commit{ID: "x", Stream: "customer.nobody", Tenant: "default", Seq: 1, RecordedAt: b.Clock, Records: records}
		if err := b.policy.Apply(t.Context(), 0, []eventstore.Commit{c}); err != nil {
			t.Fatal(err)
		}
		if sent := len(b.sent) > 0; sent == imported {
			t.Errorf("imported %v: sent %v", imported, b.sent)
		}
	}
}

func eventOf[E event.Event](t *testing.T, b *bundle) E {
	t.Helper()
	for _, c := range b.Commits() {
		for _, e := range c.Events {
			if e, ok := e.(E); ok {
				return e
			}
		}
	}
	var none E
	t.Fatalf("no %T", none)
	return none
}
