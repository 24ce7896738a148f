package stream

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/weftline/weftline/services/internal/peer"
)

// Codes of refusals.
const (
	codeUnauthenticated = "unauthenticated"
	codeDenied          = "permission_denied"
	codeArgument        = "invalid_argument"
	codeCursor          = "cursor_not_valid"
	codeExhausted       = "resource_exhausted"
	codeUnavailable     = "unavailable"
)

const cursorMessage = "this cursor cannot be resumed here: leave it out to read from the first event, or use ?from=now"

// grace is how long the feed may take to refuse a cursor before the stream begins without knowing.
const grace = time.Second

// maxSkipped is after how many filtered events the reader is told how far he is.
const maxSkipped = 500

// events serves GET /v1/events. See docs/events.md.
func (s *Service) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	who, ok := s.bearer(r)
	if !ok {
		s.refuse(w, http.StatusUnauthorized, codeUnauthenticated, "send Authorization: Bearer <API token>")
		return
	}
	if !who.May(Scope) {
		s.refuse(w, http.StatusForbidden, codeDenied, "this token lacks the scope "+Scope)
		return
	}
	req, err := parseRequest(r)
	if err != nil {
		s.refuse(w, http.StatusBadRequest, codeArgument, err.Error())
		return
	}
	switch no := s.readers.enter(who.ID); no {
	case "":
		defer s.readers.leave(who.ID)
	case refusedToken:
		s.refuse(w, http.StatusTooManyRequests, codeExhausted, string(no))
		return
	default:
		s.refuse(w, http.StatusServiceUnavailable, codeUnavailable, string(no))
		return
	}
	s.metrics.readers.Inc()
	defer s.metrics.readers.Dec()
	s.metrics.closed.WithLabelValues(s.stream(w, r, req)).Inc()
}

// stream serves one reader and says why it ended.
func (s *Service) stream(w http.ResponseWriter, r *http.Request, req request) (reason string) {
	ctx := r.Context()
	begin := req.after
	if req.now {
		var err error
		if begin, err = s.deps.Feed.Head(ctx); err != nil {
			s.refuse(w, http.StatusServiceUnavailable, codeUnavailable, "the events cannot be read now")
			return "feed"
		}
	}
	steps, stop := follow(ctx, s.deps.Feed, begin)
	defer stop()
	first, ok := s.firstStep(ctx, steps, req.after != "")
	if !ok {
		s.refuse(w, http.StatusServiceUnavailable, codeUnavailable, "the events cannot be read now")
		return "feed"
	}
	if first != nil && first.err != nil {
		if errors.Is(first.err, peer.ErrReset) {
			s.refuse(w, http.StatusBadRequest, codeCursor, cursorMessage)
			return "reset"
		}
		s.feedFailed(ctx, first.err)
		s.refuse(w, http.StatusServiceUnavailable, codeUnavailable, "the events cannot be read now")
		return "feed"
	}

	out := newFrames(w, s.cfg.WriteTimeout)
	_ = out.rc.SetReadDeadline(time.Time{}) // nothing more is read; a server's read timeout must not end the stream
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	w.WriteHeader(http.StatusOK)
	rd := &reader{s: s, r: r, out: out, types: req.types}
	if req.now {
		rd.skipped = begin // so that a reader who saw nothing yet resumes from where he began
	}
	reason, err := rd.run(ctx, steps, first)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "slow"
	case err != nil:
		return "gone"
	}
	return reason
}

// firstStep waits for what a client's cursor leads to, so that a bad one can be
// refused with a status. nil: nothing yet. False: the feed ended.
func (s *Service) firstStep(ctx context.Context, steps <-chan step, wait bool) (*step, bool) {
	if !wait {
		return nil, true
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case st, ok := <-steps:
		return &st, ok
	case <-t.C:
	case <-s.readers.draining:
	case <-ctx.Done():
	}
	return nil, true
}

func (s *Service) feedFailed(ctx context.Context, err error) {
	if ctx.Err() == nil {
		s.deps.Log.Error("public events could not be read", "error", err)
	}
}
