package stream

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/weftline/weftline/pkg/cloudevent"
)

// frames writes one event stream (WHATWG HTML §9.2). Errors stick; the first
// one ends the stream. Every write must be done within the timeout.
type frames struct {
	buf   *bufio.Writer
	rc    *http.ResponseController
	dirty bool // something was written since the last flush
}

func newFrames(w http.ResponseWriter, timeout time.Duration) *frames {
	rc := http.NewResponseController(w)
	return &frames{rc: rc, buf: bufio.NewWriterSize(deadlineWriter{w, rc, timeout}, 16<<10)}
}

// deadlineWriter gives the peer a limited time for each write.
type deadlineWriter struct {
	w       io.Writer
	rc      *http.ResponseController
	timeout time.Duration
}

func (d deadlineWriter) Write(b []byte) (int, error) {
	if err := d.rc.SetWriteDeadline(time.Now().Add(d.timeout)); err != nil {
		return 0, fmt.Errorf("set write deadline: %w", err)
	}
	return d.w.Write(b)
}

// event writes an event; id is the cursor after it.
func (f *frames) event(id string, e cloudevent.Event) error {
	b, err := json.Marshal(e) // one line
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	f.printf("id: %s\ndata: ", id)
	f.buf.Write(b)
	_, err = f.buf.WriteString("\n\n")
	return err
}

// advance moves the reader's Last-Event-ID without an event.
func (f *frames) advance(id string) { f.printf("id: %s\n\n", id) }

// comment is ignored by readers; it keeps the connection alive.
func (f *frames) comment(text string) { f.printf(": %s\n\n", text) }

// retry asks for a reconnect after 1 to 1+spread seconds: not everybody at once.
func (f *frames) retry(spread time.Duration) {
	ms := time.Second.Milliseconds() + rand.Int64N(spread.Milliseconds())
	f.printf("retry: %d\n\n", ms)
}

// reset says that the cursor cannot be resumed, after the stream had begun.
func (f *frames) reset(message string) {
	b, _ := json.Marshal(map[string]string{"code": codeCursor, "message": message}) // strings never fail
	f.printf("event: reset\ndata: %s\n\n", b)
}

func (f *frames) printf(format string, args ...any) {
	f.dirty = true
	fmt.Fprintf(f.buf, format, args...)
}

// flush sends what was written.
func (f *frames) flush() error {
	if !f.dirty {
		return nil
	}
	f.dirty = false
	if err := f.buf.Flush(); err != nil {
		return err
	}
	return f.rc.Flush()
}
