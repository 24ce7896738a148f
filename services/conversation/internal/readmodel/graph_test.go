package readmodel_test

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/docstore"
	"pgregory.net/rapid"
)

// mustKnowPersons opens a generation anew: the graph it fills from its
// documents is the one that the log makes.
func mustKnowPersons(t *rapid.T, h *historytest.History, s docstore.Store, keys readmodel.Keys, n readmodel.Names) {
	gen, err := strconv.Atoi(n.Pairs[strings.LastIndex(n.Pairs, "_v")+2:])
	if err != nil {
		t.Fatal(err)
	}
	want := person.New()
	for p := range partitions {
		commits, err := h.Store.Read(t.Context(), p, 1, 5000)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range commits {
			events, err := codec.Decode(c)
			if err != nil {
				t.Fatal(err)
			}
			for _, ev := range events {
				want.ApplyAt(c.Stream, c.RecordedAt, ev)
			}
		}
	}
	if d := cmp.Diff(persons(h, want), persons(h, open(t, s, keys, gen).Graph())); d != "" {
		t.Fatalf("persons (-log +documents):\n%s", d)
	}
}

// persons is all that can be asked of a graph about a history.
func persons(h *historytest.History, g *person.Graph) map[string]string {
	out := map[string]string{}
	for _, c := range h.Customers {
		out[c.ID] = fmt.Sprint(g.Canonical(c.ID), g.Members(c.ID), g.Edges(c.ID), g.Peers(c.ID), g.Erased(c.ID))
		for _, e := range g.Edges(c.ID) {
			_, active, ok := g.Link(e.Link)
			out[e.Link] = fmt.Sprint(active, ok)
		}
		for _, conv := range c.Conversations {
			out[conv.ID] = fmt.Sprint(g.Joins(conv.ID))
		}
	}
	return out
}
