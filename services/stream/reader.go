package stream

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/weftline/weftline/services/internal/peer"
)

// drainSpread is over how long readers come back after a shutdown.
const drainSpread = 5 * time.Second

// reader is one open stream.
type reader struct {
	s     *Service
	r     *http.Request
	out   *frames
	types filter

	// skipped is the cursor after events that were not sent, "" when the reader knows it.
	skipped string
	count   int // of them
}

// run sends until the reader, the feed or the hub ends, and says which.
func (rd *reader) run(ctx context.Context, steps <-chan step, first *step) (reason string, err error) {
	beat := time.NewTicker(rd.s.cfg.Heartbeat)
	defer beat.Stop()
	check := time.NewTicker(rd.s.cfg.Recheck)
	defer check.Stop()

	rd.out.comment("weftline")
	rd.tell()
	if err := rd.out.flush(); err != nil {
		return "", err
	}
	if first != nil {
		if reason, err := rd.take(ctx, *first); reason != "" || err != nil {
			return reason, err
		}
	}
	for {
		// A reader with a long way to go must not miss these two.
		select {
		case <-rd.s.readers.draining:
			rd.tell()
			rd.out.retry(drainSpread)
			return "drain", rd.out.flush()
		case <-check.C:
			if !rd.mayStay() {
				return "revoked", rd.out.flush()
			}
		default:
		}
		// What is written leaves when there is nothing more to write.
		if len(steps) == 0 {
			if err := rd.out.flush(); err != nil {
				return "", err
			}
		}
		select {
		case st, ok := <-steps:
			if !ok {
				return "feed", rd.out.flush()
			}
			if reason, err := rd.take(ctx, st); reason != "" || err != nil {
				return reason, err
			}
		case <-beat.C:
			if rd.skipped == "" {
				rd.out.comment("")
			}
			rd.tell()
		case <-check.C:
			if !rd.mayStay() {
				return "revoked", rd.out.flush()
			}
		case <-rd.s.readers.draining:
		case <-ctx.Done():
			return "gone", nil
		}
	}
}

// take sends one step of the feed. A reason ends the stream.
func (rd *reader) take(ctx context.Context, st step) (reason string, err error) {
	switch {
	case errors.Is(st.err, peer.ErrReset):
		rd.out.reset(cursorMessage)
		return "reset", rd.out.flush()
	case st.err != nil:
		rd.s.feedFailed(ctx, st.err)
		return "feed", rd.out.flush()
	}
	e, ok, err := translate(rd.s.cfg.Tenant, st.ev)
	if err != nil {
		rd.s.untranslatable(err)
	}
	if !ok || !rd.types.pass(e.Type) {
		rd.skipped = st.ev.GetCursor()
		if rd.count++; rd.count >= maxSkipped {
			rd.tell()
		}
		return "", nil
	}
	rd.skipped, rd.count = "", 0
	rd.s.metrics.events.WithLabelValues("sse").Inc()
	return "", rd.out.event(st.ev.GetCursor(), e)
}

// mayStay checks the token again.
func (rd *reader) mayStay() bool {
	if who, ok := rd.s.bearer(rd.r); ok && who.May(Scope) {
		return true
	}
	rd.out.comment("this token is not valid any more")
	return false
}

// tell moves the reader's cursor past what was not sent to him.
func (rd *reader) tell() {
	if rd.skipped != "" {
		rd.out.advance(rd.skipped)
		rd.skipped, rd.count = "", 0
	}
}

func (s *Service) untranslatable(err error) {
	s.metrics.untranslatable.Inc()
	s.deps.Log.Error("event could not be made public", "error", err)
}
