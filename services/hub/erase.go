package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/weftline/weftline/services/chat"
	"github.com/weftline/weftline/services/console"
	"github.com/weftline/weftline/services/conversation"
	copies "github.com/weftline/weftline/services/hub/backup"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/ledger"
	"github.com/weftline/weftline/services/internal/outbox"
)

// erasureStep, in tests, hears of every durable step of an erasure.
var erasureStep func(name string)

// erasure is what erasing reaches beside the conversation target.
func (h *hub) erasure() (conversation.Erasure, error) {
	l, err := ledger.Open(h.dir.Path())
	if err != nil {
		return conversation.Erasure{}, err
	}
	h.ledger = l
	e := conversation.Erasure{
		Ledger: l, Step: erasureStep, Scrub: []docstore.Store{h.keyTable},
		Cleaners: []conversation.Cleaner{conversation.CleanerFunc(func(ctx context.Context, gone conversation.Gone) error {
			if h.chat != nil {
				h.chat.Forget(gone.Handles)
			}
			return h.forget(ctx, h.state, gone)
		})},
	}
	for _, r := range h.cfg.Retention {
		e.Policies = append(e.Policies, conversation.RetentionPolicy{Inbox: r.Inbox, Days: r.Days})
	}
	if h.cfg.NATS.URL == "" && h.cfg.Mongo.URI == "" {
		e.Copies = h
	}
	return e, nil
}

// forget removes what channels and console keep in a state store: this hub's, or a backup's.
func (h *hub) forget(ctx context.Context, state docstore.Store, gone conversation.Gone) error {
	var files blob.Store // a backup's are ciphertext under keys that are gone
	if state == h.state {
		files = h.blobs
	}
	err := chat.Forget(ctx, state, h.keys, files, gone.Handles)
	if err == nil {
		err = console.Forget(ctx, state, gone.Conversations)
	}
	if err == nil {
		err = outbox.Forget(ctx, state, gone.Replies)
	}
	return err
}

// colBackups is where the hub notes the backups it wrote.
const colBackups = "backups"

// written is a backup this hub wrote. Stored: names stay.
type written struct {
	Dir     string    `json:"dir"`
	Created time.Time `json:"created"`
}

// noteBackup is called before a backup is written: an erasure that comes
// between finds it.
func (h *hub) noteBackup(ctx context.Context, dir string) error {
	if err := h.state.Declare(ctx, docstore.Collection{Name: colBackups}); err != nil {
		return fmt.Errorf("declare backups: %w", err)
	}
	b, err := json.Marshal(written{Dir: dir, Created: time.Now().UTC()})
	if err != nil {
		return err
	}
	id := h.keys.Hash("backup", dir)
	if err := h.state.Apply(ctx, docstore.Batch{Ops: []docstore.Op{{Collection: colBackups, Doc: docstore.Doc{ID: id, JSON: b}}}}); err != nil {
		return fmt.Errorf("note backup: %w", err)
	}
	return nil
}

// Erase applies the ledger to every backup this hub wrote that is still where
// it was written. One that was moved away is the operator's to see to.
func (h *hub) Erase(ctx context.Context) error {
	if err := h.state.Declare(ctx, docstore.Collection{Name: colBackups}); err != nil {
		return fmt.Errorf("declare backups: %w", err)
	}
	var dirs []string
	err := h.state.Scan(ctx, colBackups, func(d docstore.Doc) error {
		var w written
		if err := json.Unmarshal(d.JSON, &w); err != nil {
			return fmt.Errorf("read backup: %w", err)
		}
		dirs = append(dirs, w.Dir)
		return nil
	})
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, copies.ManifestFile)); errors.Is(err, os.ErrNotExist) {
			continue
		}
		err := copies.Erase(ctx, dir, h.ledger.Path(), func(ctx context.Context, state docstore.Store, entries []ledger.Entry) error {
			gone := conversation.Gone{Tenant: h.cfg.Tenant}
			for _, e := range entries {
				gone.Replies = append(gone.Replies, e.Replies...)
				if e.Kind == ledger.KindRetired {
					gone.Conversations = append(gone.Conversations, e.Conversation)
					continue
				}
				gone.Handles = append(gone.Handles, e.Handles...)
				gone.Conversations = append(gone.Conversations, e.Conversations...)
			}
			return h.forget(ctx, state, gone)
		})
		if err != nil {
			return fmt.Errorf("erase in the backup %s: %w", dir, err)
		}
	}
	return nil
}
