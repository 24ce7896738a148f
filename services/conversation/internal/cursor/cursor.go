// Package cursor makes and reads the opaque place in the log that clients keep:
// one sequence per partition. It says "everything up to here has been seen".
package cursor

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
)

// MAC authenticates cursors; the keyring's is meant.
type MAC interface {
	MAC(purpose string, data []byte) []byte
	VerifyMAC(purpose string, data, mac []byte) bool
}

// ErrInvalid: not a cursor of this hub.
var ErrInvalid = errors.New("cursor is not valid")

const (
	purpose = "cursor"
	version = 1
	macSize = 16
	// maxPartitions and maxLength bound what is read before the MAC is checked.
	maxPartitions = 256
	maxLength     = 4096
)

// Cursor is a place. The zero value is the beginning.
type Cursor struct {
	// Seqs is the last sequence seen, by partition.
	Seqs []uint64
	// Of the next commit of partition Partial, the first Seen events have been
	// seen too. Seen 0: none. It makes a cursor between two events of one commit exact.
	Partial int
	Seen    int
}

// Clone copies it.
func (c Cursor) Clone() Cursor {
	c.Seqs = slices.Clone(c.Seqs)
	return c
}

// Encode makes the text, base64url without padding.
func (c Cursor) Encode(m MAC) string {
	b := []byte{version}
	b = binary.AppendUvarint(b, uint64(len(c.Seqs)))
	for _, s := range c.Seqs {
		b = binary.AppendUvarint(b, s)
	}
	b = binary.AppendUvarint(b, uint64(c.Partial))
	b = binary.AppendUvarint(b, uint64(c.Seen))
	return base64.RawURLEncoding.EncodeToString(append(b, m.MAC(purpose, b)[:macSize]...))
}

// Decode reads a cursor of this hub with the given number of partitions, else ErrInvalid.
func Decode(m MAC, text string, partitions int) (Cursor, error) {
	if len(text) > maxLength {
		return Cursor{}, ErrInvalid
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < 1+macSize || raw[0] != version {
		return Cursor{}, ErrInvalid
	}
	b, mac := raw[:len(raw)-macSize], raw[len(raw)-macSize:]
	if !m.VerifyMAC(purpose, b, mac) {
		return Cursor{}, ErrInvalid
	}
	nums := make([]uint64, 0, partitions+3)
	for rest := b[1:]; len(rest) > 0; {
		v, n := binary.Uvarint(rest)
		if n <= 0 || len(nums) > maxPartitions {
			return Cursor{}, ErrInvalid
		}
		nums, rest = append(nums, v), rest[n:]
	}
	if len(nums) != partitions+3 || nums[0] != uint64(partitions) {
		return Cursor{}, ErrInvalid
	}
	c := Cursor{Seqs: nums[1 : 1+partitions], Partial: int(nums[1+partitions]), Seen: int(nums[2+partitions])}
	if c.Partial >= partitions || c.Seen > 1<<16 {
		return Cursor{}, ErrInvalid
	}
	return c, nil
}
