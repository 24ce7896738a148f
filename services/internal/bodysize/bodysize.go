// Package bodysize refuses RPC requests that are too large in a way that says so.
package bodysize

import (
	"fmt"
	"net/http"

	"connectrpc.com/connect"
)

// Refuse answers a request that says it has more than limit bytes with invalid_argument. Connect's
// own bound says resource_exhausted (429), after which clients try again; it stays for what says no length.
func Refuse(limit int64, next http.Handler) http.Handler {
	errs := connect.NewErrorWriter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength <= limit {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Connection", "close") // the rest is not read
		why := fmt.Sprintf("body: has %d bytes, at most %d are allowed", r.ContentLength, limit)
		if errs.IsSupported(r) {
			_ = errs.Write(w, r, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("%s", why)))
			return
		}
		http.Error(w, why, http.StatusRequestEntityTooLarge)
	})
}
