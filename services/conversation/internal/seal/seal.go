// Package seal puts the clear forms of events (event.MessageBody and the like)
// into ciphertexts and takes them out again.
package seal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/weftline/weftline/services/internal/crypt"
)

// JSON seals the JSON of v.
func JSON(ctx context.Context, keys crypt.Keyring, key string, v any, aad []byte) (crypt.Sealed, error) {
	data, err := Marshal(v)
	if err != nil {
		return crypt.Sealed{}, fmt.Errorf("seal under %s: %w", key, err)
	}
	return box(ctx, keys, key, data, aad)
}

// Text seals s; an empty one gives the empty Sealed.
func Text(ctx context.Context, keys crypt.Keyring, key, s string, aad []byte) (crypt.Sealed, error) {
	if s == "" {
		return crypt.Sealed{}, nil
	}
	return box(ctx, keys, key, []byte(s), aad)
}

// Marshal is JSON without the escapes that are for HTML pages only: they would
// make six bytes of every < in a body.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func box(ctx context.Context, keys crypt.Keyring, key string, data, aad []byte) (crypt.Sealed, error) {
	s, err := keys.Seal(ctx, key, data, aad)
	if err != nil {
		return crypt.Sealed{}, fmt.Errorf("seal under %s: %w", key, err)
	}
	return s, nil
}

// Open takes JSON out.
func Open[T any](ctx context.Context, keys crypt.Keyring, s crypt.Sealed, aad []byte) (T, error) {
	var v T
	data, err := keys.Open(ctx, s, aad)
	if err != nil {
		return v, fmt.Errorf("open under %s: %w", s.Key, err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fmt.Errorf("read what is under %s: %w", s.Key, err)
	}
	return v, nil
}
