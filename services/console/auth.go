package console

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/docstore"
)

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// cookieName carries the __Host- prefix where the console is served over TLS (RFC 6265bis §4.1.3.2).
func (c *Console) cookieName() string {
	if c.tls() {
		return "__Host-weftline"
	}
	return "weftline_session"
}

func (c *Console) tls() bool { return strings.HasPrefix(c.cfg.PublicURL, "https://") }

// Authenticate finds who makes a request: a Bearer token or the session
// cookie. False: anonymous. byCookie says that cross-site rules apply.
func (c *Console) Authenticate(r *http.Request) (who actor.Actor, byCookie, ok bool) {
	if h := r.Header.Get("Authorization"); h != "" {
		tok, found := strings.CutPrefix(h, "Bearer ")
		if !found {
			return actor.Actor{}, false, false
		}
		doc, err := c.tokens.find(r.Context(), tok)
		if err != nil {
			c.authFailed(r.Context(), "token", err)
			return actor.Actor{}, false, false
		}
		return actor.Actor{ID: "token:" + doc.ID, Kind: actor.KindIntegrator, Name: doc.Name, Scopes: doc.Scopes, From: clientAddress(r)}, false, true
	}
	ck, err := r.Cookie(c.cookieName())
	if err != nil {
		return actor.Actor{}, false, false
	}
	id, err := c.sessions.agent(r.Context(), ck.Value)
	if err != nil {
		c.authFailed(r.Context(), "session", err)
		return actor.Actor{}, false, false
	}
	a, err := c.agents.get(r.Context(), id)
	if err != nil || a.Disabled {
		return actor.Actor{}, false, false
	}
	who = a.actor()
	who.From = clientAddress(r)
	return who, true, true
}

func (c *Console) authFailed(ctx context.Context, kind string, err error) {
	c.metrics.authFailures.WithLabelValues(kind).Inc()
	if !errors.Is(err, docstore.ErrNotFound) && ctx.Err() == nil {
		c.deps.Log.Error("credentials could not be read", "kind", kind, "error", err)
	}
}

// authenticated lets known callers with the scope through, with the actor in
// the context. Others get Connect's unauthenticated (401) or permission_denied (403).
func (c *Console) authenticated(scope string, guard *http.CrossOriginProtection, next http.Handler) http.Handler {
	return noStore(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse := func(code connect.Code, msg string, status int) {
			err := connect.NewError(code, errors.New(msg))
			if errorWriter.IsSupported(r) || strings.HasPrefix(r.URL.Path, "/api/") {
				_ = errorWriter.Write(w, r, err)
				return
			}
			http.Error(w, msg, status)
		}
		who, byCookie, ok := c.Authenticate(r)
		if !ok {
			refuse(connect.CodeUnauthenticated, "log in, or send Authorization: Bearer <token>", http.StatusUnauthorized)
			return
		}
		if !who.May(scope) {
			refuse(connect.CodePermissionDenied, "this token lacks the scope "+scope, http.StatusForbidden)
			return
		}
		if byCookie {
			if err := guard.Check(r); err != nil {
				refuse(connect.CodePermissionDenied, "cross-origin request refused", http.StatusForbidden)
				return
			}
		}
		next.ServeHTTP(w, r.WithContext(actor.With(r.Context(), who)))
	}))
}
