package handle_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/handle"
	"github.com/weftline/weftline/services/conversation/internal/tenure"
	"github.com/weftline/weftline/services/internal/crypt"
)

var (
	at       = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	claimed  = event.HandleClaimed{Tenure: 1, Customer: "a", Kind: "email", Address: crypt.Sealed{Key: "k", Box: []byte("x")}, Assurance: 1}
	moved    = event.HandleMoved{MoveID: "mv", Tenure: 2, From: "a", To: "b", ValidFrom: at, Refuses: []string{"m1"}}
	recalled = event.HandleRemembered{Tenure: 1, Seen: []string{"m2"}, Started: []string{"p1"}}
	freed    = event.HandleReleased{Tenure: 2, Seen: []string{"m1"}, CutOff: at}
)

func given(es ...event.Event) (s handle.State) {
	for i, e := range es {
		s = handle.Evolve(s, event.Commit{Stream: "handle.h", Seq: uint64(i + 1), Events: []event.Event{e}})
	}
	return s
}

func TestDecide(t *testing.T) {
	t.Parallel()
	claim := func(tenure int64) handle.Claim {
		return handle.Claim{Handle: "h", Tenure: tenure, Customer: "c", Kind: "email", Assurance: 2}
	}
	var (
		stale   *handle.StaleError
		field   *handle.FieldError
		started *handle.StartedError
	)
	mv := handle.Move{ID: "mv", Handle: "h", At: at, From: "a", Tenure: 1, To: "b", ValidFrom: at, Refuses: []string{"m1"}}
	with := func(change func(*handle.Move)) handle.Move { m := mv; change(&m); return m }
	release := func(tenure int64) handle.Release {
		return handle.Release{Handle: "h", Tenure: tenure, EraseID: "e", Seen: []string{"m1", "m2", "m1"}, CutOff: at}
	}
	with3 := func() handle.Release { return handle.Release{Handle: "h", Tenure: 3, Seen: []string{"m1", "m9"}} }
	qualify := func(id, q string) handle.Qualify {
		return handle.Qualify{ID: id, Handle: "h", Qualifier: q, Line: "line", At: at, Back: true}
	}
	qualified := event.HandleQualified{Qualifier: handle.Shared}
	lined := event.HandleMoved{MoveID: "q", Tenure: 2, From: "a", To: "line", Reason: handle.ReasonLine}
	es := func(es ...event.Event) []event.Event { return es }
	took := func(tenure int64) []event.Event {
		return []event.Event{event.HandleClaimed{Tenure: tenure, Customer: "c", Kind: "email", Assurance: 2}}
	}
	for name, tc := range map[string]struct {
		given handle.State
		when  handle.Command
		then  []event.Event
		err   any // pointer to the type of error wanted
	}{
		"nobody's handle is claimed":        {given(), claim(1), took(1), nil},
		"an owned one is not":               {given(claimed), claim(1), nil, nil},
		"nor for a later tenure":            {given(claimed), claim(2), nil, nil},
		"a released one begins the next":    {given(claimed, moved, freed), claim(3), took(3), nil},
		"a stale claim of a former tenure":  {given(claimed, moved, freed), claim(2), nil, nil},
		"better evidence raises the level":  {given(claimed), handle.Assure{Handle: "h", Tenure: 1, Assurance: 3}, []event.Event{event.HandleAssured{Assurance: 3}}, nil},
		"weaker does not lower it":          {given(claimed), handle.Assure{Handle: "h", Tenure: 1, Assurance: 0}, nil, nil},
		"evidence of a tenure that is over": {given(claimed, moved), handle.Assure{Handle: "h", Tenure: 1, Assurance: 3}, nil, nil},
		"a move begins at no level":         {given(claimed, moved), handle.Assure{Handle: "h", Tenure: 2, Assurance: 1}, []event.Event{event.HandleAssured{Assurance: 1}}, nil},
		"moved to another":                  {given(claimed), mv, es(event.HandleMoved{MoveID: "mv", Tenure: 2, From: "a", To: "b", ValidFrom: at, Refuses: []string{"m1"}}), nil},
		"moved already":                     {given(claimed, moved), mv, nil, nil},
		"moved on since":                    {given(claimed, moved, event.HandleMoved{MoveID: "mv2", Tenure: 3, From: "b", To: "c"}), mv, nil, nil},
		"not his to move":                   {given(claimed, event.HandleMoved{MoveID: "other", Tenure: 2, From: "a", To: "b"}), mv, nil, &stale},
		"nobody's":                          {given(), mv, nil, &stale},
		"to himself":                        {given(claimed), with(func(m *handle.Move) { m.To = "a" }), nil, &field},
		"from tomorrow on":                  {given(claimed), with(func(m *handle.Move) { m.ValidFrom = at.Add(time.Hour) }), nil, &field},
		"before the tenure began": {
			given(claimed, moved), with(func(m *handle.Move) { m.ID, m.From, m.To, m.Tenure, m.ValidFrom = "mv2", "b", "c", 2, at.Add(-1) }), nil, &field,
		},
		"what was said before a claim can be meant": {
			given(claimed), with(func(m *handle.Move) { m.ValidFrom = at.AddDate(-1, 0, 0) }),
			es(event.HandleMoved{MoveID: "mv", Tenure: 2, From: "a", To: "b", ValidFrom: at.AddDate(-1, 0, 0), Refuses: []string{"m1"}}), nil,
		},

		"released":             {given(claimed), release(1), es(event.HandleReleased{Tenure: 1, EraseID: "e", Seen: []string{"m1", "m2"}, CutOff: at}), nil},
		"released already":     {given(claimed, event.HandleReleased{Tenure: 1}), release(1), nil, nil},
		"moved away meanwhile": {given(claimed, moved), release(1), nil, nil},
		"a second release keeps what the first knew": {
			given(claimed, freed, event.HandleClaimed{Tenure: 3, Customer: "c"}), with3(),
			es(event.HandleReleased{Tenure: 3, Seen: []string{"m1", "m9"}, CutOff: at}), nil,
		},
		"a release keeps orders": {
			given(claimed, recalled),
			handle.Release{Handle: "h", Tenure: 1, Seen: []string{"m3"}, Started: []string{"p1", "p2"}, CutOff: at},
			es(event.HandleReleased{Tenure: 1, Seen: []string{"m2", "m3"}, Started: []string{"p1", "p2"}, CutOff: at}), nil,
		},
		"remembered": {
			given(claimed, moved),
			handle.Remember{Handle: "h", Tenure: 1, EraseID: "e", Seen: []string{"m1"}, Started: []string{"p1"}},
			es(event.HandleRemembered{Tenure: 1, EraseID: "e", Seen: []string{"m1"}, Started: []string{"p1"}}), nil,
		},
		"remembered beside others": {
			given(claimed, moved, recalled),
			handle.Remember{Handle: "h", Tenure: 2, Seen: []string{"m2", "m4"}},
			es(event.HandleRemembered{Tenure: 2, Seen: []string{"m4"}}), nil,
		},
		"remembered already": {given(claimed, moved, recalled), handle.Remember{Handle: "h", Tenure: 1, Seen: []string{"m9"}}, nil, nil},
		"an order of an erased owner claims nothing": {
			given(claimed, recalled, event.HandleReleased{Tenure: 1, Started: []string{"p1"}}),
			handle.Claim{Handle: "h", Tenure: 2, Customer: "c", Started: "p1"},
			nil, &started,
		},

		"shared: a line of its own": {given(claimed), qualify("q", handle.Shared), es(
			event.HandleQualified{Qualifier: "shared", Reason: "agent"},
			event.HandleMoved{MoveID: "q", Tenure: 2, From: "a", To: "line", Reason: "line"}), nil},
		"shared once": {given(claimed, qualified, lined), qualify("q", handle.Shared), nil, nil},
		"shared no more: back": {given(claimed, qualified, lined), qualify("q2", handle.None), es(
			event.HandleQualified{Qualifier: "none", Reason: "agent"},
			event.HandleMoved{MoveID: "q2", Tenure: 3, From: "line", To: "a", Reason: "line ended"}), nil},
		"given away since: it stays": {
			given(claimed, qualified, lined, event.HandleMoved{MoveID: "x", Tenure: 3, From: "line", To: "c"}), qualify("q2", handle.None),
			es(event.HandleQualified{Qualifier: "none", Reason: "agent"}), nil,
		},
		"an office moves nothing": {given(claimed), qualify("q", handle.Role), es(event.HandleQualified{Qualifier: "role", Reason: "agent"}), nil},
		"none is what it is":      {given(claimed), qualify("q", handle.None), nil, nil},
		"no such kind":            {given(claimed), qualify("q", "evil"), nil, &field},
		"of nobody":               {given(), qualify("q", handle.Shared), nil, &stale},

		"evidence for what nobody owns (yet)": {given(), handle.Assure{Handle: "h", Tenure: 1, Assurance: 3}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := handle.Decide(tc.given, tc.when)
			if tc.err == nil && err != nil || tc.err != nil && !errors.As(err, tc.err) {
				t.Fatalf("error %v, want %T", err, tc.err)
			}
			if diff := cmp.Diff(tc.then, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if len(got) == 0 {
				return
			}
			after := handle.Evolve(tc.given, event.Commit{Stream: "handle.h", Seq: 9, Events: got})
			if again, err := handle.Decide(after, tc.when); err != nil || len(again) > 0 {
				t.Errorf("decided twice: %v, %v", again, err)
			}
		})
	}
}

