package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/outbox"
)

// fence keeps the outbox from sending what may have been sent after the copy.
func (r *restorer) fence(ctx context.Context) error {
	// The log's clock may be ahead of the one here.
	until := time.Now()
	for _, s := range r.m.Streams {
		if s.LastTime.After(until) {
			until = s.LastTime
		}
	}
	db, err := sqlite.Open(ctx, filepath.Join(r.to, stateDB), sqlite.Options{Sync: sqlite.Full})
	if err != nil {
		return fmt.Errorf("%s: %w", stateDB, err)
	}
	err = outbox.Fence(ctx, db, until)
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("%s: %w", stateDB, err)
	}
	fmt.Fprintln(r.out, "replies without a recorded outcome will be shown as unknown and not sent again by themselves")
	return nil
}

// moveUp ends the restore. The emptied directory goes last: while it is there,
// a hub does not start.
func (r *restorer) moveUp(dataDir string) error {
	entries, err := os.ReadDir(r.to)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), "-wal") || strings.HasSuffix(e.Name(), "-shm") {
			return fmt.Errorf("%s is left: a database was not closed", e.Name())
		}
	}
	for _, e := range entries {
		if err := os.Rename(filepath.Join(r.to, e.Name()), filepath.Join(dataDir, e.Name())); err != nil {
			return err
		}
	}
	if err := syncDir(dataDir); err != nil {
		return err
	}
	if err := os.Remove(r.to); err != nil {
		return err
	}
	return errors.Join(syncDir(dataDir), syncDir(filepath.Dir(dataDir)))
}
