// Package customer decides what may happen to a customer. It is pure: the
// clock is in the command, nothing is read or written, and the same state and
// command always give the same events.
//
//	Decide(state, command) → events     events = commit ─► appended by the shell
//	Evolve(state, commit)  → state      total: never fails, never decides
//
// State is small and bounded; history is not state. What has been forgotten
// (an old conversation, an old message id) is asked for by a typed error:
// MissingError lets the shell fold the stream again with that conversation
// pinned, RecallError lets it ask the timeline whether an entry is known.
package customer
