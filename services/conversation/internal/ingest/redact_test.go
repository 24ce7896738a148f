package ingest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/mask"
)

// fakeOriginals notes what is removed, and fails as often as it is told.
type fakeOriginals struct {
	fails   int
	removed []string
}

func (o *fakeOriginals) Remove(_ context.Context, ref string) error {
	if o.fails > 0 {
		o.fails--
		return errors.New("the stream does not answer")
	}
	o.removed = append(o.removed, ref)
	return nil
}

// parts opens the files of every original.
type parts map[string]string

func (p parts) OpenPart(_ channel.Raw, part string) ([]byte, string, error) {
	if data, ok := p[part]; ok {
		return []byte(data), "", nil
	}
	return nil, "", errors.New("no such part")
}

// masking makes the domain's inbox "support" mask while on.
func masking(t *testing.T, d *domaintest.Domain, on *bool, files parts) (*fakeOriginals, blob.Store) {
	t.Helper()
	originals := &fakeOriginals{}
	blobs, err := blob.NewDir(t.TempDir(), d.Keys)
	must(t, err)
	t.Cleanup(func() { _ = blobs.Close() })
	deps := d.Ingest.Deps
	deps.Mask = func(inbox string) mask.Kinds {
		if *on && inbox == "support" {
			return mask.Cards
		}
		return mask.None
	}
	deps.Originals, deps.Blobs, deps.Parts = originals, blobs, func(string) (channel.PartOpener, bool) { return files, true }
	d.Ingest, err = ingest.New(deps)
	must(t, err)
	return originals, blobs
}

const card = "4111 1111 1111 1111"

func withFile(id, text string) channel.Message {
	m := mail(id, "ada@x.org", text)
	m.Content.Attachments = []channel.Attachment{{Name: "photo.png", ContentType: "image/png", Part: "2", Size: 5}}
	return m
}

// Cut off between the commit and the end of the original, the input comes
// again: one message, its files there, the original gone.
func TestMaskedInputComesAgain(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	on := true
	originals, blobs := masking(t, d, &on, parts{"2": "photo"})
	originals.fails = 2
	for range 2 {
		if err := d.Deliver("email", "support", "p1", withFile("m1", card)); err == nil {
			t.Fatal("the original is still there, and the input was acknowledged")
		}
	}
	must(t, d.Deliver("email", "support", "p1", withFile("m1", card)))
	got := domaintest.Events[event.MessageReceived](d)
	if len(got) != 1 || !slices.Contains(got[0].Flags, ingest.FlagMasked) {
		t.Fatalf("%d messages, flags %v", len(got), got[0].Flags)
	}
	b := body(t, d, got[0])
	if b.Text != "411111xxxxxx1111" || len(b.Attachments) != 1 || b.Attachments[0].Part != "" {
		t.Fatalf("stored %+v", b.Content)
	}
	data, err := blobs.Get(t.Context(), b.Attachments[0].Blob)
	if err != nil || string(data) != "photo" {
		t.Fatalf("file %q, %v", data, err)
	}
	if !slices.Equal(originals.removed, []string{"in/p1"}) {
		t.Fatalf("removed %v", originals.removed)
	}
	if err := d.Keys.Destroy(t.Context(), got[0].Unit); err != nil {
		t.Fatal(err)
	}
	if _, err := blobs.Get(t.Context(), b.Attachments[0].Blob); err == nil {
		t.Fatal("the file outlives the key of its unit")
	}
}

// What was stored unmasked keeps the original its files are in; another copy
// of the input, which nothing refers to, goes.
func TestSettingComesLater(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	on := false
	originals, _ := masking(t, d, &on, parts{"2": "photo"})
	must(t, d.Deliver("email", "support", "p1", withFile("m1", card)))
	on = true
	must(t, d.Deliver("email", "support", "p1", withFile("m1", card)))
	if len(originals.removed) != 0 {
		t.Fatalf("removed %v, which the stored message needs", originals.removed)
	}
	must(t, d.Deliver("email", "support", "copy", withFile("m1", card)))
	if !slices.Equal(originals.removed, []string{"in/copy"}) {
		t.Fatalf("removed %v", originals.removed)
	}
	if got := domaintest.Events[event.MessageReceived](d); len(got) != 1 || body(t, d, got[0]).Text != card {
		t.Fatalf("%d messages", len(got))
	}
}

