package query

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/topic"
	"github.com/weftline/weftline/services/conversation/internal/view"
)

// positionAt is the beginning of every position at a time in Unix microseconds.
func positionAt(at int64) string { return fmt.Sprintf("%013x", max(0, at)) }

// loadRows fetches the newest conversations of the person, at most n, and the
// parts of others' that are his.
func (p *aPerson) loadRows(ctx context.Context, n int) error {
	per := n
	if k := len(p.members); k > 1 {
		per = max(10, 2*n/k)
	}
	var few []string
	for _, id := range p.members {
		if p.customers[id].Erased() {
			continue
		}
		if ids, all := p.customers[id].Recent(); all && len(p.members) > 1 {
			few = append(few, ids...)
			continue
		}
		rows, err := p.world.rowsOf(ctx, id, per)
		if err != nil {
			return err
		}
		p.truncated = p.truncated || len(rows) == per
		p.rows = append(p.rows, rows...)
	}
	found, err := p.world.rows(ctx, few...)
	if err != nil {
		return err
	}
	for _, c := range found {
		p.rows = append(p.rows, c)
	}
	if len(p.members) > 1 {
		slices.SortFunc(p.rows, func(a, b *readmodel.Conversation) int { return cmp.Compare(b.Last, a.Last) })
		if len(p.rows) > n {
			p.rows, p.truncated = p.rows[:n], true
		}
	}
	for _, c := range p.rows {
		p.byID[c.ID] = c
	}
	return p.loadFragments(ctx)
}

