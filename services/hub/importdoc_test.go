package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The sample that the documentation shows is one that a hub takes, as it stands there.
func TestTheDocumentedImportImports(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/import.md")
	if err != nil {
		t.Fatal(err)
	}
	const first = "```json\n" + `{"weftline_import"`
	_, rest, found := strings.Cut(string(doc), first)
	sample, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("docs/import.md shows no sample")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "history.jsonl")
	if err := os.WriteFile(path, []byte(strings.TrimPrefix(first, "```json\n")+sample), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := hubProgram(t.Context(), t, "token", "create", "-data", data).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := hubProgram(t.Context(), t, "import", "-data", data, "-strict", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(string(out), "customers 2 ") || !strings.Contains(string(out), "messages 2") || !strings.Contains(string(out), "links 1") {
		t.Errorf("%s", out)
	}
}
