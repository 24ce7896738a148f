package law_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/blob"
)

// fetcher has every file that is asked for.
type fetcher struct{ *parser }

func (fetcher) Fetch(context.Context, string, channel.Attachment) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("a file of ada")), nil
}

// TestExactFilesOfAReturnedMessage: Ada's address had moved to Bob before she was
// erased. What she had written comes again at a hub that has not seen her erasure:
// it learns of it as it decides. The file it has fetched for the message by then
// goes with the original; nothing would ever name it.
func TestExactFilesOfAReturnedMessage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := scenario(faults{Purged: true}, func(w *world) error {
		blobs, err := blob.NewDir(dir, w.keys)
		if err != nil {
			return err
		}
		defer blobs.Close()
		with := ada
		with.Content.Attachments = []channel.Attachment{{Name: "f.bin", Remote: "f"}}
		in := w.write("m1", with)
		w.must(w.deliver(in)) // the provider had no file then
		a := w.people()[0]
		w.clock = w.clock.Add(time.Hour)
		w.must(w.moving("mv", senders[0], "b", w.clock, true))
		warm := w.newProcess(0)
		warm.ingest.Blobs = blobs
		warm.ingest.Parsers = func(string) (channel.Parser, bool) { return fetcher{w.parser}, true }
		for i := range 6 { // b's window is two to four ids long
			if err := w.through(warm, w.deliver(w.write(fmt.Sprintf("b%d", i), ada))); err != nil {
				return err
			}
		}
		if err := w.view.CatchUp(context.Background()); err != nil {
			return err
		}
		w.erases(a)
		before := len(w.all())
		if err := w.through(warm, w.deliver(in)); err != nil {
			return err
		}
		if n := len(w.all()) - before; n != 0 || !w.discarded["in/m1"] {
			return fmt.Errorf("%d commits more, original discarded: %v", n, w.discarded["in/m1"])
		}
		return filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				err = errors.New("a file of hers is left: " + filepath.Base(path))
			}
			return err
		})
	}); err != nil {
		t.Error(err)
	}
}
