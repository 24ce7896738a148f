package crypt

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
)

const keySize = 32 // AES-256-GCM for data keys and for wrapping them

func newAEAD(key []byte) (sealer, error) { return subtle.NewAESGCM(key) }

// keks holds the key-encryption keys in force: one, and during a rotation two.
type keks struct {
	mu      sync.RWMutex
	current string
	byID    map[string]*kek
}

type kek struct {
	key  []byte
	aead sealer
}

// add takes a key in; the first one, or any with use, becomes the one that wraps.
func (k *keks) add(key []byte) error {
	if len(key) != keySize {
		return fmt.Errorf("key-encryption key: %d bytes, %d are needed", len(key), keySize)
	}
	if hmac.Equal(key, make([]byte, keySize)) {
		return errors.New("key-encryption key: all bytes are zero")
	}
	a, err := newAEAD(key)
	if err != nil {
		return fmt.Errorf("key-encryption key: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byID == nil {
		k.byID = map[string]*kek{}
	}
	id := kekID(key)
	k.byID[id] = &kek{key: key, aead: a}
	if k.current == "" {
		k.current = id
	}
	return nil
}

// use makes a key the one that wraps, only leaves no other.
func (k *keks) use(id string, only bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.current = id
	if only {
		k.byID = map[string]*kek{id: k.byID[id]}
	}
}

func (k *keks) id() string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.current
}

func (k *keks) get(id string) (*kek, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	found, ok := k.byID[id]
	return found, ok
}

// kekID names a key-encryption key without telling anything of it.
func kekID(key []byte) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("weftline key-encryption key id"))
	return hex.EncodeToString(m.Sum(nil)[:6])
}

func (k *keks) wrap(name string, key []byte) (id string, wrapped []byte, err error) {
	id = k.id()
	by, _ := k.get(id)
	wrapped, err = by.aead.Encrypt(key, wrapAAD(name))
	if err != nil {
		return "", nil, fmt.Errorf("wrap key: %w", err)
	}
	return id, wrapped, nil
}

func (k *keks) unwrap(name string, r row) ([]byte, error) {
	by, ok := k.get(r.KEK)
	if !ok {
		return nil, fmt.Errorf("the key-encryption key is %s, but this key table was made with %s: wrong kek file or WEFTLINE_KEK", k.id(), r.KEK)
	}
	key, err := by.aead.Decrypt(r.Wrapped, wrapAAD(name))
	if err != nil {
		return nil, fmt.Errorf("unwrap key %s: the row is damaged: %w", name, err)
	}
	return key, nil
}

// wrapAAD keeps a row from standing in for another.
func wrapAAD(name string) []byte { return []byte("weftline data key 1\x00" + name) }
