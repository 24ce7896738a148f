package peer

import (
	"bytes"
	"io"
	"net/http"

	"github.com/weftline/weftline/services/internal/actor"
)

// InProcess is an HTTP client whose calls go straight to h, with the actor in
// the context of the call (the hub itself where there is none): no socket, no
// secret. Answers are buffered whole, so it is for calls that end by themselves.
func InProcess(h http.Handler) *http.Client { return &http.Client{Transport: inProcess{h}} }

type inProcess struct{ h http.Handler }

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	if _, ok := actor.From(ctx); !ok {
		ctx = actor.With(ctx, actor.Actor{ID: "system", Kind: actor.KindSystem})
	}
	w := &answer{header: http.Header{}, status: http.StatusOK}
	t.h.ServeHTTP(w, r.WithContext(ctx))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: w.status, Status: http.StatusText(w.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

type answer struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

func (w *answer) Header() http.Header { return w.header }

func (w *answer) WriteHeader(status int) {
	if !w.wrote {
		w.status, w.wrote = status, true
	}
}

func (w *answer) Write(b []byte) (int, error) {
	w.wrote = true
	return w.body.Write(b)
}
