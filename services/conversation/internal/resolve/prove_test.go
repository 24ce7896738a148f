package resolve_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/resolve"
)

func decode(w *world, c eventstore.Commit) []event.Event {
	w.Helper()
	events, err := codec.Decode(c)
	if err != nil {
		w.Fatalf("%v", err)
	}
	return events
}

// stored are the link events in the log.
func stored[E event.Event](w *world) (out []E) {
	w.Helper()
	for p := range partitions {
		commits, err := w.log.Read(w.Context(), p, 1, 5000)
		if err != nil {
			w.Fatalf("%v", err)
		}
		for _, c := range commits {
			for _, ev := range decode(w, c) {
				if e, ok := ev.(E); ok {
					out = append(out, e)
				}
			}
		}
	}
	return out
}

// TestAProofMakesALinkByTheRules: like a message's, and each time anew.
func TestAProofMakesALinkByTheRules(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		prepare func(w *world)
		blocked string
		id      string
		refused string
		reasons []string // kinds, of the link or the suggestion; nil: neither
	}{
		"two customers": {id: "link:proof_1", reasons: []string{"code", "proof"}},
		"a list":        {blocked: "role", refused: "role"},
		"our own":       {blocked: "own", refused: "own"},
		"a shared line": {
			prepare: func(w *world) { w.append("handle.h-b", event.HandleQualified{Qualifier: "shared"}) }, refused: "shared",
		},
		"two logins": {
			prepare: func(w *world) { w.owns("a", "l-a", "external", 4); w.owns("b", "l-b", "external", 4) },
			refused: "logins", reasons: []string{"code", "proof", "two_logins"},
		},
		"too many": {
			prepare: func(w *world) {
				for _, h := range []string{"p1", "p2", "p3"} {
					w.owns("a", h+"a", "phone", 2)
					w.owns("b", h+"b", "phone", 2)
				}
			},
			refused: "phone", reasons: []string{"code", "proof", "over_limit"},
		},
		"erased": {prepare: func(w *world) { w.append("customer.b", event.CustomerErased{}) }, refused: "rules"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.owns("a", "h-a", "email", 2)
			w.owns("b", "h-b", "email", 3)
			if tc.prepare != nil {
				tc.prepare(w)
			}
			r := w.resolver(openStore(t), resolve.BuiltIn(), func(d *resolve.Deps) {
				d.Blocked = func(string, string) string { return tc.blocked }
			})
			var at [partitions]uint64
			catchUp := func() {
				for p := range partitions {
					for w.step(r, &at, p, 100) {
					}
					if err := r.WaitFor(t.Context(), p, 1<<40); err != nil {
						t.Fatal(err)
					}
				}
			}
			catchUp()
			prove := func(id string) (string, string) {
				link, refused, err := r.LinkProven(t.Context(), "default", resolve.Proven{
					Proof: id, Word: "code", A: "a", B: "b", Handle: "h-b", Kind: "email", Address: "b@example.org", Owner: 3,
				})
				if err != nil {
					t.Fatal(err)
				}
				return link, refused
			}
			for range 2 { // doing it again does nothing
				if id, refused := prove("proof_1"); id != tc.id || refused != tc.refused {
					t.Errorf("link %q, refused %q", id, refused)
				}
			}
			links, suggestions := stored[event.Linked](w), stored[event.LinkSuggested](w)
			var reasons []event.Reason
			switch {
			case len(links) == 1 && len(suggestions) == 0 && tc.id != "":
				reasons = links[0].Reasons
				if links[0].Rule != "proof@1" || links[0].Link != tc.id {
					t.Errorf("%+v", links[0])
				}
			case len(suggestions) == 1 && len(links) == 0 && tc.id == "":
				reasons = suggestions[0].Reasons
			case len(links)+len(suggestions) > 0:
				t.Errorf("links %+v, suggestions %+v", links, suggestions)
			}
			var kinds []string
			for _, r := range reasons {
				kinds = append(kinds, r.Kind)
			}
			if diff := cmp.Diff(tc.reasons, kinds); diff != "" {
				t.Error(diff)
			}
			if tc.id == "" {
				return
			}
			// An agent takes the link back; a later proof is evidence of its own.
			w.heads["link.a.b"] = w.head("link.a.b")
			w.append("link.a.b", event.Unlinked{Link: tc.id, Reason: "agent"})
			catchUp()
			if id, _ := prove("proof_2"); id != "link:proof_2" || len(stored[event.Linked](w)) != 2 {
				t.Errorf("after it was taken back: %q", id)
			}
		})
	}
}
