package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/handleid"
)

// forgetting is what Forget needs of the keyring.
type forgetting interface {
	handleid.Hasher
	Destroy(ctx context.Context, names ...string) error
}

// Forget removes what the channel keeps of visitors whose handles (ids) were
// erased: what is known of their browsers, how far they have read, their files
// (from blobs, which may be nil). It works on the state of a hub whether or not
// the channel runs in this process, and may be called again.
func Forget(ctx context.Context, state docstore.Store, keys forgetting, blobs blob.Store, handles []string) error {
	gone := map[string]bool{}
	var ops []docstore.Op
	drop := func(col, id string) {
		ops = append(ops, docstore.Op{Collection: col, Doc: docstore.Doc{ID: id}, Delete: true})
	}
	for _, h := range handles {
		gone[h] = true
		drop(colHandle, h)
		drop(colFollow, h)
	}
	err := declare(ctx, state)
	if err != nil {
		return err
	}
	if err := forgetAddresses(ctx, state, keys, handles); err != nil {
		return err
	}
	of := func(inbox, address string) bool { return gone[handleid.Of(keys, handle(inbox, address))] }
	err = state.Scan(ctx, colVisitor, func(d docstore.Doc) error {
		var v visitorState
		if err := json.Unmarshal(d.JSON, &v); err != nil {
			return fmt.Errorf("decode visitor: %w", err)
		}
		inbox, visitor, _ := strings.Cut(d.ID, "/")
		if of(inbox, visitor) || v.Sub != "" && of(inbox, loginAddress(v.Sub)) {
			drop(colVisitor, d.ID)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget visitors: %w", err)
	}
	var uploads []string
	err = state.Scan(ctx, colUpload, func(d docstore.Doc) error {
		var up uploadState
		if err := json.Unmarshal(d.JSON, &up); err != nil {
			return fmt.Errorf("decode upload: %w", err)
		}
		if !of(up.Inbox, up.Address) {
			return nil
		}
		drop(colUpload, d.ID)
		uploads = append(uploads, uploadKey(d.ID)) // also what was never sent is in backups
		if blobs == nil {
			return nil
		}
		if err := blobs.Delete(ctx, up.Blob); err != nil && !errors.Is(err, blob.ErrNotFound) {
			return fmt.Errorf("remove an upload: %w", err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget uploads: %w", err)
	}
	if len(uploads) > 0 {
		if err := keys.Destroy(ctx, uploads...); err != nil {
			return fmt.Errorf("forget uploads: %w", err)
		}
	}
	if err := state.Apply(ctx, docstore.Batch{Ops: ops}); err != nil {
		return fmt.Errorf("forget visitors: %w", err)
	}
	return nil
}

// forgetAddresses destroys the keys of what was kept to write to.
func forgetAddresses(ctx context.Context, state docstore.Store, keys forgetting, handles []string) error {
	var names []string
	for _, id := range handles {
		d, err := state.Get(ctx, colHandle, id)
		if errors.Is(err, docstore.ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("forget addresses: %w", err)
		}
		var h handleState
		if err := json.Unmarshal(d.JSON, &h); err != nil {
			return fmt.Errorf("decode handle: %w", err)
		}
		for _, x := range []*address{h.Mail, h.Phone, h.Asked} {
			if x != nil {
				names = append(names, x.Sealed.Key)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	if err := keys.Destroy(ctx, names...); err != nil {
		return fmt.Errorf("forget addresses: %w", err)
	}
	return nil
}

// Forget drops what is held in memory of handles.
func (a *Adapter) Forget(handles []string) {
	for _, h := range handles {
		a.pending.keep(h, func(pendingItem) bool { return false })
	}
}
