package proof_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
	"github.com/weftline/weftline/services/conversation/internal/proof"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

func TestNobodysAddressIsClaimedForWhoProvesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.writes(t, "ada@x.org", 2)
	st := w.start(t, ada, "ada@home.example")
	if w.owner(t, mailbox("ada@home.example")).Owned() {
		t.Fatal("claimed before it is proven")
	}
	if a := w.check(t, st.ID, wrong(w.secret(st.ID))); a.Proven || a.Tries != 4 || a.State != proof.Open {
		t.Fatalf("a wrong code: %+v", a)
	}
	spaced := w.secret(st.ID)
	a := w.check(t, st.ID, " "+spaced[:3]+" "+spaced[3:])
	if !a.Proven || a.Owner != ada || a.Link != "" || a.State != proof.Passed {
		t.Fatalf("the right code: %+v", a)
	}
	own := w.owner(t, mailbox("ada@home.example"))
	if own.Customer != ada || own.Assurance != proof.Level {
		t.Errorf("owned by %q at %d", own.Customer, own.Assurance)
	}
	claims := domaintest.Events[event.HandleClaimed](w.Domain)
	want := event.Evidence{Kind: "code", Handle: own.ID, ID: st.ID}
	if !slices.ContainsFunc(claims, func(c event.HandleClaimed) bool { return c.Customer == ada && c.Evidence == want }) {
		t.Errorf("claims %+v, want one by %+v", claims, want)
	}
	s, err := w.Customers.Load(t.Context(), "default", ada)
	if err != nil || !s.Attached(own.ID, own.Tenure) {
		t.Errorf("not attached: %v", err)
	}
	if again := w.check(t, st.ID, spaced); again.Proven || again.State != proof.Passed {
		t.Errorf("once more: %+v", again)
	}
}

func TestHisOwnRisesEachTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.writes(t, "ada@x.org", 1)
	h := w.owner(t, mailbox("ada@x.org")).ID
	for n := 1; n <= 2; n++ {
		st, err := w.Start(t.Context(), proof.Request{Customer: ada, Handle: h, Inbox: "support", Actor: "ag"})
		if err != nil {
			t.Fatal(err)
		}
		if a := w.check(t, st.ID, w.secret(st.ID)); !a.Proven || a.Owner != ada {
			t.Fatalf("proof %d: %+v", n, a)
		}
		if got := domaintest.Events[event.HandleAssured](w.Domain); len(got) != n || got[n-1].Evidence.ID != st.ID || got[n-1].Assurance != 3 {
			t.Errorf("after %d proofs: %+v", n, got)
		}
	}
	if len(w.links) != 0 {
		t.Errorf("links %+v", w.links)
	}
}

func TestAnothersAddressIsLinkedAndStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada, bob := w.writes(t, "ada@x.org", 2), w.writes(t, "bob@x.org", 1)
	st := w.start(t, ada, "Bob@X.org")
	a := w.check(t, st.ID, w.secret(st.ID))
	if !a.Proven || a.Owner != bob || a.Link != "link:"+st.ID {
		t.Fatalf("%+v", a)
	}
	own := w.owner(t, mailbox("bob@x.org"))
	if own.Customer != bob || own.Tenure != 1 || own.Assurance != 3 {
		t.Errorf("the handle is %+v", own.State)
	}
	want := []proof.Link{{Proof: st.ID, Word: "code", A: ada, B: bob, Handle: own.ID, Kind: "email", Address: "Bob@X.org", Owner: 3}}
	if diff := cmp.Diff(want, w.links); diff != "" {
		t.Error(diff)
	}
	w.refused = "logins"
	st = w.start(t, ada, "bob@x.org")
	if a = w.check(t, st.ID, w.secret(st.ID)); !a.Proven || a.Link != "" || a.Refused != "logins" {
		t.Errorf("what the rules refuse: %+v", a)
	}
}

func TestAMoveMeanwhileVoidsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.writes(t, "ada@x.org", 2)
	w.writes(t, "bob@x.org", 2)
	st := w.start(t, ada, "bob@x.org")
	own := w.owner(t, mailbox("bob@x.org"))
	w.move(t, own.ID, own.Customer, "somebody")
	if a := w.check(t, st.ID, w.secret(st.ID)); a.Proven || a.State != proof.Void || len(w.links) != 0 {
		t.Errorf("%+v, links %v", a, w.links)
	}
	if n := len(domaintest.Events[event.HandleAssured](w.Domain)); n != 0 {
		t.Errorf("%d rises", n)
	}
}

