package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// room is an agent's socket and the visitors he sees.
type room struct {
	hub      *child
	agent    *agent
	visitors []*visitor
	reading  sync.WaitGroup

	failed    atomic.Pointer[error]
	fail      context.CancelFunc
	ctx       context.Context //nolint:containedctx // the room's own life, ended by close
	measuring atomic.Bool
}

// pause waits; false: the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// patience is how long a message may take before the run fails.
const patience = 30 * time.Second

func openRoom(ctx context.Context, hub *child, n int) (*room, error) {
	r := &room{hub: hub}
	r.ctx, r.fail = context.WithCancel(context.WithoutCancel(ctx))
	var err error
	if r.agent, err = openAgent(ctx, hub); err != nil {
		r.close()
		return nil, err
	}
	for i := range n {
		v, err := openVisitor(ctx, hub, i)
		if err != nil {
			r.close()
			return nil, err
		}
		r.visitors = append(r.visitors, v)
	}
	r.reading.Go(func() { r.stop(r.agent.read(r.visitors)) })
	for _, v := range r.visitors {
		r.reading.Go(func() { r.stop(v.read()) })
	}
	return r, nil
}

// stop ends the run with what went wrong first.
func (r *room) stop(err error) {
	if err == nil {
		err = errors.New("a socket was closed")
	}
	r.failed.CompareAndSwap(nil, &err)
	r.fail()
}

func (r *room) close() {
	r.fail()
	if r.agent != nil {
		r.agent.ws.Close()
	}
	for _, v := range r.visitors {
		v.ws.Close()
	}
	r.reading.Wait()
}

// run lets all visitors write for the warm-up and the window, each one the next
// message when the agent has seen the last and the hub has acknowledged it.
// With a rate they write that many a second, all together, one after the other
// in turn, and a message waits from the moment at which it was due.
// When it returns every message was seen by the agent once and in order.
func (r *room) run(ctx context.Context, rate int, warm, d time.Duration) (window, error) {
	var w window
	var mu sync.Mutex
	var done atomic.Bool
	r.measuring.Store(warm == 0)
	var writing sync.WaitGroup
	start := time.Now()
	for i, v := range r.visitors {
		writing.Go(func() {
			var own []time.Duration
			for turn := i; !done.Load() && r.ctx.Err() == nil && ctx.Err() == nil; turn += len(r.visitors) {
				late := time.Duration(0)
				if rate > 0 {
					due := start.Add(time.Duration(turn) * time.Second / time.Duration(rate))
					if !pause(r.ctx, time.Until(due)) {
						break
					}
					late = time.Since(due)
				}
				wait, err := v.say(r.ctx)
				if err != nil {
					r.stop(err)
					return
				}
				if r.measuring.Load() { // ended in the window, wherever it began
					own = append(own, late+wait)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			w.waits = append(w.waits, own...)
		})
	}
	both, end := context.WithCancel(ctx)
	defer end()
	defer context.AfterFunc(r.ctx, end)()
	pause(both, warm)
	before, err := r.hub.cpu()
	began := time.Now()
	r.measuring.Store(true)
	pause(both, d)
	r.measuring.Store(false)
	w.took = time.Since(began)
	after, err2 := r.hub.cpu()
	done.Store(true)
	writing.Wait()
	w.cpu = after - before
	if e := r.failed.Load(); e != nil {
		return w, fmt.Errorf("chat: %w", *e)
	}
	return w, errors.Join(err, err2, ctx.Err())
}
