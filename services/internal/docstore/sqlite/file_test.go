package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/docstoretest"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

func declare(t testing.TB, s *sqlite.Store) {
	t.Helper()
	if err := s.Declare(t.Context(), docstoretest.Notes()); err != nil {
		t.Fatal(err)
	}
}

func put(id string, seq uint64, json string) docstore.Op {
	return docstore.Op{Collection: "notes", Doc: docstore.Doc{ID: id, Seq: seq, JSON: []byte(json)}}
}

func apply(t testing.TB, s *sqlite.Store, ops ...docstore.Op) {
	t.Helper()
	if err := s.Apply(context.Background(), docstore.Batch{Ops: ops}); err != nil {
		t.Fatal(err)
	}
}

func execIn(t testing.TB, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), statement)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestForeignFilesAreRefused(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"data format 2 is newer": `PRAGMA application_id = 0x57454654; PRAGMA user_version = 2`,
		"not a weftline":         `CREATE TABLE x (y)`,
	} {
		path := filepath.Join(t.TempDir(), "x.db")
		execIn(t, path, statement)
		_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error = %v, want %q in one line", err, name)
		}
	}
	path := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); err == nil {
		t.Error("a text file was opened")
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "no", "dir.db"), sqlite.Options{}); err == nil {
		t.Error("a missing directory was no error")
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Sync: sqlite.Full})
	if err != nil {
		t.Fatal(err)
	}
	declare(t, s)
	apply(t, s, put("a", 3, `{"tenant":"t","title":"kept"}`))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", f, info.Mode(), err)
		}
	}
	s = openAt(t, path, sqlite.Options{})
	declare(t, s)
	d, err := s.Get(t.Context(), "notes", "a")
	if err != nil || d.Seq != 3 {
		t.Fatalf("get = %v, %v", d, err)
	}
}

// TestDeletedBytesAreGone: erasure has to hold for the files, the word index and the log included.
func TestDeletedBytesAreGone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s := openAt(t, path, sqlite.Options{})
	declare(t, s)
	var ops []docstore.Op
	for i := range 400 {
		ops = append(ops, put(fmt.Sprint("n", i), 1, fmt.Sprintf(`{"tenant":"t","at":%d,"title":"common word%d"}`, i, i)))
	}
	secret := func(i int) string {
		return fmt.Sprintf(`{"tenant":"canarytenant%d","title":"canarytitle%d","body":"canarybody%d"}`, i, i, i)
	}
	apply(t, s, append(ops, put("gone", 1, secret(1)), put("guarded", 1, secret(2)), put("changed", 1, secret(3)))...)
	apply(t, s, ops[:200]...)
	apply(t, s, docstore.Op{Collection: "notes", Doc: docstore.Doc{ID: "gone"}, Delete: true},
		docstore.Op{Collection: "notes", Doc: docstore.Doc{ID: "guarded", Seq: 2}, Delete: true},
		put("changed", 2, `{"tenant":"t","title":"other"}`))
	if err := s.Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		// The word index keeps prefixes of terms apart, so look for the tail too.
		for _, canary := range []string{"canary", "anarytitle", "narybody", "tenant1", "title2", "body3"} {
			if bytes.Contains(b, []byte(canary)) {
				t.Errorf("%s still holds %q", filepath.Base(f), canary)
			}
		}
	}
}

func TestBackupWhileWriting(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "live.db"), sqlite.Options{})
	declare(t, s)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer func() {
		close(stop)
		wg.Wait()
	}()
	wg.Go(func() {
		for i := uint64(1); ; i++ { // two documents that always agree
			select {
			case <-stop:
				return
			default:
			}
			json := fmt.Sprintf(`{"tenant":"t","at":%d,"title":"n%d"}`, i, i)
			err := s.Apply(context.Background(), docstore.Batch{
				Ops:         []docstore.Op{put("a", i, json), put("b", i, json)},
				Checkpoints: []docstore.Checkpoint{{Name: "p", Seq: i}},
			})
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	for n := range 5 {
		for seq, deadline := uint64(0), time.Now().Add(20*time.Second); seq <= uint64(20*n); { // something new each time
			var err error
			if seq, err = s.Checkpoint(t.Context(), "p", 0); err != nil || time.Now().After(deadline) {
				t.Fatalf("waiting for writes: at %d, %v", seq, err)
			}
		}
		dir := filepath.Join(t.TempDir(), "deep", "copy")
		if err := s.Backup(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		if err := s.Backup(t.Context(), dir); !errors.Is(err, os.ErrExist) {
			t.Fatalf("over an older copy: %v", err)
		}
		copied := openAt(t, filepath.Join(dir, "live.db"), sqlite.Options{})
		declare(t, copied)
		docs, err := copied.GetMany(t.Context(), "notes", "a", "b")
		if err != nil {
			t.Fatal(err)
		}
		seq, err := copied.Checkpoint(t.Context(), "p", 0)
		if err != nil || docs[0].Seq == 0 || docs[0].Seq != docs[1].Seq || docs[0].Seq != seq {
			t.Fatalf("copy %d: %d, %d, checkpoint %d, %v", n, docs[0].Seq, docs[1].Seq, seq, err)
		}
		hits, err := copied.Search(t.Context(), "notes", docstore.SearchQuery{Words: fmt.Sprint("n", seq), Limit: 5})
		if err != nil || len(hits) != 2 {
			t.Fatalf("search in the copy: %v, %v", hits, err)
		}
	}
}

// TestCancelledSearchesLeaveReadersWhole: an interrupted statement must not spoil its connection.
func TestCancelledSearchesLeaveReadersWhole(t *testing.T) {
	t.Parallel()
	s := open(t, sqlite.Options{ReadConns: 2})
	declare(t, s)
	for i := range 10 {
		var ops []docstore.Op
		for j := range 300 {
			ops = append(ops, put(fmt.Sprintf("%d-%d", i, j), 1, `{"tenant":"t","status":"s","title":"alpha beta gamma"}`))
		}
		apply(t, s, ops...)
	}
	q := docstore.SearchQuery{Words: "gamma alpha be", Filter: map[string]any{"status": "other"}, Limit: 5}
	interrupted := 0
	for i := range 200 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*10*time.Microsecond)
		items, err := s.Search(ctx, "notes", q)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			interrupted++
		} else if err != nil || len(items) != 0 {
			t.Fatalf("search: %v, %v", items, err)
		}
		if _, err := s.Get(t.Context(), "notes", "1-1"); err != nil {
			t.Fatalf("after %d interruptions: %v", interrupted, err)
		}
	}
	if interrupted == 0 {
		t.Fatal("no search was interrupted: this shows nothing")
	}
	if _, err := s.Count(t.Context(), "notes", "by_tenant", []any{"t"}, 0); err != nil {
		t.Fatal(err)
	}
}
