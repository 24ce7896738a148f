// Package topic says what is shown as one conversation. It is pure.
//
// A node is a fragment: what one customer has of one conversation. A stored
// conversation is in one piece until a handle moved away; then a part of it
// belongs to somebody else. Two fragments are shown as one when they are of one
// conversation, of one topic, when one was opened beside the other, or when an
// agent joined them: each only while both belong to one person.
package topic

import (
	"cmp"
	"slices"
)

// Fragment is a part of a conversation and whose it is.
type Fragment struct {
	Conversation string
	Customer     string // who it derives to
	Topic        string // stored with the conversation
	// Beside are conversations this one was opened beside, seen through the
	// links Via: it counts while those of them that are active connect both ends.
	Beside, Via []string
}

// Link is an active link between two customers.
type Link struct{ ID, A, B string }

// Join is an agent's join of two conversations that was not taken back.
type Join struct{ ID, A, B string }

// Topic is fragments of one person that are shown as one.
type Topic struct {
	ID        string // the smallest topic stored with one of them: the oldest
	Fragments []int  // indexes into what Of was given, growing
}

// Of finds the topics of fragments; every fragment is in exactly one. person
// names the person of a customer: the same name, the same person.
func Of(fragments []Fragment, person func(customer string) string, links []Link, joins []Join) []Topic {
	c := components{parent: make([]int, len(fragments))}
	for i := range c.parent {
		c.parent[i] = i
	}
	persons := make([]string, len(fragments))
	byConversation := map[string][]int{}
	first := map[[3]string]int{} // the first fragment of a person's conversation, or topic
	for i, f := range fragments {
		persons[i] = person(f.Customer)
		byConversation[f.Conversation] = append(byConversation[f.Conversation], i)
		for _, key := range [][3]string{{persons[i], "conversation", f.Conversation}, {persons[i], "topic", f.Topic}} {
			if j, ok := first[key]; ok {
				c.unite(i, j)
			} else {
				first[key] = i
			}
		}
	}
	for i, f := range fragments {
		for _, other := range f.Beside {
			for _, j := range byConversation[other] {
				if persons[i] == persons[j] && connect(f.Via, links, f.Customer, fragments[j].Customer) {
					c.unite(i, j)
				}
			}
		}
	}
	for _, join := range joins {
		for _, i := range byConversation[join.A] {
			for _, j := range byConversation[join.B] {
				if persons[i] == persons[j] {
					c.unite(i, j)
				}
			}
		}
	}
	return c.topics(fragments)
}

// connect says whether the links named, as far as they are active, lead from
// one customer to another. Nobody is beside himself: two conversations of one
// customer were never seen through a link.
func connect(via []string, links []Link, from, to string) bool {
	if from == to {
		return false
	}
	reached := map[string]bool{from: true}
	for grown := true; grown && !reached[to]; {
		grown = false
		for _, l := range links {
			if reached[l.A] != reached[l.B] && slices.Contains(via, l.ID) {
				reached[l.A], reached[l.B], grown = true, true, true
			}
		}
	}
	return reached[to]
}

// components is a disjoint-set forest whose roots are the smallest index.
type components struct{ parent []int }

func (c components) root(i int) int {
	for c.parent[i] != i {
		c.parent[i] = c.parent[c.parent[i]]
		i = c.parent[i]
	}
	return i
}

func (c components) unite(i, j int) {
	i, j = c.root(i), c.root(j)
	c.parent[max(i, j)] = min(i, j)
}

func (c components) topics(fragments []Fragment) []Topic {
	at := map[int]int{}
	var out []Topic
	for i, f := range fragments {
		r := c.root(i)
		if _, ok := at[r]; !ok {
			at[r] = len(out)
			out = append(out, Topic{ID: f.Topic})
		}
		t := &out[at[r]]
		t.ID = min(t.ID, f.Topic)
		t.Fragments = append(t.Fragments, i)
	}
	slices.SortFunc(out, func(a, b Topic) int { return cmp.Compare(a.Fragments[0], b.Fragments[0]) })
	return out
}
