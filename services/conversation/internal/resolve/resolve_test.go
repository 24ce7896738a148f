package resolve_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/resolve"
	"github.com/weftline/weftline/services/internal/docstore"
)

// What the built-in rules make of what happens.
func TestRules(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*world)
		then  []string
	}{
		"a proof between attested sides links": {
			func(w *world) {
				w.owns("a", "mail", "email", 2)
				w.owns("b", "chat", "chat", 2)
				w.proves("b", "chat", "a", "mail", 4)
			},
			[]string{"linked a b by proof@1"},
		},
		"in every message: once": {
			func(w *world) {
				w.owns("a", "mail", "email", 2)
				w.owns("b", "chat", "chat", 2)
				w.proves("b", "chat", "a", "mail", 4)
				w.proves("b", "chat", "a", "mail", 4)
			},
			[]string{"linked a b by proof@1"},
		},
		"a proof of an address that anybody could have written from suggests": {
			func(w *world) {
				w.owns("a", "mail", "email", 1)
				w.owns("b", "chat", "chat", 2)
				w.proves("b", "chat", "a", "mail", 4)
			},
			[]string{"suggested a b by weak-proof@1"},
		},
		"a typed address suggests": {
			func(w *world) { w.owns("a", "mail", "email", 4); w.says("b", "mail", 0) },
			[]string{"suggested a b by typed@1"},
		},
		"whichever comes first": {
			func(w *world) { w.says("b", "mail", 0); w.owns("a", "mail", "email", 4) },
			[]string{"suggested a b by typed@1"},
		},
		"typed again and again suggests once": {
			func(w *world) { w.owns("a", "mail", "email", 4); w.says("b", "mail", 0); w.says("b", "mail", 0) },
			[]string{"suggested a b by typed@1"},
		},
		"an attested assertion links": {
			func(w *world) { w.owns("a", "mail", "email", 3); w.says("b", "mail", 2) },
			[]string{"linked a b by asserted@1"},
		},
		"but suggests what a former owner had proven: the next one has shown nothing": {
			func(w *world) {
				w.owns("a", "mail", "email", 3)
				w.append("handle.mail", event.HandleMoved{MoveID: "mv", Tenure: 2, From: "a", To: "q"})
				w.says("b", "mail", 2)
			},
			[]string{"suggested b q by typed@1"},
		},
		"and links when the next one shows it, too": {
			func(w *world) {
				w.owns("a", "mail", "email", 3)
				w.append("handle.mail", event.HandleMoved{MoveID: "mv", Tenure: 2, From: "a", To: "q"})
				w.append("handle.mail", event.HandleAssured{Assurance: 2})
				w.says("b", "mail", 2)
			},
			[]string{"linked b q by asserted@1"},
		},
		"when the owner's handle is raised": {
			func(w *world) {
				w.owns("a", "mail", "email", 1)
				w.says("b", "mail", 2)
				w.append("handle.mail", event.HandleAssured{Assurance: 3})
			},
			[]string{"linked a b by asserted@1", "suggested a b by typed@1"},
		},
		"two who type the same unowned address": {
			func(w *world) { w.says("a", "mail", 0); w.says("b", "mail", 0) },
			[]string{"suggested a b by same-claim@1"},
		},
		"a variant suggests, at whatever level": {
			func(w *world) { w.owns("a", "ada_x", "email", 4, "ada"); w.owns("b", "ada", "email", 4, "ada") },
			nil, // two logins of one issuer are two people
		},
		"a variant of attested addresses suggests": {
			func(w *world) { w.owns("a", "ada_x", "email", 3, "ada"); w.owns("b", "ada", "email", 3, "ada") },
			[]string{"suggested a b by variant@1"},
		},
		"a typed variant too": {
			func(w *world) { w.owns("a", "ada", "email", 3, "ada"); w.says("b", "ada_x", 0, "ada") },
			[]string{"suggested a b by variant@1"},
		},
		"two logins of one issuer never": {
			func(w *world) {
				w.append("handle.x1", event.HandleClaimed{Tenure: 1, Customer: "a", Kind: "external", Scope: "shop", Assurance: 4})
				w.append("handle.x2", event.HandleClaimed{Tenure: 1, Customer: "b", Kind: "external", Scope: "shop", Assurance: 4})
				w.proves("b", "chat", "a", "x1", 4)
			},
			nil,
		},
		"not either when one of them was moved": {
			func(w *world) {
				w.append("handle.x1", event.HandleClaimed{Tenure: 1, Customer: "q", Kind: "external", Scope: "shop", Assurance: 4})
				w.append("handle.x1", event.HandleMoved{MoveID: "mv", Tenure: 2, From: "q", To: "a"})
				w.append("handle.x2", event.HandleClaimed{Tenure: 1, Customer: "b", Kind: "external", Scope: "shop", Assurance: 4})
				w.owns("a", "mail", "email", 3)
				w.says("b", "mail", 2)
			},
			nil,
		},
		"a shared line is no endpoint": {
			func(w *world) {
				w.owns("a", "mail", "email", 3)
				w.owns("b", "phone", "phone", 3)
				w.append("handle.phone", event.HandleQualified{Qualifier: "shared"})
				w.proves("b", "phone", "a", "mail", 3)
			},
			nil,
		},
		"nor is a role address evidence": {
			func(w *world) { w.owns("a", "info", "email", 3); w.says("b", "info", 2) },
			nil,
		},
		"nor typed by two": {
			func(w *world) { w.says("a", "info", 0); w.says("b", "info", 0) },
			nil,
		},
		"an erased side is left alone": {
			func(w *world) {
				w.owns("a", "mail", "email", 3)
				w.append("customer.a", event.CustomerErased{EraseID: "x"})
				w.says("b", "mail", 2)
			},
			nil,
		},
		"a proof that an agent refused by a move (C-27)": {
			func(w *world) {
				w.owns("a", "mail", "email", 3)
				w.owns("a", "chat", "chat", 2)
				w.append("handle.chat", event.HandleMoved{MoveID: "mv", Tenure: 2, From: "a", To: "q", Refuses: []string{"m1"}})
				w.append("customer.q", event.MessageReceived{
					Message: "m1", Handle: "chat", Tenure: 2, OccurredAt: w.now.Add(1e9), Assurance: 4,
					Proof: &event.Proof{Customer: "a", Evidence: event.Evidence{Kind: "login", Handle: "mail", ID: "m1"}},
				})
			},
			nil,
		},
		"a proof older than the move": {
			func(w *world) {
				w.owns("a", "mail", "email", 3)
				w.owns("a", "chat", "chat", 2)
				before := w.now
				w.append("handle.chat", event.HandleMoved{MoveID: "mv", Tenure: 2, From: "a", To: "q"})
				w.append("customer.q", event.MessageReceived{
					Message: "m1", Handle: "chat", Tenure: 2, OccurredAt: before, Assurance: 4,
					Proof: &event.Proof{Customer: "a", Evidence: event.Evidence{Kind: "login", Handle: "mail", ID: "m1"}},
				})
			},
			nil,
		},
		"a newer one counts": {
			func(w *world) {
				w.owns("a", "mail", "email", 3)
				w.owns("a", "chat", "chat", 2)
				w.append("handle.chat", event.HandleMoved{MoveID: "mv", Tenure: 2, From: "a", To: "q", Refuses: []string{"m0"}})
				w.proves("q", "chat", "a", "mail", 4)
			},
			[]string{"linked a q by proof@1"},
		},
		"linked by hand, the proof is written beside it (C-23)": {
			func(w *world) {
				w.owns("a", "mail", "email", 3)
				w.owns("b", "chat", "chat", 2)
				w.append("link.a.b", event.Linked{Link: "l1", A: "a", B: "b", Rule: "agent"})
				w.proves("b", "chat", "a", "mail", 4)
			},
			[]string{"linked a b by agent", "linked a b by proof@1"},
		},
		"one person already: nobody is asked": {
			func(w *world) {
				w.owns("a", "mail", "email", 3)
				w.append("link.a.b", event.Linked{Link: "l1", A: "a", B: "b", Rule: "agent"})
				w.append("link.b.c", event.Linked{Link: "l2", A: "b", B: "c", Rule: "agent"})
				w.says("c", "mail", 0)
			},
			[]string{"linked a b by agent", "linked b c by agent"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tc.given(w)
			r := w.resolver(openStore(t), resolve.BuiltIn(), func(d *resolve.Deps) {
				d.Blocked = func(_, address string) string {
					if address == "info@example.org" {
						return "role"
					}
					return ""
				}
			})
			w.settle(r)
			if d := cmp.Diff(tc.then, w.happened()); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			w.settle(w.resolver(openStore(t), resolve.BuiltIn(), nil)) // from nothing, and without lists
		})
	}
}

