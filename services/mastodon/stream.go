package mastodon

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// maxEvent bounds one event of a stream, in bytes.
const maxEvent = 4 << 20

// event is one of the stream's ("Events").
type event struct {
	name string
	data []byte
}

// asks says that there may be new notifications.
func (e event) asks() bool { return e.name == "" || e.name == "notification" }

// stream gives what the instance tells until ctx ends. Each connection begins
// with an event of no name: notifications may have come before.
func (f *follower) stream(ctx context.Context, events chan<- event) {
	give := func(e event) bool {
		select {
		case events <- e:
			return true
		case <-ctx.Done():
			return false
		}
	}
	wait := time.Second
	for ctx.Err() == nil {
		began := time.Now()
		err := f.listen(ctx, give)
		if ctx.Err() != nil {
			return
		}
		f.a.log.Debug("stream ended", "channel", Name, "inbox", f.id, "error", err)
		if time.Since(began) > time.Minute {
			wait = time.Second
		}
		// The notifications are asked for by the clock meanwhile, and tell of what is wrong.
		hosted.Pause(ctx, hosted.Patience(err, wait))
		wait = min(2*wait, 5*time.Minute)
	}
}

// listen is one connection ("GET /api/v1/streaming/user").
func (f *follower) listen(ctx context.Context, give func(event) bool) error {
	if err := f.a.caller.Closed(f.id); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.acc.streams, nil)
	if err != nil {
		return hosted.Scrub(err)
	}
	r.Header.Set("Authorization", "Bearer "+f.c.token)
	r.Header.Set("Accept", "text/event-stream")
	res, err := f.a.live.Do(r)
	if err != nil {
		return hosted.Scrub(err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusTooManyRequests:
		return &channel.RetryAfterError{After: hosted.RetryAfter(res.Header, f.a.now()), Err: errors.New("the instance asks to wait")}
	default:
		return fmt.Errorf("the instance answers %d", res.StatusCode)
	}
	if !give(event{}) {
		return ctx.Err()
	}
	// A comment comes every 15 seconds ("Establishing a connection").
	alarm := time.AfterFunc(f.a.quiet, stop)
	defer alarm.Stop()
	return readEvents(&awake{res.Body, func() { alarm.Reset(f.a.quiet) }}, func(e event) bool {
		alarm.Stop() // the quiet is ours while what was said is taken in
		defer alarm.Reset(f.a.quiet)
		return give(e)
	})
}

// awake notes every byte.
type awake struct {
	io.Reader
	note func()
}

func (a *awake) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if n > 0 {
		a.note()
	}
	return n, err
}

// readEvents reads server-sent events (WHATWG HTML, section 9.2). Those that are
// not looked at are dropped, and a notification is no more than its name.
func readEvents(r io.Reader, give func(event) bool) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxEvent)
	var e event
	for lines.Scan() {
		line := bytes.TrimSuffix(lines.Bytes(), []byte("\r"))
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case len(line) == 0:
			switch e.name {
			case "notification":
				e.data = nil
				fallthrough
			case "status.update", "delete":
				if !give(e) {
					return context.Canceled
				}
			}
			e = event{}
		case string(field) == "event":
			e.name = string(value)
		case string(field) == "data":
			if e.data != nil {
				e.data = append(e.data, '\n')
			}
			if len(e.data)+len(value) > maxEvent {
				return bufio.ErrTooLong
			}
			e.data = append(e.data, value...)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read stream: %w", err)
	}
	return io.EOF
}
