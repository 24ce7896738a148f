package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/estate"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/intake"
	"github.com/weftline/weftline/services/internal/ledger"
)

// partSize is how many things one part holds.
const partSize = 2000

// bag gathers what must be destroyed, each thing once, and cuts it into parts.
type bag struct {
	erase, customer string
	seen            map[string]bool
	cur             part
	size            int
	parts           []part
}

func newBag(erase, customer string, first int) *bag {
	return &bag{erase: erase, customer: customer, seen: map[string]bool{}, cur: part{Erase: erase, Customer: customer, N: first}}
}

func (b *bag) add(kind string, to func(*part) *[]string, names ...string) {
	for _, n := range names {
		if n == "" || b.seen[kind+n] {
			continue
		}
		b.seen[kind+n] = true
		list := to(&b.cur)
		*list = append(*list, n)
		b.grow()
	}
}

func (b *bag) grow() {
	if b.size++; b.size >= partSize {
		b.cut()
	}
}

func (b *bag) cut() {
	if b.size > 0 {
		b.parts = append(b.parts, b.cur)
		b.cur, b.size = part{Erase: b.erase, Customer: b.customer, N: b.cur.N + 1}, 0
	}
}

func (b *bag) keys(n ...string)   { b.add("k", func(p *part) *[]string { return &p.Keys }, n...) }
func (b *bag) blobs(n ...string)  { b.add("b", func(p *part) *[]string { return &p.Blobs }, n...) }
func (b *bag) inputs(n ...string) { b.add("i", func(p *part) *[]string { return &p.Inputs }, n...) }

func (b *bag) replies(n ...string) { b.add("r", func(p *part) *[]string { return &p.Replies }, n...) }

func (b *bag) conversations(n ...string) {
	b.add("c", func(p *part) *[]string { return &p.Conversations }, n...)
}

func (b *bag) handles(n ...string) { b.add("h", func(p *part) *[]string { return &p.Handles }, n...) }
func (b *bag) lanes(n ...string)   { b.add("l", func(p *part) *[]string { return &p.Lanes }, n...) }
func (b *bag) search(n ...string)  { b.add("s", func(p *part) *[]string { return &p.Search }, n...) }

func (b *bag) streams(n ...string) { b.add("t", func(p *part) *[]string { return &p.Streams }, n...) }

func (b *bag) commit(c ledger.Commit) {
	b.cur.Commits = append(b.cur.Commits, c)
	b.grow()
}

// estateOf is what belongs to a customer, claimed and not yet attached handles included.
func (s *Service) estateOf(ctx context.Context, e *Erasure, customer string) (*estate.Estate, error) {
	further := append([]string(nil), e.Handles...)
	if !e.Replayed { // the read models of an older copy are not built yet; the ledger knows
		owned, err := s.owned(ctx, customer)
		if err != nil {
			return nil, err
		}
		further = append(further, owned...)
	}
	return s.streams.Of(ctx, customer, further...)
}

// owned are the handles the read models know to be a customer's now, up to the
// newest commit.
func (s *Service) owned(ctx context.Context, customer string) ([]string, error) {
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	p, release := s.Live.Acquire()
	defer release()
	var out []string
	for after := ""; ; {
		items, err := s.Live.Store().List(ctx, p.Names().Handles, docstore.Query{
			Index: readmodel.ByCustomer, Prefix: []any{customer}, Limit: 1000, After: after,
		})
		if err != nil {
			return nil, fmt.Errorf("list handles of a customer: %w", err)
		}
		for _, it := range items {
			out = append(out, it.ID)
			after = it.Token
		}
		if len(items) < 1000 {
			return out, nil
		}
	}
}

// settle waits until the read models show what is in the log now.
func (s *Service) settle(ctx context.Context) error {
	for p := range s.Log.Partitions() {
		head, err := s.Log.Head(ctx, p)
		if err != nil {
			return err
		}
		if err := s.Live.WaitFor(ctx, p, head); err != nil {
			return err
		}
	}
	return nil
}

// plan lists everything of a customer that an erasure destroys.
func (s *Service) plan(ctx context.Context, e *Erasure, customer string) ([]part, error) {
	est, err := s.estateOf(ctx, e, customer)
	if err != nil {
		return nil, err
	}
	b := newBag(e.ID, customer, 0)
	b.keys(event.CustomerKey(customer))
	if err := s.lane(ctx, b, customer); err != nil {
		return nil, err
	}
	for _, h := range est.Handles {
		shared, his := false, false
		for _, p := range h.History {
			if p.Customer == customer {
				his = true
				b.keys(event.AddressKey(h.ID, p.Number))
			} else if p.Customer != "" && !s.isErased(p.Customer) && !after(h, p.Number, customer) {
				shared = true
			}
		}
		// The originals of a handle are under one key, whoever owned it. Where
		// another owner lives, his go one by one (below), and the key stays.
		if !his && !e.Replayed {
			continue // another member's
		}
		b.handles(h.ID)
		if !shared {
			if err := s.lane(ctx, b, h.ID); err != nil {
				return nil, err
			}
		}
	}
	for _, u := range est.Units {
		b.keys(u.Key)
	}
	for _, c := range est.Conversations {
		b.conversations(c)
		b.keys("draft/" + c)
	}
	for _, home := range est.Homes[1:] {
		b.streams("customer." + home)
	}
	if s.Exports != nil {
		keys, blobs, err := s.Exports.Of(ctx, customer)
		if err != nil {
			return nil, err
		}
		b.keys(keys...)
		b.blobs(blobs...)
	}
	err = s.streams.Walk(ctx, est, func(it estate.Item) error { return s.planItem(ctx, b, customer, it) })
	if err != nil {
		return nil, err
	}
	if err := s.planUnderway(ctx, b); err != nil {
		return nil, err
	}
	b.cut()
	return b.parts, nil
}

