package crypt

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/weftline/weftline/services/internal/docstore"
)

// NewMemory returns a keyring whose keys end with the process. For tests.
func NewMemory() *Ring {
	kek := make([]byte, keySize)
	if _, err := rand.Read(kek); err != nil {
		panic(err) // never, by its contract
	}
	return newMemory(kek, randomKeys{})
}

// NewDeterministic returns a keyring in memory whose keys, hashes and boxes
// follow from the seed: two of them make equal ones. For tests that compare
// bytes; equal plaintexts are seen to be equal, so for nothing else.
func NewDeterministic(seed string) *Ring {
	m := seededKeys{seed: seed}
	kek, err := m.key("kek")
	if err != nil {
		panic(err)
	}
	return newMemory(kek, m)
}

func newMemory(kek []byte, m maker) *Ring {
	r, err := newRing(context.Background(), NewMemoryTable(), kek, Options{Recheck: -1}, m)
	if err != nil {
		panic(err) // nothing in it does I/O
	}
	return r
}

type seededKeys struct{ seed string }

func (m seededKeys) key(name string) ([]byte, error) {
	return hkdf.Key(sha256.New, []byte(m.seed), nil, "weftline test key\x00"+name, keySize)
}

func (seededKeys) sealer(key []byte) (sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	return seeded{gcm: gcm, key: key}, err
}

// seeded takes its nonce from what it seals.
type seeded struct {
	gcm cipher.AEAD
	key []byte
}

func (s seeded) Encrypt(plain, aad []byte) ([]byte, error) {
	m := hmac.New(sha256.New, s.key)
	fmt.Fprintf(m, "%d:", len(aad))
	m.Write(aad)
	m.Write(plain)
	nonce := m.Sum(nil)[:s.gcm.NonceSize()]
	return s.gcm.Seal(slices.Clone(nonce), nonce, plain, aad), nil
}

func (s seeded) Decrypt(box, aad []byte) ([]byte, error) {
	n := s.gcm.NonceSize()
	if len(box) < n {
		return nil, errors.New("box too short")
	}
	return s.gcm.Open(nil, box[:n], box[n:], aad)
}

// NewMemoryTable returns a key table in a map, for tests: it does what a keyring asks for.
func NewMemoryTable() Table { return &memory{rows: map[string]docstore.Doc{}} }

type memory struct {
	mu   sync.Mutex
	rows map[string]docstore.Doc
}

func (m *memory) Declare(context.Context, ...docstore.Collection) error { return nil }

func (m *memory) GetMany(ctx context.Context, _ string, ids ...string) ([]docstore.Doc, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	docs := make([]docstore.Doc, len(ids))
	for i, id := range ids {
		docs[i] = m.rows[id]
		docs[i].ID = id
	}
	return docs, ctx.Err()
}

func (m *memory) Apply(ctx context.Context, b docstore.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, op := range b.Ops {
		old, there := m.rows[op.Doc.ID]
		if op.Create && there {
			return docstore.ErrExists
		}
		if op.IfRev > 0 && (!there || old.Seq != op.IfRev) {
			return docstore.ErrStale
		}
	}
	for _, op := range b.Ops {
		switch old, there := m.rows[op.Doc.ID]; {
		case op.Delete:
			delete(m.rows, op.Doc.ID)
		case !there || op.Doc.Seq == 0 || op.Doc.Seq > old.Seq:
			m.rows[op.Doc.ID] = op.Doc
		}
	}
	return nil
}

func (m *memory) Scan(_ context.Context, _ string, fn func(docstore.Doc) error) error {
	m.mu.Lock()
	rows := slices.Collect(maps.Values(m.rows))
	m.mu.Unlock()
	for _, d := range rows {
		if err := fn(d); err != nil {
			return err
		}
	}
	return nil
}
