package link_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/link"
)

func given(es ...event.Event) (s link.State) {
	for i, e := range es {
		s = link.Evolve(s, event.Commit{Stream: "link.a.b", Seq: uint64(i + 1), Events: []event.Event{e}})
	}
	return s
}

// says is the evidence that a message names a handle at a level.
func says(message, handle string, level int) []event.Reason {
	return []event.Reason{{Kind: "asserted", Handle: handle, Levels: []int{level, 2}, Evidence: []string{message}}}
}

func suggested(id string, why []event.Reason) event.LinkSuggested {
	return event.LinkSuggested{Suggestion: id, A: "a", B: "b", Rule: "asserted@1", Reasons: why}
}

func linked(id, rule string, why []event.Reason) event.Linked {
	return event.Linked{Link: id, A: "a", B: "b", Rule: rule, Reasons: why}
}

func refused(id string, why []event.Reason) event.LinkRefused {
	return event.LinkRefused{Suggestions: []string{id}, Evidence: link.Keys(why)}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	suggest := func(id string, why []event.Reason) link.Suggest {
		return link.Suggest{Suggestion: id, A: "a", B: "b", Rule: "asserted@1", Reasons: why}
	}
	make := func(id, rule string, why []event.Reason) link.Make {
		return link.Make{Link: id, A: "a", B: "b", Rule: rule, Reasons: why}
	}
	h1, h1again, h1raised, h2 := says("m1", "h1", 0), says("m2", "h1", 0), says("m3", "h1", 3), says("m4", "h2", 0)
	both := append(says("m1", "h1", 0), h2...)
	for name, tc := range map[string]struct {
		given link.State
		when  link.Command
		then  []event.Event
		err   error
	}{
		"evidence suggests":                       {given(), suggest("s1", h1), []event.Event{suggested("s1", h1)}, nil},
		"once":                                    {given(suggested("s1", h1)), suggest("s1", h1), nil, nil},
		"by another message no second time":       {given(suggested("s1", h1)), suggest("s2", h1again), nil, nil},
		"other evidence suggests beside":          {given(suggested("s1", h1)), suggest("s2", h2), []event.Event{suggested("s2", h2)}, nil},
		"not himself":                             {given(), link.Suggest{Suggestion: "s1", A: "a", B: "a"}, nil, &link.RefusedError{}},
		"not who is linked by an agent":           {given(linked("l1", "agent", nil)), suggest("s1", h1), nil, nil},
		"not who is linked by a proof":            {given(linked("link:m1", "proof@1", h2)), suggest("s1", h1), nil, nil},
		"again when the agent's link is undone":   {given(linked("l1", "agent", nil), event.Unlinked{Link: "l1", Reason: "agent"}), suggest("s1", h1), []event.Event{suggested("s1", h1)}, nil},
		"refused is refused":                      {given(suggested("s1", h1), refused("s1", h1)), suggest("s1", h1), nil, nil},
		"also in another message":                 {given(suggested("s1", h1), refused("s1", h1)), suggest("s2", h1again), nil, nil},
		"also by another rule":                    {given(suggested("s1", h1), refused("s1", h1)), link.Suggest{Suggestion: "s9", A: "a", B: "b", Rule: "x@9", Reasons: h1}, nil, nil},
		"not with a better level":                 {given(suggested("s1", h1), refused("s1", h1)), suggest("s2", h1raised), []event.Event{suggested("s2", h1raised)}, nil},
		"not with more than was refused":          {given(suggested("s1", h1), refused("s1", h1)), suggest("s2", both), []event.Event{suggested("s2", both)}, nil},
		"refusing names its evidence":             {given(suggested("s1", h1)), link.Refuse{ID: "o", Suggestions: []string{"s1"}}, []event.Event{refused("s1", h1)}, nil},
		"refusing twice":                          {given(suggested("s1", h1), refused("s1", h1)), link.Refuse{ID: "o2", Suggestions: []string{"s1"}}, nil, nil},
		"refusing nothing":                        {given(suggested("s1", h1)), link.Refuse{ID: "o"}, nil, &link.RefusedError{}},
		"refusing what never was":                 {given(suggested("s1", h1)), link.Refuse{ID: "o", Suggestions: []string{"s7"}}, nil, &link.NotFoundError{}},
		"an agent links":                          {given(), make("l1", "agent", nil), []event.Event{linked("l1", "agent", nil)}, nil},
		"an agent links what was refused":         {given(suggested("s1", h1), refused("s1", h1)), make("l1", "agent", h1), []event.Event{linked("l1", "agent", h1)}, nil},
		"the same id is the same link":            {given(linked("l1", "agent", nil)), make("l1", "agent", nil), nil, nil},
		"for ever":                                {given(linked("l1", "agent", nil), event.Unlinked{Link: "l1"}), make("l1", "agent", nil), nil, nil},
		"a second link by hand is none":           {given(linked("l1", "agent", nil)), make("l2", "agent", nil), nil, nil},
		"a proof links beside an agent (C-23)":    {given(linked("l1", "agent", nil)), make("link:m1", "proof@1", h1), []event.Event{linked("link:m1", "proof@1", h1)}, nil},
		"the same proof by another message":       {given(linked("link:m1", "proof@1", h1)), make("link:m2", "proof@1", h1again), nil, nil},
		"a proof an agent took back":              {given(linked("link:m1", "proof@1", h1), event.Unlinked{Link: "link:m1", Reason: "agent"}), make("link:m2", "proof@1", h1again), nil, nil},
		"a proof the guard took back":             {given(linked("link:m1", "proof@1", h1), event.Unlinked{Link: "link:m1", Reason: "guard:graph"}), make("link:m2", "proof@1", h1again), nil, nil},
		"which may be suggested":                  {given(linked("link:m1", "proof@1", h1), event.Unlinked{Link: "link:m1", Reason: "guard:graph"}), suggest("s1", h1again), []event.Event{suggested("s1", h1again)}, nil},
		"what an agent took back may not":         {given(linked("link:m1", "proof@1", h1), event.Unlinked{Link: "link:m1", Reason: "agent"}), suggest("s1", h1again), nil, nil},
		"a better proof links again":              {given(linked("link:m1", "proof@1", h1), event.Unlinked{Link: "link:m1", Reason: "agent"}), make("link:m3", "proof@1", h1raised), []event.Event{linked("link:m3", "proof@1", h1raised)}, nil},
		"a rule does not link what was refused":   {given(suggested("s1", h1), refused("s1", h1)), make("l1", "asserted@2", h1), nil, nil},
		"himself":                                 {given(), link.Make{Link: "l", A: "a", B: "a", Rule: "agent"}, nil, &link.RefusedError{}},
		"a link is taken back":                    {given(linked("l1", "agent", nil)), link.Undo{Link: "l1", Reason: "agent"}, []event.Event{event.Unlinked{Link: "l1", Reason: "agent"}}, nil},
		"once is enough":                          {given(linked("l1", "agent", nil), event.Unlinked{Link: "l1"}), link.Undo{Link: "l1", Reason: "agent"}, nil, nil},
		"and leaves the other one":                {given(linked("l1", "agent", nil), linked("l2", "proof@1", h1), event.Unlinked{Link: "l1"}), suggest("s1", h2), nil, nil},
		"a link that never was is not taken back": {given(linked("l1", "agent", nil)), link.Undo{Link: "l2"}, nil, &link.NotFoundError{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := link.Decide(tc.given, tc.when)
			if diff := cmp.Diff(tc.then, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			var no *link.RefusedError
			var none *link.NotFoundError
			switch tc.err.(type) {
			case nil:
				if err != nil {
					t.Errorf("refused: %v", err)
				}
			case *link.RefusedError:
				if !errors.As(err, &no) || no.Reason == "" {
					t.Errorf("got %v", err)
				}
			case *link.NotFoundError:
				if !errors.As(err, &none) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}

// A link closes what was suggested of the pair, so that nobody is asked again.
func TestALinkAnswersSuggestions(t *testing.T) {
	t.Parallel()
	s := given(suggested("s1", says("m1", "h1", 0)), linked("l1", "agent", nil))
	if v, ok := s.Suggestion("s1"); !ok || !v.Closed {
		t.Errorf("suggestion is %+v", v)
	}
	var back link.State
	data, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(data, &back)
	}
	if diff := cmp.Diff(s, back); err != nil || diff != "" {
		t.Errorf("%v: snapshot (-state +read)\n%s", err, diff)
	}
}

// Evolve leaves its argument as it was.
func TestEvolveChangesNoOldState(t *testing.T) {
	t.Parallel()
	s := given(suggested("s1", says("m1", "h1", 0)), linked("l1", "proof@1", says("m1", "h1", 0)))
	before, _ := json.Marshal(s)
	link.Evolve(s, event.Commit{Events: []event.Event{
		event.Unlinked{Link: "l1", Reason: "agent"}, refused("s1", says("m1", "h1", 0)), linked("l2", "agent", nil),
	}})
	if after, _ := json.Marshal(s); string(after) != string(before) {
		t.Errorf("was %s, is %s", before, after)
	}
}