// loadFragments finds units kept with others that belong to a member.
func (p *aPerson) loadFragments(ctx context.Context) error {
	var ids []string
	for _, h := range p.moved {
		units, err := p.world.unitsOn(ctx, h, maxConversations)
		if err != nil {
			return err
		}
		for _, u := range units {
			owner := p.ownerOf(u)
			if p.member(u.Customer) || !p.member(owner) || p.customers[owner].Erased() {
				continue
			}
			if !slices.ContainsFunc(p.fragments, func(f fragment) bool { return f.unit.Conversation == u.Conversation && f.owner == owner }) {
				p.fragments = append(p.fragments, fragment{u, owner, u.Conversation})
				ids = append(ids, u.Conversation)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	kept, err := p.world.rows(ctx, ids...)
	if err != nil {
		return err
	}
	for i, f := range p.fragments {
		if c := kept[f.unit.Conversation]; c != nil {
			p.fragments[i].topic = c.Topic
		}
	}
	return nil
}

// loadRowsOf adds the conversations a page speaks of, and those of one topic
// with them, where not all of the person's were loaded.
func (p *aPerson) loadRowsOf(ctx context.Context, page []*readmodel.Entry) error {
	if !p.truncated {
		return nil
	}
	var ids []string
	for _, e := range page {
		if e.Conversation != "" && p.byID[e.Conversation] == nil {
			ids = append(ids, e.Conversation)
		}
	}
	return p.addRows(ctx, ids)
}

// maxTopic bounds the conversations looked for that are shown as one.
const maxTopic = 100

// addRows adds conversations of the person by id, and what is of one topic with them.
func (p *aPerson) addRows(ctx context.Context, ids []string) error {
	asked := map[string]bool{}
	for len(ids) > 0 && len(asked) < maxTopic {
		var missing []string
		for _, id := range ids {
			if p.byID[id] == nil && !asked[id] {
				missing = append(missing, id)
			}
			asked[id] = true
		}
		found, err := p.world.rows(ctx, missing...)
		if err != nil {
			return err
		}
		ids = nil
		for _, id := range slices.Compact(missing) {
			c := found[id]
			if !p.add(c) {
				continue
			}
			ids = append(append(ids, joined(p.world, id)...), c.Beside...)
			same, err := p.world.rowsOn(ctx, c.Topic, maxTopic)
			if err != nil {
				return err
			}
			for _, o := range same {
				p.add(o)
			}
		}
	}
	return nil
}

func (p *aPerson) add(c *readmodel.Conversation) bool {
	if c == nil || p.byID[c.ID] != nil || !p.member(c.Customer) || p.customers[c.Customer].Erased() {
		return false
	}
	p.byID[c.ID] = c
	p.rows = append(p.rows, c)
	return true
}

// topics are the person's, and the fragments they are of.
func (p *aPerson) topics() ([]topic.Topic, []topic.Fragment) {
	all := make([]topic.Fragment, 0, len(p.rows)+len(p.fragments))
	for _, c := range p.rows {
		all = append(all, topic.Fragment{Conversation: c.ID, Customer: c.Customer, Topic: c.Topic, Beside: c.Beside, Via: c.Via})
	}
	for _, f := range p.fragments {
		all = append(all, topic.Fragment{Conversation: f.unit.Conversation, Customer: f.owner, Topic: f.topic})
	}
	return topicsOf(p.world, all, p.canonical)
}

func topicsOf(w world, all []topic.Fragment, person func(customer string) string) ([]topic.Topic, []topic.Fragment) {
	graph := w.persons()
	links, joins := []topic.Link{}, []topic.Join{}
	seen := map[string]bool{}
	for _, f := range all {
		if len(f.Beside) > 0 && !seen[f.Customer] {
			seen[f.Customer] = true
			links = append(links, linksOf(graph, f.Customer)...)
		}
		for _, o := range joined(w, f.Conversation) {
			joins = append(joins, topic.Join{A: f.Conversation, B: o})
		}
	}
	return topic.Of(all, person, links, joins), all
}

// joined are the conversations a conversation is joined with by agents.
func joined(w world, conversation string) []string {
	var out []string
	for _, j := range w.persons().Joins(conversation) {
		if j.A == conversation {
			out = append(out, j.B)
		} else {
			out = append(out, j.A)
		}
	}
	return out
}

// linksOf are the active links of a customer's person.
func linksOf(g *person.Graph, customer string) []topic.Link {
	var out []topic.Link
	for _, e := range g.Between(g.Members(customer)) {
		out = append(out, topic.Link{ID: e.Link, A: e.A, B: e.B})
	}
	return out
}

// together are the conversations shown as one with a conversation, itself among them.
func (p *aPerson) together(ctx context.Context, id string) ([]string, error) {
	if p.truncated {
		if err := p.addRows(ctx, []string{id}); err != nil {
			return nil, err
		}
	}
	topics, all := p.topics()
	for _, t := range topics {
		if !slices.ContainsFunc(t.Fragments, func(i int) bool { return all[i].Conversation == id }) {
			continue
		}
		var out []string
		for _, i := range t.Fragments {
			out = append(out, all[i].Conversation)
		}
		slices.Sort(out)
		return slices.Compact(out), nil
	}
	return nil, &FieldError{"conversation_id", "is no conversation of this person"}
}

// showTopics fills in conversations and topics.
func (p *aPerson) showTopics(ctx context.Context, out *inboxv1.GetTimelineResponse) error {
	topics, all := p.topics()
	ids := make([]string, len(all))
	for _, t := range topics {
		for _, i := range t.Fragments {
			ids[i] = t.ID
		}
	}
	for i, c := range p.rows {
		shown, err := p.view.Conversation(ctx, c, p.customers[c.Customer], p.handles)
		if err != nil {
			return err
		}
		if shown.CustomerName, err = p.name(ctx); err != nil {
			return err
		}
		shown.PersonId, shown.TopicId = p.canonical(c.Customer), ids[i]
		out.Conversations = append(out.Conversations, shown)
	}
	for i, f := range p.fragments {
		shown := p.view.Fragment(f.unit, f.owner)
		var err error
		if shown.CustomerName, err = p.name(ctx); err != nil {
			return err
		}
		shown.PersonId, shown.TopicId = p.canonical(f.owner), ids[len(p.rows)+i]
		out.Conversations = append(out.Conversations, shown)
	}
	for _, t := range topics {
		if len(t.Fragments) > 1 {
			out.Topics = append(out.Topics, p.showTopic(t, all))
		}
	}
	return nil
}

func (p *aPerson) showTopic(t topic.Topic, all []topic.Fragment) *inboxv1.Topic {
	var states []topic.State
	var rows []*readmodel.Conversation
	out := &inboxv1.Topic{Id: t.ID}
	for _, i := range t.Fragments {
		if i < len(p.rows) {
			rows = append(rows, p.rows[i])
		}
	}
	slices.SortStableFunc(rows, func(a, b *readmodel.Conversation) int { return cmp.Compare(b.Last, a.Last) })
	for _, c := range rows {
		s := topic.State{Status: c.Status, Tags: c.Tags, SnoozedUntil: c.SnoozedUntil, LastInbound: c.Inbound}
		if c.Assignee != readmodel.NoAssignee {
			s.Assignee = c.Assignee
		}
		states, out.ConversationIds = append(states, s), append(out.ConversationIds, c.ID)
	}
	for _, i := range t.Fragments {
		if id := all[i].Conversation; !slices.Contains(out.ConversationIds, id) {
			out.ConversationIds = append(out.ConversationIds, id)
		}
	}
	s := topic.Show(states)
	out.Status, out.Assignee, out.Tags, out.SnoozedUntil = view.Status(s.Status), s.Assignee, s.Tags, view.Stamp(s.SnoozedUntil)
	return out
}

// topicIDs are the topics of rows: of those a row was opened beside or joined
// with too, whether they are among the rows or not.
func (r *Reader) topicIDs(ctx context.Context, p *readmodel.Projector, rows []*readmodel.Conversation) (map[string]string, error) {
	w := r.stored(p)
	known := map[string]bool{}
	var all []topic.Fragment
	for len(rows) > 0 && len(all) < maxTopic+MaxPage {
		var next []string
		for _, c := range rows {
			if known[c.ID] {
				continue
			}
			known[c.ID] = true
			all = append(all, topic.Fragment{Conversation: c.ID, Customer: c.Customer, Topic: c.Topic, Beside: c.Beside, Via: c.Via})
			for _, id := range slices.Concat(joined(w, c.ID), c.Beside) {
				if !known[id] {
					next = append(next, id)
				}
			}
		}
		found, err := w.rows(ctx, next...)
		if err != nil {
			return nil, err
		}
		rows = nil
		for _, c := range found {
			rows = append(rows, c)
		}
	}
	out := make(map[string]string, len(all))
	topics, _ := topicsOf(w, all, p.Graph().Canonical)
	for _, t := range topics {
		for _, i := range t.Fragments {
			out[all[i].Conversation] = t.ID
		}
	}
	return out, nil
}
