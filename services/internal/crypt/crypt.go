// Package crypt encrypts bodies, notes and addresses under named data keys.
// A data key belongs to one unit (or customer, or handle tenure, or intake
// handle); it is wrapped by the key-encryption key and kept in the key table.
// Destroying the row makes everything under it unreadable, everywhere.
package crypt

import (
	"context"
	"errors"
)

// Sealed is ciphertext and the name of its key. Its JSON is part of stored events.
type Sealed struct {
	Key string `json:"k"`
	Box []byte `json:"b"`
}

// ErrShredded: the key was destroyed. What was under it is gone.
var ErrShredded = errors.New("key destroyed")

// ErrForged: a box is damaged, or key name or associated data are not what it was sealed with.
var ErrForged = errors.New("box damaged or not from this place")

// Keyring seals and opens. Safe for concurrent use; keys are cached.
//
// Key names are 1 to 512 bytes of UTF-8 and do not begin with "!". They are
// not secret: a destroyed name stays in the key table for ever.
type Keyring interface {
	// Ensure makes the named keys exist, durably (fsynced, majority) before it
	// returns. One round trip for all. ErrShredded when one was destroyed; the
	// others exist then.
	Ensure(ctx context.Context, names ...string) error
	// Seal encrypts under a key, creating it when needed. aad binds the
	// ciphertext to its place (event id and field); Open must give the same.
	// The result is 29 bytes longer than plain. At most 2^32 seals under one key.
	Seal(ctx context.Context, key string, plain, aad []byte) (Sealed, error)
	// Fetch gets keys ready that will be needed at once, in one round trip where
	// Open would make one for each. A key that cannot be had is left to Open.
	Fetch(ctx context.Context, names ...string) error
	// Open fails with ErrShredded for a destroyed key, and with ErrForged when
	// anything of box or aad is not what Seal had.
	Open(ctx context.Context, s Sealed, aad []byte) ([]byte, error)
	// Destroy removes keys for ever and remembers their names as destroyed,
	// whether they existed or not. Durable, and gone from the key table's files,
	// when it returns; after an error call it again.
	Destroy(ctx context.Context, names ...string) error
	// Hash is a keyed hash (HMAC-SHA-256, 32 hex characters) for handles in
	// subjects and ids. purpose separates uses; ("a", "bc") and ("ab", "c") differ.
	Hash(purpose string, parts ...string) string
	// MAC and VerifyMAC authenticate tokens we hand out (reply tokens, visitor tokens, cursors). 16 bytes.
	MAC(purpose string, data []byte) []byte
	VerifyMAC(purpose string, data, mac []byte) bool
}
