package ingest_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
	"github.com/weftline/weftline/services/internal/blob"
)

// fetching gives the domain a blob store, and says how many files it holds.
func fetching(t *testing.T, d *domaintest.Domain) (*blob.Dir, func() int) {
	t.Helper()
	dir := t.TempDir()
	blobs, err := blob.NewDir(dir, d.Keys)
	must(t, err)
	t.Cleanup(func() { _ = blobs.Close() })
	deps := d.Ingest.Deps
	deps.Blobs, deps.Mask = blobs, nil
	d.Ingest, err = ingest.New(deps)
	must(t, err)
	return blobs, func() (n int) {
		must(t, filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				n++
			}
			return err
		}))
		return n
	}
}

func withRemote(id string, names ...string) channel.Message {
	m := mail(id, "ada@x.org", "see these")
	for _, n := range names {
		m.Content.Attachments = append(m.Content.Attachments, channel.Attachment{Name: n, ContentType: "image/jpeg", Remote: "media/" + n})
	}
	return m
}

func stored(t *testing.T, d *domaintest.Domain) []channel.Attachment {
	t.Helper()
	all := domaintest.Events[event.MessageReceived](d)
	if len(all) != 1 {
		t.Fatalf("%d messages, want 1", len(all))
	}
	return body(t, d, all[0]).Attachments
}

const pdf = "%PDF-1.7\nhello"

func TestRemoteFilesAreFetchedOnce(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	blobs, files := fetching(t, d)
	asked := 0
	d.Fetch = func(_ context.Context, a channel.Attachment) (io.ReadCloser, error) {
		asked++
		if a.Remote == "media/gone" {
			return nil, channel.ErrGone
		}
		return io.NopCloser(strings.NewReader(pdf)), nil
	}
	for range 3 {
		must(t, d.Deliver("email", "support", "p1", withRemote("m1", "../../bill\u202e.pdf", "gone")))
	}
	got := stored(t, d)
	want := []channel.Attachment{
		{Name: "bill.pdf", ContentType: "application/pdf", Size: int64(len(pdf)), Blob: got[0].Blob},
		{Name: "gone", ContentType: "image/jpeg", Missing: "the provider does not have it any more"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	data, err := blobs.Get(t.Context(), got[0].Blob)
	if err != nil || string(data) != pdf {
		t.Errorf("blob %q, %v", data, err)
	}
	if n := files(); n != 1 {
		t.Errorf("%d files of one input", n)
	}
	if asked != 4 { // the first file once; the one that is gone leaves nothing to know it by
		t.Errorf("asked the provider %d times", asked)
	}
	// As an uploaded file's, its data key is its own: who destroys it takes the file.
	key, err := blobs.DataKey(t.Context(), got[0].Blob)
	if err != nil || !strings.HasPrefix(key, "blob/") {
		t.Errorf("data key %q, %v", key, err)
	}
}

// Cut off after the file and before the commit, the input makes no second file.
func TestFetchedAndCutOff(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	_, files := fetching(t, d)
	broken := true
	d.Fetch = func(_ context.Context, a channel.Attachment) (io.ReadCloser, error) {
		if a.Remote == "media/second" && broken {
			return nil, errors.New("503")
		}
		return io.NopCloser(strings.NewReader(a.Remote)), nil
	}
	err := d.Deliver("email", "support", "p1", withRemote("m1", "first", "second"))
	var again interface{ RetryAfter() time.Duration }
	if !errors.As(err, &again) || again.RetryAfter() != time.Second {
		t.Fatalf("got %v, want to be asked again in a second", err)
	}
	if n := len(domaintest.Events[event.MessageReceived](d)); n != 0 || files() != 1 {
		t.Fatalf("%d messages, %d files", n, files())
	}
	broken = false
	must(t, d.Deliver("email", "support", "p1", withRemote("m1", "first", "second")))
	if got := stored(t, d); got[0].Blob == "" || got[1].Blob == "" || files() != 2 {
		t.Errorf("%+v, %d files", got, files())
	}
}

func TestAFileThatNeverComesIsSaidToBeMissing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fetch func(context.Context, channel.Attachment) (io.ReadCloser, error)
		size  int64
		after time.Duration // the input is that old
		want  string        // "": tried again
	}{
		"not yet":          {fetch: failing(errors.New("503")), after: 10*time.Minute - time.Second},
		"needs attention":  {fetch: failing(channel.ErrNeedsAttention), after: time.Minute},
		"too long":         {fetch: failing(errors.New("503")), after: 10 * time.Minute, want: "the provider did not give it within 10m0s"},
		"a panic":          {fetch: func(context.Context, channel.Attachment) (io.ReadCloser, error) { panic("x") }, after: time.Hour, want: "the provider did not give it within 10m0s"},
		"gives nothing":    {fetch: failing(nil), after: time.Hour, want: "the provider did not give it within 10m0s"},
		"breaks off":       {fetch: reading(io.MultiReader(strings.NewReader("ab"), broken{}))},
		"said to be large": {fetch: failing(errors.New("never asked")), size: blob.MaxSize + 1, want: "it is larger than 50 MiB"},
		"is large":         {fetch: reading(io.LimitReader(zeros{}, blob.MaxSize+1)), want: "it is larger than 50 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := domaintest.New(t)
			_, files := fetching(t, d)
			d.Fetch = c.fetch
			m := withRemote("m1", "photo.jpg")
			m.Content.Attachments[0].Size = c.size
			received := d.Clock
			d.Clock = d.Clock.Add(c.after)
			err := d.Handle(receivedAt(t, received, m))
			if c.want == "" {
				if err == nil {
					t.Fatal("taken in without its file")
				}
				return
			}
			must(t, err)
			want := []channel.Attachment{{Name: "photo.jpg", ContentType: "image/jpeg", Size: c.size, Missing: c.want}}
			if diff := cmp.Diff(want, stored(t, d)); diff != "" || files() != 0 {
				t.Errorf("%d files\n%s", files(), diff)
			}
		})
	}
}

