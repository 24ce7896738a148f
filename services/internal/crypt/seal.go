package crypt

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/weftline/weftline/services/internal/docstore"
)

// boxVersion is the first byte of every box: AES-256-GCM, 12 bytes of nonce
// before and 16 of tag behind the ciphertext; associated data as in placeAAD.
const boxVersion = 1

// Seal encrypts under a key, making it when it is not there.
func (r *Ring) Seal(ctx context.Context, key string, plain, aad []byte) (Sealed, error) {
	s, err := r.cached(key)
	if err != nil {
		return Sealed{}, fmt.Errorf("seal under %s: %w", key, err)
	}
	if s == nil {
		if err := r.Ensure(ctx, key); err != nil {
			return Sealed{}, err
		}
		if s, err = r.load(ctx, key); err != nil {
			return Sealed{}, fmt.Errorf("seal under %s: %w", key, err)
		}
	}
	box, err := s.Encrypt(plain, placeAAD(key, aad))
	if err != nil {
		return Sealed{}, fmt.Errorf("seal under %s: %w", key, err)
	}
	box = append(box, 0)
	copy(box[1:], box)
	box[0] = boxVersion
	return Sealed{Key: key, Box: box}, nil
}

// Open decrypts.
func (r *Ring) Open(ctx context.Context, s Sealed, aad []byte) ([]byte, error) {
	if len(s.Box) == 0 || s.Box[0] != boxVersion {
		return nil, fmt.Errorf("open under %.80s: box version unknown: %w", s.Key, ErrForged)
	}
	key, err := r.load(ctx, s.Key)
	if err != nil {
		return nil, fmt.Errorf("open under %.80s: %w", s.Key, err)
	}
	plain, err := key.Decrypt(s.Box[1:], placeAAD(s.Key, aad))
	if err != nil {
		return nil, fmt.Errorf("open under %s: %w", s.Key, ErrForged)
	}
	return plain, nil
}

// placeAAD binds a box to its key's name and to the caller's place.
func placeAAD(key string, aad []byte) []byte {
	b := make([]byte, 0, 2+len(key)+len(aad))
	b = binary.BigEndian.AppendUint16(b, uint16(len(key)))
	b = append(b, key...)
	return append(b, aad...)
}

// cached returns what the cache knows: a sealer, nothing, or ErrShredded.
func (r *Ring) cached(name string) (sealer, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	s, dead := r.cache.get(name)
	if dead {
		return nil, ErrShredded
	}
	return s, nil
}

// load returns the sealer of a key that is there.
func (r *Ring) load(ctx context.Context, name string) (sealer, error) {
	s, err := r.cached(name)
	if s != nil || err != nil {
		return s, err
	}
	rows, err := r.rows(ctx, []string{name})
	if err != nil {
		return nil, err
	}
	return r.accept(name, rows[0])
}

// Fetch reads what is not in the cache.
func (r *Ring) Fetch(ctx context.Context, names ...string) error {
	var missing []string
	for _, name := range names {
		if s, err := r.cached(name); s == nil && err == nil {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	rows, err := r.rows(ctx, missing)
	if err != nil {
		return fmt.Errorf("fetch keys: %w", err)
	}
	for i, name := range missing {
		_, _ = r.accept(name, rows[i]) // Open says what is wrong with it
	}
	return nil
}

// accept brings a row into the cache.
func (r *Ring) accept(name string, rw row) (sealer, error) {
	switch rw.State {
	case live:
	case destroyed:
		r.cache.kill(name)
		return nil, ErrShredded
	case "":
		return nil, errors.New("the key is not in the key table")
	default:
		return nil, fmt.Errorf("the key's state is %q, which this version does not know", rw.State)
	}
	key, err := r.kek.unwrap(name, rw)
	if err != nil {
		return nil, err
	}
	s, err := r.make.sealer(key)
	if err != nil {
		return nil, err
	}
	if !r.cache.put(name, s) {
		return nil, ErrShredded // destroyed while we read
	}
	return s, nil
}

// Destroyed says whether a key was destroyed, as the table has it.
func (r *Ring) Destroyed(ctx context.Context, name string) (bool, error) {
	if err := checkName(name); err != nil {
		return false, err
	}
	rows, err := r.rows(ctx, []string{name})
	if err != nil {
		return false, err
	}
	return rows[0].State == destroyed, nil
}

// Destroy writes tombstones over the rows.
func (r *Ring) Destroy(ctx context.Context, names ...string) error {
	for _, name := range names {
		if err := checkName(name); err != nil {
			return fmt.Errorf("destroy: %w", err)
		}
	}
	if len(names) == 0 {
		return nil
	}
	// Dead before the table says so: nobody may read the row just before and cache it just after.
	for _, name := range names {
		r.cache.kill(name)
	}
	if err := Bury(ctx, r.table, names...); err != nil {
		for _, name := range names {
			r.cache.drop(name) // the table knows
		}
		return fmt.Errorf("destroy %d keys: %w", len(names), err)
	}
	return nil
}

// Bury destroys keys in a table that no keyring has open: a backup's. It needs
// no key-encryption key.
func Bury(ctx context.Context, table Table, names ...string) error {
	if err := table.Declare(ctx, docstore.Collection{Name: collection}); err != nil {
		return err
	}
	var b docstore.Batch
	for _, name := range names {
		if err := checkName(name); err != nil {
			return err
		}
		b.Ops = append(b.Ops, docstore.Op{Collection: collection, Doc: docstore.Doc{
			ID: name, Seq: destroyedSeq, JSON: []byte(`{"state":"` + destroyed + `"}`),
		}})
	}
	if err := table.Apply(ctx, b); err != nil {
		return err
	}
	if s, ok := table.(docstore.Scrubber); ok {
		return s.Scrub(ctx)
	}
	return nil
}
