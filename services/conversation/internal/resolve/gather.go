package resolve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/docstore"
)

// news is a commit that says something about who is who.
type news struct {
	eventstore.Commit
	id     string // of the handle, customer or pair
	events []event.Event
}

// interesting looks at names only, and for proofs at the bytes: most commits
// need no decoding here.
func interesting(c eventstore.Commit) bool {
	for _, r := range c.Records {
		switch {
		case strings.HasPrefix(r.Type, "handle."), strings.HasPrefix(r.Type, "link."), r.Type == "customer.handle_asserted", r.Type == "customer.erasure_done":
			return true
		case r.Type == "conversation.message_received" && bytes.Contains(r.Data, []byte(`"proof"`)):
			return true
		}
	}
	return false
}

// gather decodes what matters of a batch.
func gather(commits []eventstore.Commit) ([]news, error) {
	var out []news
	for _, c := range commits {
		if !interesting(c) {
			continue
		}
		events, err := codec.Decode(c)
		if err != nil {
			return nil, err
		}
		_, id, _ := strings.Cut(c.Stream, ".")
		out = append(out, news{Commit: c, id: id, events: events})
	}
	return out, nil
}

// write brings the index up to a batch. Documents that are newer stay.
func (x *index) write(ctx context.Context, shared Shared, batch []news) error {
	handles, claims := map[string]*Handle{}, map[string]*Claim{}
	seqs := map[string]uint64{} // by document id of either
	var ops []docstore.Op
	for _, n := range batch {
		for _, ev := range n.events {
			switch e := ev.(type) {
			case event.HandleClaimed, event.HandleMoved, event.HandleReleased, event.HandleAssured, event.HandleQualified:
				h, err := x.folding(ctx, handles, seqs, n)
				if err != nil {
					return err
				}
				if h == nil {
					continue
				}
				gone := h.Match
				h.apply(n.RecordedAt.UnixMicro(), shared, ev)
				ops = append(ops, x.matchOps(n.Seq, n.id, "", gone, h.Match)...)
			case event.HandleAsserted:
				c := Claim{
					Handle: e.Handle, Customer: n.id, Kind: e.Kind, Level: e.Assurance, Message: e.Message,
					At: n.RecordedAt.UnixMicro(), Match: e.Match, Address: e.Address,
				}
				better, err := x.claiming(ctx, claims, c)
				if err != nil {
					return err
				}
				if better {
					seqs[c.ID()] = n.Seq
					ops = append(ops, x.matchOps(n.Seq, e.Handle, n.id, nil, e.Match)...)
				}
			case event.ErasureDone:
				gone, err := x.forget(ctx, claims, n)
				if err != nil {
					return err
				}
				ops = append(ops, gone...)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(handles)) {
		op, err := put(x.handles, id, seqs[id], handles[id])
		if err != nil {
			return err
		}
		ops = append(ops, op)
	}
	for _, id := range slices.Sorted(maps.Keys(claims)) {
		op, err := put(x.claims, id, seqs[id], claims[id])
		if err != nil {
			return err
		}
		ops = append(ops, op)
	}
	if len(ops) == 0 {
		return nil
	}
	if err := x.store.Apply(ctx, docstore.Batch{Ops: ops}); err != nil {
		return fmt.Errorf("write index of identities: %w", err)
	}
	return nil
}

// folding finds the handle to fold a commit into; nil when it has it already.
func (x *index) folding(ctx context.Context, handles map[string]*Handle, seqs map[string]uint64, n news) (*Handle, error) {
	if h := handles[n.id]; h != nil {
		seqs[n.id] = n.Seq
		return h, nil
	}
	docs, err := x.store.GetMany(ctx, x.handles, n.id)
	if err != nil {
		return nil, fmt.Errorf("handle of the index: %w", err)
	}
	h := &Handle{ID: n.id}
	if docs[0].JSON != nil {
		if docs[0].Seq >= n.Seq {
			return nil, nil
		}
		if err := json.Unmarshal(docs[0].JSON, h); err != nil {
			return nil, fmt.Errorf("handle of the index: %w", err)
		}
	}
	handles[n.id], seqs[n.id] = h, n.Seq
	return h, nil
}

// claiming keeps the claim if it is better than the one that is there.
func (x *index) claiming(ctx context.Context, claims map[string]*Claim, c Claim) (bool, error) {
	old := claims[c.ID()]
	if old == nil {
		docs, err := x.store.GetMany(ctx, x.claims, c.ID())
		if err != nil {
			return false, fmt.Errorf("claim of the index: %w", err)
		}
		if docs[0].JSON != nil {
			old = &Claim{}
			if err := json.Unmarshal(docs[0].JSON, old); err != nil {
				return false, fmt.Errorf("claim of the index: %w", err)
			}
		}
	}
	if old != nil && old.Level >= c.Level {
		return false, nil
	}
	claims[c.ID()] = &c
	return true, nil
}

// forget takes away what an erased customer said of handles: nothing in the log
// says it any more.
func (x *index) forget(ctx context.Context, claims map[string]*Claim, n news) (ops []docstore.Op, err error) {
	drop := func(c Claim) {
		delete(claims, c.ID())
		ops = append(ops, docstore.Op{Collection: x.claims, Delete: true, Doc: docstore.Doc{ID: c.ID(), Seq: n.Seq}})
		ops = append(ops, x.matchOps(n.Seq, c.Handle, c.Customer, c.Match, nil)...)
	}
	for _, c := range claims {
		if c.Customer == n.id {
			drop(*c)
		}
	}
	err = x.store.Scan(ctx, x.claims, func(d docstore.Doc) error {
		var c Claim
		if err := json.Unmarshal(d.JSON, &c); err != nil {
			return fmt.Errorf("claim of the index: %w", err)
		}
		if c.Customer == n.id {
			drop(c)
		}
		return nil
	})
	return ops, err
}

// matchOps put the hashes of an address, and take those away that are no more.
func (x *index) matchOps(seq uint64, handle, claimant string, gone, now []string) (ops []docstore.Op) {
	for _, hash := range gone {
		if !slices.Contains(now, hash) {
			m := match{Match: hash, Handle: handle, Claimant: claimant}
			ops = append(ops, docstore.Op{Collection: x.matches, Delete: true, Doc: docstore.Doc{ID: m.id(), Seq: seq}})
		}
	}
	for _, hash := range now {
		m := match{Match: hash, Handle: handle, Claimant: claimant}
		b, _ := json.Marshal(m)
		ops = append(ops, docstore.Op{Collection: x.matches, Doc: docstore.Doc{ID: m.id(), Seq: seq, JSON: b}})
	}
	return ops
}

func put(collection, id string, seq uint64, v any) (docstore.Op, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return docstore.Op{}, fmt.Errorf("encode document of %s: %w", collection, err)
	}
	return docstore.Op{Collection: collection, Doc: docstore.Doc{ID: id, Seq: seq, JSON: b}}, nil
}
