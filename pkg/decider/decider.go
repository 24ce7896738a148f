// Package decider is a state machine whose transitions are events.
package decider

// Decider of commands C by a state S folded from events E. The zero S is
// "nothing happened yet".
type Decider[S, C, E any] struct {
	// Decide says what happens: no events = already so, an error = refused. The
	// clock is in the command; no I/O, no randomness, S is not changed.
	Decide func(S, C) ([]E, error)
	// Evolve is the state after one more event. It never fails, never decides,
	// and does not change the S it is given: clone maps and slices before writing.
	Evolve func(S, E) S
}

// Fold is the state after events, from nothing.
func (d Decider[S, C, E]) Fold(events ...E) S {
	var zero S
	return d.FoldFrom(zero, events...)
}

// FoldFrom is the state after events, from a state: a snapshot or an earlier fold.
func (d Decider[S, C, E]) FoldFrom(s S, events ...E) S {
	for _, e := range events {
		s = d.Evolve(s, e)
	}
	return s
}
