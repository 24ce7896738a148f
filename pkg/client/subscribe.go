package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/cloudevent"
)

// subscription is what is known between two connections.
type subscription struct {
	cfg    Config
	base   *url.URL
	fn     Handler
	cursor string
	now    bool          // until the first cursor came
	retry  time.Duration // what the hub asked for
}

// errSilent: no sign of life came in time.
var errSilent = errors.New("hub is silent")

// connect reads one connection to its end and says whether the cursor moved.
func (s *subscription) connect(parent context.Context) (progress bool, err error) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	watch := time.AfterFunc(s.cfg.Silence, func() { cancel(errSilent) })
	defer watch.Stop()

	before := s.cursor
	err = s.read(ctx, parent, watch)
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) && err != nil && !permanent(err) {
		err = errSilent
	}
	return s.cursor != before, err
}

// read asks with ctx and calls the handler with parent, which a silent hub does not end.
func (s *subscription) read(ctx, parent context.Context, watch *time.Timer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address(), nil)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+s.cfg.Token)
	req.Header.Set("Accept", "text/event-stream")
	if s.cursor != "" {
		req.Header.Set("Last-Event-ID", s.cursor)
	}
	res, err := s.cfg.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("connect to hub: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		if after, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && after > 0 {
			s.retry = time.Duration(min(after, 3600)) * time.Second
		}
		return readError(res)
	}
	if t, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); t != "text/event-stream" {
		return &Error{Status: res.StatusCode, Code: "content_type", Message: "this URL does not answer with an event stream"}
	}
	frames := newScanner(alive{res.Body, watch, s.cfg.Silence})
	for {
		f, err := frames.next()
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		// The handler may take its time; the hub waits.
		watch.Stop()
		if err := s.take(parent, f); err != nil {
			return err
		}
		watch.Reset(s.cfg.Silence)
	}
}

// take handles one frame.
func (s *subscription) take(ctx context.Context, f frame) error {
	if f.retry > 0 {
		s.retry = f.retry
	}
	switch {
	case f.event == "reset":
		e := &Error{Code: "cursor_not_valid"}
		_ = json.Unmarshal([]byte(f.data), e) // the code is known anyway
		e.Status = 0
		return e
	case f.event != "":
		return nil // of a later hub
	case f.data != "":
		var e cloudevent.Event
		if err := json.Unmarshal([]byte(f.data), &e); err != nil {
			return fmt.Errorf("%w: %w", errFormat, err)
		}
		if err := s.fn(ctx, e, f.id); err != nil {
			return handlerError{err}
		}
	case f.id != "" && f.id != s.cursor && s.cfg.Moved != nil:
		if err := s.cfg.Moved(ctx, f.id); err != nil {
			return handlerError{err}
		}
	}
	if f.id != "" {
		s.cursor, s.now = f.id, false
	}
	return nil
}

func (s *subscription) address() string {
	u := s.base.JoinPath("v1", "events")
	q := url.Values{}
	if len(s.cfg.Types) > 0 {
		q.Set("types", strings.Join(s.cfg.Types, ","))
	}
	if s.now {
		q.Set("from", "now")
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// alive puts the watch back whenever something comes, a comment too.
type alive struct {
	r     io.Reader
	watch *time.Timer
	d     time.Duration
}

func (a alive) Read(b []byte) (int, error) {
	n, err := a.r.Read(b)
	if n > 0 {
		a.watch.Reset(a.d)
	}
	return n, err
}
