package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/envelope"
	"github.com/weftline/weftline/services/internal/natsbus"
)

// Trace is where an input lies.
type Trace struct {
	ID      string // keyed hash of the provider's id
	Key     string // it was ordered by: the sender's handle id, else ID
	DataKey string // it is sealed under
	Blob    string // of its body, "" when that is inside
}

// Trace looks for an input or a receipt by its reference. ErrNoInput when it is
// not there. What was shredded already has no Blob.
func (in *Intake) Trace(ctx context.Context, ref string) (Trace, error) {
	stream, seq, err := in.place(ref)
	if err != nil {
		return Trace{}, err
	}
	m, err := in.bus.Read(ctx, stream, seq)
	if errors.Is(err, natsbus.ErrNoMessage) {
		return Trace{}, fmt.Errorf("reference %q: %w", ref, ErrNoInput)
	}
	if err != nil {
		return Trace{}, err
	}
	subj := m.Metadata.Get(natsbus.MetaSubject)
	t := Trace{ID: m.Metadata.Get(headerID), Key: subj[strings.LastIndexByte(subj, '.')+1:]}
	sealed, err := envelope.Unmarshal(m.Payload)
	if err != nil {
		return t, nil // not ours to read: a gap a restore left
	}
	t.DataKey = sealed.Key
	kind := m.Metadata.Get(headerKind)
	plain, err := in.keys.Open(ctx, sealed, aad(kind, m.Metadata.Get(headerID)))
	if errors.Is(err, crypt.ErrShredded) || errors.Is(err, crypt.ErrForged) || kind != kindInput {
		return t, nil
	}
	if err != nil {
		return t, fmt.Errorf("reference %q: %w", ref, err)
	}
	head, _, err := envelope.Cut(plain)
	if err != nil {
		return t, nil
	}
	var h inputHead
	if json.Unmarshal(head, &h) == nil {
		t.Blob = h.Blob
	}
	return t, nil
}
