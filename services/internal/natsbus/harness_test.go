package natsbus_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/natsbus"
)

// fill publishes to the input streams: message i of key k has the payload "i".
// Streams take them in any order of keys, and in order per key.
func fill(t testing.TB, bus *natsbus.Bus, keys, perKey int) {
	t.Helper()
	// Writing is not what is measured: several connections, many in flight.
	js, err := jetstream.New(bus.NC, jetstream.WithPublishAsyncMaxPending(20_000))
	if err != nil {
		t.Fatal(err)
	}
	for i := range perKey {
		for k := range keys {
			key := "k" + strconv.Itoa(k)
			m := nats.NewMsg(subject.In(subject.Partition(key, 4), "default", "email", "box", key))
			m.Data = []byte(strconv.Itoa(i))
			if _, err := js.PublishMsgAsync(m, jetstream.WithStallWait(time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
	}
	select {
	case <-js.PublishAsyncComplete():
	case <-time.After(3 * time.Minute):
		t.Fatal("publishing takes too long")
	}
}

func key(m *message.Message) string {
	s := m.Metadata.Get(natsbus.MetaSubject)
	return s[strings.LastIndexByte(s, '.')+1:]
}

// order notes what was handled, and every violation of order and of "one at a time".
type order struct {
	mu      sync.Mutex
	last    map[string]int
	running map[string]bool
	handled int
	wrong   []string
}

func newOrder() *order { return &order{last: map[string]int{}, running: map[string]bool{}} }

func (o *order) begin(m *message.Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	k := key(m)
	if o.running[k] {
		o.wrong = append(o.wrong, k+": two at once")
	}
	o.running[k] = true
	n, _ := strconv.Atoi(string(m.Payload))
	last, seen := o.last[k]
	if !seen {
		last = -1
	}
	if n != last+1 {
		o.wrong = append(o.wrong, fmt.Sprintf("%s: %d after %d", k, n, last))
	}
}

func (o *order) end(m *message.Message, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	k := key(m)
	o.running[k] = false
	if ok {
		o.last[k], _ = strconv.Atoi(string(m.Payload))
		o.handled++
	}
}

func (o *order) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.handled
}

func (o *order) check(t testing.TB) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.wrong) > 0 {
		t.Fatalf("%d violations of order, such as %q", len(o.wrong), o.wrong[:min(5, len(o.wrong))])
	}
}

// consume runs a router over the input streams until stop is called.
func consume(t testing.TB, bus *natsbus.Bus, cfg natsbus.SubscriberConfig, h message.NoPublishHandlerFunc) (stop func()) {
	t.Helper()
	if cfg.Durable == "" {
		cfg.Durable = "test"
	}
	if cfg.Streams == nil {
		cfg.Streams = natsbus.InStreams(4)
	}
	sub, err := natsbus.NewSubscriber(bus, cfg, quiet, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := natsbus.NewRouter(quiet, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddConsumerHandler("test", "in.>", sub, h)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	<-r.Running()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-done:
				if err != nil {
					t.Errorf("router: %v", err)
				}
			case <-time.After(time.Minute):
				t.Error("router does not stop")
			}
		})
	}
	t.Cleanup(stop)
	return stop
}
