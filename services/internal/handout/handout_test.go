package handout_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/handout"
)

type desk struct {
	*handout.Desk
	t   *testing.T
	mux *http.ServeMux
	now time.Time
}

func open(t *testing.T) *desk {
	keys := crypt.NewMemory()
	blobs, err := blob.NewDir(t.TempDir(), keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	d := &desk{t: t, mux: http.NewServeMux(), now: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)}
	d.Desk = &handout.Desk{Blobs: blobs, Keys: keys, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return d.now }}
	d.Routes(d.mux, "/hooks/sms/{inbox}/media")
	return d
}

func (d *desk) put(data string) handout.File {
	key, _, err := d.Blobs.Put(d.t.Context(), "k", strings.NewReader(data), 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	return handout.File{Blob: key, Type: "image/png"}
}

func (d *desk) get(method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestAFileIsHandedOutForAWhile(t *testing.T) {
	t.Parallel()
	d := open(t)
	path := d.Path("/hooks/sms/main/media", d.put("<script>a picture</script>"))
	if !strings.HasSuffix(path, "/file.png") {
		t.Errorf("path %s", path)
	}
	w := d.get(http.MethodGet, path)
	h := w.Header()
	if w.Code != http.StatusOK || w.Body.String() != "<script>a picture</script>" || h.Get("Content-Type") != "image/png" ||
		h.Get("Content-Disposition") != `attachment; filename="file.png"` || h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%d %v %s", w.Code, h, w.Body)
	}
	if w := d.get(http.MethodHead, path); w.Code != http.StatusOK || w.Header().Get("Content-Length") != "26" {
		t.Errorf("HEAD: %d %v", w.Code, w.Header())
	}
	d.now = d.now.Add(handout.Lasts)
	if w := d.get(http.MethodGet, path); w.Code != http.StatusGone {
		t.Errorf("afterwards: %d", w.Code)
	}
}

func TestAnAddressIsOfOneFile(t *testing.T) {
	t.Parallel()
	d := open(t)
	mine, other := d.put("mine"), d.put("another")
	path := d.Path("/hooks/sms/main/media", mine)
	for name, p := range map[string]string{
		"another file":  strings.Replace(path, mine.Blob, other.Blob, 1),
		"another type":  strings.TrimSuffix(path, "png") + "pdf",
		"another inbox": strings.Replace(path, "/main/", "/other/", 1),
		"another end":   strings.Replace(path, "/"+mine.Blob+"/", "/"+mine.Blob+"/z", 1),
		"no hash":       path[:strings.Index(path, ".")+1] + "/file.png",
	} {
		if w := d.get(http.MethodGet, p); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if err := d.Keys.Destroy(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if w := d.get(http.MethodGet, path); w.Code != http.StatusGone {
		t.Errorf("erased: %d", w.Code)
	}
}
