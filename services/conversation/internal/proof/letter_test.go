package proof_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
	"github.com/weftline/weftline/services/conversation/internal/proof"
)

// TestACrashAnywhereIsMadeGood: the code is spent, and what follows from it
// comes about all the same, by whoever comes next.
func TestACrashAnywhereIsMadeGood(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"claim", "prove", "link"} {
		for who, resume := range map[string]func(w *world, id, code string) error{
			"sweep": func(w *world, _, _ string) error { return w.Sweep(context.Background()) },
			"again": func(w *world, id, code string) error {
				_, err := w.Check(context.Background(), proof.Attempt{ID: id, Secret: code})
				return err
			},
		} {
			w := newWorld(t)
			ada, bob := w.writes(t, "ada@x.org", 2), w.writes(t, "bob@x.org", 1)
			st := w.start(t, ada, "bob@x.org")
			right := w.secret(st.ID)
			w.planting(step)
			if a, err := w.Check(t.Context(), proof.Attempt{ID: st.ID, Secret: right}); !errors.Is(err, errPlanted) || a.Proven {
				t.Fatalf("%s: %+v, %v", step, a, err)
			}
			w.Clock = w.Clock.Add(time.Hour) // longer than a code lives
			if err := resume(w, st.ID, right); !errors.Is(err, errPlanted) {
				t.Fatalf("%s, still broken: %v", step, err)
			}
			w.planting("")
			if err := resume(w, st.ID, right); err != nil {
				t.Fatal(err)
			}
			got, err := w.Get(t.Context(), "default", st.ID)
			if err != nil || got.State != proof.Passed || got.Owner != bob || got.Link != "link:"+st.ID {
				t.Errorf("%s, %s: %+v, %v", step, who, got, err)
			}
			if n := len(domaintest.Events[event.HandleAssured](w.Domain)); n != 1 {
				t.Errorf("%s, %s: %d rises", step, who, n)
			}
		}
	}
}

func TestAnOrderWhoseLetterWasLostSendsAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := proof.Request{Customer: w.writes(t, "ada@x.org", 2), Address: mailbox("new@x.org"), Inbox: "support", Actor: "ag", Key: "k"}
	w.planting("publish")
	if _, err := w.Start(t.Context(), q); !errors.Is(err, errPlanted) {
		t.Fatal(err)
	}
	w.planting("")
	first, err := w.Start(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	second, err := w.Start(t.Context(), q)
	if err != nil || second != first || len(w.out) != 1 {
		t.Errorf("%+v, then %+v, %v, %d letters", first, second, err, len(w.out))
	}
	if a := w.check(t, first.ID, w.secret(first.ID)); !a.Proven {
		t.Errorf("%+v", a)
	}
}

// TestTheLetter: no word of it is the customer's, and nothing else goes with it.
func TestTheLetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.writes(t, "ada@x.org", 2)
	w.start(t, ada, `new@x.org`)
	out := w.out[0]
	text := out.Content.Text
	out.Content.Text, out.ID, out.Customer = "", "", ""
	want := channel.Outbound{
		Tenant: "default", Channel: "email", Inbox: "support", To: mailbox("new@x.org"),
		Subject: "Shop: confirm your address", At: domaintest.Start, Automatic: true, Attempt: 1,
	}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
	for _, words := range []string{"Your code for Shop:", "10 minutes", "If this was not you, ignore this message"} {
		if !strings.Contains(text, words) {
			t.Errorf("%q is not in:\n%s", words, text)
		}
	}
	for _, a := range []string{"x@y.org\r\nBcc: z@y.org", "<x@y.org>", "A <x@y.org>", "x", "", "x@y.org, z@y.org"} {
		_, err := w.Start(t.Context(), proof.Request{Customer: ada, Address: mailbox(a), Inbox: "support"})
		if _, field := errors.AsType[*customer.FieldError](err); !field {
			t.Errorf("%q: %v", a, err)
		}
	}
	if len(w.out) != 1 {
		t.Errorf("%d letters", len(w.out))
	}
}

func TestNothingIsSentToOurselves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	st := w.start(t, w.writes(t, "ada@x.org", 2), "help@shop.example")
	if len(w.out) != 0 || st.State != proof.Open {
		t.Errorf("%+v, %d letters", st, len(w.out))
	}
}

func TestReceiptsOfLettersAreNotedOrDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := ingestOf(t, w)
	st := w.start(t, w.writes(t, "ada@x.org", 2), "new@x.org")
	before := len(w.Commits())
	receive := func(id string, state channel.State) {
		t.Helper()
		r := channel.Receipt{Channel: "email", Inbox: "support", Outbound: id, Customer: id, State: state, ProviderID: "m", Detail: "said", At: w.Clock}
		if err := d.Handle(t.Context(), ingest.Input{Ref: "r", Receipt: &r}); err != nil {
			t.Fatalf("%s %s: %v", id, state, err)
		}
	}
	receive(st.ID, channel.StateSent)
	receive(st.ID, channel.StateRetrying) // late
	got, err := w.Get(t.Context(), "default", st.ID)
	if err != nil || got.Delivery != "sent" || got.State != proof.Open {
		t.Errorf("%+v, %v", got, err)
	}
	receive("proof_ffffffffffffffffffffffffffffffff", channel.StateFailed)
	receive(st.ID, channel.StateFailed)
	receive(st.ID, channel.StateSent)
	if got, err = w.Get(t.Context(), "default", st.ID); err != nil || got.Delivery != "failed" || got.State != proof.Void {
		t.Errorf("%+v, %v", got, err)
	}
	if a := w.check(t, st.ID, w.secret(st.ID)); a.Proven {
		t.Error("a code that came back to us proved something")
	}
	if n := len(w.Commits()); n != before {
		t.Errorf("%d commits of receipts", n-before)
	}
}