// Everything comes again, after a crash or a rebuild of the index: nothing is done twice.
func TestLaw05DecidingTwiceDecidesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.owns("a", "mail", "email", 3)
	w.owns("b", "chat", "chat", 2)
	w.says("c", "mail", 0)
	w.proves("b", "chat", "a", "mail", 4)
	store := openStore(t)
	w.settle(w.resolver(store, resolve.BuiltIn(), nil))
	want := w.happened()
	if len(want) != 2 {
		t.Fatalf("happened: %q", want)
	}
	w.settle(w.resolver(store, resolve.BuiltIn(), nil))
	w.settle(w.resolver(openStore(t), resolve.BuiltIn(), nil))
	if d := cmp.Diff(want, w.happened()); d != "" {
		t.Errorf("(-once +again)\n%s", d)
	}
}

// Refused is refused for good, however often it is said again and however often
// the index is built; a better level is new evidence.
func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.owns("a", "mail", "email", 1)
	w.says("b", "mail", 0)
	store := openStore(t)
	w.settle(w.resolver(store, resolve.BuiltIn(), nil))
	suggestion := w.suggestions()[0]
	w.heads["link.a.b"] = w.head("link.a.b")
	w.append("link.a.b", event.LinkRefused{Suggestions: []string{suggestion.Suggestion}, Evidence: keys(suggestion.Reasons)})
	w.says("b", "mail", 0)
	w.settle(w.resolver(store, resolve.BuiltIn(), nil))
	w.settle(w.resolver(openStore(t), resolve.BuiltIn(), nil))
	if n := len(w.suggestions()); n != 1 {
		t.Fatalf("suggested %d times", n)
	}
	w.append("handle.mail", event.HandleAssured{Assurance: 3})
	w.settle(w.resolver(store, resolve.BuiltIn(), nil))
	if n := len(w.suggestions()); n != 2 {
		t.Errorf("new evidence: suggested %d times", n)
	}
}

