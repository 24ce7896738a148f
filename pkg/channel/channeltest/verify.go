package channeltest

import (
	"context"
	"reflect"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
)

// verifies checks what a Verifier owes the hub, whatever it thinks of senders:
// the same items, none of those given changed, also when there is no time left.
// An adapter without one passes.
func verifies(t *testing.T, h Harness) {
	s, raw := sample(t, h)
	v, ok := s.Adapter.(channel.Verifier)
	if !ok {
		h.lacks("it is no Verifier: what a sender is worth is known when his input is read")
		return
	}
	items, err := s.Adapter.Parse(raw)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	pristine, err := s.Adapter.Parse(raw)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, ctx := range map[string]context.Context{"with time": t.Context(), "without time": over} {
		got := v.Verify(ctx, raw, items)
		if !reflect.DeepEqual(items, pristine) {
			t.Fatalf("%s: verify has changed the items it was given", name)
		}
		if len(got) != len(items) {
			t.Fatalf("%s: %d items became %d", name, len(items), len(got))
		}
		if err := sound(got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range got {
			a, b := items[i].Message, got[i].Message
			if (a == nil) != (b == nil) || a != nil && (a.ID != b.ID || a.Content.Text != b.Content.Text) {
				t.Errorf("%s: item %d is another", name, i)
			}
		}
	}
}
