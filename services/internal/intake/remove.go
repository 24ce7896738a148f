package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/natsbus"
)

// Remove destroys an original for good: its body in the blob store, then its
// message in IN, which is overwritten. When it returns nil, Open finds nothing.
// One that is gone already is no error, so it may be called again after a crash.
// A backup or mirror made before still holds what it holds, sealed.
func (in *Intake) Remove(ctx context.Context, ref string) error {
	stream, seq, err := in.place(ref)
	if err != nil {
		return err
	}
	m, err := in.bus.Read(ctx, stream, seq)
	if errors.Is(err, natsbus.ErrNoMessage) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove original %s: %w", ref, err)
	}
	// It came out of POISON: where it was before, it still is.
	if before := m.Metadata.Get(natsbus.ReplayOf); before != "" && before != ref {
		if err := in.Remove(ctx, before); err != nil && !errors.Is(err, ErrNoInput) {
			return err
		}
	}
	head, _, err := unseal(ctx, in.keys, m.Metadata, m.Payload)
	switch {
	case errors.Is(err, crypt.ErrShredded): // unreadable already; the message still goes
	case err != nil:
		return fmt.Errorf("remove original %s: %w", ref, err)
	case m.Metadata[headerKind] == kindInput:
		var h inputHead
		if err := json.Unmarshal(head, &h); err != nil {
			return fmt.Errorf("remove original %s: %w", ref, err)
		}
		if h.Blob != "" {
			if err := in.blobs.Delete(ctx, h.Blob); err != nil {
				return fmt.Errorf("remove original %s: %w", ref, err)
			}
		}
	}
	return in.bus.Erase(ctx, stream, seq)
}
