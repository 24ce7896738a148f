package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/datadir"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

// Restore puts the backup in dir into dataDir, which must be empty or not
// there, and in use by nobody. Every file is checked against the manifest
// before anything is written. The data is put together in
// <dataDir>/restore.partial and moved up at the end, so that it works in a
// mounted volume too; a hub refuses a directory where that was interrupted.
//
// The key-encryption key is that of the environment, else that of the backup.
// Without one, put the file "kek" into dataDir before a hub is started there.
//
// views.db is not part of a backup: the hub folds it from the log when it starts.
func Restore(ctx context.Context, dir, dataDir string, out io.Writer) error {
	return RestoreAfter(ctx, dir, "", dataDir, out)
}

// RestoreAfter is Restore with a newer ledger of erasures than the backup has
// ("" for none): whoever it names does not come back.
func RestoreAfter(ctx context.Context, dir, erasures, dataDir string, out io.Writer) error {
	if err := restore(ctx, filepath.Clean(dir), erasures, filepath.Clean(dataDir), out); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// What a directory may hold and still counts as empty: a hub or a restore that
// went no further leaves these.
var unused = []string{"lock", "VERSION"}

func restore(ctx context.Context, dir, erasures, dataDir string, out io.Writer) (err error) {
	m, err := Read(dir)
	if err != nil {
		return err
	}
	if m.DataVersion > datadir.Version {
		return fmt.Errorf("%s: the data has format %d, this hub knows up to %d: use a newer hub", ManifestFile, m.DataVersion, datadir.Version)
	}
	if m.DataVersion < 1 {
		return fmt.Errorf("%s is damaged: data_version is %d", ManifestFile, m.DataVersion)
	}
	fmt.Fprintf(out, "backup of %s by hub %s: %d files, %s\n", m.Created.Format(time.RFC3339), m.Hub, len(m.Files), size(m.bytes()))
	if err := m.settle(dir); err != nil {
		return err
	}
	if err := m.check(dir); err != nil {
		return err
	}
	fmt.Fprintln(out, "every file is as it was written")

	_, err = os.Lstat(dataDir)
	made := errors.Is(err, os.ErrNotExist)
	if !made {
		if err := refuse(dataDir); err != nil {
			return err
		}
	}
	d, err := datadir.Open(dataDir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Again, now that nobody else can come between.
	if err := mustBeEmpty(dataDir, unused...); err != nil {
		return err
	}
	r := &restorer{m: m, from: dir, to: d.Path(datadir.Restoring), out: out, ledger: erasures}
	if err := os.Mkdir(r.to, 0o700); err != nil {
		return err
	}
	moving := false
	defer func() {
		if err == nil || moving {
			return // half moved, it stays for people to look at, and hubs refuse it
		}
		err = errors.Join(err, os.RemoveAll(r.to))
		if made {
			err = errors.Join(err, os.RemoveAll(dataDir))
		}
	}()
	for _, step := range []func(context.Context) error{r.files, r.erasures, r.keys, r.streams, r.fence, r.version} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := syncTree(r.to, true); err != nil {
		return err
	}
	moving = true
	if err := r.moveUp(d.Path()); err != nil {
		return err
	}
	fmt.Fprintf(out, "complete: %s\n", dataDir)
	return nil
}

// refuse says why a directory that exists cannot take a backup.
func refuse(dataDir string) error {
	if _, err := os.Stat(filepath.Join(dataDir, "lock")); err == nil {
		// Whether it is in use is the better reason.
		d, err := datadir.Open(dataDir)
		if err != nil {
			return err
		}
		d.Close()
	}
	return mustBeEmpty(dataDir, unused...)
}

// restorer is one restore under way.
type restorer struct {
	m        *Manifest
	from, to string
	out      io.Writer
	ledger   string // a newer one than the backup's
}

// files copies what is needed as it is, and checks it once more on the way.
func (r *restorer) files(ctx context.Context) error {
	archives := map[string]bool{}
	for _, s := range r.m.Streams {
		archives[s.File] = true
	}
	for _, f := range r.m.Files {
		if archives[f.Name] {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		have, err := copyFile(filepath.Join(r.from, filepath.FromSlash(f.Name)), r.to, f.Name)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		if have != f {
			return fmt.Errorf("%s changed while it was copied", f.Name)
		}
	}
	fmt.Fprintln(r.out, "files are in place")
	return nil
}

// keys opens the key table, which shows whether the key-encryption key is right.
func (r *restorer) keys(ctx context.Context) error {
	if os.Getenv(crypt.EnvKEK) == "" && !r.m.KEK {
		fmt.Fprintln(r.out, "the backup is without its key-encryption key: put it into the data directory as \"kek\" (mode 600) before the hub is started")
		return nil
	}
	db, err := sqlite.Open(ctx, filepath.Join(r.to, keysDB), sqlite.Options{Sync: sqlite.Full})
	if err != nil {
		return fmt.Errorf("%s: %w", keysDB, err)
	}
	kek, err := crypt.LoadKEK(ctx, db, r.to)
	if err == nil {
		_, err = crypt.NewKeyring(ctx, db, kek, crypt.Options{})
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("%s: %w", keysDB, err)
	}
	fmt.Fprintln(r.out, "the key-encryption key opens the keys")
	return nil
}

func (r *restorer) version(context.Context) error {
	return writeFile(r.to, "VERSION", []byte(strconv.Itoa(r.m.DataVersion)+"\n"))
}
