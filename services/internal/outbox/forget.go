package outbox

import (
	"context"
	"fmt"
	"slices"

	"github.com/weftline/weftline/services/internal/docstore"
)

// Forget removes what is recorded of sending the outbound messages named: the
// provider's words in it may hold an address. It may be called again.
func Forget(ctx context.Context, state docstore.Store, outbound []string) error {
	if err := state.Declare(ctx, Collection); err != nil {
		return fmt.Errorf("declare send attempts: %w", err)
	}
	for ids := range slices.Chunk(outbound, 500) {
		var b docstore.Batch
		for _, id := range ids {
			b.Ops = append(b.Ops, docstore.Op{Collection: collection, Doc: docstore.Doc{ID: id}, Delete: true})
		}
		if err := state.Apply(ctx, b); err != nil {
			return fmt.Errorf("forget send attempts: %w", err)
		}
	}
	return nil
}
