package natsbus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/services/internal/natsbus"
)

// open is a server with a door, and who has a key to it.
type open struct {
	e   *natsbus.Embedded
	bus *natsbus.Bus

	mu   sync.Mutex
	keys map[string]natsbus.Client
}

func (o *open) login(_ context.Context, presented string) (natsbus.Client, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c, ok := o.keys[presented]
	return c, ok
}

func newOpen(t *testing.T) *open {
	t.Helper()
	e, err := natsbus.StartEmbedded(natsbus.EmbeddedConfig{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	bus, err := e.Connect(within(t, time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bus.NC.Close)
	if err := bus.Declare(within(t, time.Minute), natsbus.Config{}); err != nil {
		t.Fatal(err)
	}
	o := &open{e: e, bus: bus, keys: map[string]natsbus.Client{
		"key of shop": {Name: "shop", Subject: "weftline.v1.default.event.>"},
		"key of crm":  {Name: "crm", Subject: "weftline.v1.default.event.>"},
		"key of all":  {Name: "all", Subject: ">"},
		"key of hub":  {Name: "weftline", Subject: "weftline.v1.default.event.>"},
		"odd":         {Name: "a.b", Subject: "weftline.v1.default.event.>"},
	}}
	if _, err := nats.Connect(e.URL(), nats.Token("key of shop")); err == nil {
		t.Fatal("somebody got in before Admit")
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { e.Admit(ctx, bus, o.login, 10*time.Millisecond); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return o
}

// connect logs in as name, and again until Admit has begun.
func (o *open) connect(t *testing.T, name string, opts ...nats.Option) *nats.Conn {
	t.Helper()
	opts = append([]nats.Option{nats.Token("key of " + name), nats.CustomInboxPrefix("_INBOX_" + name)}, opts...)
	for deadline := time.Now().Add(time.Minute); ; {
		nc, err := nats.Connect(o.e.URL(), opts...)
		if err == nil {
			t.Cleanup(nc.Close)
			return nc
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func (o *open) publish(t *testing.T, subj, body string) {
	t.Helper()
	if _, err := o.bus.JS.Publish(within(t, time.Minute), subj, []byte(body)); err != nil {
		t.Fatal(err)
	}
}

func TestClientReadsItsEvents(t *testing.T) {
	t.Parallel()
	o := newOpen(t)
	ctx := within(t, time.Minute)
	nc := o.connect(t, "shop")
	live, err := nc.SubscribeSync("weftline.v1.default.event.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.FlushWithContext(ctx); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		o.publish(t, "weftline.v1.other.event.customer.a.b", "not for this tenant")
		o.publish(t, "weftline.v1.default.event.customer.a.b", fmt.Sprint(i))
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	c, err := js.Consumer(ctx, "PUB", "shop")
	if err != nil {
		t.Fatalf("consumer: %v", err)
	}
	for i := range 3 {
		m, err := live.NextMsgWithContext(ctx)
		if err != nil || string(m.Data) != fmt.Sprint(i) {
			t.Fatalf("live event %d: %v, %v", i, m, err)
		}
		stored, err := c.Next(jetstream.FetchMaxWait(time.Minute))
		if err != nil {
			t.Fatalf("stored event %d: %v", i, err)
		}
		if string(stored.Data()) != fmt.Sprint(i) || stored.Subject() != "weftline.v1.default.event.customer.a.b" {
			t.Fatalf("stored event %d: %s %s", i, stored.Subject(), stored.Data())
		}
		if err := stored.DoubleAck(ctx); err != nil {
			t.Fatalf("ack: %v", err)
		}
	}
	// The place is kept: another connection of the same client goes on there.
	o.publish(t, "weftline.v1.default.event.customer.a.b", "3")
	js, err = jetstream.New(o.connect(t, "shop"))
	if err != nil {
		t.Fatal(err)
	}
	if c, err = js.Consumer(ctx, "PUB", "shop"); err != nil {
		t.Fatal(err)
	}
	if m, err := c.Next(jetstream.FetchMaxWait(time.Minute)); err != nil || string(m.Data()) != "3" {
		t.Fatalf("%v, %v", m, err)
	}
}

func TestClientCanDoNothingElse(t *testing.T) {
	t.Parallel()
	o := newOpen(t)
	ctx := within(t, time.Minute)
	o.connect(t, "crm")
	refused := make(chan error, 100)
	nc := o.connect(t, "shop", nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	expect := func(what string) {
		t.Helper()
		select {
		case err := <-refused:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("%s: %v", what, err)
			}
		case <-ctx.Done():
			t.Fatalf("%s was not refused", what)
		}
	}
	for _, subj := range []string{
		">", "in.>", "evt.>", "out.>", "timer.>", "poison.>", "_WEFTLINE.>", "_INBOX.>", "_INBOX_crm.>", "$JS.>", "$KV.>", "$SYS.>",
		"weftline.v1.>", "weftline.v1.other.event.>", "weftline.presence.>",
	} {
		if _, err := nc.SubscribeSync(subj); err != nil {
			t.Fatal(err)
		}
		expect("subscribe " + subj)
	}
	for _, subj := range []string{
		"in.0.default.chat.w.k", "evt.0.default.customer.x", "out.default.email.s.c", "poison.x", "timer.default.wake.x",
		"weftline.v1.default.event.customer.a.b", "$KV.bucket.key", "_INBOX_crm.x", "_WEFTLINE.x",
		"$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.INFO.EVT-0", "$JS.API.STREAM.MSG.GET.EVT-0", "$JS.API.DIRECT.GET.EVT-0",
		"$JS.API.STREAM.DELETE.PUB", "$JS.API.STREAM.PURGE.PUB", "$JS.API.STREAM.MSG.DELETE.PUB", "$JS.API.STREAM.CREATE.X",
		"$JS.API.CONSUMER.CREATE.PUB.mine", "$JS.API.CONSUMER.CREATE.EVT-0.mine", "$JS.API.CONSUMER.DURABLE.CREATE.PUB.mine",
		"$JS.API.CONSUMER.DELETE.PUB.shop", "$JS.API.CONSUMER.MSG.NEXT.PUB.crm", "$JS.API.CONSUMER.INFO.PUB.crm", "$JS.ACK.PUB.crm.1.1.1.1.1",
	} {
		if err := nc.Publish(subj, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		expect("publish " + subj)
	}
}

// The answer to an allowed request goes where the client says. It must stay in
// his own account: not into the hub's streams, and not to other clients.
func TestAnswersStayWithTheClient(t *testing.T) {
	t.Parallel()
	o := newOpen(t)
	ctx := within(t, time.Minute)
	shop, crm := o.connect(t, "shop"), o.connect(t, "crm")
	o.publish(t, "weftline.v1.default.event.customer.a.b", "true")
	heard, err := crm.SubscribeSync("weftline.v1.default.event.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := crm.FlushWithContext(ctx); err != nil {
		t.Fatal(err)
	}
	for _, request := range []string{"$JS.API.STREAM.INFO.PUB", "$JS.API.CONSUMER.INFO.PUB.shop", "$JS.API.CONSUMER.MSG.NEXT.PUB.shop"} {
		for _, reply := range []string{"in.0.default.chat.w.k", "evt.0.default.customer.x", "weftline.v1.default.event.customer.a.forged", "$KV.b.k"} {
			if err := shop.PublishRequest(request, reply, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	// An answer that arrives shows that those before it were given.
	if _, err := shop.RequestWithContext(ctx, "$JS.API.STREAM.INFO.PUB", nil); err != nil {
		t.Fatal(err)
	}
	o.publish(t, "weftline.v1.default.event.customer.a.b", "end")
	if m, err := heard.NextMsgWithContext(ctx); err != nil || string(m.Data) != "end" {
		t.Errorf("another client heard %s %s, %v", m.Subject, m.Data, err)
	}
	l := o.bus.JS.ListStreams(ctx)
	for i := range l.Info() {
		want := uint64(0)
		if i.Config.Name == "PUB" {
			want = 2
		}
		if i.State.Msgs != want {
			t.Errorf("stream %s has %d messages, want %d", i.Config.Name, i.State.Msgs, want)
		}
	}
	if err := l.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestStrangersAreRefused(t *testing.T) {
	t.Parallel()
	o := newOpen(t)
	o.connect(t, "shop") // Admit has begun
	for name, opt := range map[string]nats.Option{
		"nobody":           nats.Name("x"),
		"unknown":          nats.Token("guess"),
		"as the hub":       nats.UserInfo("weftline", "guess"),
		"as the hub, key":  nats.UserInfo("weftline", "key of shop"),
		"empty password":   nats.UserInfo("weftline", ""),
		"private subjects": nats.Token("key of all"),
		"name of the hub":  nats.Token("key of hub"),
		"odd name":         nats.Token("odd"),
	} {
		if nc, err := nats.Connect(o.e.URL(), opt); err == nil {
			nc.Close()
			t.Errorf("%s got in", name)
		}
	}
	nc, err := nats.Connect(o.e.URL(), nats.UserInfo("anything", "key of shop"))
	if err != nil {
		t.Errorf("the key as a password: %v", err)
	} else {
		nc.Close()
	}
}

func TestRevokedClientIsDisconnected(t *testing.T) {
	t.Parallel()
	o := newOpen(t)
	gone := make(chan error, 1)
	nc := o.connect(t, "shop", nats.NoReconnect(), nats.ClosedHandler(func(nc *nats.Conn) { gone <- nc.LastError() }))
	stays := o.connect(t, "crm")
	o.mu.Lock()
	delete(o.keys, "key of shop")
	o.mu.Unlock()
	select {
	case <-gone:
	case <-time.After(time.Minute):
		t.Fatal("still connected")
	}
	if err := nc.Publish("x", nil); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("publish: %v", err)
	}
	if err := stays.FlushTimeout(time.Minute); err != nil {
		t.Errorf("another client went with it: %v", err)
	}
}
