package console

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// settingsPages are below /settings.
var settingsPages = []string{"inboxes", "agents", "tokens", "audit", "privacy", "repeats", "mine"}

// routed says whether the web app's own router (web/src/boot/routes.tsx) knows a
// path, so that it gets the app's page, also when it is loaded anew there.
func routed(p string) bool {
	first, rest, deeper := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	rest = strings.TrimSuffix(rest, "/")
	switch first {
	case "":
		return p == "/"
	case "inbox", "search":
		return rest == ""
	case "customers":
		return rest == "" || one(rest)
	case "c":
		return deeper && one(rest)
	case "settings":
		return rest == "" || slices.Contains(settingsPages, rest)
	}
	return false
}

// one says whether a path's end is one id.
func one(id string) bool { return id != "" && !strings.Contains(id, "/") && path.Ext(id) == "" }

// missing answers what is at no address with 404: calls get what calls are refused
// with, browsers that go there the app's page, which says so, everything else a line.
func (c *Console) missing(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	version := len(first) > 1 && first[0] == 'v' && strings.Trim(first[1:], "0123456789") == ""
	if first == "api" || version || strings.HasPrefix(first, "weftline.") {
		refuse(w, r, connect.CodeNotFound, "there is nothing at this address")
		return
	}
	if first != "hooks" && path.Ext(r.URL.Path) == "" && strings.Contains(r.Header.Get("Accept"), "text/html") && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		a := c.static.files["/index.html"]
		w.Header().Set("Content-Type", a.kind)
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write(a.body)
		return
	}
	http.Error(w, "there is nothing at this address", http.StatusNotFound)
}

// called lets the calls of a service through: one it does not have is at no
// address, which its handler would say in plain text.
func (c *Console) called(service protoreflect.ServiceDescriptor, next http.Handler) http.Handler {
	methods := service.Methods()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if methods.ByName(protoreflect.Name(path.Base(r.URL.Path))) == nil || strings.Count(r.URL.Path, "/") != 2 {
			c.missing(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
