package query

import (
	"context"
	"slices"

	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/view"
)

// aPerson is a person being read: the documents his timeline is made of. What
// is stored with one of his customers may belong to another person, and the
// other way round, after a handle moved.
type aPerson struct {
	*Reader
	view    *view.Viewer // of this page
	world   world
	named   string
	members []string // oldest first, those of whom nothing is known left out

	customers map[string]*readmodel.Customer // members, and whoever owned a moved handle
	handles   view.Handles
	units     map[string]*readmodel.Unit
	moved     []string // handles that came to a member by a move
	rows      []*readmodel.Conversation
	byID      map[string]*readmodel.Conversation
	fragments []fragment
	truncated bool                        // there are more conversations than rows
	targets   map[string]*readmodel.Entry // of changes, where they count: the message
	person    map[string]string
	called    string
}

// fragment is what a member has of a conversation that is kept by somebody of another person.
type fragment struct {
	unit  *readmodel.Unit
	owner string
	topic string // of the conversation; its own id when the row is gone
}

func (r *Reader) openPerson(ctx context.Context, w world, id string, alone bool) (*aPerson, error) {
	p := &aPerson{
		Reader: r, view: r.view.Page(), world: w, named: id, units: map[string]*readmodel.Unit{}, handles: view.Handles{},
		byID: map[string]*readmodel.Conversation{}, person: map[string]string{}, targets: map[string]*readmodel.Entry{},
	}
	members := []string{id}
	if !alone {
		members = w.persons().Members(id)
	}
	var err error
	if p.customers, err = w.customers(ctx, members...); err != nil {
		return nil, err
	}
	if p.customers[id] == nil {
		return nil, &MissingError{"customer"}
	}
	var handles []string
	for _, m := range members {
		if c := p.customers[m]; c != nil {
			p.members = append(p.members, m)
			handles = append(handles, handlesOf(c)...)
		}
	}
	if err := p.loadHandles(ctx, handles); err != nil {
		return nil, err
	}
	for h, doc := range p.handles {
		if slices.ContainsFunc(p.members, doc.MovedTo) {
			p.moved = append(p.moved, h)
		}
	}
	slices.Sort(p.moved)
	return p, nil
}

func (p *aPerson) member(id string) bool {
	_, ok := slices.BinarySearch(p.members, id)
	return ok
}

// loadHandles adds handles, and the owners of those that moved.
func (p *aPerson) loadHandles(ctx context.Context, ids []string) error {
	missing := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "" || p.handles[id] != nil })
	if len(missing) == 0 {
		return nil
	}
	found, err := p.world.handles(ctx, missing)
	if err != nil {
		return err
	}
	var owners []string
	for id, h := range found {
		if h == nil {
			continue
		}
		p.handles[id] = h
		for _, period := range h.Periods {
			if h.MovedAfter(0) && period.Customer != "" && p.customers[period.Customer] == nil {
				owners = append(owners, period.Customer)
			}
		}
	}
	if len(owners) == 0 {
		return nil
	}
	more, err := p.world.customers(ctx, owners...)
	if err != nil {
		return err
	}
	for id, c := range more {
		p.customers[id] = c
	}
	return nil
}

// learn fetches what owner needs of entries.
func (p *aPerson) learn(ctx context.Context, page []*readmodel.Entry) error {
	var handles, units []string
	targets, err := p.find(ctx, page)
	if err != nil {
		return err
	}
	page = append(slices.Clip(page), targets...)
	for _, e := range page {
		handles = append(handles, e.Handle)
	}
	if err := p.loadHandles(ctx, handles); err != nil {
		return err
	}
	for _, e := range page {
		if u := e.Unit(); u != "" && p.units[u] == nil && p.handles[e.Handle].MovedAfter(e.Tenure) {
			units = append(units, u)
		}
	}
	if len(units) == 0 {
		return nil
	}
	found, err := p.world.units(ctx, units...)
	if err != nil {
		return err
	}
	for id, u := range found {
		if u != nil {
			p.units[id] = u
		}
	}
	return nil
}
