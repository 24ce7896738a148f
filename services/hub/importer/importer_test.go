package importer_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/services/conversation/history"
	"github.com/weftline/weftline/services/hub/importer"
)

var update = flag.Bool("update", false, "write golden files")

func convert(t *testing.T, o importer.Options, files ...string) string {
	t.Helper()
	r, stop := importer.Open(t.Context(), o, files, strings.NewReader(""))
	defer stop()
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// The samples follow the documented shapes; what becomes of them is in the
// golden files, every line of which a hub reads.
func TestSamples(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]importer.Options{
		"sample.mbox":   {Format: importer.Mbox, Own: []string{"Support@shop.test", "sales@shop.test"}},
		"chatwoot.json": {Format: importer.Chatwoot, Source: "cw"},
		"zendesk.json":  {Format: importer.Zendesk},
	} {
		if err := o.Check(); err != nil {
			t.Fatal(err)
		}
		got := convert(t, o, filepath.Join("testdata", name))
		if again := convert(t, o, filepath.Join("testdata", name)); again != got {
			t.Errorf("%s: another run gives another file", name)
		}
		golden := filepath.Join("testdata", name+".golden.jsonl")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s (-want +got; -update writes it)\n%s", name, d)
		}
		lines := strings.Split(strings.TrimSpace(got), "\n")
		if _, err := history.ParseHeader([]byte(lines[0])); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, line := range lines[1:] {
			if rec, err := history.Parse([]byte(line)); err != nil && rec.Problem == nil {
				t.Errorf("%s: %v in %s", name, err, line)
			}
		}
	}
}

// A mail has the same ids in every export it is in.
func TestMailsKeepTheirIDsInOtherExports(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile("testdata/sample.mbox")
	if err != nil {
		t.Fatal(err)
	}
	o := importer.Options{Format: importer.Mbox, Own: []string{"support@shop.test"}}
	third := whole[bytes.Index(whole, []byte("From ada@example.org Wed May  1 12:00:00")):]
	part := filepath.Join(t.TempDir(), "part.mbox")
	if err := os.WriteFile(part, third, 0o600); err != nil {
		t.Fatal(err)
	}
	message := func(out string) *history.Message {
		for line := range strings.SplitSeq(out, "\n") {
			if rec, err := history.Parse([]byte(line)); err == nil && rec.Message != nil && rec.Message.MessageID == "3@example.org" {
				return rec.Message
			}
		}
		t.Fatal("the mail is not there")
		return nil
	}
	a, b := message(convert(t, o, "testdata/sample.mbox")), message(convert(t, o, part))
	a.Origin, b.Origin = history.Origin{}, history.Origin{}
	if d := cmp.Diff(a, b); d != "" {
		t.Error(d)
	}
}

func TestFilesBesideTheImportFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, s string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("outside.txt", "secret")
	write("in/files/a.txt", "meow")
	if err := os.Symlink(filepath.Join(dir, "outside.txt"), filepath.Join(dir, "in", "files", "link.txt")); err != nil {
		t.Fatal(err)
	}
	lines := []string{
		`{"weftline_import":1,"source":"old"}`,
		`{"type":"message","id":"1","attachments":[{"file":"files/a.txt"},{"name":"b","data":"YQ=="}]}`,
		`{"type":"message","id":"2","attachments":[{"file":"../outside.txt"}]}`,
		`{"type":"message","id":"3","attachments":[{"file":"files/none.txt"}]}`,
		`{"type":"message","id":"4","attachments":[{"file":"files/link.txt"}]}`,
		`{"type":"note","text":"\"file\""}`,
		`no json "file"`,
		``,
	}
	path := write("in/old.jsonl", strings.Join(lines, "\n"))
	got := strings.Split(convert(t, importer.Options{Format: importer.JSONL}, path), "\n")
	if len(got) != len(lines) {
		t.Fatalf("%d lines of %d", len(got), len(lines))
	}
	for i, want := range map[int]string{1: `"data":"bWVvdw==","name":"a.txt"`, 2: `"missing":"file \"../outside.txt\": must be`, 3: `"missing":"`, 4: `"missing":"`, 5: lines[5], 6: lines[6]} {
		if !strings.Contains(got[i], want) || strings.Contains(got[i], "c2VjcmV0") {
			t.Errorf("line %d: %s", i+1, got[i])
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]importer.Options{
		"format: ":  {Format: "pst"},
		"own: ":     {Format: importer.Mbox},
		"own: i":    {Format: importer.Zendesk, Own: []string{"a@b"}},
		"source: ":  {Format: importer.Zendesk, Source: "a b"},
		"source: a": {Format: importer.JSONL, Source: "x"},
	} {
		if err := o.Check(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