// A provider that does not answer holds the lane for one bound, and no longer.
func TestAHangingProviderIsLeft(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	fetching(t, d)
	d.Fetch = func(context.Context, channel.Attachment) (io.ReadCloser, error) {
		return &hanging{closed: make(chan struct{})}, nil
	}
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		if err := d.Ingest.Handle(t.Context(), receivedAt(t, d.Clock, withRemote("m1", "a", "b", "c"))); err == nil {
			t.Fatal("taken in without its files")
		}
		if took := time.Since(begun); took != ingest.DefaultFetchTry {
			t.Errorf("held for %s", took)
		}
	})
}

// Text files are masked as those are that came along.
func TestFetchedFilesAreMasked(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	on := true
	originals, blobs := masking(t, d, &on, parts{})
	d.Fetch = reading(strings.NewReader("card " + card))
	m := withRemote("m1", "log.txt")
	m.Content.Attachments[0].ContentType = "text/plain"
	must(t, d.Deliver("email", "support", "p1", m))
	got := stored(t, d)
	data, err := blobs.Get(t.Context(), got[0].Blob)
	if err != nil || strings.Contains(string(data), card) || len(originals.removed) != 1 {
		t.Errorf("file %q, %v, removed %v", data, err, originals.removed)
	}
}

func receivedAt(t *testing.T, received time.Time, m channel.Message) ingest.Input {
	t.Helper()
	in := domaintest.Input("email", "support", "p1", m)
	in.Raw.ReceivedAt = received
	return in
}

func failing(err error) func(context.Context, channel.Attachment) (io.ReadCloser, error) {
	return func(context.Context, channel.Attachment) (io.ReadCloser, error) { return nil, err }
}

func reading(r io.Reader) func(context.Context, channel.Attachment) (io.ReadCloser, error) {
	return func(context.Context, channel.Attachment) (io.ReadCloser, error) { return io.NopCloser(r), nil }
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// hanging gives nothing until it is closed.
type hanging struct {
	closed chan struct{}
	once   bool
}

func (h *hanging) Read([]byte) (int, error) { <-h.closed; return 0, io.ErrClosedPipe }

func (h *hanging) Close() error {
	if !h.once {
		h.once = true
		close(h.closed)
	}
	return nil
}
