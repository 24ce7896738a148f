package chat_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/services/chat"
)

// TestVisitorFields holds the list of everything a visitor can ever be told. If
// this fails, ask first whether a stranger may see the new field.
func TestVisitorFields(t *testing.T) {
	t.Parallel()
	var got []string
	var walk func(prefix string, t reflect.Type)
	walk = func(prefix string, typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			got = append(got, prefix)
			return
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" || f.Anonymous {
				t.Errorf("%s.%s has no explicit name", prefix, f.Name)
			}
			walk(prefix+"."+name, f.Type)
		}
	}
	for _, f := range chat.VisitorFrames() {
		walk(strings.TrimSuffix(reflect.TypeOf(f).Name(), "Frame"), reflect.TypeOf(f))
	}
	want, err := os.ReadFile("testdata/visitor_fields.golden")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Fields(string(want)), got); d != "" {
		t.Error(d)
	}
}

func TestWidgetBuild(t *testing.T) {
	t.Parallel()
	zipped := func(names ...string) int {
		n := 0
		for _, name := range names {
			data, err := os.ReadFile("dist/" + name)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
			z.Write(data)
			z.Close()
			n += b.Len()
		}
		return n
	}
	if n := zipped("loader.js"); n > 3<<10 {
		t.Errorf("loader has %d bytes, 3072 are allowed", n)
	}
	for _, f := range []string{"emoji.js", "invite.js", "words-de.js", "words-fr.js", "words-es.js", "words-pt.js", "words-ar.js", "words-he.js", "words-ja.js"} {
		if n := zipped(f); n > 2<<10 {
			t.Errorf("%s, fetched on demand, has %d bytes, 2048 are allowed", f, n)
		}
	}
	if n := zipped("frame.js", "frame.css"); n > 15<<10 {
		t.Errorf("frame has %d bytes, 15360 are allowed", n)
	}

	files, err := filepath.Glob("widget/src/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no sources", err)
	}
	for i := range files {
		files[i] = strings.TrimPrefix(filepath.ToSlash(files[i]), "widget/")
	}
	files = append(files, "build.mjs", "package.json", "package-lock.json", "tsconfig.json")
	slices.Sort(files)
	sum := sha256.New()
	for _, f := range files {
		b, err := os.ReadFile("widget/" + f)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(sum, "%s\n%d\n", f, len(b))
		sum.Write(b)
	}
	want, err := os.ReadFile("dist/SOURCE.sha256")
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != strings.TrimSpace(string(want)) {
		t.Error("dist is older than its sources: run npm ci && npm run build in services/chat/widget")
	}
	scripts, _ := filepath.Glob("dist/*.js")
	if len(scripts) != 11 {
		t.Errorf("%d scripts", len(scripts))
	}
	for _, f := range scripts {
		b, _ := os.ReadFile(f)
		for _, bad := range []string{"document.cookie", "eval(", "new Function", `postMessage(e,"*"`, `"*")`, "sourceMappingURL"} {
			if bytes.Contains(b, []byte(bad)) {
				t.Errorf("%s contains %s", f, bad)
			}
		}
	}
	if b, _ := os.ReadFile("dist/frame.js"); bytes.Contains(b, []byte("innerHTML")) {
		t.Error("the frame writes HTML")
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	w := start(t, map[string]string{"colour": "#aabbcc"})
	for path, want := range map[string]string{
		"loader.js": "text/javascript; charset=utf-8", "frame.js": "text/javascript; charset=utf-8", "frame.css": "text/css; charset=utf-8",
		"words-ar.js": "text/javascript; charset=utf-8", "emoji.js": "text/javascript; charset=utf-8", "invite.js": "text/javascript; charset=utf-8",
		"demo.css": "text/css; charset=utf-8", "frame": "text/html; charset=utf-8", "demo": "text/html; charset=utf-8",
	} {
		resp := w.get("/chat/shop/"+path, "")
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != want || resp.Header.Get("X-Content-Type-Options") != "nosniff" || len(body) < 100 {
			t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
		}
		if strings.HasPrefix(want, "text/html") {
			if !strings.HasPrefix(resp.Header.Get("Content-Security-Policy"), "default-src 'none'") {
				t.Errorf("%s has no policy", path)
			}
			for _, bad := range []string{" style=", " onclick=", "<style", "<script>"} {
				if bytes.Contains(body, []byte(bad)) {
					t.Errorf("%s has %s, which its policy forbids", path, bad)
				}
			}
		} else if resp.Header.Get("ETag") == "" {
			t.Errorf("%s has no ETag", path)
		}
		if path == "loader.js" && (!bytes.Contains(body, []byte("#aabbcc")) || bytes.Contains(body, []byte("#0c0ffe"))) {
			t.Error("the loader does not have the inbox's colour")
		}
	}
	if resp := w.get("/chat/shop/words-xx.js", ""); resp.StatusCode != 404 {
		t.Errorf("a language that is not there: %d", resp.StatusCode)
	}
	if resp := w.get("/chat/nowhere/loader.js", ""); resp.StatusCode != 404 {
		t.Errorf("unknown inbox: %d", resp.StatusCode)
	}
}
