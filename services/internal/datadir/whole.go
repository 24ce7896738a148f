package datadir

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// made lists the parts that were there after a successful start. What has been
// there and is gone was lost: an empty one in its place would look like a new
// hub and be a worse loss (new keys, no agents, every mail once more).
const made = "made"

// CheckParts fails when one of parts was noted by NoteParts and is missing.
func (d *Dir) CheckParts(parts ...string) error {
	noted, err := d.noted()
	if err != nil {
		return err
	}
	for _, part := range parts {
		if !slices.Contains(noted, part) {
			continue
		}
		info, err := os.Stat(d.Path(part))
		switch {
		case errors.Is(err, os.ErrNotExist):
			return fmt.Errorf("data directory %s: %s is missing, and was there before: put it back or restore a backup; an empty one would lose what was stored", d.path, part)
		case err != nil:
			return fmt.Errorf("data directory: %w", err)
		case info.Mode().IsRegular() && info.Size() == 0:
			return fmt.Errorf("data directory %s: %s has 0 bytes, and held something before: put it back or restore a backup; a new one would lose what was stored", d.path, part)
		}
	}
	return nil
}

// Noted says that NoteParts has noted the part.
func (d *Dir) Noted(part string) (bool, error) {
	noted, err := d.noted()
	return slices.Contains(noted, part), err
}

// idWord begins the word in the list that is no part: the id of the directory's databases.
const idWord = "id:"

// StoreID is what NoteStoreID noted; "" when there is none yet.
func (d *Dir) StoreID() (string, error) {
	noted, err := d.noted()
	for _, word := range noted {
		if id, ok := strings.CutPrefix(word, idWord); ok {
			return id, err
		}
	}
	return "", err
}

// NoteStoreID remembers the id that the directory's databases have in them.
func (d *Dir) NoteStoreID(id string) error { return d.NoteParts(idWord + id) }

// NoteParts remembers that parts are there.
func (d *Dir) NoteParts(parts ...string) error {
	noted, err := d.noted()
	if err != nil {
		return err
	}
	all := slices.Compact(slices.Sorted(slices.Values(slices.Concat(noted, parts))))
	if slices.Equal(all, noted) {
		return nil
	}
	tmp := d.Path("." + made)
	if err := os.WriteFile(tmp, []byte(strings.Join(all, "\n")+"\n"), 0o600); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if err := os.Rename(tmp, d.Path(made)); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	return nil
}

func (d *Dir) noted() ([]string, error) {
	b, err := os.ReadFile(d.Path(made))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	return strings.Fields(string(b)), nil
}
