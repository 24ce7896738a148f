// Package view turns documents into what callers see: sealed bodies opened,
// states named, files given ids. The timeline page, the live feed and the
// answer to a command all show an entry through it, so they show it alike.
package view

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/crypt"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Keys opens what is sealed and authenticates ids.
type Keys interface {
	Fetch(ctx context.Context, names ...string) error
	Open(ctx context.Context, s crypt.Sealed, aad []byte) ([]byte, error)
	MAC(purpose string, data []byte) []byte
	VerifyMAC(purpose string, data, mac []byte) bool
}

// Handles finds handles by id; missing ones are nil.
type Handles map[string]*readmodel.Handle

// Viewer shows documents. Safe for concurrent use.
type Viewer struct {
	keys  Keys
	can   func(ch, inbox string) (channel.Capabilities, bool)
	of    func(inbox string) (ch string, ok bool)
	known map[addressOf]event.Address // of a Page
}

// addressOf is an address of a handle as a tenure has it.
type addressOf struct {
	handle string
	tenure int64
}

// New makes a Viewer.
func New(keys Keys) *Viewer { return &Viewer{keys: keys} }

// Page is a Viewer for one answer, which names the same handles again and again:
// it opens each address once. Not safe for concurrent use.
func (v *Viewer) Page() *Viewer {
	return &Viewer{keys: v.keys, can: v.can, of: v.of, known: map[addressOf]event.Address{}}
}

// Carry tells what inboxes of channels can carry, and of which channel an inbox
// is while there is one, for reply targets. Before the first use.
func (v *Viewer) Carry(can func(ch, inbox string) (channel.Capabilities, bool), of func(inbox string) (ch string, ok bool)) {
	v.can, v.of = can, of
}

// gone says that an inbox was removed, never was here, or is another channel's now.
func (v *Viewer) gone(ch, inbox string) bool {
	if v.of == nil {
		return false
	}
	name, ok := v.of(inbox)
	return !ok || name != ch
}

// Flags of messages that cannot be read any more.
const (
	FlagErased  = "erased"
	FlagDamaged = "damaged"
)

// open reads sealed bytes; nil when there are none, or when they cannot be read
// any more, for the reason the flag tells.
func (v *Viewer) open(ctx context.Context, s crypt.Sealed, aad []byte) (plain []byte, flag string, err error) {
	if s.Key == "" && len(s.Box) == 0 {
		return nil, "", nil
	}
	plain, err = v.keys.Open(ctx, s, aad)
	switch {
	case errors.Is(err, crypt.ErrShredded):
		return nil, FlagErased, nil
	case errors.Is(err, crypt.ErrForged):
		return nil, FlagDamaged, nil
	case err != nil:
		return nil, "", fmt.Errorf("open sealed field: %w", err)
	}
	return plain, "", nil
}

// text is open for fields that are plain text and simply empty when erased.
func (v *Viewer) text(ctx context.Context, s crypt.Sealed, aad []byte) (string, error) {
	b, _, err := v.open(ctx, s, aad)
	return string(b), err
}

// Stamp shows a time in Unix microseconds, nil for none.
func Stamp(us int64) *timestamppb.Timestamp {
	if us == 0 {
		return nil
	}
	return timestamppb.New(time.UnixMicro(us))
}
