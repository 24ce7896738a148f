package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// newFile writes a file below a directory and hashes it on the way.
type newFile struct {
	f    *os.File
	name string
	h    hash.Hash
	n    int64
}

func create(dir, name string) (*newFile, error) {
	p := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(p, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &newFile{f: f, name: name, h: sha256.New()}, nil
}

func (w *newFile) Write(b []byte) (int, error) {
	n, err := w.f.Write(b)
	w.h.Write(b[:n])
	w.n += int64(n)
	return n, err
}

// finish syncs and closes.
func (w *newFile) finish() (File, error) {
	if err := errors.Join(w.f.Sync(), w.f.Close()); err != nil {
		return File{}, err
	}
	return File{Name: w.name, Size: w.n, SHA256: hex.EncodeToString(w.h.Sum(nil))}, nil
}

func copyFile(from, dir, name string) (File, error) {
	in, err := os.Open(from)
	if err != nil {
		return File{}, err
	}
	defer in.Close()
	to, err := create(dir, name)
	if err != nil {
		return File{}, err
	}
	if _, err := io.Copy(to, in); err != nil {
		return File{}, errors.Join(err, to.f.Close())
	}
	return to.finish()
}

func writeFile(dir, name string, b []byte) error {
	f, err := create(dir, name)
	if err != nil {
		return err
	}
	if _, err := f.Write(b); err != nil {
		return errors.Join(err, f.f.Close())
	}
	_, err = f.finish()
	return err
}

// blobs copies the files of the blob store. One that disappears meanwhile was
// deleted, and nothing that counts refers to it. "tmp" holds what is not yet put.
func (w *writer) blobs(ctx context.Context) error {
	if w.src.BlobDir == "" {
		return nil
	}
	var total int64
	count := 0
	err := filepath.WalkDir(w.src.BlobDir, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		rel, err := filepath.Rel(w.src.BlobDir, p)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel == "tmp" {
				return fs.SkipDir
			}
			return nil
		}
		f, err := copyFile(p, w.dir, path.Join(blobDir, filepath.ToSlash(rel)))
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		w.manifest.Files = append(w.manifest.Files, f)
		total += f.Size
		count++
		return nil
	})
	if err != nil {
		return fmt.Errorf("blobs: %w", err)
	}
	fmt.Fprintf(w.out, "%-12s %d files, %s\n", blobDir, count, size(total))
	return nil
}

// mustBeEmpty accepts a directory that is not there, or holds nothing but the given names.
func mustBeEmpty(dir string, but ...string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
entries:
	for _, e := range entries {
		for _, name := range but {
			if e.Name() == name {
				continue entries
			}
		}
		return fmt.Errorf("%s: %w", dir, ErrNotEmpty)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// syncDirs makes the names in a tree durable; the files are synced already.
func syncDirs(root string) error { return syncTree(root, false) }

func syncTree(root string, files bool) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() && (!files || !d.Type().IsRegular()) {
			return err
		}
		return syncDir(p)
	})
}
