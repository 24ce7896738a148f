package console_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/console"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/natsbus/natsbustest"
)

// TestOnlyWhomAnAnswerWouldReachIsTold of an agent's typing, and where the answer would go.
func TestOnlyWhomAnAnswerWouldReachIsTold(t *testing.T) {
	t.Parallel()
	ada := func() *inboxv1.ReplyTarget {
		return &inboxv1.ReplyTarget{Channel: "telegram", InboxId: "bot", Handle: &inboxv1.Handle{Id: "h1", Kind: "telegram", Address: "700001"}}
	}
	ended, out, refuted, erased, widget, mail := ada(), ada(), ada(), ada(), ada(), ada()
	ended.Refused = "this address belongs to another customer now"
	out.OptedOut = &inboxv1.Consent{}
	refuted.Handle.Refuted = true
	erased.Handle.Address = ""
	mail.Channel = "email"
	widget.Channel, widget.InboxId = "chat", "shop"
	targets := map[string]*inboxv1.ReplyTarget{"ada": ada(), "ended": ended, "out": out, "refuted": refuted, "erased": erased, "widget": widget, "mail": mail}
	nc := natsbustest.New(t).NC
	b := setup(t, func(d *console.Deps) {
		d.NC, d.ShowsTyping = nc, func(channel string) bool { return channel != "email" }
		d.ReplyTarget = func(ctx context.Context, id string) *inboxv1.ReplyTarget {
			if who, _ := actor.From(ctx); who.Name != "Olga" {
				t.Errorf("asked as %+v", who)
			}
			return targets[id]
		}
	})
	b.owner(t)
	wire, err := nc.SubscribeSync("live.*.typing.>")
	if err != nil {
		t.Fatal(err)
	}
	ws := b.hello(t, b.http, "")
	next(t, ws, "welcome")
	types := func(conversation string, on bool) {
		t.Helper()
		f, _ := json.Marshal(map[string]any{"watch": map[string]any{"conversationId": conversation, "typing": on}})
		send(t, ws, string(f))
	}
	told := func() string {
		t.Helper()
		m, err := wire.NextMsg(10 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(m.Data), "700001") {
			t.Error("the address is on the wire in clear")
		}
		_, after, _ := strings.Cut(m.Subject, ".typing.")
		return after
	}
	for _, id := range []string{"nobody", "ended", "out", "refuted", "erased", "mail"} {
		types(id, false)
		types(id, true)
		types(id, false)
	}
	types("widget", true)
	if got := told(); got != "out.h1" {
		t.Errorf("the first that is told is %s, want the visitor", got)
	}
	types("ada", false) // the visitor hears that it is over
	if got := told(); got != "out.h1" {
		t.Errorf("told %s, want the visitor again", got)
	}
	types("ada", true)
	if got := told(); got != "reply.telegram.bot" {
		t.Errorf("told %s, want Ada's bot", got)
	}
	ws.Close() // whoever closes the console types no more
	if got := told(); got != "reply.telegram.bot" {
		t.Errorf("told %s, want Ada's bot", got)
	}
	if n, _, _ := wire.Pending(); n != 0 {
		t.Errorf("%d more are told", n)
	}
}
