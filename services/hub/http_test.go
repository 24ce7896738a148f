package main

import (
	"io"
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
