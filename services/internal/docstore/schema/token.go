package schema

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"sort"
	"unicode/utf8"

	"github.com/weftline/weftline/services/internal/docstore"
)

// Position is where a page ended: the sort key and id of its last item.
type Position struct {
	Key any // string or int64
	ID  string
}

// Scope names the query a token belongs to.
type Scope [8]byte

func newScope(parts ...any) Scope {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%T%d:%v", p, len(fmt.Sprint(p)), p)
	}
	return Scope(h.Sum(nil)[:8])
}

func searchScope(collection string, words []string, filter map[string]any) Scope {
	parts := []any{"search", collection, fmt.Sprintf("%q", words)}
	names := make([]string, 0, len(filter))
	for k := range filter {
		names = append(names, k)
	}
	sort.Strings(names)
	for _, k := range names {
		parts = append(parts, k, filter[k])
	}
	return newScope(parts...)
}

// Token encodes a position: scope, key, id and a checksum. It is not
// authenticated: the query's own prefix and filter bound what it can reach.
func (s Scope) Token(p Position) string {
	b := append(make([]byte, 0, 64), s[:]...)
	switch k := p.Key.(type) {
	case int64:
		b = append(b, 'i')
		b = binary.BigEndian.AppendUint64(b, uint64(k))
	case string:
		b = append(b, 's')
		b = binary.AppendUvarint(b, uint64(len(k)))
		b = append(b, k...)
	}
	b = append(b, p.ID...)
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(append(b, sum[:4]...))
}

// Position decodes a token of this scope, or fails with docstore.ErrBadToken.
func (s Scope) Position(token string) (Position, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) < len(s)+1+4 {
		return Position{}, docstore.ErrBadToken
	}
	body, want := b[:len(b)-4], b[len(b)-4:]
	if sum := sha256.Sum256(body); string(sum[:4]) != string(want) || string(body[:len(s)]) != string(s[:]) {
		return Position{}, docstore.ErrBadToken
	}
	kind, rest := body[len(s)], body[len(s)+1:]
	var p Position
	switch kind {
	case 'i':
		if len(rest) < 8 {
			return Position{}, docstore.ErrBadToken
		}
		p.Key, rest = int64(binary.BigEndian.Uint64(rest)), rest[8:]
	case 's':
		n, w := binary.Uvarint(rest)
		if w <= 0 || n > uint64(len(rest)-w) {
			return Position{}, docstore.ErrBadToken
		}
		p.Key, rest = string(rest[w:w+int(n)]), rest[w+int(n):]
	default:
		return Position{}, docstore.ErrBadToken
	}
	if !utf8.Valid(rest) {
		return Position{}, docstore.ErrBadToken
	}
	p.ID = string(rest)
	return p, nil
}
