// Package datadir owns the hub's data directory: one process at a time, and
// never an older hub on newer data.
//
//	VERSION   format of everything below
//	lock      held while a hub runs (flock; the kernel frees it when the process dies)
//	kek       key-encryption key, 0600
//	keys.db   data keys      state.db  agents, cursors, drafts     views.db  read models (rebuildable)
//	made      which of these parts a start has made: what is gone since was lost; and the id that keys.db and state.db have in them
//	nats/     the streams    blobs/    large payloads, encrypted
package datadir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Version is the format this hub writes. A directory of a greater one is refused.
const Version = 1

// Restoring is the directory in which a restore puts data together. While it is
// there, what is beside it is not whole.
const Restoring = "restore.partial"

// ErrUnfinished: a restore into the directory was interrupted.
var ErrUnfinished = errors.New("a restore into the data directory was interrupted: empty it and restore again")

// ErrLocked: another hub holds the directory.
var ErrLocked = errors.New("data directory is in use by another hub")

// Dir is an open, locked data directory.
type Dir struct {
	path string
	lock *os.File
}

// beforehand is what may be in a directory before a hub has made it: mounts,
// a key that was brought, and what an attempt leaves that went no further.
var beforehand = []string{"lock", "kek", "blobs", "nats", "lost+found", Restoring}

// Fresh says that a directory is there and no hub has begun in it.
func Fresh(path string) bool {
	stranger, err := strangerIn(path)
	return err == nil && stranger == ""
}

// strangerIn names a file that no hub has made, in a directory without a VERSION.
func strangerIn(path string) (string, error) {
	list, err := os.ReadDir(path)
	if err != nil {
		return "", err
	}
	name := ""
	for _, e := range list {
		switch {
		case e.Name() == "VERSION", e.Name() == made:
			return "", nil
		case slices.Contains(beforehand, e.Name()), e.Type().IsRegular() && slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(e.Name())):
			// A configuration is often put beside the data, in a volume for instance.
		case name == "":
			name = e.Name()
		}
	}
	return name, nil
}

// Open creates the directory where needed (0700), checks its version and locks
// it. One that holds files of others is not made a data directory.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if stranger, err := strangerIn(path); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	} else if stranger != "" {
		return nil, fmt.Errorf("%s is no data directory of a hub and not empty, it holds %.100q: name another one with -data", path, stranger)
	}
	f, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder := make([]byte, 16)
		n, _ := f.Read(holder)
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w (pid %s)", path, ErrLocked, strings.TrimSpace(string(holder[:n])))
		}
		return nil, fmt.Errorf("lock data directory %s: %w", path, err)
	}
	d := &Dir{path: path, lock: f}
	if _, err := os.Lstat(d.Path(Restoring)); err == nil {
		d.Close()
		return nil, fmt.Errorf("%s: %w", path, ErrUnfinished)
	}
	if err := d.checkVersion(); err != nil {
		d.Close()
		return nil, err
	}
	_ = f.Truncate(0)
	_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return d, nil
}

func (d *Dir) checkVersion() error {
	name := d.Path("VERSION")
	b, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return os.WriteFile(name, []byte(strconv.Itoa(Version)+"\n"), 0o600)
	}
	if err != nil {
		return fmt.Errorf("data directory version: %w", err)
	}
	v, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return fmt.Errorf("data directory %s: VERSION holds %q, not a number", d.path, strings.TrimSpace(string(b)))
	}
	if v > Version {
		return fmt.Errorf("data directory %s has format %d, this hub knows up to %d: use a newer hub", d.path, v, Version)
	}
	return nil
}

// Path joins names to the directory.
func (d *Dir) Path(names ...string) string {
	return filepath.Join(append([]string{d.path}, names...)...)
}

// Close frees the lock.
func (d *Dir) Close() error { return d.lock.Close() }