func TestWhatCanBeNoCodeNeverMatchesAndCostsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	st := w.start(t, w.writes(t, "ada@x.org", 2), "new@x.org")
	right := w.secret(st.ID)
	for _, typed := range []string{"", " ", "\x00", "12345", right + "1", right[:5] + "x", "null", "[]", strings.Repeat("1", 1<<16), "١٢٣٤٥٦"} {
		if a := w.check(t, st.ID, typed); a.Proven || a.Tries != 5 {
			t.Errorf("%.20q: %+v", typed, a)
		}
	}
	for name, q := range map[string]proof.Attempt{
		"as a link":       {ID: st.ID, Secret: right, Method: proof.MethodLink},
		"another tenant":  {ID: st.ID, Secret: right, Tenant: "other"},
		"over a handle":   {ID: st.ID, Secret: right, Via: &channel.Address{Kind: "chat", Scope: "widget", Address: "v"}},
		"no id":           {Secret: right},
		"somebody else's": {ID: "proof_00000000000000000000000000000000", Secret: right},
	} {
		if a, err := w.Check(t.Context(), q); err != nil || a.Proven || a.State != proof.Void || a.Tries != 0 || a.Customer != "" {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	if a := w.check(t, st.ID, right); !a.Proven {
		t.Errorf("the right one after all: %+v", a)
	}
}

func TestFiveTriesThenNeverMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	st := w.start(t, w.writes(t, "ada@x.org", 2), "new@x.org")
	right := w.secret(st.ID)
	for left := 4; left >= 0; left-- {
		if a := w.check(t, st.ID, wrong(right)); a.Proven || a.Tries != left {
			t.Fatalf("%+v, want %d left", a, left)
		}
	}
	if a := w.check(t, st.ID, right); a.Proven || a.State != proof.Failed {
		t.Errorf("%+v", a)
	}
	if _, err := w.Keys.Seal(t.Context(), proof.Key(st.ID), nil, nil); !errors.Is(err, crypt.ErrShredded) {
		t.Errorf("its key: %v", err)
	}
}

func TestOfManyAtOnceOneSucceeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	st := w.start(t, w.writes(t, "ada@x.org", 2), "new@x.org")
	right := w.secret(st.ID)
	var all sync.WaitGroup
	var won atomic.Int64
	for range 16 {
		all.Go(func() {
			if a, err := w.Check(context.Background(), proof.Attempt{ID: st.ID, Secret: right}); err != nil {
				t.Error(err)
			} else if a.Proven {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d succeeded", won.Load())
	}
	if n := len(domaintest.Events[event.HandleClaimed](w.Domain)); n != 2 {
		t.Errorf("%d claims", n)
	}
}

func TestWrongOnesAtOnceCostATryEach(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	st := w.start(t, w.writes(t, "ada@x.org", 2), "new@x.org")
	right := w.secret(st.ID)
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			if a, err := w.Check(context.Background(), proof.Attempt{ID: st.ID, Secret: wrong(right)}); err != nil || a.Proven {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
	all.Wait()
	if a := w.check(t, st.ID, right); a.Proven {
		t.Errorf("after 12 wrong ones: %+v", a)
	}
}

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

// TestTheAnswerTellsNothing: somebody's address and nobody's are answered alike.
func TestTheAnswerTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.writes(t, "ada@x.org", 2)
	w.writes(t, "bob@x.org", 3)
	answers := map[string][]string{}
	for _, address := range []string{"bob@x.org", "nobody@x.org"} {
		for range 4 {
			st, err := w.Start(t.Context(), proof.Request{Customer: ada, Address: mailbox(address), Inbox: "support"})
			said := ""
			if err != nil {
				said = err.Error()
			}
			a := w.check(t, st.ID, wrong(w.secret(st.ID)))
			for _, s := range []*proof.Status{&st, &a.Status} {
				s.ID, s.Handle = "", ""
			}
			b, _ := json.Marshal([]any{st, a})
			answers[address] = append(answers[address], string(b), said)
		}
	}
	if diff := cmp.Diff(answers["bob@x.org"], answers["nobody@x.org"]); diff != "" {
		t.Error(diff)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada, bob := w.writes(t, "ada@x.org", 2), w.writes(t, "bob@x.org", 2)
	start := func(who, address string) string {
		_, err := w.Start(t.Context(), proof.Request{Customer: who, Address: mailbox(address), Inbox: "support"})
		if e, ok := errors.AsType[*proof.LimitedError](err); ok {
			return e.What + " " + e.After.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		return ""
	}
	var got []string
	for i := range 4 { // whoever asks
		got = append(got, start([]string{ada, bob}[i%2], "v@x.org"))
		w.Clock = w.Clock.Add(time.Minute)
	}
	w.Clock = w.Clock.Add(57 * time.Minute)
	for range 3 {
		got = append(got, start(bob, "V@x.org"))
	}
	for i := range 9 {
		got = append(got, start(ada, string(rune('a'+i))+"@other.example"))
	}
	want := []string{
		"", "", "", "address 57m0s", // three an hour
		"", "", "address 1m0s", // two are an hour old by now
		"", "", "", "", "", "", "", "", "customer 22h59m0s", // ten a day
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
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

func TestWhatIsOverIsSwept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.writes(t, "ada@x.org", 2)
	old := w.start(t, ada, "one@x.org")
	w.Clock = w.Clock.Add(10 * time.Minute)
	young := w.start(t, ada, "two@x.org")
	sweep := func() {
		t.Helper()
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	key := func(id string) error {
		_, err := w.Keys.Seal(t.Context(), proof.Key(id), nil, nil)
		return err
	}
	sweep()
	if !errors.Is(key(old.ID), crypt.ErrShredded) || key(young.ID) != nil {
		t.Errorf("keys: %v, %v", key(old.ID), key(young.ID))
	}
	if got, err := w.Get(t.Context(), "default", old.ID); err != nil || got.State != proof.Expired {
		t.Errorf("%+v, %v", got, err)
	}
	w.Clock = w.Clock.Add(26 * time.Hour)
	sweep()
	sweep()
	for _, c := range []string{"proof_challenges", "proof_limits"} {
		if err := w.state.Scan(t.Context(), c, func(d docstore.Doc) error { return errors.New(d.ID) }); err != nil {
			t.Errorf("%s still has %v", c, err)
		}
	}
	if _, missing := errors.AsType[*customer.NotFoundError](errOf(w.Get(t.Context(), "default", old.ID))); !missing {
		t.Error("it is still there")
	}
}

func errOf[T any](_ T, err error) error { return err }

// TestNothingIsInClear: neither code nor address is in the store or an event.
func TestNothingIsInClear(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	st := w.start(t, w.writes(t, "ada@x.org", 2), "secret.address@x.org")
	code := w.secret(st.ID)
	look := func() {
		t.Helper()
		for _, c := range []string{"proof_challenges", "proof_limits"} {
			if err := w.state.Scan(t.Context(), c, func(d docstore.Doc) error {
				if s := d.ID + string(d.JSON); strings.Contains(s, "secret.address") || strings.Contains(s, code) {
					t.Errorf("%s: %s", c, s)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	look()
	w.check(t, st.ID, code)
	look()
	for _, c := range w.Commits() {
		b, _ := json.Marshal(c)
		if strings.Contains(string(b), "secret.address") || strings.Contains(string(b), code) {
			t.Errorf("%s", b)
		}
	}
}

func TestAVisitorProvesInHisChat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bob := w.writes(t, "bob@x.org", 1)
	me, other := channel.Address{Kind: "chat", Scope: "widget", Address: "v1"}, channel.Address{Kind: "chat", Scope: "widget", Address: "v2"}
	st, err := w.Start(t.Context(), proof.Request{Via: &me, Address: mailbox("bob@x.org"), Inbox: "support", Actor: "customer"})
	if err != nil {
		t.Fatal(err)
	}
	code := w.secret(st.ID)
	for name, via := range map[string]*channel.Address{"another visitor": &other, "an agent": nil} {
		if a, err := w.Check(t.Context(), proof.Attempt{ID: st.ID, Secret: code, Via: via}); err != nil || a.Proven || a.Tries != 0 {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	a, err := w.Check(t.Context(), proof.Attempt{ID: st.ID, Secret: code, Via: &me})
	if err != nil || !a.Proven || a.Owner != bob || a.Link == "" {
		t.Fatalf("%+v, %v", a, err)
	}
	mine := w.owner(t, me)
	if mine.Customer == bob || mine.Assurance != 3 || w.owner(t, mailbox("bob@x.org")).Assurance != 3 {
		t.Errorf("the chat is %+v", mine.State)
	}
}

func TestALinkIsGoodOnceAndForHalfAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada := w.writes(t, "ada@x.org", 2)
	start := func() proof.Status {
		t.Helper()
		st, err := w.Start(t.Context(), proof.Request{Customer: ada, Address: mailbox("new@x.org"), Inbox: "support", Method: proof.MethodLink})
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	press := func(st proof.Status, secret string) proof.Answer {
		t.Helper()
		a, err := w.Check(t.Context(), proof.Attempt{ID: st.ID, Secret: secret, Method: proof.MethodLink})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	late := start()
	w.Clock = w.Clock.Add(30 * time.Minute)
	if a := press(late, w.secret(late.ID)); a.Proven || a.State != proof.Expired {
		t.Errorf("late: %+v", a)
	}
	st := start()
	w.Clock = w.Clock.Add(30*time.Minute - time.Microsecond)
	if a := press(st, w.secret(late.ID)); a.Proven {
		t.Error("with another's secret")
	}
	if a := press(st, w.secret(st.ID)); !a.Proven {
		t.Errorf("in time: %+v", a)
	}
	if a := press(st, w.secret(st.ID)); a.Proven {
		t.Error("twice")
	}
}

func TestTheErasedAreForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada, bob := w.writes(t, "ada@x.org", 2), w.writes(t, "bob@x.org", 2)
	st := w.start(t, ada, "new@x.org")
	other := w.start(t, bob, "other@x.org")
	for range 2 {
		if err := w.Forget(t.Context(), "default", []string{ada}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Keys.Seal(t.Context(), proof.Key(st.ID), nil, nil); !errors.Is(err, crypt.ErrShredded) {
		t.Errorf("its key: %v", err)
	}
	for _, c := range []string{"proof_challenges", "proof_limits"} {
		if err := w.state.Scan(t.Context(), c, func(d docstore.Doc) error {
			if strings.Contains(d.ID+string(d.JSON), ada) || strings.Contains(d.ID, st.Handle) {
				t.Errorf("%s has %s", c, d.ID)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if a := w.check(t, other.ID, w.secret(other.ID)); !a.Proven {
		t.Errorf("somebody else's: %+v", a)
	}
}
