package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/weftline/weftline/services/internal/actor"
)

// maxCursor is longer than any cursor of ours.
const maxCursor = 4096

// parameters of the query. Another one is refused: a misspelt filter would let everything through.
var parameters = []string{"after", "from", "types"}

// request is what a reader asks for.
type request struct {
	after string // cursor; "" from the first event
	now   bool   // from the head instead
	types filter
}

// parseRequest reads where to begin and what to send. Last-Event-ID wins over
// the address, because a browser's EventSource comes back to the same address.
func parseRequest(r *http.Request) (request, error) {
	q := r.URL.Query()
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if !slices.Contains(parameters, name) {
			return request{}, fmt.Errorf("%.100q is not a parameter: %s are", name, strings.Join(parameters, ", "))
		}
	}
	types, err := parseFilter(strings.Join(q["types"], ","))
	if err != nil {
		return request{}, err
	}
	req := request{after: q.Get("after"), types: types}
	switch from := q.Get("from"); from {
	case "", "first":
	case "now":
		req.now = true
	default:
		return request{}, fmt.Errorf("from: %.100q is not allowed: first or now", from)
	}
	if req.after != "" && q.Get("from") != "" {
		return request{}, errors.New("from and after exclude one another")
	}
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		req.after, req.now = id, false
	}
	if len(req.after) > maxCursor {
		return request{}, fmt.Errorf("cursor has %d bytes, at most %d are possible", len(req.after), maxCursor)
	}
	return req, nil
}

// bearer finds who asks. A session cookie does not count here: this edge is for
// programs, and what has no cookies has no cross-site trouble.
func (s *Service) bearer(r *http.Request) (actor.Actor, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return actor.Actor{}, false
	}
	return s.deps.Authenticate(r)
}

// refuse answers with JSON: {"code": "...", "message": "..."}.
func (s *Service) refuse(w http.ResponseWriter, status int, code, message string) {
	s.metrics.refused.WithLabelValues(code).Inc()
	h := w.Header()
	if status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="weftline"`)
	}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		h.Set("Retry-After", "5")
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"code": code, "message": message})
}
