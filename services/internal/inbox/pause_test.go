package inbox_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/inbox"
)

func store(t *testing.T) docstore.Store {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func open(t *testing.T, db docstore.Store, keys crypt.Keyring, fixed ...inbox.Inbox) *inbox.Book {
	t.Helper()
	b, err := inbox.NewBook(t.Context(), db, keys, []inbox.Channel{{Name: "email"}}, fixed, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// seen runs a Watch and gives what it is told, one list of ids at a time.
func seen(t *testing.T, b *inbox.Book) <-chan []string {
	t.Helper()
	lists, ended := make(chan []string), make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		defer close(ended)
		b.Watch(ctx, "email", func(list []inbox.Inbox) {
			var ids []string
			for _, in := range list {
				ids = append(ids, in.ID)
			}
			select {
			case lists <- ids:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(func() { stop(); <-ended })
	return lists
}

// until waits for a list of these ids; what was true in between may be told or not.
func until(t *testing.T, told <-chan []string, want ...string) {
	t.Helper()
	for {
		select {
		case got := <-told:
			if slices.Equal(got, want) {
				return
			}
		case <-time.After(time.Minute):
			t.Fatalf("never told %v", want)
		}
	}
}

func TestPausedInboxIsGoneForWatchersAndThereForOthers(t *testing.T) {
	t.Parallel()
	db, keys := store(t), crypt.NewMemory()
	file := inbox.Inbox{ID: "file", Channel: "email", Name: "F", Source: inbox.SourceFile}
	b := open(t, db, keys, file)
	if _, err := b.Save(t.Context(), inbox.Inbox{ID: "own", Channel: "email", Name: "Own"}); err != nil {
		t.Fatal(err)
	}
	b.SetHealth("own", inbox.Health{State: "needs_attention", Detail: "login refused"})
	told := seen(t, b)
	if got := <-told; !slices.Equal(got, []string{"file", "own"}) {
		t.Fatalf("watched %v", got)
	}
	for _, id := range []string{"own", "file"} { // one of the file, too
		if err := b.SetPaused(t.Context(), id, true); err != nil {
			t.Fatal(err)
		}
	}
	until(t, told) // both are paused; two changes may be told as one
	in, ok := b.Get("own")
	h := b.Health("own")
	if !ok || !in.Paused || in.PausedInFile || h.State != inbox.StatePaused || h.LastError != "login refused" || h.LastErrorAt.IsZero() || h.Since.Before(h.LastErrorAt) || len(b.List("email")) != 2 {
		t.Errorf("%+v %+v", in, h)
	}
	// Another process, or the next start, knows it.
	if again := open(t, db, keys, file); !again.List("email")[0].Paused || !again.List("email")[1].Paused {
		t.Error("pauses were forgotten")
	}
	if err := b.SetPaused(t.Context(), "own", false); err != nil {
		t.Fatal(err)
	}
	until(t, told, "own")
	if h := b.Health("own"); h.State != "connecting" || h.Detail != "" {
		t.Errorf("what was wrong before the pause is told as if it were now: %+v", h)
	}
	if err := b.SetPaused(t.Context(), "nobody", true); !errors.Is(err, docstore.ErrNotFound) {
		t.Errorf("an inbox that is not there: %v", err)
	}
}

func TestARemovedInboxTakesItsPauseAlong(t *testing.T) {
	t.Parallel()
	b := open(t, store(t), crypt.NewMemory())
	for _, step := range []func() error{
		func() error {
			_, err := b.Save(t.Context(), inbox.Inbox{ID: "own", Channel: "email", Name: "Own"})
			return err
		},
		func() error { return b.SetPaused(t.Context(), "own", true) },
		func() error { return b.Delete(t.Context(), "own") },
		func() error {
			_, err := b.Save(t.Context(), inbox.Inbox{ID: "own", Channel: "email", Name: "Another"})
			return err
		},
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	if in, _ := b.Get("own"); in.Paused {
		t.Error("the new inbox is paused")
	}
}

func TestWhatTheFilePausesGoesOnThereAlone(t *testing.T) {
	t.Parallel()
	b := open(t, store(t), crypt.NewMemory(), inbox.Inbox{ID: "file", Channel: "email", Name: "F", Source: inbox.SourceFile, Paused: true})
	if err := b.SetPaused(t.Context(), "file", false); !errors.Is(err, inbox.ErrPausedInFile) {
		t.Errorf("error %v", err)
	}
	if in, _ := b.Get("file"); !in.Paused || !in.PausedInFile {
		t.Errorf("%+v", in)
	}
}
