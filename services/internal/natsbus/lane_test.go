package natsbus_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/weftline/weftline/services/internal/natsbus"
	"github.com/weftline/weftline/services/internal/natsbus/natsbustest"
)

func TestOrderPerKey(t *testing.T) {
	t.Parallel()
	bus := natsbustest.New(t)
	const keys, perKey = 1500, 3
	fill(t, bus, keys, perKey)
	o := newOrder()
	var calls atomic.Int64
	stop := consume(t, bus, natsbus.SubscriberConfig{MinBackoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond},
		func(m *message.Message) error {
			o.begin(m)
			fail := calls.Add(1)%7 == 0
			o.end(m, !fail)
			if fail {
				return errors.New("now and then")
			}
			return nil
		})
	eventually(t, "all messages", func() bool { return o.count() == keys*perKey })
	stop()
	o.check(t)
}

// poisonedAmongMany is law 10 for lanes: messages that fail for good harm
// themselves alone.
func poisonedAmongMany(t *testing.T, keys, bad int) {
	bus := natsbustest.New(t)
	fill(t, bus, keys, 2)
	every := keys / bad
	isBad := func(m *message.Message) bool {
		n, _ := strconv.Atoi(key(m)[1:])
		return n%every == 0 && string(m.Payload) == "0"
	}
	o := newOrder()
	var failed atomic.Int64
	// The bad ones go on failing until all others are through: with as many of
	// them as there are slots, nothing would move if waiting took a slot.
	release := make(chan struct{})
	stop := consume(t, bus, natsbus.SubscriberConfig{Concurrency: bad / 2, MaxAttempts: -1, MinBackoff: 2 * time.Second, MaxBackoff: 2 * time.Second},
		func(m *message.Message) error {
			if isBad(m) {
				failed.Add(1)
				select {
				case <-release:
					return natsbus.Permanent(errors.New("bad\r\nX-Injected: yes"))
				default:
					return errors.New("bad")
				}
			}
			o.mu.Lock()
			o.handled++
			if n, _ := strconv.Atoi(key(m)[1:]); n%every == 0 {
				select {
				case <-release:
				default:
					o.wrong = append(o.wrong, key(m)+": overtook the bad one")
				}
			}
			o.mu.Unlock()
			return nil
		})
	start := time.Now()
	eventually(t, "the good ones", func() bool { return o.count() == (keys-bad)*2 })
	t.Logf("%d good messages in %s beside %d bad ones", (keys-bad)*2, time.Since(start).Round(time.Millisecond), bad)
	if failed.Load() < int64(bad) {
		t.Fatalf("%d of %d bad ones were tried", failed.Load(), bad)
	}
	close(release)
	eventually(t, "what stood behind the bad ones", func() bool { return o.count() == (keys-bad)*2+bad })
	stop()
	o.check(t)

	s, err := bus.JS.Stream(within(t, time.Minute), "POISON")
	if err != nil {
		t.Fatal(err)
	}
	if n := s.CachedInfo().State.Msgs; n != uint64(bad) {
		t.Fatalf("%d messages in POISON, want %d", n, bad)
	}
	m, err := s.GetMsg(within(t, time.Minute), 1)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(m.Subject, "poison.in.") || string(m.Data) != "0" || m.Header.Get(natsbus.PoisonReason) != "bad  X-Injected: yes" ||
		m.Header.Get(natsbus.PoisonConsumer) != "test" || !strings.HasPrefix(m.Header.Get(natsbus.PoisonStream), "IN-") ||
		m.Header.Get(natsbus.PoisonSeq) == "" || m.Header.Get("X-Injected") != "" {
		t.Fatalf("poison message: %s %q %v", m.Subject, m.Data, m.Header)
	}
}

func TestPoisonedHarmThemselvesAlone(t *testing.T) {
	t.Parallel()
	keys, bad := 1000, 50
	if os.Getenv("WEFTLINE_TEST_FULL") != "" {
		keys, bad = 50_000, 100
	}
	poisonedAmongMany(t, keys, bad)
}

