package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// Stored form. A message is
//
//	{"v":1,"entries":[{"hash":"<hex>","entry":{"n":1,"prev":"<hex>","at":…,…}},…]}
//
// hash is SHA-256 over the 32 bytes of prev and the bytes of "entry" as they
// stand there; prev is the hash of the entry before, zeros for the first. Every
// entry so vouches for itself and for the one before it. Stored: names stay.
//
// What must be able to go (an address, a reason) stands in an entry as a box,
// {"k":[<names of data keys>],"b":<ciphertext>}: the hash is over the box, so the
// keys can be destroyed and every hash holds.

const version = 1

// record is an entry with its place.
type record struct {
	N    uint64 `json:"n"`
	Prev string `json:"prev"`
	Entry
	parts
}

type stored struct {
	Hash  string          `json:"hash"`
	Entry json.RawMessage `json:"entry"`
}

type envelope struct {
	V       int      `json:"v"`
	Entries []stored `json:"entries"`
}

// head is an entry's number and hash; the zero value stands before the first.
type head struct {
	n    uint64
	hash string
}

func (h head) prev() string {
	if h.n == 0 {
		return genesis
	}
	return h.hash
}

var genesis = hex.EncodeToString(make([]byte, sha256.Size))

func digest(prev string, entry []byte) (string, error) {
	p, err := hex.DecodeString(prev)
	if err != nil || len(p) != sha256.Size {
		return "", errors.New("prev is no hash")
	}
	h := sha256.New()
	h.Write(p)
	h.Write(entry)
	return hex.EncodeToString(h.Sum(nil)), nil
}

// seal makes the message of entries that follow after, and says where it ends.
func seal(after head, entries []Entry) ([]byte, head, error) {
	env := envelope{V: version}
	for _, e := range entries {
		b, err := json.Marshal(record{N: after.n + 1, Prev: after.prev(), Entry: e, parts: e.parts})
		if err != nil {
			return nil, head{}, fmt.Errorf("encode audit entry: %w", err)
		}
		sum, err := digest(after.prev(), b)
		if err != nil {
			return nil, head{}, fmt.Errorf("seal audit entry: %w", err)
		}
		env.Entries = append(env.Entries, stored{Hash: sum, Entry: b})
		after = head{after.n + 1, sum}
	}
	data, err := json.Marshal(env)
	if err != nil {
		return nil, head{}, fmt.Errorf("encode audit message: %w", err)
	}
	return data, after, nil
}

// sealed is an entry as it was read.
type sealed struct {
	record
	hash  string
	whole bool // the hash is that of the entry
}

// open reads a message. An error: it is not one that seal made. Whether each
// entry is what its hash says is told by whole.
func open(data []byte) ([]sealed, error) {
	var env envelope
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&env); err != nil {
		return nil, fmt.Errorf("read audit message: %w", err)
	}
	if env.V != version || len(env.Entries) == 0 {
		return nil, fmt.Errorf("audit message of version %d with %d entries", env.V, len(env.Entries))
	}
	// Nothing may stand between the entries that no hash covers.
	if again, err := json.Marshal(env); err != nil || !bytes.Equal(again, data) {
		return nil, errors.New("audit message holds more than its entries")
	}
	all := make([]sealed, len(env.Entries))
	for i, s := range env.Entries {
		all[i].hash = s.Hash
		if err := json.Unmarshal(s.Entry, &all[i].record); err != nil {
			continue // not whole
		}
		all[i].Entry.parts = all[i].record.parts
		sum, err := digest(all[i].Prev, s.Entry)
		all[i].whole = err == nil && sum == s.Hash
	}
	return all, nil
}
