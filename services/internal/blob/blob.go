// Package blob keeps large payloads and attachments, encrypted under a named data key.
package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
)

// ErrNotFound: no such blob.
var ErrNotFound = errors.New("blob not found")

// Store keeps blobs. Keys are opaque, made by Put. Safe for concurrent use.
type Store interface {
	// Put stores at most limit bytes of r under the data key and returns the
	// blob's key. On disk (fsynced) when it returns. More than limit (1 to
	// MaxSize): ErrTooLarge, nothing stored.
	Put(ctx context.Context, dataKey string, r io.Reader, limit int64) (key string, size int64, err error)
	// PutAs is Put under a key the caller made with KeyOf. What is there under it
	// is replaced, at once.
	PutAs(ctx context.Context, key, dataKey string, r io.Reader, limit int64) (size int64, err error)
	// Get returns the whole blob. crypt.ErrShredded when its data key was
	// destroyed, ErrCorrupt when it is not what Put stored under this key.
	Get(ctx context.Context, key string) ([]byte, error)
	// Delete removes a blob; one that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// KeyOf makes a key of a name that cannot be guessed, such as a keyed hash: who
// stores the same thing again stores it once.
func KeyOf(name string) string {
	sum := sha256.Sum256([]byte("blob\x00" + name))
	return strings.ToLower(encoding.EncodeToString(sum[:20]))
}

// MaxSize is the greatest limit of Put, in bytes.
const MaxSize = 50 << 20

// ErrCorrupt: the blob is damaged or was put in another's place.
var ErrCorrupt = errors.New("blob damaged")

// ErrTooLarge: the reader held more than the limit.
var ErrTooLarge = errors.New("blob too large")
