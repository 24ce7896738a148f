// Package decidertest writes tests of a decider as Given – When – Then.
//
//	decidertest.For(t, conversation.Decider).
//		Given(opened, received).
//		When(Close{At: at}).
//		Then(Closed{At: at})
package decidertest

import (
	"errors"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/decider"
)

// Scenario is one test: Given, then When, then any of the Then methods.
type Scenario[S, C, E any] struct {
	t       testing.TB
	d       decider.Decider[S, C, E]
	opts    []cmp.Option
	given   []E
	events  []E
	err     error
	decided bool
}

// For begins a scenario. opts are for comparing events.
func For[S, C, E any](t testing.TB, d decider.Decider[S, C, E], opts ...cmp.Option) *Scenario[S, C, E] {
	return &Scenario[S, C, E]{t: t, d: d, opts: opts}
}

// Given is the history. Leave it out for "nothing happened yet".
func (s *Scenario[S, C, E]) Given(events ...E) *Scenario[S, C, E] {
	s.given = append(s.given, events...)
	return s
}

// When decides a command. The test fails if deciding changes the state, or if
// deciding it again on the same state gives something else.
func (s *Scenario[S, C, E]) When(command C) *Scenario[S, C, E] {
	s.t.Helper()
	state := s.d.Fold(s.given...)
	s.events, s.err = s.d.Decide(state, command)
	s.decided = true
	if !reflect.DeepEqual(state, s.d.Fold(s.given...)) {
		s.t.Errorf("Decide(%T) changed the state", command)
	}
	again, err := s.d.Decide(state, command)
	if !reflect.DeepEqual(again, s.events) || (err == nil) != (s.err == nil) {
		s.t.Errorf("Decide(%T) is not a function: %v, %v and then %v, %v", command, s.events, s.err, again, err)
	}
	return s
}

// Then expects exactly these events.
func (s *Scenario[S, C, E]) Then(events ...E) *Scenario[S, C, E] {
	s.t.Helper()
	s.mustHaveDecided()
	if s.err != nil {
		s.t.Errorf("refused with %v, want %d events", s.err, len(events))
		return s
	}
	if len(events) == 0 && len(s.events) == 0 {
		return s
	}
	if diff := cmp.Diff(events, s.events, s.opts...); diff != "" {
		s.t.Errorf("events (-want +got):\n%s", diff)
	}
	return s
}

// ThenNothing expects no events and no error: already so.
func (s *Scenario[S, C, E]) ThenNothing() *Scenario[S, C, E] {
	s.t.Helper()
	return s.Then()
}

// ThenError expects a refusal that is target (errors.Is).
func (s *Scenario[S, C, E]) ThenError(target error) {
	s.t.Helper()
	s.mustHaveDecided()
	if !errors.Is(s.err, target) {
		s.t.Errorf("error = %v, want %v", s.err, target)
	}
	if len(s.events) > 0 {
		s.t.Errorf("refused, but with %d events", len(s.events))
	}
}

// ThenState shows the state after the events to check.
func (s *Scenario[S, C, E]) ThenState(check func(S)) *Scenario[S, C, E] {
	s.t.Helper()
	s.mustHaveDecided()
	check(s.d.FoldFrom(s.d.Fold(s.given...), s.events...))
	return s
}

// AndAgain goes on with what was decided as history: Then(…).AndAgain(c).ThenNothing()
// is the law that deciding twice decides nothing.
func (s *Scenario[S, C, E]) AndAgain(command C) *Scenario[S, C, E] {
	s.t.Helper()
	s.mustHaveDecided()
	next := For(s.t, s.d, s.opts...).Given(s.given...).Given(s.events...)
	return next.When(command)
}

func (s *Scenario[S, C, E]) mustHaveDecided() {
	s.t.Helper()
	if !s.decided {
		s.t.Fatal("Then before When")
	}
}
