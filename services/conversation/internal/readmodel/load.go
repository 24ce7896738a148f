package readmodel

import (
	"context"
	"fmt"

	"github.com/weftline/weftline/pkg/eventstore"
)

// LoadHandle folds a handle from its stream, nil when there is none: for those
// who cannot wait for the projection of its partition.
func LoadHandle(ctx context.Context, events eventstore.Store, decode Decoder, tenant, id string) (*Handle, error) {
	return loadHandle(ctx, events, decode, tenant, id, false)
}

// LoadClaim is LoadHandle of the first commit: the handle as it was claimed.
func LoadClaim(ctx context.Context, events eventstore.Store, decode Decoder, tenant, id string) (*Handle, error) {
	return loadHandle(ctx, events, decode, tenant, id, true)
}

func loadHandle(ctx context.Context, events eventstore.Store, decode Decoder, tenant, id string, first bool) (*Handle, error) {
	h := &Handle{ID: id}
	stream := "handle." + id
	for c, err := range events.Load(ctx, tenant, stream, 0) {
		if err != nil {
			return nil, fmt.Errorf("load handle: %w", err)
		}
		c.Stream = stream
		d, err := decode.Decode(c)
		if err != nil {
			return nil, err
		}
		for i, ev := range d.Events {
			h.Apply(d.Place(i), ev)
		}
		if first {
			break
		}
	}
	if h.Kind == "" {
		return nil, nil
	}
	return h, nil
}
