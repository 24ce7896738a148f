package readmodel

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Join is what the stream of two conversations says.
type Join struct {
	ID    string                      `json:"-"` // "<c1>.<c2>"
	Joins []event.ConversationsJoined `json:"joins,omitempty"`
	Apart []string                    `json:"apart,omitempty"` // ids of joins taken back
}

// Apply folds one event of its stream and says whether it changed the document.
func (j *Join) Apply(ev event.Event) bool {
	switch e := ev.(type) {
	case event.ConversationsJoined:
		j.Joins = append(j.Joins[:len(j.Joins):len(j.Joins)], e)
	case event.ConversationsUnjoined:
		j.Apart = append(j.Apart[:len(j.Apart):len(j.Apart)], e.Join)
	default:
		return false
	}
	return true
}

// Tombstone says that a customer was erased.
type Tombstone struct {
	EraseID string `json:"erase_id"`
	At      int64  `json:"at"`
}

// needTies notes the documents of an event of a link or join stream.
func (w *Work) needTies(p Place, ev event.Event) {
	w.pairs.need(p.Pair, false)
	w.joins.need(p.Join, false)
	for _, e := range TieEntries(p, ev) {
		w.entries.need(e.ID, true)
	}
}

func (w *Work) foldTies(p Place, ev event.Event) {
	if sl := w.pairs.at(p.Pair, p.Seq); sl != nil && sl.val.Apply(p, ev) {
		w.pairs.wrote(p.Pair, sl, p.Seq)
	}
	if sl := w.joins.at(p.Join, p.Seq); sl != nil && sl.val.Apply(ev) {
		w.joins.wrote(p.Join, sl, p.Seq)
	}
	for _, e := range TieEntries(p, ev) {
		if sl := w.entries.at(e.ID, p.Seq); sl != nil {
			sl.val = e
			w.entries.wrote(e.ID, sl, p.Seq)
		}
	}
}

func (w *Work) foldTombstone(p Place, ev event.Event) {
	// The fence says it first. The end of the erasure says it again: a purge
	// leaves that alone in the log.
	var id string
	switch e := ev.(type) {
	case event.CustomerErased:
		id = e.EraseID
	case event.ErasureDone:
		id = e.EraseID
	default:
		return
	}
	if sl := w.tombstones.at(p.Customer, p.Seq); sl != nil {
		sl.val = Tombstone{EraseID: id, At: micro(p.At)}
		w.tombstones.wrote(p.Customer, sl, p.Seq)
	}
}

// TieEntries are the lines an event of a link or join stream makes: one in the
// timeline of each side, each a document of its own that this stream alone
// writes. Value is the other side.
func TieEntries(p Place, ev event.Event) []Entry {
	base := Entry{Position: p.Position(), Kind: KindActivity, At: micro(p.At), Actor: p.Actor}
	a, b, _ := strings.Cut(p.Pair, ".")
	sides := [2]Entry{}
	switch e := ev.(type) {
	case event.LinkSuggested:
		base.Verb, base.Ref, base.Rule = "suggested", e.Suggestion, e.Rule
	case event.LinkRefused:
		if len(e.Suggestions) == 0 {
			return nil
		}
		base.Verb, base.Ref = "refused", e.Suggestions[0]
	case event.Linked:
		base.Verb, base.Ref, base.Rule = "linked", e.Link, e.Rule
	case event.Unlinked:
		base.Verb, base.Ref, base.Rule = "unlinked", e.Link, e.Reason
	case event.ConversationsJoined:
		return joinEntries(p, base, "joined", e.Join, e.Customers)
	case event.ConversationsUnjoined:
		return joinEntries(p, base, "unjoined", e.Join, e.Customers)
	default:
		return nil
	}
	for i, side := range [2][2]string{{a, b}, {b, a}} {
		e := base
		e.Customer, e.Value = side[0], side[1]
		e.ID = entryID(side[0], p, i)
		sides[i] = e
	}
	return sides[:]
}

func joinEntries(p Place, base Entry, verb, join string, customers []string) []Entry {
	if len(customers) != 2 {
		return nil // it was written before events said whose the conversations are
	}
	c1, c2, _ := strings.Cut(p.Join, ".")
	base.Verb, base.Ref = verb, join
	out := make([]Entry, 0, 2)
	for i, side := range [2][2]string{{c1, c2}, {c2, c1}} {
		e := base
		e.Customer, e.Conversation, e.Value = customers[i], side[0], side[1]
		e.ID = entryID(side[0], p, i)
		out = append(out, e)
	}
	return out
}

// entryID is unique over all streams, and the same however often it is made.
func entryID(of string, p Place, side int) string {
	return of + "." + p.Commit + "." + strconv.Itoa(p.Index) + "." + strconv.Itoa(side)
}

// loadGraph fills a graph from the documents. They may be newer than the
// checkpoint: applying the same events again changes nothing.
func loadGraph(ctx context.Context, s docstore.Store, n Names) (*person.Graph, error) {
	g := person.New()
	err := s.Scan(ctx, n.Pairs, func(d docstore.Doc) error {
		var v Pair
		if err := json.Unmarshal(d.JSON, &v); err != nil {
			return err
		}
		stream := "link." + d.ID
		g.ApplyAt(stream, time.UnixMicro(v.LastAt).UTC(), nil) // the pair, though nothing but a suggestion may be left of it
		for _, l := range v.Links {
			g.ApplyAt(stream, time.UnixMicro(l.At).UTC(), event.Linked{Link: l.ID, A: v.A, B: v.B, Rule: l.Rule})
			if !l.Active() {
				g.Apply(stream, event.Unlinked{Link: l.ID})
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load pairs: %w", err)
	}
	err = s.Scan(ctx, n.Joins, func(d docstore.Doc) error {
		var v Join
		if err := json.Unmarshal(d.JSON, &v); err != nil {
			return err
		}
		for _, e := range v.Joins {
			g.Apply("join."+d.ID, e)
		}
		for _, id := range v.Apart {
			g.Apply("join."+d.ID, event.ConversationsUnjoined{Join: id})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load joins: %w", err)
	}
	err = s.Scan(ctx, n.Tombstones, func(d docstore.Doc) error {
		g.Apply("customer."+d.ID, event.CustomerErased{})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load tombstones: %w", err)
	}
	return g, nil
}
