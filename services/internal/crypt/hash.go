package crypt

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"sync"
)

// macSize is the length of a MAC in bytes.
const macSize = 16

// deriver gives every purpose a key of its own (HKDF-SHA-256, RFC 5869).
type deriver struct {
	root []byte
	keys sync.Map // info string → []byte
	macs sync.Map // info string → *sync.Pool of HMAC-SHA-256 under its key
}

// mac calls fn with an HMAC under a purpose's key. They are used again: keying
// one costs as much as hashing an address.
func (d *deriver) mac(info string, fn func(hash.Hash)) {
	pool, ok := d.macs.Load(info)
	if !ok {
		key := d.key(info)
		pool, _ = d.macs.LoadOrStore(info, &sync.Pool{New: func() any { return hmac.New(sha256.New, key) }})
	}
	m := pool.(*sync.Pool).Get().(hash.Hash)
	m.Reset()
	fn(m)
	pool.(*sync.Pool).Put(m)
}

func (d *deriver) key(info string) []byte {
	if k, ok := d.keys.Load(info); ok {
		return k.([]byte)
	}
	k, err := hkdf.Key(sha256.New, d.root, nil, info, sha256.Size)
	if err != nil {
		panic(fmt.Sprintf("derive key: %v", err)) // length only, and that is constant
	}
	d.keys.Store(info, k)
	return k
}

// Hash hashes length-prefixed parts.
func (r *Ring) Hash(purpose string, parts ...string) string {
	buf := make([]byte, 0, 256)
	for _, p := range parts {
		buf = binary.AppendUvarint(buf, uint64(len(p)))
		buf = append(buf, p...)
	}
	r.derive.mac("weftline hash 1\x00"+purpose, func(m hash.Hash) {
		m.Write(buf)
		buf = m.Sum(buf[:0])
	})
	return hex.EncodeToString(buf[:16])
}

// MAC authenticates data.
func (r *Ring) MAC(purpose string, data []byte) []byte {
	var sum []byte
	r.derive.mac("weftline mac 1\x00"+purpose, func(m hash.Hash) {
		m.Write(data)
		sum = m.Sum(nil)
	})
	return sum[:macSize:macSize]
}

// VerifyMAC compares in constant time.
func (r *Ring) VerifyMAC(purpose string, data, mac []byte) bool {
	return hmac.Equal(r.MAC(purpose, data), mac)
}
