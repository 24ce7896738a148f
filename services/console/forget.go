package console

import (
	"context"
	"fmt"
	"strings"

	"github.com/weftline/weftline/services/internal/docstore"
)

// Forget removes the drafts of conversations that were erased. It works on the
// state of a hub whether or not the console runs in this process, and may be
// called again.
func Forget(ctx context.Context, state docstore.Store, conversations []string) error {
	gone := map[string]bool{}
	for _, c := range conversations {
		gone[c] = true
	}
	if err := state.Declare(ctx, collections...); err != nil {
		return fmt.Errorf("declare console collections: %w", err)
	}
	var ops []docstore.Op
	err := state.Scan(ctx, "drafts", func(d docstore.Doc) error {
		// agent/conversation/kind
		if f := strings.Split(d.ID, "/"); len(f) == 3 && gone[f[1]] {
			ops = append(ops, docstore.Op{Collection: "drafts", Doc: docstore.Doc{ID: d.ID}, Delete: true})
		}
		return nil
	})
	if err == nil {
		err = state.Apply(ctx, docstore.Batch{Ops: ops})
	}
	if err != nil {
		return fmt.Errorf("forget drafts: %w", err)
	}
	return nil
}
