package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestKills is the whole thing. See the package comment.
func TestKills(t *testing.T) {
	kills := 3
	if s := os.Getenv("WEFTLINE_TEST_CRASH"); s != "" {
		var err error
		if kills, err = strconv.Atoi(s); err != nil {
			t.Fatalf("WEFTLINE_TEST_CRASH: %v", err)
		}
	}
	r := newRig(t)
	began := time.Now()
	if err := r.login(); err != nil { // no hub runs yet: the command opens the data itself
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 11*time.Minute)
	over := make(chan struct{})
	l := &load{rig: r, over: over}
	defer func() { cancel(); l.readers.Wait() }()
	l.start(ctx, t)
	var slowest time.Duration
	for range kills {
		slowest = max(slowest, r.liveAndDie(ctx, t))
	}
	t.Logf("%d kills in %s", kills, time.Since(began).Round(time.Second))
	p := r.up(ctx, t)
	defer p.Kill()
	r.answered(ctx, t) // three kills on a slow machine can come before any answer
	close(over)
	l.wg.Wait()

	d := r.settle(ctx, t)
	offences := append(r.complaints, check(r.ledger, d)...)
	if out, err := r.command("verify", "-config", r.config()); err != nil || !strings.Contains(out, "all laws hold") {
		offences = append(offences, fmt.Sprintf("hub verify: %s %v", out, err))
	}
	// Reading the transcripts made receipts, so what a rebuild must equal is read when nothing moves any more.
	before := r.calm(ctx, t)
	if _, err := r.command("rebuild", "-config", r.config()); err != nil {
		offences = append(offences, err.Error())
	}
	again, err := r.take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if again.digest != before.digest {
		offences = append(offences, "the read models were "+before.digest+", rebuilt they are "+again.digest)
	}
	if out, err := r.command("poison", "-config", r.config(), "list"); err != nil || strings.Count(out, "\n") != 1 {
		offences = append(offences, "inputs were set aside: "+out)
	}
	if len(offences) > 0 {
		log, _ := os.ReadFile(r.log.Name())
		lines := strings.Split(strings.TrimSpace(string(log)), "\n")
		t.Fatalf("%d offences:\n%s\n\nhub.log:\n%s", len(offences), strings.Join(offences[:min(len(offences), 20)], "\n"), strings.Join(lines[max(0, len(lines)-20):], "\n"))
	}
	mails, chats, replies := r.ledger.counts()
	doubted, twice := inDoubt(d)
	t.Logf("crash: %d kills in %s: %d mails (and %d copies), %d chat messages, %d replies; each once, in order; %d sends in doubt, %d of them twice; slowest restart %s; 0 offences",
		kills, time.Since(began).Round(time.Second), mails, r.ledger.copies, chats, replies, doubted, twice, slowest.Round(10*time.Millisecond))
	t.Run("Planted", func(t *testing.T) { planted(t, r.ledger, d) })
}

// answered waits until an agent has answered somebody.
func (r *rig) answered(ctx context.Context, t *testing.T) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, _, replies := r.ledger.counts(); replies > 2 {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal("nobody is answered")
		case <-tick.C:
		}
	}
}

// liveAndDie runs the hub for a random time; one in five dies while it starts.
func (r *rig) liveAndDie(ctx context.Context, t *testing.T) (start time.Duration) {
	t.Helper()
	if rand.N(5) == 0 {
		p, err := r.launch()
		if err != nil {
			t.Fatal(err)
		}
		wait(ctx, rand.N(700*time.Millisecond))
		p.Kill()
		return 0
	}
	began := time.Now()
	p := r.up(ctx, t)
	start = time.Since(began)
	wait(ctx, 50*time.Millisecond+rand.N(1400*time.Millisecond))
	p.Kill()
	return start
}

func (r *rig) up(ctx context.Context, t *testing.T) interface{ Kill() } {
	t.Helper()
	p, err := r.launch()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	base, err := p.Ready(ctx)
	if err != nil {
		p.Kill()
		log, _ := os.ReadFile(r.log.Name())
		t.Fatalf("%v\n%s", err, log[max(0, len(log)-4000):])
	}
	r.is(base)
	return p
}

// calm reads everything until a second look finds the same.
func (r *rig) calm(ctx context.Context, t *testing.T) *dump {
	t.Helper()
	var last *dump
	for range 60 {
		d, err := r.take(ctx)
		if err != nil {
			t.Fatalf("read everything: %v", err)
		}
		if last != nil && last.digest == d.digest {
			return d
		}
		last = d
		wait(ctx, time.Second)
	}
	t.Fatal("the hub does not come to rest")
	return nil
}

// settle waits until everything is through, then takes all there is.
func (r *rig) settle(ctx context.Context, t *testing.T) *dump {
	t.Helper()
	began, deadline := time.Now(), time.Now().Add(4*time.Minute) // it is reached on a loaded machine, or never
	for {
		d, err := r.take(ctx)
		if err != nil {
			t.Fatalf("read everything: %v", err)
		}
		if !d.settled(r.ledger) && time.Now().Before(deadline) {
			wait(ctx, 500*time.Millisecond)
			continue
		}
		t.Logf("settled in %s", time.Since(began).Round(100*time.Millisecond))
		for who := range r.hellos {
			n := len(r.ledger.said[who])
			for _, c := range d.customers {
				if owns(c, who) {
					n = 0
					for _, e := range c.entries {
						if e.GetMessage() != nil {
							n++
						}
					}
				}
			}
			wctx, cancel := context.WithTimeout(ctx, 10*time.Second)
			d.transcripts[who], err = r.transcript(wctx, who, n)
			cancel()
			if err != nil {
				t.Fatalf("transcript of %s: %v", who, err)
			}
		}
		return d
	}
}
