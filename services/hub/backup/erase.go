package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/ledger"
)

// erasing is there while a backup's databases are being changed. Whoever finds
// it knows that the manifest's sums of them may not hold.
const erasing = "ERASING"

// Erase applies a ledger to a backup that was made before: it destroys the keys
// in its key table, lets clean (may be nil) remove what its state.db keeps of
// the same people, and puts the ledger beside them. The bytes of what is
// removed are written over; copies of the backup elsewhere are not reached.
// Cut off in the middle, it is simply called again.
func Erase(ctx context.Context, dir, ledgerFile string, clean func(context.Context, docstore.Store, []ledger.Entry) error) error {
	all, err := ledger.Read(ledgerFile)
	if err != nil {
		return err
	}
	have, err := ledger.Read(filepath.Join(dir, ledger.File))
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, e := range have {
		known[e.ID] = true
	}
	fresh := slices.DeleteFunc(all, func(e ledger.Entry) bool { return known[e.ID] })
	interrupted := exists(filepath.Join(dir, erasing))
	if len(fresh) == 0 && !interrupted {
		return nil
	}
	m, err := Read(dir)
	if err != nil {
		return err
	}
	if err := writeOver(dir, erasing, []byte("databases are being changed by an erasure\n")); err != nil {
		return err
	}
	err = change(ctx, dir, keysDB, func(db *sqlite.Store) error {
		for _, e := range fresh {
			if err := crypt.Bury(ctx, db, e.Keys...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if clean != nil {
		err = change(ctx, dir, stateDB, func(db *sqlite.Store) error {
			if err := clean(ctx, db, fresh); err != nil {
				return err
			}
			return db.Scrub(ctx)
		})
		if err != nil {
			return err
		}
	}
	if _, err := m.erasePublic(ctx, dir, fresh); err != nil {
		return fmt.Errorf("public events: %w", err)
	}
	if _, _, err := ledger.Merge(dir, ledgerFile); err != nil {
		return err
	}
	names := []string{keysDB, stateDB, ledger.File}
	if f := m.publicFile(); f != "" {
		names = append(names, f)
	}
	for _, name := range names {
		f, err := hashFile(dir, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if i := slices.IndexFunc(m.Files, func(o File) bool { return o.Name == name }); i >= 0 {
			m.Files[i] = f
		} else {
			m.Files = append(m.Files, f)
		}
	}
	if err := m.rewrite(dir); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, erasing)); err != nil {
		return err
	}
	return syncDir(dir)
}

func change(ctx context.Context, dir, name string, fn func(*sqlite.Store) error) error {
	db, err := sqlite.Open(ctx, filepath.Join(dir, name), sqlite.Options{Sync: sqlite.Full})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := errors.Join(fn(db), db.Close()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// ledger puts the list of erasures into a backup being written, last of all:
// what it says may be more than the key table knows, never less.
func (w *writer) ledger() error {
	if w.src.Ledger == "" {
		return nil
	}
	f, err := copyFile(w.src.Ledger, w.dir, ledger.File)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", ledger.File, err)
	}
	w.manifest.Files = append(w.manifest.Files, f)
	return nil
}

// erasures joins the backup's ledger with a newer one, destroys the keys, and
// says how new it is: the hub that starts on this data does the rest before it serves.
func (r *restorer) erasures(ctx context.Context) error {
	var others []string
	if r.ledger != "" {
		if !exists(r.ledger) {
			return fmt.Errorf("%s: %w", r.ledger, os.ErrNotExist)
		}
		others = append(others, r.ledger)
	}
	newest, n, err := ledger.Merge(r.to, others...)
	if err != nil {
		return err
	}
	if n == 0 {
		fmt.Fprintln(r.out, "no erasures are known: if anybody was erased after this backup was made, name the newer ledger with -erasures")
		return nil
	}
	fmt.Fprintf(r.out, "erasures: %d entries, the newest of %s (%s); the hub completes them when it starts\n",
		n, newest.At.Format("2006-01-02T15:04:05Z07:00"), newest.ID)
	entries, err := ledger.Read(filepath.Join(r.to, ledger.File))
	if err != nil {
		return err
	}
	return change(ctx, r.to, keysDB, func(db *sqlite.Store) error {
		for _, e := range entries {
			if err := crypt.Bury(ctx, db, e.Keys...); err != nil {
				return err
			}
		}
		return nil
	})
}

// settle takes the files that an interrupted Erase was changing as they are:
// each database is whole, with or without the change.
func (m *Manifest) settle(dir string) error {
	if !exists(filepath.Join(dir, erasing)) {
		return nil
	}
	for i, f := range m.Files {
		if f.Name != keysDB && f.Name != stateDB && f.Name != ledger.File && f.Name != m.publicFile() {
			continue
		}
		have, err := hashFile(dir, f.Name)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		m.Files[i] = have
	}
	return nil
}

// writeOver puts a file in another's place, whole or not at all.
func writeOver(dir, name string, b []byte) error {
	temp := name + ".new"
	if err := os.Remove(filepath.Join(dir, temp)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := writeFile(dir, temp, b); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(dir, temp), filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncDir(dir)
}