func TestWithoutAHitTheOriginalStays(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	on := true
	originals, _ := masking(t, d, &on, parts{"2": "photo"})
	must(t, d.Deliver("email", "support", "p1", withFile("m1", "order 4111 1111 1111 1112")))
	must(t, d.Deliver("email", "other", "p2", withFile("m2", card)))
	got := domaintest.Events[event.MessageReceived](d)
	if len(originals.removed) != 0 || len(got) != 2 {
		t.Fatalf("%d messages, removed %v", len(got), originals.removed)
	}
	for _, m := range got {
		if slices.Contains(m.Flags, ingest.FlagMasked) || body(t, d, m).Attachments[0].Part != "2" {
			t.Fatalf("flags %v, files %v", m.Flags, body(t, d, m).Attachments)
		}
	}
}

// Two messages of one input: the other one's files are kept as well.
func TestOneOfTwoIsMasked(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	on := true
	originals, _ := masking(t, d, &on, parts{"2": "photo"})
	must(t, d.Deliver("email", "support", "p1", withFile("m1", "hello"), withFile("m2", card)))
	for _, m := range domaintest.Events[event.MessageReceived](d) {
		if a := body(t, d, m).Attachments[0]; a.Blob == "" || a.Part != "" {
			t.Fatalf("file of %s: %+v", m.Message, a)
		}
	}
	if len(originals.removed) != 1 {
		t.Fatalf("removed %v", originals.removed)
	}
}

// What is too large for an event becomes a file, since no original holds it.
func TestMaskedAndTooLarge(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	on := true
	_, blobs := masking(t, d, &on, parts{"2": "photo"})
	m := withFile("m1", card)
	m.Content.HTML = "<p>" + card + "</p>" + strings.Repeat("<p>word</p>", 60_000)
	must(t, d.Deliver("email", "support", "p1", m))
	b := body(t, d, domaintest.Events[event.MessageReceived](d)[0])
	i := slices.IndexFunc(b.Attachments, func(a channel.Attachment) bool { return a.Name == "message.html" })
	if b.HTML != "" || i < 0 || len(b.Attachments) != 2 {
		t.Fatalf("html of %d bytes, files %v", len(b.HTML), b.Attachments)
	}
	data, err := blobs.Get(t.Context(), b.Attachments[i].Blob)
	if err != nil || !strings.HasPrefix(string(data), "<p>411111xxxxxx1111</p><p>word</p>") || len(data) != len(m.Content.HTML)-3 {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
}

// A text file that a chat stored as a blob is replaced.
func TestUploadedTextIsMasked(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	on := true
	_, blobs := masking(t, d, &on, nil)
	must(t, d.Keys.Ensure(t.Context(), "blob/1"))
	key, _, err := blobs.Put(t.Context(), "blob/1", strings.NewReader("pan;"+card), 100)
	must(t, err)
	m := chat("c1", "v1")
	m.Content.Attachments = []channel.Attachment{{Name: "cards.csv", ContentType: "text/csv", Size: 23, Blob: key}}
	for range 2 {
		must(t, d.Deliver("chat", "support", "p1", m))
	}
	got := domaintest.Events[event.MessageReceived](d)
	a := body(t, d, got[0]).Attachments[0]
	data, err := blobs.Get(t.Context(), a.Blob)
	if err != nil || string(data) != "pan;411111xxxxxx1111" || int(a.Size) != len(data) || len(got) != 1 {
		t.Fatalf("%q, %v, %+v", data, err, a)
	}
	if _, err := blobs.Get(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
		t.Fatalf("the upload is still there: %v", err)
	}
}
