package console_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTheCommittedBuildIsOfTheseSources needs no Node: the build leaves a hash
// of what it was made from (web/scripts/source-hash.mjs has the algorithm).
func TestTheCommittedBuildIsOfTheseSources(t *testing.T) {
	t.Parallel()
	files := []string{"index.html", "package-lock.json", "vite.config.ts"}
	err := filepath.WalkDir("web/src", func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, filepath.ToSlash(strings.TrimPrefix(p, "web/")))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	all := sha256.New()
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join("web", f))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(all, "%s\n%x\n", f, sha256.Sum256(b))
	}
	want, err := os.ReadFile("web/dist/SOURCE.sha256")
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(all.Sum(nil)); got != strings.TrimSpace(string(want)) {
		t.Error("web/dist is older than its sources: run npm ci && npm run build in services/console/web")
	}
}

// TestTheFirstLoadStaysSmall holds the budget of the first page.
func TestTheFirstLoadStaysSmall(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("web/dist/assets/index.js")
	if err != nil {
		t.Fatal(err)
	}
	var z bytes.Buffer
	w, _ := gzip.NewWriterLevel(&z, gzip.BestCompression)
	_, _ = w.Write(b)
	w.Close()
	if z.Len() > 200<<10 {
		t.Errorf("index.js is %d KB gzip, allowed are 200", z.Len()>>10)
	}
}
