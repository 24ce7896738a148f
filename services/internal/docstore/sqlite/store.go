// Package sqlite is docstore's engine in one SQLite file: one writer, a pool
// of readers, write-ahead log. A program opens a file once; a second process
// may read it or take a backup meanwhile.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/schema"
)

// Sync says what a power loss may take.
type Sync int

const (
	// Normal may lose the last batches, whole, checkpoints included. Right for
	// whatever can be replayed from the streams.
	Normal Sync = iota
	// Full loses nothing that Apply returned for: one fsync for each batch.
	Full
)

// Options of Open. The zero value is for read models.
type Options struct {
	Sync      Sync
	ReadConns int           // readers at the same time; 0: 4
	CacheMiB  int           // page cache of the writer; 0: 64
	BusyWait  time.Duration // for locks of other processes; 0: 5 s
}

// Store is a docstore.Store and docstore.Scrubber. Safe for concurrent use.
type Store struct {
	path    string
	opts    Options
	tables  schema.Tables
	writes  sync.Map // *schema.Table → *statements
	writer  *writer
	readers *pool
	group   group
	closing sync.Once
	closed  error
}

var (
	_ docstore.Store    = (*Store)(nil)
	_ docstore.Scrubber = (*Store)(nil)
)

// Open opens or creates the file (mode 0600; its directory must exist). A file
// of another program or of a newer data format is refused.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	if opts.ReadConns <= 0 {
		opts.ReadConns = 4
	}
	if opts.CacheMiB <= 0 {
		opts.CacheMiB = 64
	}
	if opts.BusyWait <= 0 {
		opts.BusyWait = 5 * time.Second
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	// SQLite would create the file readable for everybody, and its log files take the mode of the file.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := &Store{path: path, opts: opts}
	if s.writer, err = newWriter(ctx, path, opts); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	if s.readers, err = newPool(path, opts); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), s.writer.close())
	}
	return s, nil
}

// Ping reads from the file.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.Checkpoint(ctx, "", 0)
	return err
}

// Close waits for what is running and closes the file. Nothing may be called after it.
func (s *Store) Close() error {
	s.closing.Do(func() { s.closed = errors.Join(s.readers.close(), s.writer.close()) })
	return s.closed
}

// Scrub moves the write-ahead log into the file and cuts it to nothing, so
// that no deleted byte stays in it. It waits for readers.
func (s *Store) Scrub(ctx context.Context) error {
	c, err := s.writer.lock(ctx)
	if err != nil {
		return fmt.Errorf("scrub database: %w", err)
	}
	defer s.writer.unlock()
	var busy, frames, moved int
	row := c.conn.QueryRowContext(context.WithoutCancel(ctx), `PRAGMA wal_checkpoint(TRUNCATE)`)
	if err := row.Scan(&busy, &frames, &moved); err != nil {
		return fmt.Errorf("scrub database: %w", err)
	}
	if busy != 0 {
		return errors.New("scrub database: a reader held the log for too long, try again")
	}
	return nil
}
