package resolve_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/resolve"
)

func (w *world) simulate(t *testing.T, rules *resolve.Rules) map[string][]string {
	t.Helper()
	r, err := resolve.Simulate(t.Context(), resolve.SimulateDeps{
		Rules: rules, Events: w.log, Tenant: "default", Keys: w.keys, Scratch: openStore(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for name, changes := range map[string][]resolve.Change{"link": r.Link, "unlink": r.Unlink, "suggest": r.Suggest, "withdraw": r.Withdraw} {
		for _, c := range changes {
			out[name] = append(out[name], c.A+c.B)
		}
	}
	return out
}

// Simulate tells what other rules would make of the log, and writes nothing.
func TestSimulate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.owns("a", "ma", "email", 3)
	w.owns("b", "cb", "chat", 2)
	w.owns("c", "mc", "email", 3)
	w.owns("d", "cd", "chat", 2)
	w.owns("e", "me", "email", 1)
	w.says("f", "me", 0)
	w.owns("g", "mg", "email", 3)
	w.says("h", "mg", 2)
	w.proves("b", "cb", "a", "ma", 4) // linked
	w.proves("d", "cd", "c", "mc", 4) // linked, and parted by an agent below
	r := w.resolver(openStore(t), resolve.BuiltIn(), nil)
	w.settle(r)
	w.heads["link.c.d"] = w.head("link.c.d")
	var link string
	for _, e := range r.Graph().Edges("c") {
		link = e.Link
	}
	w.append("link.c.d", event.Unlinked{Link: link, Reason: "agent"})
	before := w.happened()

	if d := cmp.Diff(map[string][]string{}, w.simulate(t, resolve.BuiltIn())); d != "" {
		t.Errorf("the same rules would change something (-want +got)\n%s", d)
	}
	strict := strings.ReplaceAll(string(resolve.BuiltIn().Source()), "    claim: 2\n    owner: 2\n    outcome: link", "    claim: 2\n    owner: 4\n    outcome: link")
	if d := cmp.Diff(map[string][]string{"unlink": {"ab", "gh"}, "suggest": {"ab", "gh"}}, w.simulate(t, rulesOf(t, strict))); d != "" {
		t.Errorf("stricter rules (-want +got)\n%s", d)
	}
	silent := strings.Replace(string(resolve.BuiltIn().Source()), "name: typed\n    version: 1\n    when: asserted", "name: typed\n    version: 2\n    when: asserted\n    claim: 1", 1)
	if d := cmp.Diff(map[string][]string{"withdraw": {"ef"}}, w.simulate(t, rulesOf(t, silent))); d != "" {
		t.Errorf("rules that do not listen to what is typed (-want +got)\n%s", d)
	}
	if d := cmp.Diff(before, w.happened()); d != "" {
		t.Errorf("a simulation wrote (-before +after)\n%s", d)
	}
}

// What looser rules would link is told.
func TestSimulateLooserRules(t *testing.T) {
	t.Parallel()
	strict := strings.ReplaceAll(string(resolve.BuiltIn().Source()), "    owner: 2\n    outcome: link", "    owner: 4\n    outcome: link")
	w := newWorld(t)
	w.owns("a", "ma", "email", 3)
	w.owns("b", "cb", "chat", 2)
	w.proves("b", "cb", "a", "ma", 4)
	w.settle(w.resolver(openStore(t), rulesOf(t, strict), nil))
	if d := cmp.Diff([]string{"suggested a b by weak-proof@1"}, w.happened()); d != "" {
		t.Fatal(d)
	}
	if d := cmp.Diff(map[string][]string{"link": {"ab"}}, w.simulate(t, resolve.BuiltIn())); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
