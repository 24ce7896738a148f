package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weftline/weftline/services/internal/crypt"
)

// Keys seal what must be able to go; a crypt.Keyring is meant.
type Keys interface {
	Seal(ctx context.Context, key string, plain, aad []byte) (crypt.Sealed, error)
	Open(ctx context.Context, s crypt.Sealed, aad []byte) ([]byte, error)
	Destroy(ctx context.Context, names ...string) error
}

// parts of an entry that can be made unreadable. Stored: names stay.
type parts struct {
	FromBox *box `json:"from_box,omitempty"`
	WhyBox  *box `json:"why_box,omitempty"`
}

// box is sealed under several keys, one around the other: all are needed.
type box struct {
	Keys []string `json:"k"` // the innermost first
	Data []byte   `json:"b"`
}

// box puts what must be able to go into boxes. What was to be sealed under a key
// that is gone is left out: nobody may read it any more.
func (l *Log) box(ctx context.Context, e Entry) (Entry, error) {
	var err error
	if e.From != "" {
		if l.cfg.AddressDays > 0 {
			e.parts.FromBox, err = l.seal(ctx, []string{l.addressKey(l.cfg.Now())}, e.From, place(e, "from"))
		}
		e.From = ""
	}
	if err == nil && e.Why != "" && len(e.WhyKeys) > 0 {
		e.parts.WhyBox, err = l.seal(ctx, e.WhyKeys, e.Why, place(e, "why"))
	}
	e.Why, e.WhyKeys = "", nil
	if err != nil {
		return e, fmt.Errorf("record %s: %w", e.Action, err)
	}
	return e, nil
}

func (l *Log) seal(ctx context.Context, keys []string, plain string, aad []byte) (*box, error) {
	b := &box{Keys: keys, Data: []byte(plain)}
	for _, k := range keys {
		s, err := l.deps.Keys.Seal(ctx, k, b.Data, aad)
		if errors.Is(err, crypt.ErrShredded) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		b.Data = s.Box
	}
	return b, nil
}

// place binds a box to its entry, as far as that is known before it has a number.
func place(e Entry, field string) []byte {
	return []byte(strings.Join([]string{"audit", field, e.At.Format(time.RFC3339Nano), e.Actor, e.Action, e.Object}, "|"))
}

// unbox opens what can still be opened. A box that somebody altered is shown
// as nothing: Verify names its entry.
func (l *Log) unbox(ctx context.Context, e sealed) (Listed, error) {
	out := Listed{N: e.N, Entry: e.Entry}
	out.parts = parts{}
	for _, f := range []struct {
		name string
		in   *box
		to   *string
		gone *bool
	}{
		{"from", e.Entry.parts.FromBox, &out.From, &out.FromGone},
		{"why", e.Entry.parts.WhyBox, &out.Why, &out.WhyGone},
	} {
		if f.in == nil {
			continue
		}
		plain, err := l.open(ctx, *f.in, place(e.Entry, f.name))
		switch {
		case errors.Is(err, crypt.ErrShredded):
			*f.gone = true
		case errors.Is(err, crypt.ErrForged):
		case err != nil:
			return out, err
		default:
			*f.to = string(plain)
		}
	}
	return out, nil
}

// open wants every key: the outermost alone may still live.
func (l *Log) open(ctx context.Context, b box, aad []byte) ([]byte, error) {
	data := b.Data
	for i := len(b.Keys) - 1; i >= 0; i-- {
		var err error
		if data, err = l.deps.Keys.Open(ctx, crypt.Sealed{Key: b.Keys[i], Box: data}, aad); err != nil {
			return nil, err
		}
	}
	return data, nil
}
