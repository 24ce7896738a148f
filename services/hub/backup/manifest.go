package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Format of the directory. Restore refuses a greater one.
const Format = 1

// ManifestFile lists everything else in the directory; ManifestSum holds its
// hash, in the format of sha256sum.
const (
	ManifestFile = "MANIFEST.json"
	ManifestSum  = "MANIFEST.sha256"
)

// Manifest says what a backup consists of. Stored: names stay.
type Manifest struct {
	Format      int       `json:"format"`
	Hub         string    `json:"hub"` // build that wrote it
	DataVersion int       `json:"data_version"`
	Created     time.Time `json:"created"` // when the copy was begun
	KEK         bool      `json:"key_encryption_key"`
	Streams     []Stream  `json:"streams"`
	Files       []File    `json:"files"`
}

// File is one file: its path with slashes, below the backup's directory.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Stream is one stream's copy and where it stood.
type Stream struct {
	Name     string          `json:"name"`
	File     string          `json:"file"`
	Config   json.RawMessage `json:"config"` // as the server gave it
	State    json.RawMessage `json:"state"`  // "
	Messages uint64          `json:"messages"`
	First    uint64          `json:"first_seq"`
	Last     uint64          `json:"last_seq"`
	LastTime time.Time       `json:"last_ts"`
	// Reserve: sequences up to here may be named by commits. They are not used again.
	Reserve uint64 `json:"reserve,omitempty"`
}

func (m *Manifest) bytes() (n int64) {
	for _, f := range m.Files {
		n += f.Size
	}
	return n
}

func (m *Manifest) write(dir string) error { return m.writeBy(dir, writeFile) }

// rewrite puts a changed manifest in the place of the old one.
func (m *Manifest) rewrite(dir string) error { return m.writeBy(dir, writeOver) }

func (m *Manifest) writeBy(dir string, put func(dir, name string, b []byte) error) error {
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return fmt.Errorf("%s: %w", ManifestFile, err)
	}
	b = append(b, '\n')
	sum := sha256.Sum256(b)
	if err := put(dir, ManifestSum, []byte(hex.EncodeToString(sum[:])+"  "+ManifestFile+"\n")); err != nil {
		return err
	}
	return put(dir, ManifestFile, b)
}

// Read reads the manifest of a backup and says when it is damaged, or of a
// format that this hub does not know. It does not look at the other files.
func Read(dir string) (*Manifest, error) {
	b, err := os.ReadFile(filepath.Join(dir, ManifestFile))
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(dir); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%s: no %s: not a backup, or not a whole one", dir, ManifestFile)
	}
	if err != nil {
		return nil, err
	}
	// The format first: a newer one may be different in everything else.
	var head struct {
		Format int `json:"format"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&head); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", ManifestFile, err)
	}
	if head.Format > Format {
		return nil, fmt.Errorf("%s: the backup has format %d, this hub knows up to %d: use a newer hub", ManifestFile, head.Format, Format)
	}
	want, err := os.ReadFile(filepath.Join(dir, ManifestSum))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestSum, err)
	}
	sum := sha256.Sum256(b)
	if have, _, _ := strings.Cut(string(want), " "); have != hex.EncodeToString(sum[:]) && !exists(filepath.Join(dir, erasing)) {
		return nil, fmt.Errorf("%s is damaged: its SHA-256 is not the one in %s", ManifestFile, ManifestSum)
	}
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", ManifestFile, err)
	}
	return &m, nil
}

// check compares every file with the manifest.
func (m *Manifest) check(dir string) error {
	named := map[string]bool{}
	for _, f := range m.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) {
			return fmt.Errorf("%s is damaged: file %q is outside of the backup", ManifestFile, f.Name)
		}
		named[f.Name] = true
		have, err := hashFile(dir, f.Name)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return fmt.Errorf("%s is missing from the backup", f.Name)
		case err != nil:
			return fmt.Errorf("%s: %w", f.Name, err)
		case have.Size != f.Size:
			return fmt.Errorf("%s is damaged: %d bytes, the manifest says %d", f.Name, have.Size, f.Size)
		case have.SHA256 != f.SHA256:
			return fmt.Errorf("%s is damaged: its SHA-256 is not the one in the manifest", f.Name)
		}
	}
	for _, name := range []string{stateDB, keysDB} {
		if !named[name] {
			return fmt.Errorf("%s is damaged: it does not name %s", ManifestFile, name)
		}
	}
	for _, s := range m.Streams {
		if !named[s.File] {
			return fmt.Errorf("%s is damaged: it does not name %s of stream %s", ManifestFile, s.File, s.Name)
		}
	}
	return nil
}

// hashFile reads a file that must be a plain one.
func hashFile(dir, name string) (File, error) {
	path := filepath.Join(dir, filepath.FromSlash(name))
	info, err := os.Lstat(path)
	if err != nil {
		return File{}, err
	}
	if !info.Mode().IsRegular() {
		return File{}, errors.New("not a plain file")
	}
	f, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return File{}, err
	}
	return File{Name: name, Size: n, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

// size is for people.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
