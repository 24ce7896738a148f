package chat

import (
	"html/template"
	"net/http"
	"strings"
	"time"
)

// Routes adds everything under /chat/.
func (a *Adapter) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /chat/{inbox}/loader.js", a.serveLoader)
	mux.HandleFunc("GET /chat/{inbox}/frame", a.serveFrame)
	mux.HandleFunc("GET /chat/{inbox}/demo", a.serveDemo)
	for _, name := range assetNames() {
		mux.HandleFunc("GET /chat/{inbox}/"+name, a.serveAsset(name))
	}
	mux.HandleFunc("GET /chat/{inbox}/ws", a.serveSocket)
	mux.HandleFunc("POST /chat/{inbox}/upload", a.serveUpload)
	mux.HandleFunc("GET /chat/{inbox}/files/{id}", a.serveFile)
}

// admit finds the inbox of a request once the adapter has started.
func (a *Adapter) admit(w http.ResponseWriter, r *http.Request) (*config, bool) {
	wait := time.NewTimer(5 * time.Second)
	defer wait.Stop()
	select {
	case <-a.ready:
	case <-r.Context().Done():
		return nil, false
	case <-wait.C:
		http.Error(w, "starting", http.StatusServiceUnavailable)
		return nil, false
	}
	c, ok := a.config(r.PathValue("inbox"))
	if !ok {
		http.NotFound(w, r)
	}
	return c, ok
}

// serveLoader is the script a shop's page includes. Any page may load it; the
// frame decides where it may be shown.
func (a *Adapter) serveLoader(w http.ResponseWriter, r *http.Request) {
	c, ok := a.admit(w, r)
	if !ok {
		return
	}
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	serveBytes(w, r, "text/javascript; charset=utf-8", []byte(strings.NewReplacer(colourMark, c.Colour, aboutMark, c.forLoader()).Replace(string(asset("loader.js")))))
}

// colourMark in loader.js stands for the inbox's colour, which is #rrggbb and nothing else.
const colourMark = "#0c0ffe"

// aboutMark in loader.js, quotes included, stands for what it knows of the inbox.
const aboutMark = `"#about"`

func (a *Adapter) serveAsset(name string) http.HandlerFunc {
	kind := "text/css; charset=utf-8"
	if strings.HasSuffix(name, ".js") {
		kind = "text/javascript; charset=utf-8"
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if _, ok := a.admit(w, r); ok {
			if name == "invite.js" { // a module of the host's page, which may be of any origin
				w.Header().Set("Access-Control-Allow-Origin", "*")
				w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
			}
			serveBytes(w, r, kind, asset(name))
		}
	}
}

var pages = template.Must(template.ParseFS(templates, "page/*.html"))

type page struct {
	Inbox, Name, Colour, Language string
}

func (a *Adapter) serveFrame(w http.ResponseWriter, r *http.Request) {
	c, ok := a.admit(w, r)
	if !ok {
		return
	}
	// 'self' is for the demo page, which is the hub's own.
	ancestors := "'self'"
	if len(c.Origins) > 0 {
		ancestors += " " + strings.Join(c.Origins, " ")
	}
	a.servePage(w, c, "frame.html",
		"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "+
			"base-uri 'none'; form-action 'none'; frame-ancestors "+ancestors)
}

// serveDemo is a small shop with the live widget: the place to play the customer.
func (a *Adapter) serveDemo(w http.ResponseWriter, r *http.Request) {
	c, ok := a.admit(w, r)
	if !ok {
		return
	}
	a.servePage(w, c, "demo.html",
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; "+
			"base-uri 'none'; form-action 'none'; frame-ancestors 'self'")
}

func (a *Adapter) servePage(w http.ResponseWriter, c *config, name, policy string) {
	var b strings.Builder
	if err := pages.ExecuteTemplate(&b, name, page{Inbox: c.ID, Name: c.Name, Colour: c.Colour, Language: c.Language}); err != nil {
		a.log.Error("chat page not made", "page", name, "error", err)
		http.Error(w, "page could not be made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.Write([]byte(b.String()))
}
