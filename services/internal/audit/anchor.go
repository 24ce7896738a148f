package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/weftline/weftline/services/internal/docstore"
)

// Collection is where anchors are, in the state store: one document a tenant.
var Collection = docstore.Collection{Name: "audit_anchor"}

// Anchor is where a chain has been: it must hold this entry.
type Anchor struct {
	N    uint64 `json:"n"`
	Hash string `json:"hash"`
	Seq  uint64 `json:"seq"` // of the message that holds it
}

// ParseAnchor reads "N:HASH", as a verification prints it.
func ParseAnchor(s string) (Anchor, error) {
	n, hash, _ := strings.Cut(s, ":")
	num, err := strconv.ParseUint(n, 10, 64)
	if _, bad := digest(hash, nil); err != nil || bad != nil || num == 0 {
		return Anchor{}, fmt.Errorf("head %q: want NUMBER:HASH, as verify prints it", s)
	}
	return Anchor{N: num, Hash: hash}, nil
}

func readAnchor(ctx context.Context, state docstore.Store, tenant string) (Anchor, error) {
	d, err := state.Get(ctx, Collection.Name, tenant)
	if errors.Is(err, docstore.ErrNotFound) {
		return Anchor{}, nil
	}
	var a Anchor
	if err == nil {
		err = json.Unmarshal(d.JSON, &a)
	}
	if err != nil {
		return a, fmt.Errorf("read audit anchor: %w", err)
	}
	return a, nil
}

// writeAnchor moves the anchor on. It never goes back: the number guards it, so
// that processes may write it in any order.
func writeAnchor(ctx context.Context, state docstore.Store, tenant string, a Anchor) error {
	b, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode audit anchor: %w", err)
	}
	op := docstore.Op{Collection: Collection.Name, Doc: docstore.Doc{ID: tenant, Seq: a.N, JSON: b}}
	if err := state.Apply(ctx, docstore.Batch{Ops: []docstore.Op{op}}); err != nil {
		return fmt.Errorf("write audit anchor: %w", err)
	}
	return nil
}
