package proof_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/proof"
	"pgregory.net/rapid"
)

// one is a challenge as the model knows it.
type one struct {
	id, address, code string
	expires           time.Time
	tries             int
	over              bool
}

// TestOnlyTheRightCodeInTimeProves: whatever is started, tried, repeated, swept
// and waited for, in any order, a check succeeds exactly if it brings the code
// of the newest challenge of its address, within its time and tries, for the
// first time.
func TestOnlyTheRightCodeInTimeProves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		customers := []string{w.writes(t, "ada@x.org", 2), w.writes(t, "bob@x.org", 2)}
		addresses := []string{"ada@x.org", "bob@x.org", "new@x.org"}
		var all []*one
		newest, proven := map[string]*one{}, 0
		rt.Repeat(map[string]func(*rapid.T){
			"start": func(rt *rapid.T) {
				address := rapid.SampledFrom(addresses).Draw(rt, "address")
				st, err := w.Start(context.Background(), proof.Request{
					Customer: rapid.SampledFrom(customers).Draw(rt, "customer"), Address: mailbox(address), Inbox: "support", Actor: "ag",
				})
				if _, limited := errors.AsType[*proof.LimitedError](err); limited {
					return
				}
				if err != nil {
					rt.Fatal(err)
				}
				c := &one{id: st.ID, address: address, code: w.secret(st.ID), expires: st.Expires, tries: 5}
				all, newest[address] = append(all, c), c
			},
			"check": func(rt *rapid.T) {
				if len(all) == 0 {
					rt.Skip()
				}
				c := rapid.SampledFrom(all).Draw(rt, "challenge")
				typed := map[string]string{
					"right": c.code, "wrong": wrong(c.code), "another's": rapid.SampledFrom(all).Draw(rt, "other").code, "empty": "", "short": c.code[:5],
				}[rapid.SampledFrom([]string{"right", "right", "wrong", "wrong", "another's", "empty", "short"}).Draw(rt, "typed")]
				good := !c.over && newest[c.address] == c && w.Clock.Before(c.expires)
				want := good && typed == c.code
				a, err := w.Check(context.Background(), proof.Attempt{ID: c.id, Secret: typed})
				if err != nil || a.Proven != want {
					rt.Fatalf("%q for %+v at %s: proven %v, want %v, %v", typed, c, w.Clock, a.Proven, want, err)
				}
				switch {
				case want:
					c.over = true
					proven++
				case good && len(typed) == 6:
					c.tries--
					c.over = c.tries == 0
				}
				if good && !want && a.Tries != c.tries {
					rt.Fatalf("%d tries left, want %d", a.Tries, c.tries)
				}
			},
			"wait": func(rt *rapid.T) {
				w.Clock = w.Clock.Add(time.Duration(rapid.IntRange(1, 900).Draw(rt, "seconds")) * time.Second)
			},
			"sweep": func(rt *rapid.T) {
				if err := w.Sweep(context.Background()); err != nil {
					rt.Fatal(err)
				}
			},
		})
		var evidence int
		for _, e := range domaintest.Events[event.HandleAssured](w.Domain) {
			if e.Evidence.Kind == "code" {
				evidence++
			}
		}
		for _, e := range domaintest.Events[event.HandleClaimed](w.Domain) {
			if e.Evidence.Kind == "code" {
				evidence++
			}
		}
		if evidence != proven {
			rt.Fatalf("%d proofs in the log, %d succeeded", evidence, proven)
		}
	})
}
