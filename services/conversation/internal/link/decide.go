package link

import (
	"fmt"
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// RefusedError: the command does not fit what is; Reason is for the caller.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

// NotFoundError: there is no such link or suggestion of this pair.
type NotFoundError struct{ What, ID string }

func (e *NotFoundError) Error() string { return fmt.Sprintf("%s %s not found", e.What, e.ID) }

// Command is an intention; see customer.Command.
type Command interface {
	CommitID() string
	decide(State) ([]event.Event, error)
}

// Decide returns the events the command leads to; none when there is nothing to do.
func Decide(s State, c Command) ([]event.Event, error) { return c.decide(s) }

// Suggest proposes that two customers are one person. It does nothing when they
// are already, or when an agent refused exactly this evidence.
type Suggest struct {
	Suggestion string // derived from the rule and the evidence
	A, B       string // A < B
	Rule       string
	Reasons    []event.Reason
}

// CommitID is the suggestion's id.
func (c Suggest) CommitID() string { return c.Suggestion }

func (c Suggest) decide(s State) ([]event.Event, error) {
	if c.A == c.B {
		return nil, errSelf
	}
	evidence := Keys(c.Reasons)
	_, known := s.Suggestion(c.Suggestion)
	_, linked := s.Linked()
	open := slices.ContainsFunc(s.Suggestions, func(v Suggestion) bool { return !v.Closed && covers(v.Evidence, evidence) })
	if known || linked || open || covers(s.Refused, evidence) {
		return nil, nil
	}
	return []event.Event{event.LinkSuggested{Suggestion: c.Suggestion, A: c.A, B: c.B, Rule: c.Rule, Reasons: c.Reasons}}, nil
}

var errSelf = &RefusedError{Reason: "a customer cannot be linked with himself"}

// Refuse says no to suggestions for good: until there is other evidence.
type Refuse struct {
	ID          string // commit id
	Suggestions []string
}

// CommitID names the order.
func (c Refuse) CommitID() string { return c.ID }

func (c Refuse) decide(s State) ([]event.Event, error) {
	if len(c.Suggestions) == 0 {
		return nil, &RefusedError{Reason: "name the suggestions to refuse"}
	}
	var evidence []string
	for _, id := range c.Suggestions {
		v, ok := s.Suggestion(id)
		if !ok {
			return nil, &NotFoundError{What: "suggestion", ID: id}
		}
		evidence = union(evidence, v.Evidence)
	}
	if covers(s.Refused, evidence) {
		return nil, nil
	}
	return []event.Event{event.LinkRefused{Suggestions: c.Suggestions, Evidence: evidence}}, nil
}

// Make makes one person of two. By hand it does nothing while the pair has an
// active link. By a rule it does nothing on evidence that another link of the
// pair rests on, or did until it was taken back, or that an agent refused.
type Make struct {
	Link    string
	A, B    string // A < B
	Rule    string // RuleAgent for a merge by hand
	Reasons []event.Reason
}

// CommitID is the link's id.
func (c Make) CommitID() string { return c.Link }

func (c Make) decide(s State) ([]event.Event, error) {
	if c.A == c.B {
		return nil, errSelf
	}
	if _, known := s.Link(c.Link); known {
		return nil, nil
	}
	if c.Rule == RuleAgent {
		if _, linked := s.Linked(); linked {
			return nil, nil
		}
	} else if covers(s.spent(), Keys(c.Reasons)) {
		return nil, nil
	}
	return []event.Event{event.Linked{Link: c.Link, A: c.A, B: c.B, Rule: c.Rule, Reasons: c.Reasons}}, nil
}

// spent is the evidence that links no more by itself: it has, or somebody said no.
func (s State) spent() []string {
	out := s.Refused
	for _, l := range s.Links {
		out = union(out, l.Evidence)
	}
	return out
}

// Undo takes one link back, for ever.
type Undo struct {
	Link   string
	Reason string // a word: "agent", "guard:<limit>"
}

// CommitID is un:<link>.
func (c Undo) CommitID() string { return "un:" + c.Link }

func (c Undo) decide(s State) ([]event.Event, error) {
	l, ok := s.Link(c.Link)
	if !ok {
		return nil, &NotFoundError{What: "link", ID: c.Link}
	}
	if l.Undone {
		return nil, nil
	}
	return []event.Event{event.Unlinked{Link: c.Link, Reason: c.Reason}}, nil
}
