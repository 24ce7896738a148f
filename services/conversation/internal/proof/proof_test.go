package proof_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/proof"
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

func errOf[T any](_ T, err error) error { return err }

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
