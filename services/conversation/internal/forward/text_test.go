package forward_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/channel"
	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/forward"
	"github.com/weftline/weftline/services/conversation/internal/handle"
)

const number = "+4915123456789"

func bySMS(w *world) forward.Request {
	w.handles[number] = handle.State{Customer: "ada", Tenure: 1, Assurance: 3}
	return forward.Request{
		Via: channel.Address{Kind: "chat", Scope: "shop", Address: "v1"}, To: channel.Address{Kind: "phone", Address: number}, Inbox: "texts", Language: "de",
	}
}

func TestACopyBySMSIsTheAnswerAndWhoseItIs(t *testing.T) {
	t.Parallel()
	w := newWorld()
	q := bySMS(w)
	if n, err := w.service().Replies(t.Context(), q, "1", "3"); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	want := channel.Outbound{
		ID: "copy_r2", Tenant: "default", Channel: "sms", Inbox: "texts", Customer: "ada",
		To: channel.Address{Kind: "phone", Address: number}, AuthorName: "Grace", At: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC),
		Content: channel.Content{Text: "Shop: Send it back.\n[label.pdf]"},
	}
	if d := cmp.Diff(want, w.sent[0]); d != "" {
		t.Error(d)
	}
}

// A number is no more trusted than an address: somebody else's gets nothing, whoever typed it.
func TestWhereNothingGoesBySMS(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*world, *forward.Request){
		"nobody's number": func(w *world, _ *forward.Request) { delete(w.handles, number) },
		"only typed":      func(w *world, _ *forward.Request) { w.handles[number] = handle.State{Customer: "ada"} },
		"he has texted, and proved nothing": func(w *world, _ *forward.Request) {
			w.handles[number] = handle.State{Customer: "ada", Assurance: 2}
		},
		"somebody else's, and proven": func(w *world, _ *forward.Request) {
			w.handles[number] = handle.State{Customer: "bob", Assurance: 4}
		},
		"moved to somebody else by an agent": func(w *world, _ *forward.Request) {
			w.handles[number] = handle.State{Customer: "bob", Tenure: 2, Assurance: 3}
		},
		"a number of ours":       func(w *world, _ *forward.Request) { w.own = true },
		"an e-mail inbox":        func(_ *world, q *forward.Request) { q.Inbox = "support" },
		"he has opted out of it": func(w *world, _ *forward.Request) { w.optedOut = true },
		"the number said STOP": func(w *world, _ *forward.Request) {
			w.states["ada"] = customer.State{ID: "ada", Exists: true, Handles: []customer.Handle{{ID: "h:" + number, Tenure: 1, Inboxes: []customer.Reach{{Inbox: "texts", Out: true}}}}}
		},
	} {
		w := newWorld()
		q := bySMS(w)
		change(w, &q)
		_, err := w.service().Replies(t.Context(), q, "", "")
		_, refused := errors.AsType[*customer.RefusedError](err)
		_, unreachable := errors.AsType[*customer.UnreachableError](err)
		_, field := errors.AsType[*customer.FieldError](err)
		if !refused && !unreachable && !field || len(w.sent) > 0 || w.asked != nil {
			t.Errorf("%s: %v, sent %v, read %v", name, err, w.sent, w.asked)
		}
	}
}

func TestALongAnswerIsCutAndSaysSo(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"words":             strings.Repeat("sieben ", 200),
		"one word":          strings.Repeat("x", 5000),
		"beyond the plane":  strings.Repeat("😀", 500),
		"families":          strings.Repeat("👨‍👩‍👧‍👦", 80),
		"just fits":         strings.Repeat("y", 594),
		"just does not fit": strings.Repeat("z", 595),
	} {
		w := newWorld()
		w.lines = []*channelv1.ListMessagesResponse_Item{{Id: "r1", Direction: inboxv1.Direction_DIRECTION_OUTBOUND, Text: text}}
		if _, err := w.service().Replies(t.Context(), bySMS(w), "", ""); err != nil {
			t.Fatal(err)
		}
		got := w.sent[0].Content.Text
		n := len(utf16.Encode([]rune(got)))
		cut := strings.HasSuffix(got, "... Der Rest steht im Chat.")
		if n > 600 || n < 560 || cut == (name == "just fits") || strings.ContainsRune(got, '\ufffd') || name == "families" && strings.Trim(strings.ReplaceAll(got, "👨‍👩‍👧‍👦", ""), "OmnidesuShop: ") != "... Der Rest steht im Chat." || name == "words" && !strings.HasSuffix(got, "sieben... Der Rest steht im Chat.") {
			t.Errorf("%s: %d units: %s", name, n, got)
		}
	}
}

func TestReceiptsOfCopiesNameTheWay(t *testing.T) {
	t.Parallel()
	w := newWorld()
	s := w.service()
	for _, r := range []channel.Receipt{
		{Outbound: "copy_r2", Channel: "sms", Customer: "ada", State: channel.StateSent},
		{Outbound: "copy_r2", Channel: "sms", State: channel.StateDelivered},
		{Outbound: "copy_r2", Channel: "sms", State: channel.StateFailed}, // the network's word knows no customer
		{Outbound: "copy_r2", Channel: "email", Customer: "ada", State: channel.StateSent},
	} {
		if err := s.Receipt(t.Context(), r); err != nil {
			t.Error(err)
		}
	}
	want := []string{
		"The answer was sent by SMS, too: the visitor had left the chat",
		"The answer could not be sent by SMS; the visitor has left the chat",
		"The answer was sent by e-mail, too: the visitor had left the chat",
	}
	if d := cmp.Diff(want, w.titles); d != "" {
		t.Error(d)
	}
}
