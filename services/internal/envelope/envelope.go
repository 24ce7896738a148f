// Package envelope writes ciphertext as the body of a stream message: binary,
// because base64 in JSON would make every body a third larger.
//
//	byte 1 | uvarint length of the key's name | name | ciphertext
package envelope

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/internal/crypt"
)

const version = 1

// Marshal frames s.
func Marshal(s crypt.Sealed) []byte {
	b := make([]byte, 0, 1+binary.MaxVarintLen64+len(s.Key)+len(s.Box))
	b = append(b, version)
	b = binary.AppendUvarint(b, uint64(len(s.Key)))
	b = append(b, s.Key...)
	return append(b, s.Box...)
}

// Unmarshal reads what Marshal wrote. The result shares b's memory.
func Unmarshal(b []byte) (crypt.Sealed, error) {
	if len(b) == 0 {
		return crypt.Sealed{}, errors.New("envelope is empty")
	}
	if b[0] != version {
		return crypt.Sealed{}, fmt.Errorf("envelope has version %d, want %d", b[0], version)
	}
	name, box, err := Cut(b[1:])
	if err != nil {
		return crypt.Sealed{}, fmt.Errorf("envelope: key name: %w", err)
	}
	return crypt.Sealed{Key: string(name), Box: box}, nil
}

// Join puts two byte strings into one; Cut takes them apart again.
func Join(first, second []byte) []byte {
	b := make([]byte, 0, binary.MaxVarintLen64+len(first)+len(second))
	b = binary.AppendUvarint(b, uint64(len(first)))
	b = append(b, first...)
	return append(b, second...)
}

// Cut is the inverse of Join. The results share b's memory.
func Cut(b []byte) (first, second []byte, err error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) {
		return nil, nil, errors.New("length is beyond the end")
	}
	return b[w : w+int(n)], b[w+int(n):], nil
}
