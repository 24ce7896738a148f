package sms

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/sms/gsm"
	"github.com/weftline/weftline/services/sms/smpp"
)

const (
	// patience is how long the parts of a message wait for the missing ones. Then
	// it is shown as it is, with a word where something is missing.
	patience = 30 * time.Minute
	// partMemory is how long a whole message is remembered, for parts that come again.
	partMemory = 2 * time.Hour
)

// partial is a message of which parts are there. Each part is stored, sealed, before
// it is acknowledged, so a restart loses none; the whole is one input of the
// hub when the last one has come.
type partial struct {
	Inbox string               `json:"inbox"`
	At    int64                `json:"at"` // of its first part
	ID    string               `json:"id"` // as an input of the hub
	From  crypt.Sealed         `json:"from"`
	Total int                  `json:"total"`
	Parts map[int]crypt.Sealed `json:"parts,omitempty"`
	Names map[int]string       `json:"names"` // of the parts' bytes
	Done  bool                 `json:"done,omitempty"`
}

// concat says which part of which message it is: by a user data header or by the sar_ parameters.
func concat(m smpp.Message) gsm.Concat {
	if m.ESMClass&smpp.ESMHeader != 0 {
		if c, _, err := gsm.ReadHeader(m.Payload()); err == nil && c.Sound() {
			return c
		}
	}
	ref, ok := m.Find(smpp.TagConcatRef)
	total, _ := m.Find(smpp.TagConcatTotal)
	part, _ := m.Find(smpp.TagConcatPart)
	if !ok || len(ref) != 2 || len(total) != 1 || len(part) != 1 {
		return gsm.Concat{}
	}
	return gsm.Concat{Ref: binary.BigEndian.Uint16(ref), Total: total[0], Part: part[0], Wide: true}
}

// part stores one part, and the whole with the last.
func (k *link) part(ctx context.Context, session string, m smpp.Message, p smpp.PDU) error {
	k.taking.Lock()
	defer k.taking.Unlock()
	c := concat(m)
	doc := k.inbox + "/" + k.a.deps.Keys.Hash("sms parts", m.Source.Addr, m.Dest.Addr, fmt.Sprint(c.Ref, c.Total, c.Wide))
	set, err := k.partial(ctx, doc)
	if err != nil {
		return err
	}
	number, name := int(c.Part), k.contentName(p.Body)
	if was := set.Names[number]; was != "" && was != name {
		// The reference is used again while parts of the former message are missing.
		if !set.Done {
			if err := k.finish(ctx, doc, set); err != nil {
				return err
			}
		}
		set = partial{}
	}
	switch {
	case set.Done && set.Names[number] == name:
		return nil // it has come before; the acknowledgement was lost
	case set.Done:
		set = partial{} // it comes after the others were shown without it
	}
	if set.ID == "" {
		set = partial{
			Inbox: k.inbox, At: k.a.now().Unix(), Total: int(c.Total), Parts: map[int]crypt.Sealed{}, Names: map[int]string{},
			ID: fmt.Sprintf("parts-%s-%s-%d", name, session, p.Seq),
		}
		if set.From, err = k.seal(ctx, doc, []byte(k.from(m))); err != nil {
			return err
		}
	}
	if set.Parts[number], err = k.seal(ctx, doc, p.Bytes()); err != nil {
		return err
	}
	set.Names[number] = name
	if err := k.a.save(ctx, partCollection, doc, set); err != nil {
		return err
	}
	if len(set.Parts) < set.Total {
		return nil
	}
	return k.finish(ctx, doc, set)
}

// finish gives what is there to the hub. After a crash in between it is given again, under the same id.
func (k *link) finish(ctx context.Context, doc string, set partial) error {
	from, err := k.unseal(ctx, doc, set.From)
	if err != nil {
		return err
	}
	var pdus []byte
	for _, n := range slices.Sorted(maps.Keys(set.Parts)) {
		b, err := k.unseal(ctx, doc, set.Parts[n])
		if err != nil {
			return err
		}
		pdus = append(pdus, b...)
	}
	if err := k.accept(ctx, set.ID, string(from), pdus); err != nil {
		return err
	}
	set.Done, set.Parts = true, nil
	return k.a.save(ctx, partCollection, doc, set)
}

// partial is the message that a part belongs to; a new one where the old one is long done.
func (k *link) partial(ctx context.Context, doc string) (set partial, err error) {
	found, err := k.a.load(ctx, partCollection, doc, &set)
	if err != nil || !found || set.Done && k.a.now().Sub(time.Unix(set.At, 0)) > partMemory {
		return partial{}, err
	}
	return set, nil
}

// sweep shows messages whose parts are not all coming, and forgets what is old.
func (k *link) sweep(ctx context.Context) error {
	k.taking.Lock()
	defer k.taking.Unlock()
	late, err := k.older(ctx, partCollection, patience)
	if err != nil {
		return err
	}
	for _, it := range late {
		var set partial
		if err := json.Unmarshal(it.JSON, &set); err != nil {
			return fmt.Errorf("read parts: %w", err)
		}
		if !set.Done {
			if err := k.finish(ctx, it.ID, set); err != nil {
				return err
			}
		}
	}
	for collection, age := range map[string]time.Duration{
		partCollection: partMemory, seenCollection: again, sendCollection: sendMemory, idCollection: sendMemory, earlyCollection: sendMemory,
	} {
		old, err := k.older(ctx, collection, age)
		if err != nil {
			return err
		}
		var ops []docstore.Op
		for _, it := range old {
			ops = append(ops, drop(collection, it.ID))
		}
		if err := k.a.apply(ctx, ops...); err != nil {
			return err
		}
	}
	return nil
}

func (k *link) older(ctx context.Context, collection string, age time.Duration) ([]docstore.Item, error) {
	return k.a.deps.State.List(ctx, collection, docstore.Query{
		Index: byAge.Name, Prefix: []any{k.inbox}, To: k.a.now().Add(-age).Unix(), Limit: 500,
	})
}

func (k *link) seal(ctx context.Context, doc string, plain []byte) (crypt.Sealed, error) {
	return k.a.deps.Keys.Seal(ctx, "inbox/"+k.inbox, plain, []byte("sms part "+doc))
}

func (k *link) unseal(ctx context.Context, doc string, s crypt.Sealed) ([]byte, error) {
	return k.a.deps.Keys.Open(ctx, s, []byte("sms part "+doc))
}
