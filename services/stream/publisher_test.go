package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/weftline/weftline/pkg/cloudevent"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/natsbus"
	"github.com/weftline/weftline/services/internal/natsbus/natsbustest"
	"github.com/weftline/weftline/services/internal/peer"
	"github.com/weftline/weftline/services/stream"
)

func openState(t *testing.T) docstore.Store {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// publishing runs a service until stop.
func publishing(t *testing.T, deps stream.Deps) (stop func()) {
	t.Helper()
	if deps.Authenticate == nil {
		deps.Authenticate = newTokens().authenticate
	}
	s, err := stream.New(t.Context(), stream.Config{NATS: true, Recheck: 10 * time.Millisecond}, deps)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

// published waits for n messages in PUB and returns "subject text", with the ids checked.
func published(t *testing.T, bus *natsbus.Bus, n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := bus.JS.OrderedConsumer(ctx, "PUB", jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for len(got) < n {
		m, err := c.Next(jetstream.FetchMaxWait(time.Minute))
		if err != nil {
			t.Fatalf("after %q: %v", got, err)
		}
		var e cloudevent.Event
		if err := json.Unmarshal(m.Data(), &e); err != nil {
			t.Fatal(err)
		}
		if id := m.Headers().Get(nats.MsgIdHdr); id != e.ID {
			t.Errorf("message id %s, event id %s", id, e.ID)
		}
		if strings.Contains(string(m.Data()), "CANARY") {
			t.Errorf("a note left: %s", m.Data())
		}
		var body struct{ Text string }
		if err := json.Unmarshal(e.Data, &body); err != nil {
			t.Fatal(err)
		}
		got = append(got, m.Subject()+" "+body.Text)
	}
	if s, err := bus.JS.Stream(ctx, "PUB"); err != nil || s.CachedInfo().State.Msgs != uint64(n) {
		t.Errorf("PUB: %v messages, %v", s.CachedInfo().State.Msgs, err)
	}
	return got
}

func TestPublishes(t *testing.T) {
	t.Parallel()
	bus := natsbustest.New(t)
	attached := happened("h", "handle_attached", "email")
	attached.Entry.ConversationId = ""
	feed := newScript(attached, message("m1", "one"), note("n1", "CANARY"))
	stop := publishing(t, stream.Deps{Feed: feed, Bus: bus, State: openState(t)})
	feed.add(message("m2", "two"))
	want := []string{
		"weftline.v1.default.event.customer.cust.handle_attached ",
		"weftline.v1.default.event.conversation.conv.message_received one",
		"weftline.v1.default.event.conversation.conv.message_received two",
	}
	if d := cmp.Diff(want, published(t, bus, 3)); d != "" {
		t.Error(d)
	}
	stop()
}

// Stopped and started again, with failures of the feed in between, every event is there once and in order.
func TestPublisherResumes(t *testing.T) {
	t.Parallel()
	bus, state := natsbustest.New(t), openState(t)
	feed := newScript()
	var want []string
	add := func(n int) {
		for range n {
			text := fmt.Sprint(len(want))
			want = append(want, "weftline.v1.default.event.conversation.conv.message_received "+text)
			feed.add(message("m"+text, text))
		}
	}
	for range 3 {
		add(130) // more than one checkpoint
		stop := publishing(t, stream.Deps{Feed: feed, Bus: bus, State: state})
		if d := cmp.Diff(want, published(t, bus, len(want))); d != "" {
			t.Error(d)
		}
		stop()
		feed.mu.Lock()
		feed.fail = peer.ErrSlow
		feed.mu.Unlock()
	}
}

// A checkpoint that means nothing any more starts over: nothing is lost, and
// what was published before has the same ids.
func TestPublisherStartsOverWithoutAGap(t *testing.T) {
	t.Parallel()
	bus, state := natsbustest.New(t), openState(t)
	feed := newScript(message("m1", "one"), message("m2", "two"))
	stop := publishing(t, stream.Deps{Feed: feed, Bus: bus, State: state})
	published(t, bus, 2)
	stop()
	feed.add(message("m3", "three"))
	feed.mu.Lock()
	feed.fail = peer.ErrReset
	feed.mu.Unlock()
	publishing(t, stream.Deps{Feed: feed, Bus: bus, State: state})
	got := published(t, bus, 3) // JetStream knew the first two
	if !strings.HasSuffix(got[2], " three") {
		t.Error(got)
	}
}

// An event that cannot be published harms itself alone.
func TestPublisherPassesWhatCannotBePublished(t *testing.T) {
	t.Parallel()
	bus := natsbustest.New(t)
	odd := message("odd", "no token")
	odd.Entry.ConversationId = "a b.>"
	feed := newScript(odd, message("big", strings.Repeat("x", 2<<20)), message("m", "last"))
	publishing(t, stream.Deps{Feed: feed, Bus: bus, State: openState(t)})
	if got := published(t, bus, 1); !strings.HasSuffix(got[0], " last") {
		t.Error(got)
	}
}

// An API token reads events over NATS, from the start of PUB, until it is revoked.
func TestTokenOverNATS(t *testing.T) {
	t.Parallel()
	e, err := natsbus.StartEmbedded(natsbus.EmbeddedConfig{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	bus, err := e.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bus.NC.Close)
	if err := bus.Declare(ctx, natsbus.Config{}); err != nil {
		t.Fatal(err)
	}
	keys := newTokens()
	publishing(t, stream.Deps{Feed: newScript(message("m1", "one")), Bus: bus, State: openState(t), Embedded: e, Authenticate: keys.authenticate})
	published(t, bus, 1)

	closed := make(chan struct{})
	var nc *nats.Conn
	for nc == nil { // until the service admits
		nc, err = nats.Connect(e.URL(), nats.Token("good"), nats.CustomInboxPrefix("_INBOX_good"), nats.NoReconnect(),
			nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
		if err != nil && ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	c, err := js.Consumer(ctx, "PUB", "good")
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Next(jetstream.FetchMaxWait(time.Minute))
	if err != nil || !strings.Contains(string(m.Data()), `"one"`) {
		t.Fatalf("%v, %v", m, err)
	}
	if _, err := nats.Connect(e.URL(), nats.Token("inbox")); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("a token without the scope: %v", err)
	}
	keys.revoke("good")
	select {
	case <-closed:
	case <-ctx.Done():
		t.Fatal("the revoked token is still connected")
	}
}