func TestGivesUpAfterAttempts(t *testing.T) {
	t.Parallel()
	bus := natsbustest.New(t)
	fill(t, bus, 1, 1)
	var calls atomic.Int64
	consume(t, bus, natsbus.SubscriberConfig{MaxAttempts: 3, MinBackoff: time.Millisecond},
		func(m *message.Message) error {
			if got := m.Metadata.Get(natsbus.MetaAttempt); got != strconv.FormatInt(calls.Add(1), 10) {
				t.Errorf("attempt %s", got)
			}
			panic("every time")
		})
	s, err := bus.JS.Stream(within(t, time.Minute), "POISON")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "poison", func() bool {
		i, err := s.Info(context.Background())
		return err == nil && i.State.Msgs == 1
	})
	if calls.Load() != 3 {
		t.Fatalf("%d attempts, want 3", calls.Load())
	}
}

// A message that was being handled when the process died comes again, before
// what was behind it, with the same server and with the server restarted.
func TestCrashRedeliversInOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, bus := natsbustest.Start(t, dir)
	const keys, perKey = 20, 10
	fill(t, bus, keys, perKey)
	o := newOrder()
	killed := make(chan struct{})
	var n atomic.Int64
	consume(t, bus, natsbus.SubscriberConfig{Drain: time.Millisecond}, func(m *message.Message) error {
		if n.Add(1) > keys*perKey/2 {
			<-killed // the process hangs, then is gone
			return errors.New("dead")
		}
		o.begin(m)
		o.end(m, true)
		return nil
	})
	eventually(t, "half of the messages", func() bool { return o.count() == keys*perKey/2 })
	if err := bus.NC.Flush(); err != nil { // what was handled is acknowledged, the rest is not
		t.Fatal(err)
	}
	bus.NC.Close()
	close(killed)
	e.Close()

	_, bus = natsbustest.Start(t, dir)
	again := newOrder()
	for k, v := range o.last {
		again.last[k] = v
	}
	stop := consume(t, bus, natsbus.SubscriberConfig{}, func(m *message.Message) error {
		i, _ := strconv.Atoi(string(m.Payload))
		again.mu.Lock()
		last, seen := again.last[key(m)]
		again.mu.Unlock()
		if seen && i <= last {
			return nil // handled before, above the floor: handlers are idempotent
		}
		again.begin(m)
		again.end(m, true)
		return nil
	})
	eventually(t, "the rest", func() bool { return again.count() == keys*perKey/2 })
	stop()
	again.check(t)
}

func TestDrainLetsHandlersFinish(t *testing.T) {
	t.Parallel()
	bus := natsbustest.New(t)
	fill(t, bus, 100, 2)
	started := make(chan struct{}, 400)
	finish := make(chan struct{})
	var done, cut atomic.Int64
	stop := consume(t, bus, natsbus.SubscriberConfig{Concurrency: 8}, func(m *message.Message) error {
		started <- struct{}{}
		select {
		case <-finish:
			done.Add(1)
		case <-m.Context().Done():
			cut.Add(1)
		}
		return nil
	})
	for range 8 {
		<-started
	}
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	select {
	case <-stopped:
		t.Fatal("did not wait for the handlers")
	case <-time.After(50 * time.Millisecond):
	}
	close(finish)
	<-stopped
	if done.Load() != 8 || cut.Load() != 0 || len(started) != 0 {
		t.Fatalf("finished %d, cut %d, started after the end %d; want 8, 0, 0", done.Load(), cut.Load(), len(started))
	}
	o := newOrder()
	consume(t, bus, natsbus.SubscriberConfig{}, func(m *message.Message) error {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.handled++
		return nil
	})
	eventually(t, "what was left", func() bool { return o.count() >= 192 })
}

