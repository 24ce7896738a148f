package channeltest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
)

// Fuzz feeds a parser any bytes in place of raw's body, beginning with the files
// that match seeds. What it takes has to be whole: an error or at least one item;
// a message has an id, a sender, something to show and a time that is not in the
// future; a change has an id, a sender and a target; a receipt a state, and the
// message it is about.
func Fuzz(f *testing.F, parser channel.Parser, raw channel.Raw, seeds string) {
	f.Helper()
	files, err := filepath.Glob(seeds)
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds at %s: %v", seeds, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		raw := raw
		raw.Body = body
		items, err := parser.Parse(raw)
		if (err == nil) != (len(items) > 0) {
			t.Fatalf("%d items, %v", len(items), err)
		}
		for _, it := range items {
			if m := it.Message; m != nil && (m.ID == "" || m.From.Kind == "" || m.From.Address == "" || m.OccurredAt.After(raw.ReceivedAt) || empty(m.Content)) {
				t.Errorf("%+v", m)
			}
			if c := it.Change; c != nil && (c.ID == "" || c.Target == "" || c.From.Address == "") {
				t.Errorf("%+v", c)
			}
			if r := it.Receipt; r != nil && (r.Outbound == "" || r.State == "") {
				t.Errorf("%+v", r)
			}
		}
	})
}

// empty: nothing of it could be shown.
func empty(c channel.Content) bool {
	return c.Text == "" && len(c.Attachments) == 0 && c.Unparsed == ""
}
