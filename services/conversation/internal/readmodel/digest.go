package readmodel

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Digest is SHA-256 over all documents of a generation, by collection and id.
// Two generations that show the same have the same digest. Excerpts are taken
// opened, since sealing the same text twice gives different bytes, and by their
// text alone: one whose key was destroyed equals one that could not be made any more.
func Digest(ctx context.Context, s docstore.Store, n Names, keys Keys) (sum [sha256.Size]byte, documents int, err error) {
	h := sha256.New()
	for i, collection := range n.All() {
		write(h, []byte{byte(i)})
		err := s.Scan(ctx, collection, func(d docstore.Doc) error {
			body, err := canonical(ctx, n, collection, d, keys)
			if err != nil {
				return fmt.Errorf("document of %s: %w", collection, err)
			}
			if body == nil {
				return nil
			}
			documents++
			write(h, []byte(d.ID))
			write(h, body)
			return nil
		})
		if err != nil {
			return sum, documents, fmt.Errorf("digest of read models: %w", err)
		}
	}
	return [sha256.Size]byte(h.Sum(nil)), documents, nil
}

func write(h hash.Hash, b []byte) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(b)))
	h.Write(n[:])
	h.Write(b)
}

// canonical is a document as Digest takes it, nil for one it leaves out: what
// rests on subjects that cannot be read any more would not be made again.
func canonical(ctx context.Context, n Names, collection string, d docstore.Doc, keys Keys) ([]byte, error) {
	switch collection {
	case n.Conversations:
		var c Conversation
		if err := json.Unmarshal(d.JSON, &c); err != nil {
			return nil, err
		}
		if err := c.Preview.reveal(ctx, keys, PreviewAAD(c.Preview.Of)); err != nil {
			return nil, err
		}
		return json.Marshal(c)
	case n.Counts:
		// Nothing left to count is nothing counted: a purged log never had it.
		var c Counts
		if err := json.Unmarshal(d.JSON, &c); err != nil {
			return nil, err
		}
		if len(c.ByStatus)+len(c.OpenByAssignee)+len(c.OpenByInbox) == 0 {
			return nil, nil
		}
	case n.Customers:
		var c Customer
		if err := json.Unmarshal(d.JSON, &c); err != nil {
			return nil, err
		}
		if err := c.Name.reveal(ctx, keys, NameAAD(c.Name.Of)); err != nil {
			return nil, err
		}
		for i := range c.Meter.Recent {
			c.Meter.Recent[i].Subject, c.Meter.Recent[i].Key = "", ""
		}
		return json.Marshal(c)
	case n.Repeats:
		return canonicalRepeat(ctx, d.JSON, keys)
	}
	return d.JSON, nil
}

// reveal puts the text in place of the sealed one.
func (e *Excerpt) reveal(ctx context.Context, keys Keys, aad []byte) error {
	if e.Of == "" {
		return nil
	}
	plain, err := keys.Open(ctx, e.Sealed, aad)
	if errors.Is(err, crypt.ErrShredded) {
		*e = Excerpt{}
		return nil
	}
	if errors.Is(err, crypt.ErrForged) {
		*e = Excerpt{Of: "\x00damaged"} // equals nothing that can be made
		return nil
	}
	if err != nil {
		return fmt.Errorf("open excerpt: %w", err)
	}
	*e = Excerpt{Of: string(plain)}
	return nil
}
