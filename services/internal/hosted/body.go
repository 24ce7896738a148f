package hosted

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/weftline/weftline/services/internal/remote"
)

// How bodies are read. Anybody may send one: who he is, is often known from the
// body alone. So a body costs its sender what it costs us: room is taken as its
// bytes come, never for what is only announced, and they must keep coming.
const (
	freeBody  = 64 << 10  // bytes of a body that need no room
	allRoom   = 320 << 20 // bytes of larger bodies that a door holds at once
	oneRoom   = allRoom / 2
	bodyGrace = 30 * time.Second // what every body may take
	bodyPace  = 64 << 10         // bytes a second after that
	bodyMost  = 5 * time.Minute
)

var (
	errNoRoom  = errors.New("too many large requests at once")
	errTooSlow = errors.New("request came too slowly")
)

// bodies is the room that a door has for requests that come in.
type bodies struct {
	mu   sync.Mutex
	held int64
	by   map[string]int64 // by network: one sender cannot take all of it
}

// take asks for n more bytes.
func (b *bodies) take(from string, n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held+n > allRoom || b.by[from]+n > oneRoom {
		return false
	}
	if b.by == nil {
		b.by = map[string]int64{}
	}
	b.held, b.by[from] = b.held+n, b.by[from]+n
	return true
}

func (b *bodies) give(from string, n int64) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held -= n
	if b.by[from] -= n; b.by[from] <= 0 {
		delete(b.by, from)
	}
}

// read gets a body whole. done gives its room back; it is never nil.
func (b *bodies) read(w http.ResponseWriter, r *http.Request, limit int64) (body []byte, done func(), err error) {
	from, held := remote.Network(r.RemoteAddr), int64(0)
	done = func() { b.give(from, held) }
	rc, began := http.NewResponseController(w), time.Now()
	src := http.MaxBytesReader(w, r.Body, limit)
	buf := make([]byte, 0, min(max(r.ContentLength+1, 512), 16<<10))
	for {
		if len(buf) == cap(buf) {
			next := min(max(2*int64(cap(buf)), 16<<10), limit+1)
			if next > freeBody {
				if more := next - held; !b.take(from, more) {
					return nil, done, errNoRoom
				}
				held = next
			}
			buf = append(make([]byte, 0, next), buf...)
		}
		// Where the connection knows no deadlines, there is none.
		_ = rc.SetReadDeadline(began.Add(min(bodyGrace+time.Duration(len(buf))*time.Second/bodyPace, bodyMost)))
		n, err := src.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case errors.Is(err, io.EOF):
			_ = rc.SetReadDeadline(time.Time{})
			return buf, done, nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, done, errTooSlow
		case err != nil:
			return nil, done, err
		}
	}
}
