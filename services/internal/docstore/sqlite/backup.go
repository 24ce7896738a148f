package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Backup writes a copy of the state at one moment to dir, under the file's own
// name, while everything else goes on. It is fsynced and complete when it has
// that name. A file that is there is not overwritten.
func (s *Store) Backup(ctx context.Context, dir string) error {
	if err := s.backup(ctx, dir); err != nil {
		return fmt.Errorf("back up %s: %w", filepath.Base(s.path), err)
	}
	return nil
}

func (s *Store) backup(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	final := filepath.Join(dir, filepath.Base(s.path))
	if _, err := os.Lstat(final); err == nil {
		return fmt.Errorf("%s: %w", final, os.ErrExist)
	}
	part := final + ".partial"
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	// A connection of its own: a long copy must not take one from the readers.
	db, err := open(s.path, s.opts)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, part)
	if err = errors.Join(err, db.Close()); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Rename(part, final); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