// after says that a tenure began when the customer had been released: what is
// its owner's came under another key.
func after(h *estate.Handle, number int64, customer string) bool {
	released := false
	for _, p := range h.History {
		switch {
		case p.Number == number && p.Customer != "":
			return released
		case p.Customer == customer:
			released = false
		case p.Customer == "":
			released = true
		}
	}
	return false
}

// lane adds the keys of what arrived for an ordering key: one for each time it
// was erased, and one.
func (s *Service) lane(ctx context.Context, b *bag, key string) error {
	b.lanes(key)
	for n := 1; ; n++ {
		name := intake.DataKeyGeneration(key, n)
		dead, err := s.Keys.Destroyed(ctx, name)
		if err != nil {
			return fmt.Errorf("look for keys of originals: %w", err)
		}
		b.keys(name)
		if !dead {
			return nil
		}
	}
}

// planItem adds what one event leads to.
func (s *Service) planItem(ctx context.Context, b *bag, customer string, it estate.Item) error {
	p := place(it)
	if strings.HasPrefix(it.Commit.Cause, "in/") {
		if err := s.planInput(ctx, b, it.Commit.Cause); err != nil {
			return err
		}
	}
	if entry, ok := readmodel.NewEntry(p, it.Event); ok && it.Home != customer {
		b.search(readmodel.SearchID(&entry))
	}
	switch v := it.Event.(type) {
	case event.MessageReceived:
		if v.Raw != "" {
			if err := s.planInput(ctx, b, v.Raw); err != nil {
				return err
			}
		}
		return s.planFiles(ctx, b, v.Body, event.MessageAAD(v.Message))
	case event.MessageChanged:
		if v.Raw != "" {
			if err := s.planInput(ctx, b, v.Raw); err != nil {
				return err
			}
		}
		return s.planFiles(ctx, b, v.Body, event.ChangeAAD(v.Change))
	case event.ReplyRequested:
		b.replies(v.Reply)
		if err := s.lane(ctx, b, s.Keys.Hash("receipt", v.Reply)); err != nil {
			return err
		}
		return s.planFiles(ctx, b, v.Body, event.ReplyAAD(v.Reply))
	case event.ConversationTagged, event.ConversationUntagged, event.AttributeSet:
		// Words that somebody wrote, in the clear: these bytes are written over.
		b.commit(ledger.Commit{Partition: it.Commit.Partition, Seq: it.Commit.Seq})
	}
	return nil
}

func (s *Service) planInput(ctx context.Context, b *bag, ref string) error {
	if b.seen["i"+ref] {
		return nil
	}
	b.inputs(ref)
	t, err := s.Originals.Trace(ctx, ref)
	if errors.Is(err, intake.ErrNoInput) {
		return nil
	}
	if err != nil {
		return err
	}
	if t.Key == t.ID { // nobody else's
		b.lanes(t.Key)
		b.keys(t.DataKey)
	}
	b.blobs(t.Blob) // under the key of its input
	return nil
}

// planFiles adds the files a body names. One that cannot be opened any more
// was planned before its key went.
func (s *Service) planFiles(ctx context.Context, b *bag, body crypt.Sealed, aad []byte) error {
	plain, err := s.Keys.Open(ctx, body, aad)
	if errors.Is(err, crypt.ErrShredded) || errors.Is(err, crypt.ErrForged) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for files of a message: %w", err)
	}
	var c channel.Content
	if err := json.Unmarshal(plain, &c); err != nil {
		return nil // nothing that names a file
	}
	for _, a := range c.Attachments {
		if a.Blob == "" {
			continue
		}
		b.blobs(a.Blob)
		key, err := s.Blobs.DataKey(ctx, a.Blob)
		if err != nil && !errors.Is(err, blob.ErrNotFound) && !errors.Is(err, blob.ErrCorrupt) {
			return err
		}
		if strings.HasPrefix(key, "blob/") {
			b.keys(key)
		}
	}
	return nil
}

// place is where an item stands for the read models.
func place(it estate.Item) readmodel.Place {
	return readmodel.Place{
		Customer: it.Home, Commit: it.Commit.ID, Partition: it.Commit.Partition, Seq: it.Commit.Seq,
		Index: it.Index, At: it.Commit.RecordedAt, Actor: it.Commit.Actor,
	}
}
