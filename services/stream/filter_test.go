package stream_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
	"github.com/weftline/weftline/services/stream"
)

func TestFilter(t *testing.T) {
	t.Parallel()
	feed := newScript(message("m1", "one"), happened("a1", "tagged", "vip"), happened("a2", "closed", ""), message("m2", "two"))
	e := start(t, stream.Config{Heartbeat: 20 * time.Millisecond}, feed)
	got, _ := e.tape(t, "?types=weftline.event.v1.MessageReceived,ConversationTagged").events(t, 3)
	if d := cmp.Diff([]string{"one@c1", "vip@c2", "two@c4"}, got); d != "" {
		t.Error(d)
	}
	// What was filtered is not read again: the cursor moves without events.
	p := e.tape(t, "?types=ConversationSnoozed")
	defer p.res.Body.Close()
	for {
		b, ok := p.next()
		if !ok || b.data != "" {
			t.Fatalf("%+v, %v", b, ok)
		}
		if b.id == "c4" {
			break
		}
	}
}

// Many filtered events in a row move the cursor before the next heartbeat.
func TestFilterMovesOnUnderLoad(t *testing.T) {
	t.Parallel()
	var evs []*realtimev1.Event
	for i := range 1200 {
		evs = append(evs, note(fmt.Sprint(i), "CANARY"))
	}
	e := start(t, stream.Config{Heartbeat: time.Hour}, newScript(evs...))
	p := e.tape(t, "")
	defer p.res.Body.Close()
	for _, want := range []string{"", "c500", "c1000"} {
		if b, ok := p.next(); !ok || b.id != want || b.data != "" {
			t.Fatalf("got %+v, want id %q", b, want)
		}
	}
}