// Two owners by their own evidence: the handle is nobody's alone.
func TestSharedAfterTwoOwners(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.owns("a", "phone", "phone", 3)
	w.append("handle.phone", event.HandleReleased{Tenure: 1})
	w.append("handle.phone", event.HandleClaimed{Tenure: 2, Customer: "b", Kind: "phone", Assurance: 3})
	w.owns("a", "moved", "phone", 3)
	w.append("handle.moved", event.HandleMoved{MoveID: "mv", Tenure: 2, From: "a", To: "b"})
	r := w.resolver(openStore(t), resolve.BuiltIn(), nil)
	w.settle(r)
	if d := cmp.Diff([]string{"phone"}, r.marked); d != "" {
		t.Errorf("marked as shared (-want +got): a handle an agent corrected is not\n%s", d)
	}
}

// What an erased customer said of addresses leaves the index, his variants too;
// what others said stays, and still meets an owner.
func TestAnErasedCustomerSaysNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says("a", "mail", 0, "m1")
	w.says("b", "mail", 0, "m1")
	store := openStore(t)
	r := w.resolver(store, resolve.BuiltIn(), nil)
	w.settle(r)
	w.append("customer.a", event.CustomerErased{EraseID: "e"}, event.ErasureDone{EraseID: "e"})
	w.settle(r)
	if d := cmp.Diff([]string{"mail.b", "m1.mail.b"}, claimsLeft(t, store, resolve.BuiltIn())); d != "" {
		t.Errorf("the index (-want +got)\n%s", d)
	}
	w.owns("c", "mail", "email", 2)
	w.settle(r)
	if n := len(w.suggestions()); n != 2 { // a with b, before; b with c
		t.Errorf("suggested %d times", n)
	}
}

// Rules that were changed leave nothing behind: no erasure would find it there.
func TestIndexOfFormerRulesGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.says("a", "mail", 0, "m1")
	store := openStore(t)
	w.settle(w.resolver(store, resolve.BuiltIn(), nil))
	changed, err := resolve.Parse(append(resolve.BuiltIn().Source(), "\n# changed\n"...))
	if err != nil {
		t.Fatal(err)
	}
	both := []string{"mail.a", "m1.mail.a"}
	if d := cmp.Diff(both, claimsLeft(t, store, resolve.BuiltIn())); d != "" {
		t.Fatalf("before (-want +got)\n%s", d)
	}
	w.settle(w.resolver(store, changed, nil))
	if d := cmp.Diff(both, claimsLeft(t, store, changed)); d != "" {
		t.Errorf("the new index (-want +got)\n%s", d)
	}
	// Back to the rules before: an index that begins anew, at the first commit.
	r := w.resolver(store, resolve.BuiltIn(), nil)
	if left := claimsLeft(t, store, resolve.BuiltIn()); left != nil {
		t.Errorf("left of the former index: %v", left)
	}
	for p := range partitions {
		if at, err := r.Checkpoint(t.Context(), p); err != nil || at != 0 {
			t.Errorf("partition %d is at %d: %v", p, at, err)
		}
	}
	w.settle(r)
	if d := cmp.Diff(both, claimsLeft(t, store, resolve.BuiltIn())); d != "" {
		t.Errorf("the index made again (-want +got)\n%s", d)
	}
}

// claimsLeft are the ids of what the index of some rules knows that customers say.
func claimsLeft(t *testing.T, store docstore.Store, rules *resolve.Rules) []string {
	t.Helper()
	var left []string
	for _, c := range []string{"resolve_claims_2_", "resolve_matches_2_"} {
		if err := store.Scan(t.Context(), c+rules.Digest(), func(d docstore.Doc) error {
			left = append(left, d.ID)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return left
}
