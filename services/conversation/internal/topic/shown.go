package topic

import "slices"

// State is what a conversation's row says and a topic shows together.
type State struct {
	Status       string // open, pending, snoozed, closed
	Assignee     string // "" for nobody
	Tags         []string
	SnoozedUntil int64  // of a snoozed one
	LastInbound  string // sorts; "" when the customer never wrote in it
}

// order of statuses, the one that is shown first.
var order = []string{"open", "pending", "snoozed", "closed"}

// Show is the state of a topic: open if any is open, else pending, snoozed
// until the earliest time, closed; the assignee of the one the customer wrote
// in last; the tags of all. Fragments kept elsewhere have no state: leave them out.
func Show(states []State) State {
	out := State{}
	rank := len(order)
	for i, s := range states {
		if r := slices.Index(order, s.Status); r >= 0 && r < rank {
			rank, out.Status = r, s.Status
		}
		if i == 0 || s.LastInbound > out.LastInbound {
			out.Assignee, out.LastInbound = s.Assignee, s.LastInbound
		}
		for _, t := range s.Tags {
			if !slices.Contains(out.Tags, t) {
				out.Tags = append(out.Tags, t)
			}
		}
	}
	slices.Sort(out.Tags)
	if out.Status != "snoozed" {
		return out
	}
	for _, s := range states {
		if s.Status == "snoozed" && (out.SnoozedUntil == 0 || s.SnoozedUntil < out.SnoozedUntil) {
			out.SnoozedUntil = s.SnoozedUntil
		}
	}
	return out
}
