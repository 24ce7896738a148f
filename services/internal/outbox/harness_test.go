package outbox_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/natsbus"
	"github.com/weftline/weftline/services/internal/natsbus/natsbustest"
	"github.com/weftline/weftline/services/internal/outbox"
)

// world is what survives a process: streams, keys, the state database, and the
// channel's other side.
type world struct {
	t    testing.TB
	emb  *natsbus.Embedded
	bus  *natsbus.Bus
	keys *crypt.Ring
	db   docstore.Store
}

func newWorld(t testing.TB) *world {
	t.Helper()
	emb, bus := natsbustest.Start(t, t.TempDir())
	db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{Sync: sqlite.Full})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &world{t: t, emb: emb, bus: bus, keys: crypt.NewMemory(), db: db}
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func (w *world) publish(out channel.Outbound) {
	w.t.Helper()
	if err := outbox.Publish(within(w.t), w.bus, w.keys, "unit/1", out); err != nil {
		w.t.Fatal(err)
	}
}

// left is how many messages wait in OUT for a channel.
func (w *world) left(ch string) uint64 {
	w.t.Helper()
	s, err := w.bus.JS.Stream(within(w.t), "OUT")
	if err != nil {
		w.t.Fatal(err)
	}
	i, err := s.Info(within(w.t), jetstream.WithSubjectFilter("out.default."+ch+".>"))
	if err != nil {
		w.t.Fatal(err)
	}
	var n uint64
	for _, c := range i.State.Subjects {
		n += c
	}
	return n
}

func message(ch, id, customer string) channel.Outbound {
	return channel.Outbound{
		ID: id, Tenant: "default", Channel: ch, Inbox: "support", Customer: customer,
		To: channel.Address{Kind: "email", Address: "ada@example.org"}, Content: channel.Content{Text: "hello " + id},
	}
}

// far is the channel's other side with its script, and what people were told.
type far struct {
	mu      sync.Mutex
	script  map[string][]answer // per message, in order; then sent
	sends   []send
	reports []channel.Receipt
	said    map[string]int
	changed chan struct{}
}

type answer struct {
	state channel.State
	err   error
}

type send struct {
	ID      string
	Attempt int
	Unknown bool
}

func newFar(script map[string][]answer) *far {
	return &far{script: script, said: map[string]int{}, changed: make(chan struct{}, 1)}
}

func (f *far) note() {
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

func (f *far) send(out channel.Outbound) (channel.Receipt, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.note()
	f.sends = append(f.sends, send{out.ID, out.Attempt, out.Unknown})
	n := f.said[out.ID]
	f.said[out.ID]++
	if s := f.script[out.ID]; n < len(s) {
		return channel.Receipt{State: s[n].state, Detail: string(s[n].state)}, s[n].err
	}
	return channel.Receipt{State: channel.StateSent, ProviderID: "p-" + out.ID}, nil
}

func (f *far) report(receipts ...channel.Receipt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reports = append(f.reports, receipts...)
	f.note()
}

func (f *far) states(id string) []channel.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	var s []channel.State
	for _, r := range f.reports {
		if r.Outbound == id {
			s = append(s, r.State)
		}
	}
	return s
}

func (f *far) sent(id string) []send {
	f.mu.Lock()
	defer f.mu.Unlock()
	var s []send
	for _, x := range f.sends {
		if x.ID == id {
			s = append(s, x)
		}
	}
	return s
}

func (f *far) await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-f.changed:
		case <-time.After(20 * time.Millisecond): // acknowledgements make no noise
		case <-deadline:
			t.Fatalf("still waiting for: %s; sends %v, reports %v", what, f.sends, f.reports)
		}
	}
}

// process is one run of the outbox that can be killed at any of its steps.
type process struct {
	w    *world
	far  *far
	mu   sync.Mutex
	step int
	dies int // at this step, 0 never
	dead chan struct{}
	stop func()
}

var errDead = errors.New("the process is dead")

// do performs an effect unless the process is dead. It dies right before the
// effect at odd steps, right after it at even ones.
func (p *process) do(effect func() error) error {
	for _, after := range []bool{false, true} {
		p.mu.Lock()
		p.step++
		if p.dies > 0 && p.step == p.dies {
			close(p.dead)
		}
		gone := p.dies > 0 && p.step >= p.dies
		p.mu.Unlock()
		if gone {
			return errDead
		}
		if !after {
			if err := effect(); err != nil {
				return err
			}
		}
	}
	return nil
}

type mortalStore struct {
	docstore.Store
	p *process
}

func (s mortalStore) Apply(ctx context.Context, b docstore.Batch) error {
	return s.p.do(func() error { return s.Store.Apply(ctx, b) })
}

func (p *process) Report(_ context.Context, receipts ...channel.Receipt) error {
	return p.do(func() error { p.far.report(receipts...); return nil })
}

func (p *process) Send(_ context.Context, out channel.Outbound) (rec channel.Receipt, err error) {
	var answered error
	if err := p.do(func() error { rec, answered = p.far.send(out); return nil }); err != nil {
		return channel.Receipt{}, err
	}
	return rec, answered
}

var quick = outbox.Policy{MinBackoff: 5 * time.Millisecond, MaxBackoff: 20 * time.Millisecond, UnknownDelay: 10 * time.Millisecond, PausedPoll: 10 * time.Millisecond}

// start runs an outbox. dies is the step at which it dies; 0: never.
func (w *world) start(f *far, ch string, dies int, change ...func(*outbox.Deps)) *process {
	w.t.Helper()
	p := &process{w: w, far: f, dies: dies, dead: make(chan struct{})}
	bus, err := w.emb.Connect(within(w.t))
	if err != nil {
		w.t.Fatal(err)
	}
	deps := outbox.Deps{
		Bus: bus, Keys: w.keys, Intake: p, State: mortalStore{w.db, p},
		Senders: func(string) (channel.Sender, bool) { return p, true },
		Drain:   50 * time.Millisecond, Policy: quick,
	}
	for _, c := range change {
		c(&deps)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- outbox.Run(ctx, deps, ch) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("run: %v", err)
		}
		if err := bus.NC.Flush(); err != nil && dies == 0 {
			w.t.Errorf("flush: %v", err)
		}
		bus.NC.Close()
	})
	w.t.Cleanup(p.stop)
	return p
}

// lookingProcess is a process whose sender can say what became of a send.
type lookingProcess struct {
	*process
	answers []lookAnswer // in order; the last one again and again
	mu      sync.Mutex
	looks   []send
}

type lookAnswer struct {
	state channel.State
	err   error
}

func (p *lookingProcess) Look(_ context.Context, out channel.Outbound) (channel.Receipt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.answers[min(len(p.looks), len(p.answers)-1)]
	p.looks = append(p.looks, send{out.ID, out.Attempt, out.Unknown})
	return channel.Receipt{State: a.state, ProviderID: "found"}, a.err
}

// startLooking is start with a sender that is a channel.Looker.
func (w *world) startLooking(f *far, dies int, look *lookingProcess, change ...func(*outbox.Deps)) *process {
	w.t.Helper()
	return w.start(f, "email", dies, append(change, func(d *outbox.Deps) {
		look.process, _ = d.Intake.(*process)
		d.Senders = func(string) (channel.Sender, bool) { return look, true }
	})...)
}
