package crypt

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weftline/weftline/services/internal/docstore"
)

const collection = "keys"

// Table is the part of a docstore.Store that holds the keys. They cannot be
// rebuilt: give the keyring a SQLite file of its own, opened with sqlite.Full,
// or MongoDB. If it is a docstore.Scrubber, Destroy scrubs it.
type Table interface {
	Declare(ctx context.Context, collections ...docstore.Collection) error
	GetMany(ctx context.Context, collection string, ids ...string) ([]docstore.Doc, error)
	Apply(ctx context.Context, b docstore.Batch) error
	Scan(ctx context.Context, collection string, fn func(docstore.Doc) error) error
}

// Options of a keyring. The zero value is good.
type Options struct {
	Cache int // keys kept ready; 0: 50,000 (about 1 KB each)
	// Recheck is how long a cached key is believed: as long as that, another
	// process may go on with a key that was destroyed here. 0: one minute;
	// negative: for ever, which is right when no other process uses the table.
	Recheck time.Duration
}

// Ring is a Keyring over a key table.
type Ring struct {
	table  Table
	kek    keks
	cache  *cache
	derive deriver
	ensure flights
	make   maker
}

var _ Keyring = (*Ring)(nil)

// NewKeyring opens the key table with the key-encryption key (32 bytes), or
// begins one when it is empty. A wrong key is an error at once.
func NewKeyring(ctx context.Context, table Table, kek []byte, opts Options) (*Ring, error) {
	return newRing(ctx, table, kek, opts, randomKeys{})
}

func newRing(ctx context.Context, table Table, kek []byte, opts Options, m maker) (*Ring, error) {
	if opts.Cache <= 0 {
		opts.Cache = 50_000
	}
	if opts.Recheck == 0 {
		opts.Recheck = time.Minute
	}
	r := &Ring{table: table, cache: newCache(opts.Cache, opts.Recheck), make: m}
	r.ensure.sem = make(chan struct{}, 1)
	if err := r.kek.add(kek); err != nil {
		return nil, err
	}
	if err := table.Declare(ctx, docstore.Collection{Name: collection}); err != nil {
		return nil, fmt.Errorf("open key table: %w", err)
	}
	if err := r.loadTurn(ctx); err != nil {
		return nil, fmt.Errorf("open key table: %w", err)
	}
	root, err := r.root(ctx)
	if err != nil {
		return nil, fmt.Errorf("open key table: %w", err)
	}
	r.derive.root = root
	return r, nil
}

const rootName = "!root"

// root reads the key that hashes and MACs derive from, or makes it. It is
// wrapped like any other, so it also shows whether the key-encryption key is right.
func (r *Ring) root(ctx context.Context) ([]byte, error) {
	for range 3 {
		rows, err := r.rows(ctx, []string{rootName})
		if err != nil {
			return nil, err
		}
		if rows[0].State == live {
			return r.kek.unwrap(rootName, rows[0])
		}
		err = r.create(ctx, []string{rootName})
		if err != nil && !errors.Is(err, docstore.ErrExists) {
			return nil, err
		}
	}
	return nil, errors.New("the root key was written but cannot be read")
}

// States of a row.
const (
	live      = "live"
	destroyed = "destroyed"
)

// destroyedSeq is greater than any other row's: nothing comes after it.
const destroyedSeq = 1 << 62

// row is a key in the table.
type row struct {
	State   string `json:"state"`
	KEK     string `json:"kek,omitempty"`     // id of the key-encryption key
	Wrapped []byte `json:"wrapped,omitempty"` // absent when destroyed
	seq     uint64
}

func (r *Ring) rows(ctx context.Context, names []string) ([]row, error) {
	docs, err := r.table.GetMany(ctx, collection, names...)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	rows := make([]row, len(docs))
	for i, d := range docs {
		if d.JSON == nil {
			continue
		}
		if err := json.Unmarshal(d.JSON, &rows[i]); err != nil {
			return nil, fmt.Errorf("read key %s: %w", names[i], err)
		}
		rows[i].seq = d.Seq
	}
	return rows, nil
}

// create makes keys that are not there. docstore.ErrExists when somebody was faster.
func (r *Ring) create(ctx context.Context, names []string) error {
	var b docstore.Batch
	for _, name := range names {
		key, err := r.make.key(name)
		if err != nil {
			return fmt.Errorf("make key: %w", err)
		}
		op, err := r.put(name, key, 1)
		if err != nil {
			return err
		}
		op.Create = true
		b.Ops = append(b.Ops, op)
	}
	if err := r.table.Apply(ctx, b); err != nil {
		return fmt.Errorf("write keys: %w", err)
	}
	return nil
}

func (r *Ring) put(name string, key []byte, seq uint64) (docstore.Op, error) {
	id, wrapped, err := r.kek.wrap(name, key)
	if err != nil {
		return docstore.Op{}, err
	}
	doc, err := json.Marshal(row{State: live, KEK: id, Wrapped: wrapped})
	return docstore.Op{Collection: collection, Doc: docstore.Doc{ID: name, Seq: seq, JSON: doc}}, err
}

func checkName(name string) error {
	if name == "" || len(name) > 512 || strings.HasPrefix(name, "!") || !utf8.ValidString(name) {
		return fmt.Errorf("key name %.40q: 1 to 512 bytes of UTF-8, not beginning with ! are allowed", name)
	}
	return nil
}

// maker makes keys and what seals with them.
type maker interface {
	key(name string) ([]byte, error)
	sealer(key []byte) (sealer, error)
}

// sealer is a Tink AEAD.
type sealer interface {
	Encrypt(plain, aad []byte) ([]byte, error)
	Decrypt(box, aad []byte) ([]byte, error)
}

type randomKeys struct{}

func (randomKeys) key(string) ([]byte, error) {
	b := make([]byte, keySize)
	_, err := rand.Read(b)
	return b, err
}

func (randomKeys) sealer(key []byte) (sealer, error) { return newAEAD(key) }
