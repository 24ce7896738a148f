package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
)

//go:embed all:web/dist
var dist embed.FS

// static is the built web app in memory, each file with its ETag: names carry
// no hash, so browsers revalidate.
type static struct {
	files map[string]asset
}

type asset struct {
	body []byte
	etag string
	kind string
}

func newStatic() (*static, error) {
	s := &static{files: map[string]asset{}}
	root, err := fs.Sub(dist, "web/dist")
	if err != nil {
		return nil, fmt.Errorf("web app: %w", err)
	}
	err = fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		s.add("/"+name, b)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("web app: %w", err)
	}
	css, err := pageFiles.ReadFile("page/page.css")
	if err != nil {
		return nil, fmt.Errorf("web app: %w", err)
	}
	s.add("/page.css", css)
	return s, nil
}

func (s *static) add(name string, body []byte) {
	sum := sha256.Sum256(body)
	kind := mime.TypeByExtension(path.Ext(name))
	if kind == "" {
		kind = http.DetectContentType(body)
	}
	s.files[name] = asset{body, `"` + hex.EncodeToString(sum[:8]) + `"`, kind}
}

// app serves the web app. A navigation to a path of its router gets index.html,
// what is at no address 404, and until the owner exists the router's paths lead to /setup.
func (c *Console) app() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		a, ok := c.static.files[r.URL.Path]
		if !ok && !routed(r.URL.Path) {
			c.missing(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		if !ok || r.URL.Path == "/index.html" {
			if exists, err := c.agents.any(r.Context()); err == nil && !exists {
				w.Header().Set("Cache-Control", "no-store")
				http.Redirect(w, r, "/setup", http.StatusSeeOther)
				return
			}
			a = c.static.files["/index.html"]
		}
		w.Header().Set("Content-Type", a.kind)
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", a.etag)
		if r.Header.Get("If-None-Match") == a.etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(a.body)
	})
}
