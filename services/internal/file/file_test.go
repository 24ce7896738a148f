package file_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/internal/file"
)

// archive is a zip with the given parts, in order, each filled up so that what
// names the document may stand far behind.
func archive(t *testing.T, filler int, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, n := range names {
		f, err := w.CreateHeader(&zip.FileHeader{Name: n, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(bytes.Repeat([]byte("x"), filler)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestKind(t *testing.T) {
	t.Parallel()
	const docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	png := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	for name, c := range map[string]struct {
		head           []byte
		declared, want string
	}{
		"docx":                     {archive(t, 10, "[Content_Types].xml", "_rels/.rels", "word/document.xml"), "application/zip", docx},
		"docx, far behind":         {archive(t, 3000, "[Content_Types].xml", "_rels/.rels", "docProps/app.xml", "word/document.xml"), "", docx},
		"zip":                      {archive(t, 10, "a.txt"), "", "application/zip"},
		"png called html":          {png, "text/html", "image/png"},
		"html called png":          {[]byte("<html><script>alert(1)</script>"), "image/png", "text/html"},
		"text called html":         {[]byte("hello there"), "text/html", "text/plain"},
		"text called svg":          {[]byte("hello there"), "image/svg+xml", "text/plain"},
		"text called csv":          {[]byte("hello there"), "text/csv; charset=utf-8", "text/csv"},
		"bytes called a voice":     {[]byte{1, 2, 3, 0xff, 0xfe, 0}, "audio/amr", "audio/amr"},
		"bytes called a picture":   {[]byte{1, 2, 3, 0xff, 0xfe, 0}, "image/png", "application/octet-stream"},
		"declared is no type":      {png, "picture", "image/png"},
		"pdf with no declaration":  {[]byte("%PDF-1.7\n"), "", "application/pdf"},
		"an empty file is nothing": {nil, "", "text/plain"},
	} {
		head := c.head[:min(len(c.head), file.HeadSize)]
		if got := file.Kind(head, c.declared); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestCleanName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"../../etc/passwd": "passwd", `C:\a\b.txt`: "b.txt", "..hidden": "hidden", "a\x00b\u202ec.txt": "abc.txt", "": "file", "...": "file",
		strings.Repeat("é", 200): strings.Repeat("é", 150),
	} {
		if got := file.CleanName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
