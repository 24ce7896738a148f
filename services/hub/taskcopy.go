package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	copies "github.com/weftline/weftline/services/hub/backup"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/datadir"
	"github.com/weftline/weftline/services/internal/ledger"
)

func backup(ctx context.Context, in invocation) error {
	o := flags(in, "backup", "copy everything consistently into DIR, while the hub serves: hub backup [flags] DIR")
	without := o.fs.Bool("without-kek", false, "leave out the key-encryption key; without it the copy cannot be read")
	if err := o.parse(in, 1); err != nil {
		return err
	}
	dir, err := oneDir(o)
	if err != nil {
		return err
	}
	cfg, err := o.load(in)
	if err != nil {
		return err
	}
	if inside(dir, cfg.Data) {
		return &usageError{fmt.Sprintf("%s is inside of the data directory %s: a copy is of no use where the data is lost, name another place", dir, cfg.Data)}
	}
	return runTask(ctx, in, o, "backup", []string{fmt.Sprintf("-without-kek=%t", *without), dir})
}

// inside says whether a path, which need not be there yet, is dir or below it.
func inside(path, dir string) bool {
	rel, err := filepath.Rel(resolved(dir), resolved(path))
	return err == nil && filepath.IsLocal(rel)
}

// resolved is a path without links, as far as it is there.
func resolved(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if real, err := filepath.EvalSymlinks(path); err == nil || path == filepath.Dir(path) {
		return real
	}
	return filepath.Join(resolved(filepath.Dir(path)), filepath.Base(path))
}

// oneDir is the command's argument, absolute: the hub that works may stand elsewhere.
func oneDir(o *options) (string, error) {
	if len(o.args) != 1 {
		o.fs.Usage()
		return "", &usageError{"DIR is missing"}
	}
	return filepath.Abs(o.args[0])
}

func taskBackup(ctx context.Context, h *hub, args []string, out io.Writer) error {
	var without bool
	fs, err := taskFlags("backup", args, out, func(fs *flag.FlagSet) { fs.BoolVar(&without, "without-kek", false, "") })
	if err != nil {
		return err
	}
	if h.cfg.NATS.URL != "" || h.cfg.Mongo.URI != "" {
		return errors.New("backup copies an embedded hub; for a NATS cluster and MongoDB use their own tools (nats stream backup, mongodump), streams first")
	}
	kek := h.dir.Path("kek")
	if os.Getenv("WEFTLINE_KEK") != "" || os.Getenv("WEFTLINE_KEK_FILE") != "" {
		kek = "" // the file, if there is one, is not the key in use
	}
	note := h.backupAudit(ctx, !without && kek != "")
	if err := copies.Free(fs.Arg(0)); err != nil {
		return note("begun", err)
	}
	// That it was begun is recorded first: what of it was written may be a whole
	// copy of everything, also if the process dies, and the copy has the entry in it.
	if err := note("begun", nil); err != nil {
		return err
	}
	return note("done", h.writeBackup(ctx, kek, without, fs.Arg(0), out))
}

// backupAudit records a step of a backup (begun, done) with its outcome, and returns what went wrong.
func (h *hub) backupAudit(ctx context.Context, withKEK bool) func(step string, failed error) error {
	return func(step string, failed error) error {
		e := audit.Entry{Action: audit.ExportBackup, IDs: map[string]string{"with_kek": fmt.Sprint(withKEK)}}
		if failed != nil {
			e.Outcome = audit.OutcomeFailed
		} else {
			e.IDs["step"] = step
		}
		// Also when it was stopped by Ctrl-C.
		return errors.Join(failed, h.audit.RecordSync(context.WithoutCancel(ctx), e))
	}
}

func (h *hub) writeBackup(ctx context.Context, kek string, without bool, dir string, out io.Writer) error {
	if err := h.noteBackup(ctx, dir); err != nil {
		return err
	}
	source := copies.Source{
		JS: h.bus.JS, NC: h.bus.NC, State: h.state, Keys: h.keyTable,
		BlobDir: h.dir.Path("blobs"), KEKPath: kek, WithoutKEK: without, Version: datadir.Version,
	}
	if h.ledger != nil {
		source.Ledger = h.ledger.Path()
	}
	if err := copies.Write(ctx, source, dir, out); err != nil {
		return err
	}
	// Whoever was erased while it was written is erased in it too.
	return h.Erase(ctx)
}

func restore(ctx context.Context, in invocation) error {
	o := flags(in, "restore", "put the backup in DIR into the data directory, which must be empty: hub restore [flags] DIR")
	erasures := o.fs.String("erasures", "", "a newer `file` "+ledger.File+" than the backup's: whoever it says was erased does not come back")
	if err := o.parse(in, 1); err != nil {
		return err
	}
	dir, err := oneDir(o)
	if err != nil {
		return err
	}
	cfg, err := o.load(in)
	if err != nil {
		return err
	}
	return copies.RestoreAfter(ctx, dir, *erasures, cfg.Data, in.stdout)
}
