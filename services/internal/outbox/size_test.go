package outbox_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/outbox"
)

// TestWhatIsStoredCanBeSent: a reply of signs that are long in JSON for pages.
func TestWhatIsStoredCanBeSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	out := channel.Outbound{ID: "r1", Channel: "email", Inbox: "support", Customer: "c1"}
	out.Content = channel.Content{Text: strings.Repeat("<", 100_000), HTML: strings.Repeat("<br>", 50_000)}
	w.publish(out)
	if n := w.left("email"); n != 1 {
		t.Errorf("%d wait to be sent", n)
	}
	out.ID, out.Content.Text = "r2", strings.Repeat("x", 1_000<<10)
	var large *outbox.TooLargeError
	if err := outbox.Publish(within(t), w.bus, w.keys, "unit/1", out); !errors.As(err, &large) || large.Bytes <= large.Limit {
		t.Errorf("got %v", err)
	}
	// As large as can be: NATS takes it.
	out.ID, out.Content = "r3", channel.Content{Text: strings.Repeat("x", 1_000<<10-1000)}
	w.publish(out)
	if n := w.left("email"); n != 2 {
		t.Errorf("%d wait to be sent", n)
	}
}
