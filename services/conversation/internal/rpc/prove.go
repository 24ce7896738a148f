package rpc

import (
	_ "embed"
	"html/template"
	"net/http"
	"strings"

	"github.com/weftline/weftline/services/conversation/internal/proof"
)

//go:embed prove.html
var proveHTML string

var provePage = template.Must(template.New("prove").Parse(proveHTML))

// proveData is what a page says. It knows nothing of who asked, or whether the
// link is any good before the button is pressed.
type proveData struct {
	Workspace   string
	Ask, Proven bool
}

// askToProve shows the button. Programs that follow the links of a mail come
// this far, and nothing happens.
func (s *Server) askToProve(w http.ResponseWriter, _ *http.Request) {
	s.proveAnswer(w, http.StatusOK, proveData{Ask: true})
}

// prove takes the link, once.
func (s *Server) prove(w http.ResponseWriter, r *http.Request) {
	id, secret, ok := proof.SplitToken(r.PathValue("token"))
	if !ok {
		s.proveAnswer(w, http.StatusOK, proveData{})
		return
	}
	a, err := s.check(visiting(r.Context()), proof.Attempt{ID: id, Method: proof.MethodLink, Secret: secret})
	if err != nil {
		http.Error(w, "Something went wrong on our side. Try again in a minute.", http.StatusServiceUnavailable)
		return
	}
	s.proveAnswer(w, http.StatusOK, proveData{Proven: a.Proven})
}

func (s *Server) proveAnswer(w http.ResponseWriter, status int, d proveData) {
	d.Workspace = s.Workspace
	var b strings.Builder
	if err := provePage.Execute(&b, d); err != nil {
		s.Log.Error("page could not be rendered", "page", "prove", "error", err)
		http.Error(w, "Something went wrong on our side. Try again.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(b.String()))
}