func TestEvolve(t *testing.T) {
	t.Parallel()
	base := handle.State{ID: "h", Tenure: 1, Customer: "a", Kind: "email", Address: claimed.Address, AddressTenure: 1, Assurance: 1}
	base.Periods = tenure.History{{Number: 1, Customer: "a"}}
	gone := base
	gone.Assurance = 0
	gone.Tenure, gone.Customer, gone.From, gone.MoveID, gone.ValidFrom, gone.Refuses = 2, "b", "a", "mv", at, []string{"m1"}
	gone.Periods = append(gone.Periods, tenure.Period{Number: 2, Customer: "b", ValidFrom: at, MoveID: "mv"})
	sealed := gone
	sealed.Address, sealed.AddressTenure = crypt.Sealed{Key: "k2", Box: []byte("x")}, 2
	anew := moved
	anew.Address = sealed.Address
	line := anew
	line.Reason = handle.ReasonLine
	lined := sealed
	lined.Line, lined.Qualifier = true, handle.Shared
	free := handle.State{
		ID: "h", Tenure: 2, Kind: "email", Seen: []string{"m1"}, CutOff: at,
		Periods: append(gone.Periods[:2:2], tenure.Period{Number: 2}),
	}
	for name, tc := range map[string]struct{ got, want handle.State }{
		"claimed":                 {given(claimed), base},
		"moved keeps the address": {given(claimed, moved), gone},
		"moved with the address under a key of its own": {given(claimed, anew), sealed},
		"a line":                             {given(claimed, event.HandleQualified{Qualifier: handle.Shared}, line), lined},
		"released keeps what was seen alone": {given(claimed, moved, freed), free},
	} {
		if diff := cmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
		data, err := json.Marshal(tc.got)
		if err != nil {
			t.Fatal(err)
		}
		var back handle.State
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.got, back); diff != "" {
			t.Errorf("%s: a snapshot loses something\n%s", name, diff)
		}
	}
}
