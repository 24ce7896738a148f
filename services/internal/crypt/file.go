package crypt

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/weftline/weftline/services/internal/docstore"
)

// EnvKEK is the environment variable that goes over the file: 32 bytes in base64.
const EnvKEK = "WEFTLINE_KEK"

// LoadKEK returns the key-encryption key: from the environment variable
// WEFTLINE_KEK, else from the file "kek" in dataDir (base64, mode 0600), which
// is made on the first start: while table, the keys it wraps, holds none. Another
// one would open nothing, and stand in the way of the right one. Whoever loses it
// loses everything sealed; whoever has it and the key table reads everything.
func LoadKEK(ctx context.Context, table Table, dataDir string) ([]byte, error) {
	if v := os.Getenv(EnvKEK); v != "" {
		return decodeKEK("environment variable "+EnvKEK, v)
	}
	path := filepath.Join(dataDir, "kek")
	key, err := readKEK(path)
	if !errors.Is(err, os.ErrNotExist) {
		return key, err
	}
	holds, err := holdsKeys(ctx, table)
	if err != nil {
		return nil, err
	}
	if holds {
		key, err := readKEK(path) // another process may have been at its first start
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("the key-encryption key is missing, and the key table holds keys that only it opens: put it back as %s (mode 600), or into the environment variable %s; a backup made without it does not hold it", path, EnvKEK)
		}
		return key, err
	}
	if err := writeKEK(path); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("make key-encryption key: %w", err)
	}
	return readKEK(path) // of whoever was first
}

// errFound ends a scan.
var errFound = errors.New("found")

// holdsKeys says whether a key was ever made in a table, also if it was destroyed since.
func holdsKeys(ctx context.Context, table Table) (bool, error) {
	if err := table.Declare(ctx, docstore.Collection{Name: collection}); err != nil {
		return false, fmt.Errorf("open key table: %w", err)
	}
	err := table.Scan(ctx, collection, func(docstore.Doc) error { return errFound })
	if errors.Is(err, errFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("read key table: %w", err)
	}
	return false, nil
}

func readKEK(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read key-encryption key: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("read key-encryption key: %s has mode %04o, others must not read it: chmod 600", path, info.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read key-encryption key: %w", err)
	}
	return decodeKEK(path, string(b))
}

func decodeKEK(where, s string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("key-encryption key in %s: must be %d bytes in base64", where, keySize)
	}
	return key, nil
}

// writeKEK writes beside and links: the file is there whole or not at all, and
// of two processes at their first start one wins.
func writeKEK(path string) error {
	key := make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".kek-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
