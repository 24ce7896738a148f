package law_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/internal/crypt"
)

// source draws what happens: rapid's, which shrinks, or a plain random one.
type source interface {
	// Draw gives 0..n-1.
	Draw(label string, n int) int
}

// reporter is *testing.T or *rapid.T.
type reporter interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// world is one history.
type world struct {
	t      reporter
	draw   source
	store  store
	read   [][]stored // of each partition, as far as it was read
	made   []string   // the stream of every append, in the order they were made
	keys   crypt.Keyring
	view   *view
	parser *parser
	faults faults
	clock  time.Time
	ids    int
	calls  int // loads and appends so far

	// entriesOnly: nothing is ordered but replies and notes. They are once for
	// ever, so the state forgets orders quickly then.
	entriesOnly bool

	// badly is told of inputs the parser cannot read; nil: there are none.
	badly func(input)

	inputs   []input  // everything that was taken in; all of it comes again
	commands []intent // everything that was ordered; all of it comes again
	accepted map[string]bool
	notes    []string // what happened, for the report
	erasures []erasure
	merged   *merging        // persons, where customers are linked
	swept    map[string]bool // erasures that have destroyed keys
	purged   bool            // an erased customer's stream is purged, and the timeline forgets it
	gone     purges

	discarded map[string]bool // originals that were destroyed
}

type intent struct {
	name string
	run  func(ctx context.Context, p *process) error
	// changed is set when an order stored something; it must do so once. Nil:
	// coming again it must never change anything (inputs, receipts).
	changed *bool
	// guessed says that it is a receipt that names no attempt, of a reply that was
	// sent again before it, as the clocks have it: then it counts for the new attempt. Nil: never.
	guessed func() bool
}

type input struct {
	raw channel.Raw
	ids []string // message ids it becomes
}

// store is what histories are written to.
type store interface {
	eventstore.Store
	eventstore.Snapshots
}

func newWorld(t reporter, draw source, f faults) *world {
	return newWorldOn(t, draw, f, eventstore.NewMemory(2))
}

func newWorldOn(t reporter, draw source, f faults, s store) *world {
	w := &world{
		t: t, draw: draw, store: s, read: make([][]stored, s.Partitions()), keys: crypt.NewDeterministic("law"),
		swept: map[string]bool{}, discarded: map[string]bool{}, parser: &parser{}, faults: f, clock: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), accepted: map[string]bool{},
	}
	w.view = &view{domaintest.NewView(w.store), w}
	w.gone = purges{map[string]uint64{}, map[string]map[uint64]bool{}}
	w.purged = draw.Draw("purged", 2) == 1 || f.Purged
	w.entriesOnly = draw.Draw("entries only", 2) == 0
	return w
}

func (w *world) newID() string { w.ids++; return fmt.Sprintf("id%d", w.ids) }

func (w *world) note(format string, args ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}

// parser reads the test's inputs: JSON of messages. Others it refuses, or
// panics, until it is mended.
type parser struct{ mended bool }

func (p *parser) Parse(raw channel.Raw) ([]channel.Item, error) {
	switch {
	case strings.HasPrefix(string(raw.Body), "panic:") && !p.mended:
		panic("index out of range")
	case strings.HasPrefix(string(raw.Body), "poison:") && !p.mended:
		return nil, errors.New("not readable")
	}
	_, body, found := strings.Cut(string(raw.Body), ":\n")
	if !found {
		body = string(raw.Body)
	}
	var items []channel.Item
	return items, json.Unmarshal([]byte(body), &items)
}

// run is the scheduler: up to three processes, each with at most one task.
func (w *world) run(steps int) {
	for range w.draw.Draw("before", 12) { // a past, one thing after the other
		if it := w.next(); it != nil {
			w.note("before: %s: %v", it.name, w.settle(*it))
		}
		w.clock = w.clock.Add(time.Duration(w.draw.Draw("tick", 60)) * time.Second)
		w.view.advance(w.draw.Draw("partition", w.store.Partitions()), w.draw.Draw("lag", 4))
	}
	procs := make([]*process, 3)
	busy := make([]*intent, 3)
	for i := range procs {
		procs[i] = w.newProcess(time.Duration(w.draw.Draw("skew", 7)-3) * time.Second)
	}
	for range steps {
		i := w.draw.Draw("process", len(procs))
		if busy[i] == nil {
			it := w.next()
			if it == nil {
				continue
			}
			busy[i] = it
			w.note("process %d begins %s", i, it.name)
			procs[i].start(it.run)
		} else {
			procs[i].resume <- w.fate(i)
		}
		if err, over := procs[i].wait(); over {
			w.note("process %d ends %s: %v", i, busy[i].name, err)
			busy[i] = nil
			if errors.Is(err, errCrash) {
				procs[i] = w.newProcess(procs[i].skew)
			}
		}
		w.clock = w.clock.Add(time.Duration(w.draw.Draw("tick", 20)) * time.Second)
		if n := w.draw.Draw("lag", 4); n > 0 {
			w.view.advance(w.draw.Draw("partition", w.store.Partitions()), n)
		}
	}
	w.lone()
	for i, it := range busy { // let what was begun come to its end
		for it != nil {
			procs[i].resume <- goOn
			if err, over := procs[i].wait(); over {
				w.note("process %d ends %s: %v", i, it.name, err)
				it = nil
			}
		}
	}
}

// wait returns when the process is suspended, or its task is over.
func (p *process) wait() (err error, over bool) {
	select {
	case <-p.yielded:
		return nil, false
	case err := <-p.done:
		return err, true
	}
}

// fate draws what becomes of a suspended call: mostly it goes on.
func (w *world) fate(i int) fate {
	f := goOn
	if n := w.draw.Draw("fate", 16); n < int(lostAfter) {
		f = fate(n + 1)
		w.note("process %d: fate %d", i, f)
	}
	return f
}

// settle runs a task to its end with nothing going wrong, on a cold process.
func (w *world) settle(it intent) error { return w.through(w.newProcess(0), it) }

// through lets a process do a task to its end.
func (w *world) through(p *process, it intent) error {
	p.start(it.run)
	n := 0
	for {
		err, over := p.wait()
		if over {
			return err
		}
		p.resume <- goOn
		if n++; n > 2000 {
			w.t.Fatalf("%s never ends\n%s", it.name, w.report())
		}
	}
}

// lone takes a new input in while all other processes stand still wherever they
// are: nobody waits for anybody.
func (w *world) lone() {
	badly := w.badly
	w.badly = nil
	in := w.newInput("")
	w.badly = badly
	w.inputs = append(w.inputs, in)
	before := w.calls
	if err := w.settle(w.deliver(in)); err != nil {
		w.t.Fatalf("a lone input does not get in: %v\n%s", err, w.report())
	}
	// Loads and appends, for up to two messages of a new customer; every period of a
	// handle, the sender's or one it proves, may have to be settled once.
	most := 40 + 8*w.periods()
	if n := w.calls - before; n > most {
		w.t.Fatalf("a lone input took %d loads and appends, more than %d\n%s", n, most, w.report())
	}
}

// finish ends what was begun, as those who resume do, and delivers everything
// again until all of it is in, as IN does.
func (w *world) finish() {
	w.resume()
	for _, in := range w.inputs {
		if err := w.settle(w.deliver(in)); err != nil {
			w.t.Fatalf("a lone input does not get in: %v\n%s", err, w.report())
		}
	}
	w.resume() // an input may have found an erased owner
	if !w.faults.NoStandingOrder {
		w.sweep()
	}
}

func (w *world) report() string { return strings.Join(w.notes, "\n") }
