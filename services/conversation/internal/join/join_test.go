package join_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/join"
)

func given(es ...event.Event) (s join.State) {
	for _, e := range es {
		s = join.Evolve(s, event.Commit{Stream: "join.c1.c2", Events: []event.Event{e}})
	}
	return s
}

func TestDecide(t *testing.T) {
	t.Parallel()
	whose := []string{"a", "b"}
	tie := func(id string) join.Join { return join.Join{Join: id, A: "c1", B: "c2", Customers: whose} }
	tied := func(id string) event.Event {
		return event.ConversationsJoined{Join: id, A: "c1", B: "c2", Customers: whose}
	}
	apart := func(id string) event.Event { return event.ConversationsUnjoined{Join: id, Customers: whose} }
	for name, tc := range map[string]struct {
		given join.State
		when  join.Command
		then  []event.Event
		fails bool
	}{
		"joined":               {given(), tie("j1"), []event.Event{tied("j1")}, false},
		"once":                 {given(tied("j1")), tie("j1"), nil, false},
		"no second beside it":  {given(tied("j1")), tie("j2"), nil, false},
		"taken apart":          {given(tied("j1")), join.Unjoin{Join: "j1", Customers: whose}, []event.Event{apart("j1")}, false},
		"twice":                {given(tied("j1"), apart("j1")), join.Unjoin{Join: "j1"}, nil, false},
		"the same id no more":  {given(tied("j1"), apart("j1")), tie("j1"), nil, false},
		"another one":          {given(tied("j1"), apart("j1")), tie("j2"), []event.Event{tied("j2")}, false},
		"what never was":       {given(), join.Unjoin{Join: "j1"}, nil, true},
		"one with itself":      {given(), join.Join{Join: "j1", A: "c1", B: "c1"}, nil, true},
		"the other stays tied": {given(tied("j1"), apart("j1"), tied("j2")), tie("j3"), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := join.Decide(tc.given, tc.when)
			if diff := cmp.Diff(tc.then, got); diff != "" || (err != nil) != tc.fails {
				t.Errorf("%v (-want +got)\n%s", err, diff)
			}
			var refused *join.RefusedError
			var missing *join.NotFoundError
			if err != nil && !errors.As(err, &refused) && !errors.As(err, &missing) {
				t.Errorf("%T", err)
			}
		})
	}
}
