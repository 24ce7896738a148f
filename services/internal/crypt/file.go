package crypt

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// EnvKEK is the environment variable that goes over the file: 32 bytes in base64.
const EnvKEK = "WEFTLINE_KEK"

// LoadKEK returns the key-encryption key: from the environment variable
// WEFTLINE_KEK, else from the file "kek" in dataDir (base64, mode 0600), which
// is made on the first start. Whoever loses it loses everything sealed;
// whoever has it and the key table reads everything.
func LoadKEK(dataDir string) ([]byte, error) {
	if v := os.Getenv(EnvKEK); v != "" {
		return decodeKEK("environment variable "+EnvKEK, v)
	}
	path := filepath.Join(dataDir, "kek")
	key, err := readKEK(path)
	if !errors.Is(err, os.ErrNotExist) {
		return key, err
	}
	if err := writeKEK(path); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("make key-encryption key: %w", err)
	}
	return readKEK(path) // of whoever was first
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
