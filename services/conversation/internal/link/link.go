// Package link decides whether two customers are one person. It is pure, like
// package customer.
//
// The stream of a pair holds references only, no values. A pair may have
// several links at once, each with its own reasons; it is linked while one is
// active. A link id is used once for ever: what was taken back stays so,
// however often the message that proved it comes again.
package link

import (
	"slices"
	"strconv"
	"strings"

	"github.com/weftline/weftline/services/conversation/internal/event"
)

// StateVersion is the version of State's JSON in snapshots.
const StateVersion = 1

// RuleAgent is the rule of a link by hand: it needs no evidence and heeds no refusal.
const RuleAgent = "agent"

// ReasonGuard begins the reason of links that the guard takes back.
const ReasonGuard = "guard:"

// State is what decides about a pair. The zero value is two strangers.
type State struct {
	Links       []Link       `json:"links,omitempty"`
	Suggestions []Suggestion `json:"suggestions,omitempty"`
	Refused     []string     `json:"refused,omitempty"` // evidence agents said no to
}

// Link is one of the pair.
type Link struct {
	ID       string   `json:"id"`
	Rule     string   `json:"rule"`
	Evidence []string `json:"evidence,omitempty"` // Keys of its reasons
	Undone   bool     `json:"undone,omitempty"`
}

// Suggestion is one of the pair.
type Suggestion struct {
	ID       string   `json:"id"`
	Evidence []string `json:"evidence"`
	Closed   bool     `json:"closed,omitempty"` // refused, or the pair was linked
}

// Linked says whether a link is active, and which one was first.
func (s State) Linked() (id string, ok bool) {
	for _, l := range s.Links {
		if !l.Undone {
			return l.ID, true
		}
	}
	return "", false
}

// Link finds a link, active or not.
func (s State) Link(id string) (Link, bool) {
	i := slices.IndexFunc(s.Links, func(l Link) bool { return l.ID == id })
	if i < 0 {
		return Link{}, false
	}
	return s.Links[i], true
}

// Suggestion finds one, open or not.
func (s State) Suggestion(id string) (Suggestion, bool) {
	i := slices.IndexFunc(s.Suggestions, func(v Suggestion) bool { return v.ID == id })
	if i < 0 {
		return Suggestion{}, false
	}
	return s.Suggestions[i], true
}

// Keys are what reasons rest on, sorted: two messages that say the same of the
// same handle at the same levels are the same evidence, so that saying it again
// is no news. A reason without a handle rests on the messages it names.
func Keys(reasons []event.Reason) []string {
	var out []string
	for _, r := range reasons {
		levels := make([]string, len(r.Levels))
		for i, l := range r.Levels {
			levels[i] = strconv.Itoa(l)
		}
		key := r.Kind + "/" + r.Handle + "/" + strings.Join(levels, "-")
		if r.Handle != "" || len(r.Evidence) == 0 {
			out = append(out, key)
			continue
		}
		for _, e := range r.Evidence {
			out = append(out, key+"/"+e)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// covers says whether all of the evidence is among what is known; no evidence is not.
func covers(known, evidence []string) bool {
	return len(evidence) > 0 && !slices.ContainsFunc(evidence, func(k string) bool { return !slices.Contains(known, k) })
}

// Evolve returns the state after a commit. Neither argument is changed.
func Evolve(s State, c event.Commit) State {
	for _, e := range c.Events {
		switch e := e.(type) {
		case event.LinkSuggested:
			s.Suggestions = append(slices.Clip(s.Suggestions), Suggestion{ID: e.Suggestion, Evidence: Keys(e.Reasons)})
		case event.LinkRefused:
			s.Refused = union(s.Refused, e.Evidence)
			s.Suggestions = closed(s.Suggestions, func(v Suggestion) bool { return slices.Contains(e.Suggestions, v.ID) })
		case event.Linked:
			s.Links = append(slices.Clip(s.Links), Link{ID: e.Link, Rule: e.Rule, Evidence: Keys(e.Reasons)})
			s.Suggestions = closed(s.Suggestions, func(Suggestion) bool { return true })
		case event.Unlinked:
			s.Links = slices.Clone(s.Links)
			for i := range s.Links {
				if l := &s.Links[i]; l.ID == e.Link {
					l.Undone = true
					if !strings.HasPrefix(e.Reason, ReasonGuard) { // somebody looked at it and said no
						s.Refused = union(s.Refused, l.Evidence)
					}
				}
			}
		}
	}
	return s
}

func union(a, b []string) []string {
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return slices.Compact(out)
}

func closed(all []Suggestion, which func(Suggestion) bool) []Suggestion {
	out := slices.Clone(all)
	for i := range out {
		out[i].Closed = out[i].Closed || which(out[i])
	}
	return out
}
