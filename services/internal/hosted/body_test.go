package hosted_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
)

type anything struct{}

func (anything) Accept(context.Context, ...channel.Raw) error     { return nil }
func (anything) Report(context.Context, ...channel.Receipt) error { return nil }

func doorWith(limit int64) http.Handler {
	d := (&hosted.Door{
		Channel: "x", Limit: limit, AtOnce: 1,
		Admit: func(inbox.Inbox, *hosted.Request) error { return nil },
		Split: func(_ inbox.Inbox, r *hosted.Request) []channel.Raw { return []channel.Raw{hosted.Whole(r)} },
	}).Open(hosted.Deps{Intake: anything{}, Inboxes: hostedtest.Inboxes(inbox.Inbox{ID: "in", Channel: "x"})})
	mux := http.NewServeMux()
	d.Routes(mux)
	return mux
}

// Strangers that begin a request and send no more take no place from anybody.
func TestHalfARequestHoldsNoPlace(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(doorWith(1 << 20))
	t.Cleanup(s.Close)
	for range 8 {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := io.WriteString(c, "POST /hooks/x/in HTTP/1.1\r\nHost: hub\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		// The server asks for the body when the handler reads it: it is inside.
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, "100") {
			t.Fatalf("%q, %v", line, err)
		}
		io.WriteString(c, "{")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/hooks/x/in", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("answered %d", res.StatusCode)
	}
}

// trickle is a body of size bytes that comes and then stands still until it is let go.
type trickle struct {
	size   int64
	filled chan<- struct{}
	end    <-chan struct{}
}

func (b *trickle) Read(p []byte) (int, error) {
	if b.size > 0 {
		n := min(int64(len(p)), b.size)
		b.size -= n
		return int(n), nil
	}
	select {
	case b.filled <- struct{}{}:
	default:
	}
	<-b.end
	return 0, io.EOF
}

// One sender's large requests fill his share of the memory and no more: another one's are taken, and his small ones.
func TestLargeBodiesAreBounded(t *testing.T) {
	t.Parallel()
	h := doorWith(72 << 20)
	post := func(from string, body io.Reader) int {
		r := httptest.NewRequest(http.MethodPost, "/hooks/x/in", body)
		r.RemoteAddr = from + ":1"
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec.Code
	}
	filled, end, codes := make(chan struct{}), make(chan struct{}), make(chan int)
	for range 2 {
		go func() { codes <- post("192.0.2.1", &trickle{size: 70 << 20, filled: filled, end: end}) }()
		<-filled
	}
	if got := post("192.0.2.1", &trickle{size: 40 << 20, filled: filled, end: end}); got != http.StatusServiceUnavailable {
		t.Errorf("a third large one of his: %d", got)
	}
	if got := post("192.0.2.1", strings.NewReader("{}")); got != http.StatusOK {
		t.Errorf("a small one of his: %d", got)
	}
	if got := post("192.0.2.2", strings.NewReader(strings.Repeat("x", 1<<20))); got != http.StatusOK {
		t.Errorf("another's: %d", got)
	}
	close(end)
	for range 2 {
		if got := <-codes; got != http.StatusOK {
			t.Errorf("when it was whole: %d", got)
		}
	}
	if got := post("192.0.2.1", strings.NewReader(strings.Repeat("x", 40<<20))); got != http.StatusOK {
		t.Errorf("after the others: %d", got)
	}
}

// timed is a connection that knows deadlines.
type timed struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (c *timed) SetReadDeadline(t time.Time) error {
	c.deadline = t
	return nil
}

type late struct{}

func (late) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

// A small request must be there within half a minute.
func TestSlowRequestIsEnded(t *testing.T) {
	t.Parallel()
	c := &timed{ResponseRecorder: httptest.NewRecorder()}
	doorWith(1<<20).ServeHTTP(c, httptest.NewRequest(http.MethodPost, "/hooks/x/in", io.MultiReader(strings.NewReader("{"), late{})))
	if left := time.Until(c.deadline); c.Code != http.StatusRequestTimeout || left <= 0 || left > 31*time.Second {
		t.Errorf("answered %d, deadline in %s", c.Code, left)
	}
}

// picky refuses for good what names itself too long, as the intake does.
type picky struct{ anything }

type never struct{ error }

func (never) Permanent() bool { return true }

func (picky) Accept(_ context.Context, inputs ...channel.Raw) error {
	for _, in := range inputs {
		if len(in.Peek.Address) > 2048 || len(in.ProviderID) > 1024 {
			return errors.Join(never{errors.New("inputs[0].provider_id: want 1 to 1024 bytes")})
		}
	}
	return nil
}

// What can never be stored is not asked for again and again; an address that is too long is left out.
func TestWhatCannotBeStoredIsNotAskedForAgain(t *testing.T) {
	t.Parallel()
	d := (&hosted.Door{
		Channel: "x",
		Admit:   func(inbox.Inbox, *hosted.Request) error { return nil },
		Split: func(_ inbox.Inbox, r *hosted.Request) []channel.Raw {
			return []channel.Raw{{ProviderID: r.Query.Get("id"), Peek: channel.Address{Address: r.Query.Get("from")}}}
		},
	}).Open(hosted.Deps{Intake: picky{}, Inboxes: hostedtest.Inboxes(inbox.Inbox{ID: "in", Channel: "x"})})
	mux := http.NewServeMux()
	d.Routes(mux)
	for query, want := range map[string]int{
		"id=1&from=" + strings.Repeat("x", 2100): http.StatusOK,
		"id=" + strings.Repeat("x", 2000):        http.StatusUnprocessableEntity,
	} {
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/hooks/x/in?"+query, strings.NewReader("{}")))
		if rec.Code != want {
			t.Errorf("%.20s: %d %s", query, rec.Code, rec.Body)
		}
	}
}
