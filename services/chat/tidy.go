package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/docstore"
)

// uploadLife is how long an upload waits for the message that names it. The
// document of a used one goes as well; its blob belongs to the message.
const uploadLife = 24 * time.Hour

// tidyUploads removes uploads that were never sent.
func (a *Adapter) tidyUploads(ctx context.Context) error {
	before := a.d.Now().Add(-uploadLife)
	var old []docstore.Op
	var unused, keys []string
	err := a.d.State.Scan(ctx, colUpload, func(d docstore.Doc) error {
		var up uploadState
		if err := json.Unmarshal(d.JSON, &up); err != nil {
			return fmt.Errorf("decode upload: %w", err)
		}
		if up.At.Before(before) {
			old = append(old, docstore.Op{Collection: colUpload, Doc: docstore.Doc{ID: d.ID}, Delete: true})
			if !up.Used {
				unused, keys = append(unused, up.Blob), append(keys, uploadKey(d.ID))
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list uploads: %w", err)
	}
	// A backup may hold the file: without its key nobody reads it there.
	if len(keys) > 0 {
		if err := a.d.Keys.Destroy(ctx, keys...); err != nil {
			return fmt.Errorf("destroy keys of uploads nobody sent: %w", err)
		}
	}
	for _, key := range unused {
		if err := a.d.Blobs.Delete(ctx, key); err != nil && !errors.Is(err, blob.ErrNotFound) {
			return fmt.Errorf("remove an upload nobody sent: %w", err)
		}
	}
	// Documents last: after a crash in between they are found again.
	if len(old) == 0 {
		return nil
	}
	if err := a.d.State.Apply(ctx, docstore.Batch{Ops: old}); err != nil {
		return fmt.Errorf("remove old uploads: %w", err)
	}
	return nil
}
