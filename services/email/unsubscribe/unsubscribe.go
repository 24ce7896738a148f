// Package unsubscribe answers the links of List-Unsubscribe (RFC 8058).
//
//	GET   a page with a button; nothing else happens, since programs follow every link
//	POST  List-Unsubscribe=One-Click ──► Intake.Accept ──► 200; it becomes an event like STOP in a text message
//
// No login, no cookie, no redirect. The token is the right to do so, and to do no more.
package unsubscribe

import (
	"context"
	_ "embed"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/inbox"
)

//go:embed page.html
var source string

var page = template.Must(template.New("page").Parse(source))

// Deps of the page.
type Deps struct {
	Intake  channel.Intake
	Inboxes inbox.Registry
	Keys    crypt.Keyring
	Tenant  string
	Log     *slog.Logger
}

// Page serves the links.
type Page struct{ deps Deps }

// New makes one.
func New(d Deps) *Page {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Page{d}
}

// Routes mounts it.
func (p *Page) Routes(mux *http.ServeMux) { mux.Handle(email.UnsubscribePath+"{inbox}/{token}", p) }

// view is what the page shows.
type view struct {
	Inbox, Address string
	Done, Unknown  bool
}

func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Content-Type", "text/html; charset=utf-8")
	in, known := p.deps.Inboxes.Get(r.PathValue("inbox"))
	raw, ours := email.Unsubscription(p.deps.Keys, p.deps.Tenant, r.PathValue("inbox"), r.PathValue("token"))
	if !ours || known && in.Channel != email.ChannelName {
		p.show(w, http.StatusNotFound, view{Unknown: true})
		return
	}
	// The inbox may be gone: the wish holds all the same.
	v := view{Inbox: in.Name, Address: raw.Peek.Address}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		p.show(w, http.StatusOK, v)
	case http.MethodPost:
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		if r.FormValue("List-Unsubscribe") != "One-Click" {
			p.show(w, http.StatusBadRequest, v)
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 20*time.Second)
		defer cancel()
		raw.ReceivedAt = time.Now().UTC()
		if err := p.deps.Intake.Accept(ctx, raw); err != nil {
			p.deps.Log.Error("an unsubscription could not be stored", "inbox", raw.Inbox, "error", err)
			h.Set("Retry-After", "5")
			http.Error(w, "not stored, try again", http.StatusServiceUnavailable)
			return
		}
		v.Done = true
		p.show(w, http.StatusOK, v)
	default:
		h.Set("Allow", "GET, HEAD, POST")
		http.Error(w, "GET or POST", http.StatusMethodNotAllowed)
	}
}

func (p *Page) show(w http.ResponseWriter, status int, v view) {
	w.WriteHeader(status)
	_ = page.Execute(w, v) // the reader is gone then
}
