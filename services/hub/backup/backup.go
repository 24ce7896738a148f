// Package backup copies a hub into a directory while it serves, and puts such
// a copy into an empty data directory.
//
// What a copy promises. Whatever was acknowledged before Write was called is in
// it, under the same sequence numbers. Nothing in it is ahead of what it follows
// from. A hub on the restored data sends nothing by itself of which it cannot
// know whether it was sent after the copy was made: such a reply is shown as
// unknown, and a person decides.
//
// The parts cannot be copied at the same moment, so the order carries the
// promise. Two rules give it: a mark of what is done (a cursor, a checkpoint, an
// acknowledgement) is taken before the effect it stands for, so that at worst
// something is done again, and everything here may be done again; and what
// refers to something is taken before what it refers to.
//
//	     part             taken     because otherwise
//	1    state.db         before 2  a policy's checkpoint passes a reply that is not in OUT: never sent
//	                      before 4  a cursor of IMAP passes a mail that is not in IN: lost
//	                      before 3  the publisher's cursor passes an event that is not in PUB: never published;
//	                                the anchor passes the chain in AUDIT: its end would seem cut off
//	2    OUT, TIMERS      whole, before 4 and 6: handling deletes from them; a reply would be
//	     (work queues)              deleted here and its receipt not yet in IN: queued for ever
//	3    AUDIT, PUB       before 6  integrators were told what the log does not hold
//	4    IN-*             before 6  a receipt for a reply that the log does not hold; an
//	                                acknowledged input whose commit is not in EVT: lost
//	5    POISON           after 4   an input acknowledged because it was set aside, and not there: lost
//	6    EVT-*            last of the streams: nothing is ahead of the log
//	7    blobs            after 4, 6: a message refers to a file that is not there
//	8    keys.db          last      something is sealed under a key that is not there; and what was
//	                                erased meanwhile stays erased
//	9    erasures.jsonl   after 8   it says more than the keys know, never less
//	-    views.db, KV_snap: left out. They are folded from EVT again.
//
// A stream's copy is what it was at one moment, though it is read for longer; 3
// to 6 are only begun in this order and read side by side, so these moments are
// milliseconds apart and do not depend on how much there is.
//
// Three things are left for Restore to put right. (a) EVT is a little newer than
// IN, and commits name their inputs by sequence: those sequences are used up, so
// that no later input is taken for an earlier one. (b) state.db knows less of
// what was sent than really was, if only because the hub went on afterwards:
// outbox.Fence. (c) Timers that came due go off; their handlers look before they act.
package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/telemetry"
)

// Names inside a backup and a data directory.
const (
	stateDB = "state.db"
	keysDB  = "keys.db"
	kekFile = "kek"
	blobDir = "blobs"
)

// Database is the part of a docstore.Store that is needed.
type Database interface {
	Backup(ctx context.Context, dir string) error
}

var _ Database = docstore.Store(nil)

// Source is what a hub consists of.
type Source struct {
	JS jetstream.JetStream
	NC *nats.Conn
	// State and Keys write their copies as "state.db" and "keys.db".
	State, Keys Database
	BlobDir     string // may be missing
	// KEKPath is the file of the key-encryption key; empty or missing when it
	// comes from elsewhere. WithoutKEK leaves it out: whoever has a backup with
	// it reads everything, whoever has one without it, and has lost it, nothing.
	KEKPath    string
	WithoutKEK bool
	Ledger     string // file of erasures; empty or missing when there is none
	Version    int    // of the data directory
	// Quiesce, where there is one, stops what consumes IN, OUT, TIMERS and EVT
	// until resume is called: seconds. The copy is right without it; with it
	// fewer messages are handled twice after a restore, and an operator's replay
	// from POISON at the same moment cannot fall between two parts.
	Quiesce func(context.Context) (resume func(), err error)
}

// ErrNotEmpty: the directory holds something, and nothing is overwritten.
var ErrNotEmpty = errors.New("directory is not empty")

// Free refuses a dir that Write would not write to.
func Free(dir string) error {
	if err := mustBeEmpty(filepath.Clean(dir)); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// Write copies src into dir, which must be empty or not there. It works in
// <dir>.partial and renames it at the end: a directory of that name is whole and
// on disk. The hub may serve meanwhile. Progress goes to out, a line each.
func Write(ctx context.Context, src Source, dir string, out io.Writer) (err error) {
	dir = filepath.Clean(dir)
	if err := Free(dir); err != nil {
		return err
	}
	partial := dir + ".partial"
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := os.Mkdir(partial, 0o700); err != nil {
		if errors.Is(err, os.ErrExist) {
			err = fmt.Errorf("%s is there: another backup runs, or one was interrupted; remove it then", partial)
		}
		return fmt.Errorf("backup: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("backup: %w", err), os.RemoveAll(partial))
		}
	}()
	w := &writer{src: src, dir: partial, out: out, manifest: Manifest{
		Format: Format, Hub: telemetry.Build(), DataVersion: src.Version, Created: time.Now().UTC(),
	}}
	if err := w.streams(ctx); err != nil {
		return err
	}
	if err := w.blobs(ctx); err != nil {
		return err
	}
	if err := w.kek(); err != nil {
		return err
	}
	if err := w.database(ctx, src.Keys, keysDB); err != nil {
		return err
	}
	if err := w.ledger(); err != nil {
		return err
	}
	if err := w.manifest.write(partial); err != nil {
		return err
	}
	if err := syncDirs(partial); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(partial, dir); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	fmt.Fprintf(out, "complete: %s, %d files, %s\n", dir, len(w.manifest.Files), size(w.manifest.bytes()))
	return nil
}

// writer is one backup under way.
type writer struct {
	src      Source
	dir      string
	out      io.Writer
	manifest Manifest
}

func (w *writer) database(ctx context.Context, db Database, name string) error {
	if err := db.Backup(ctx, w.dir); err != nil {
		if errors.Is(err, docstore.ErrUnsupported) {
			return fmt.Errorf("%s: this database is backed up with its own tools: %w", name, err)
		}
		return err
	}
	return w.note(name)
}

// note puts a file that is there and synced into the manifest.
func (w *writer) note(name string) error {
	f, err := hashFile(w.dir, name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	w.manifest.Files = append(w.manifest.Files, f)
	fmt.Fprintf(w.out, "%-12s %s\n", name, size(f.Size))
	return nil
}

func (w *writer) kek() error {
	const without = "the key-encryption key is NOT in this backup (%s): keep it elsewhere, nothing can be read without it\n"
	if w.src.WithoutKEK {
		fmt.Fprintf(w.out, without, "left out as asked")
		return nil
	}
	if w.src.KEKPath == "" {
		fmt.Fprintf(w.out, without, "it is not in a file")
		return nil
	}
	f, err := copyFile(w.src.KEKPath, w.dir, kekFile)
	if errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(w.out, without, "it is not in a file")
		return nil
	}
	if err != nil {
		return fmt.Errorf("key-encryption key: %w", err)
	}
	w.manifest.KEK = true
	w.manifest.Files = append(w.manifest.Files, f)
	fmt.Fprintln(w.out, "the key-encryption key IS in this backup: whoever has the backup can read everything, guard it")
	return nil
}