func TestDrainEndsAtItsDeadline(t *testing.T) {
	t.Parallel()
	bus := natsbustest.New(t)
	fill(t, bus, 1, 1)
	started := make(chan struct{})
	stop := consume(t, bus, natsbus.SubscriberConfig{Drain: 20 * time.Millisecond}, func(m *message.Message) error {
		close(started)
		<-m.Context().Done()
		return m.Context().Err()
	})
	<-started
	stop()
	again := make(chan struct{})
	consume(t, bus, natsbus.SubscriberConfig{}, func(*message.Message) error { close(again); return nil })
	select {
	case <-again:
	case <-time.After(time.Minute):
		t.Fatal("the message that was cut short is lost")
	}
}

// Watermill's own adapter panics here: it closes the channel under its sender.
func TestCloseUnderLoad(t *testing.T) {
	t.Parallel()
	bus := natsbustest.New(t)
	fill(t, bus, 300, 5)
	for i := range 10 {
		var n atomic.Int64
		stop := consume(t, bus, natsbus.SubscriberConfig{Durable: "close" + strconv.Itoa(i)}, func(*message.Message) error {
			n.Add(1)
			return nil
		})
		eventually(t, "some load", func() bool { return n.Load() > int64(20*i) })
		stop()
	}
}

// A lane that waits keeps positions only; its messages are read again.
func TestWaitingLaneReadsAgain(t *testing.T) {
	t.Parallel()
	bus := natsbustest.New(t)
	fill(t, bus, 1, 20)
	o := newOrder()
	var tries atomic.Int64
	stop := consume(t, bus, natsbus.SubscriberConfig{MaxHeld: 5}, func(m *message.Message) error {
		o.begin(m)
		first := tries.Add(1) == 1
		o.end(m, !first)
		if first {
			return natsbus.Later(1100*time.Millisecond, errors.New("not yet"))
		}
		return nil
	})
	eventually(t, "all", func() bool { return o.count() == 20 })
	stop()
	o.check(t)
}

func TestPublisher(t *testing.T) {
	t.Parallel()
	bus := natsbustest.New(t)
	p := natsbus.NewPublisher(bus)
	m := message.NewMessage("id-1", []byte("body"))
	m.Metadata.Set("kind", "a\nb")
	m.Metadata.Set(natsbus.MetaSeq, "7")
	for range 2 {
		if err := p.Publish("weftline.v1.default.event.x", m); err != nil {
			t.Fatal(err)
		}
	}
	s, err := bus.JS.Stream(within(t, time.Minute), "PUB")
	if err != nil {
		t.Fatal(err)
	}
	if n := s.CachedInfo().State.Msgs; n != 1 {
		t.Fatalf("%d messages, want 1", n)
	}
	got, err := s.GetMsg(within(t, time.Minute), 1)
	if err != nil || string(got.Data) != "body" || got.Header.Get("kind") != "a b" || got.Header.Get(natsbus.MetaSeq) != "" {
		t.Fatalf("%v %v", got, err)
	}
	if err := p.Publish("nowhere.at.all", m); err == nil {
		t.Fatal("published to no stream")
	}
}

// After a lost connection the consumer is rewound; what is held here comes again
// and is neither handled twice at once nor out of order.
func TestRewindWhileHeld(t *testing.T) {
	t.Parallel()
	bus := natsbustest.New(t)
	fill(t, bus, 10, 10)
	o := newOrder()
	var started atomic.Int64
	release := make(chan struct{})
	stop := consume(t, bus, natsbus.SubscriberConfig{}, func(m *message.Message) error {
		o.begin(m)
		started.Add(1)
		<-release
		o.end(m, true)
		return nil
	})
	eventually(t, "a handler per key", func() bool { return started.Load() == 10 })
	for _, s := range natsbus.InStreams(4) {
		if _, err := bus.JS.ResetConsumer(within(t, time.Minute), s, "test"); err != nil {
			t.Fatal(err)
		}
		c, err := bus.JS.Consumer(within(t, time.Minute), s, "test")
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "everything delivered again", func() bool {
			i, err := c.Info(context.Background())
			return err == nil && i.NumPending == 0
		})
	}
	if err := bus.NC.Flush(); err != nil {
		t.Fatal(err)
	}
	close(release)
	eventually(t, "all", func() bool { return o.count() == 100 })
	stop()
	o.check(t)
}
