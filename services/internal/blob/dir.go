package blob

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/weftline/weftline/services/internal/crypt"
)

// Keys is the part of a keyring that is needed.
type Keys interface {
	Seal(ctx context.Context, key string, plain, aad []byte) (crypt.Sealed, error)
	Open(ctx context.Context, s crypt.Sealed, aad []byte) ([]byte, error)
}

// Dir keeps each blob in a file ab/cd/<key> below a directory.
type Dir struct {
	root *os.Root
	keys Keys
}

var _ Store = (*Dir)(nil)

const tmp = "tmp" // files that are being written

// NewDir makes the directory (mode 0700) when it is not there, and removes
// what a crash left half-written more than an hour ago. Close the Dir after use.
func NewDir(dir string, keys Keys) (*Dir, error) {
	if err := os.MkdirAll(filepath.Join(dir, tmp), 0o700); err != nil {
		return nil, fmt.Errorf("open blobs: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open blobs: %w", err)
	}
	d := &Dir{root: root, keys: keys}
	if err := d.sweep(time.Now().Add(-time.Hour)); err != nil {
		return nil, errors.Join(fmt.Errorf("open blobs: %w", err), root.Close())
	}
	return d, nil
}

// Close lets go of the directory.
func (d *Dir) Close() error { return d.root.Close() }

func (d *Dir) sweep(before time.Time) error {
	f, err := d.root.Open(tmp)
	if err != nil {
		return err
	}
	defer f.Close()
	files, err := f.Readdir(-1)
	if err != nil {
		return err
	}
	for _, info := range files {
		if info.ModTime().Before(before) {
			if err := d.root.Remove(filepath.Join(tmp, info.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

var (
	encoding = base32.StdEncoding.WithPadding(base32.NoPadding)
	keyRE    = regexp.MustCompile(`^[a-z2-7]{32}$`) // 160 random bits
)

// path is a blob's place. Only keys that Put can have made have one.
func path(key string) (string, error) {
	if !keyRE.MatchString(key) {
		return "", fmt.Errorf("blob key %.40q is not one of ours: %w", key, ErrNotFound)
	}
	return filepath.Join(key[:2], key[2:4], key), nil
}

// Put writes to a temporary file and moves it into place.
func (d *Dir) Put(ctx context.Context, dataKey string, r io.Reader, limit int64) (string, int64, error) {
	random := make([]byte, 20)
	if _, err := rand.Read(random); err != nil {
		return "", 0, fmt.Errorf("put blob: %w", err)
	}
	key := strings.ToLower(encoding.EncodeToString(random))
	size, err := d.PutAs(ctx, key, dataKey, r, limit)
	if err != nil {
		return "", 0, err
	}
	return key, size, nil
}

// PutAs is Put under a key of KeyOf.
func (d *Dir) PutAs(ctx context.Context, key, dataKey string, r io.Reader, limit int64) (int64, error) {
	if _, err := path(key); err != nil {
		return 0, fmt.Errorf("put blob: %w", err)
	}
	if limit < 1 || limit > MaxSize {
		return 0, fmt.Errorf("put blob: limit %d: 1 to %d is allowed", limit, MaxSize)
	}
	if dataKey == "" || len(dataKey) > maxDataKey {
		return 0, fmt.Errorf("put blob: data key: 1 to %d bytes are allowed", maxDataKey)
	}
	size, err := d.write(ctx, key, dataKey, r, limit)
	if err != nil {
		return 0, fmt.Errorf("put blob: %w", err)
	}
	return size, nil
}

func (d *Dir) write(ctx context.Context, key, dataKey string, r io.Reader, limit int64) (size int64, err error) {
	temp := filepath.Join(tmp, key+"."+rand.Text()) // one key may be written by two at once
	f, err := d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_ = d.root.Remove(temp) // else the sweep does
		}
	}()
	buffered := bufio.NewWriter(f)
	size, err = seal(ctx, d.keys, buffered, r, key, dataKey, limit)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	return size, d.place(temp, key)
}

// place moves a file to its blob's place and makes the directories on the way durable.
func (d *Dir) place(temp, key string) error {
	final, err := path(key)
	if err != nil {
		return err
	}
	if err := d.root.MkdirAll(filepath.Dir(final), 0o700); err != nil {
		return err
	}
	if err := d.root.Rename(temp, final); err != nil {
		return err
	}
	for _, dir := range []string{filepath.Dir(final), key[:2], "."} {
		if err := d.sync(dir); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dir) sync(dir string) error {
	f, err := d.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Get reads and opens a blob.
func (d *Dir) Get(ctx context.Context, key string) ([]byte, error) {
	name, err := path(key)
	if err != nil {
		return nil, err
	}
	f, err := d.root.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("get blob %s: %w", key, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("get blob: %w", err)
	}
	defer f.Close()
	b, err := unseal(ctx, d.keys, bufio.NewReader(f), key)
	if err != nil {
		return nil, fmt.Errorf("get blob %s: %w", key, err)
	}
	return b, nil
}

// Delete unlinks a blob's file, durably.
func (d *Dir) Delete(_ context.Context, key string) error {
	name, err := path(key)
	if err != nil {
		return nil // never was
	}
	err = d.root.Remove(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = d.sync(filepath.Dir(name))
	}
	if err != nil {
		return fmt.Errorf("delete blob %s: %w", key, err)
	}
	return nil
}

// DataKey names the data key a blob is sealed under: for who must destroy it.
func (d *Dir) DataKey(_ context.Context, key string) (string, error) {
	name, err := path(key)
	if err != nil {
		return "", err
	}
	f, err := d.root.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("look at blob %s: %w", key, ErrNotFound)
	}
	if err != nil {
		return "", fmt.Errorf("look at blob: %w", err)
	}
	defer f.Close()
	dataKey, err := readHead(f)
	if err != nil {
		return "", fmt.Errorf("look at blob %s: %w", key, err)
	}
	return dataKey, nil
}
