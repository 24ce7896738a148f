package readmodel

import (
	"slices"
	"strings"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// KindPair is the constant the list of all open suggestions is keyed by.
const KindPair = "pair"

// Pair is what the stream of two customers says: their links, present and
// former, and what was suggested.
type Pair struct {
	ID          string       `json:"-"` // "<a>.<b>"
	Kind        string       `json:"kind"`
	A           string       `json:"a"` // A < B
	B           string       `json:"b"`
	Links       []Link       `json:"links,omitempty"`       // oldest first
	Suggestions []Suggestion `json:"suggestions,omitempty"` // oldest first
	// Suggested is the place of the newest open suggestion; missing when none is open.
	Suggested string `json:"suggested,omitempty"`
	LastAt    int64  `json:"last_at"` // of the last event, µs
}

// Link is one of a pair.
type Link struct {
	ID      string         `json:"id"`
	Rule    string         `json:"rule"`
	Actor   string         `json:"actor"`
	At      int64          `json:"at"`
	Reasons []event.Reason `json:"reasons,omitempty"`

	UndoneBy     string `json:"undone_by,omitempty"`
	UndoneAt     int64  `json:"undone_at,omitempty"`
	UndoneReason string `json:"undone_reason,omitempty"`
}

// Active says that it was not taken back.
func (l Link) Active() bool { return l.UndoneAt == 0 }

// States of a suggestion.
const (
	SuggestionOpen    = "open"
	SuggestionRefused = "refused"
	SuggestionLinked  = "linked" // the pair was linked after it
)

// Suggestion is one of a pair.
type Suggestion struct {
	ID      string         `json:"id"`
	Rule    string         `json:"rule"`
	At      int64          `json:"at"`
	Last    string         `json:"last"`
	Reasons []event.Reason `json:"reasons,omitempty"`
	State   string         `json:"state"`
	By      string         `json:"by,omitempty"` // who refused it
}

// Linked says whether a link is active.
func (v *Pair) Linked() bool { return slices.ContainsFunc(v.Links, Link.Active) }

// Open are the open suggestions, newest first.
func (v *Pair) Open() []Suggestion {
	var out []Suggestion
	for _, s := range slices.Backward(v.Suggestions) {
		if s.State == SuggestionOpen {
			out = append(out, s)
		}
	}
	return out
}

// Apply folds one event of its stream and says whether it changed the document.
func (v *Pair) Apply(p Place, ev event.Event) bool {
	v.Kind = KindPair
	v.A, v.B, _ = strings.Cut(p.Pair, ".")
	switch e := ev.(type) {
	case event.LinkSuggested:
		v.Suggestions = append(slices.Clip(v.Suggestions), Suggestion{
			ID: e.Suggestion, Rule: e.Rule, At: micro(p.At), Last: p.Last(), Reasons: e.Reasons, State: SuggestionOpen,
		})
	case event.LinkRefused:
		v.answer(SuggestionRefused, p.Actor, func(s Suggestion) bool { return slices.Contains(e.Suggestions, s.ID) })
	case event.Linked:
		v.Links = append(slices.Clip(v.Links), Link{ID: e.Link, Rule: e.Rule, Actor: p.Actor, At: micro(p.At), Reasons: e.Reasons})
		v.answer(SuggestionLinked, "", func(Suggestion) bool { return true })
	case event.Unlinked:
		v.Links = slices.Clone(v.Links)
		for i := range v.Links {
			if l := &v.Links[i]; l.ID == e.Link {
				l.UndoneBy, l.UndoneAt, l.UndoneReason = p.Actor, micro(p.At), e.Reason
			}
		}
	default:
		return false
	}
	v.Suggested, v.LastAt = "", micro(p.At)
	if open := v.Open(); len(open) > 0 {
		v.Suggested = open[0].Last
	}
	return true
}

// answer closes open suggestions.
func (v *Pair) answer(state, by string, which func(Suggestion) bool) {
	v.Suggestions = slices.Clone(v.Suggestions)
	for i := range v.Suggestions {
		if s := &v.Suggestions[i]; s.State == SuggestionOpen && which(*s) {
			s.State, s.By = state, by
		}
	}
}
