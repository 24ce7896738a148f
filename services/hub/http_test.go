package main

import (
	"io"
	stdlog "log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// deadlines notes the read deadlines a request's connection gets.
type deadlines struct {
	http.ResponseWriter
	set []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error { d.set = append(d.set, t); return nil }

func TestABodyHasItsTimeAndAnAnswerAllTheTime(t *testing.T) {
	t.Parallel()
	for _, read := range []bool{false, true} {
		d := &deadlines{}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/", io.NopCloser(strings.NewReader("body")))
		if err != nil {
			t.Fatal(err)
		}
		hurry(d, r)
		if len(d.set) != 1 || time.Until(d.set[0]) > bodyTime || time.Until(d.set[0]) < bodyTime/2 {
			t.Fatalf("deadlines at the start: %v", d.set)
		}
		if !read {
			continue
		}
		if b, err := io.ReadAll(r.Body); err != nil || string(b) != "body" {
			t.Fatalf("read %q, %v", b, err)
		}
		if len(d.set) < 2 || !d.set[len(d.set)-1].IsZero() {
			t.Fatalf("deadlines after the body: %v", d.set)
		}
	}
}

// A login's form is not held open for minutes, and a large file has the time it needs.
func TestASmallBodyHasLessTime(t *testing.T) {
	t.Parallel()
	for length, want := range map[int64]time.Duration{-1: bodyTime, 1: 15 * time.Second, 9000: 16 * time.Second, 1 << 20: 79 * time.Second, 25 << 20: bodyTime, 1 << 60: bodyTime} {
		d := &deadlines{}
		r := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader("x"))
		r.ContentLength = length
		hurry(d, r)
		if got := time.Until(d.set[0]); got > want+time.Millisecond || got < want-2*time.Second {
			t.Errorf("%d bytes: %s, want %s", length, got, want)
		}
	}
}

// That no connection can be accepted is an error, said once a minute; what strangers do to theirs is not.
func TestFailingToAcceptIsLoggedOnceAMinute(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	now := time.Unix(0, 0)
	l := stdlog.New(&serverLog{log: slog.New(slog.NewTextHandler(&out, nil)), now: func() time.Time { return now }}, "", 0)
	said := func(want int) {
		t.Helper()
		l.Print("http: Accept error: accept tcp 127.0.0.1:1: accept4: too many open files; retrying in 5ms")
		l.Print("http: TLS handshake error from 192.0.2.1:5: EOF")
		if got := strings.Count(out.String(), "level=ERROR"); got != want || strings.Contains(out.String(), "192.0.2.1") {
			t.Errorf("%d errors, want %d: %s", got, want, out.String())
		}
	}
	said(1)
	now = now.Add(59 * time.Second)
	said(1)
	now = now.Add(time.Second)
	said(2)
}

func TestTheTimeOfABodyCountsForWhatTheWorldReaches(t *testing.T) {
	t.Parallel()
	hurried := make(chan bool, 1)
	srv := httptest.NewServer(outside(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, ok := r.Body.(*hurriedBody) // only where the connection takes deadlines
		hurried <- ok
	}), slog.New(slog.DiscardHandler)))
	defer srv.Close()
	res, err := srv.Client().Post(srv.URL, "text/plain", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if !<-hurried {
		t.Fatal("the body of a request may take for ever")
	}
}
