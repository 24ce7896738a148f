// Package peer connects the hub's parts when they run in several processes:
// calls carry the shared secret and the actor they are made for.
//
//	console ──Authorization: Peer <secret>, Weftline-Actor: {…}──► conversation
package peer

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/weftline/weftline/services/internal/actor"
)

const (
	scheme      = "Peer "
	actorHeader = "Weftline-Actor"
)

// Server lets requests of other targets in and puts their actor into the
// context; everything else gets 401. An empty secret lets nobody in.
func Server(secret string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if secret == "" || subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(scheme+secret)) != 1 {
			http.Error(w, "for the hub's own parts", http.StatusUnauthorized)
			return
		}
		var who actor.Actor
		if err := json.Unmarshal([]byte(r.Header.Get(actorHeader)), &who); err != nil {
			http.Error(w, "actor missing", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(actor.With(r.Context(), who)))
	})
}

// sign makes a request one of ours, for the actor in ctx (the hub itself where there is none).
func sign(ctx context.Context, h http.Header, secret string) error {
	who, ok := actor.From(ctx)
	if !ok {
		who = actor.Actor{ID: "system", Kind: actor.KindSystem}
	}
	b, err := json.Marshal(who)
	if err != nil {
		return err
	}
	h.Set("Authorization", scheme+secret)
	h.Set(actorHeader, string(b))
	return nil
}

// Proxy forwards requests whose actor is in the context to another target.
func Proxy(base *url.URL, secret string) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(base)
			p.Out.Header.Del("Cookie")
			p.Out.Header.Del(actorHeader)
			if err := sign(p.In.Context(), p.Out.Header, secret); err != nil {
				p.Out.Header.Del("Authorization")
			}
		},
	}
}

// Client is an HTTP client for calls to another target.
func Client(secret string) *http.Client {
	return &http.Client{Transport: transport{secret}}
}

type transport struct{ secret string }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if err := sign(r.Context(), r.Header, t.secret); err != nil {
		return nil, err
	}
	return http.DefaultTransport.RoundTrip(r)
}
