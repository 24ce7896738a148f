package stream_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
	"github.com/weftline/weftline/services/stream"
)

func TestTooManyReaders(t *testing.T) {
	t.Parallel()
	e := start(t, stream.Config{MaxPerToken: 1, MaxReaders: 2}, newScript())
	p := e.tape(t, "")
	defer p.res.Body.Close()
	if res := e.open(t, ""); res.StatusCode != 429 || res.Header.Get("Retry-After") == "" {
		t.Errorf("second of a token: %d", res.StatusCode)
	}
	q := e.tape(t, "", "Authorization", "Bearer other")
	defer q.res.Body.Close()
	if res := e.open(t, ""); res.StatusCode != 503 {
		t.Errorf("third of all: %d", res.StatusCode)
	}
}

func TestRevokedTokenEndsTheStream(t *testing.T) {
	t.Parallel()
	e := start(t, stream.Config{Recheck: 10 * time.Millisecond}, newScript(message("m1", "one")))
	p := e.tape(t, "")
	defer p.res.Body.Close()
	e.tokens.revoke("good")
	for {
		if _, ok := p.next(); !ok {
			break
		}
	}
	if res := e.open(t, ""); res.StatusCode != 401 {
		t.Errorf("afterwards: %d", res.StatusCode)
	}
}

func TestDrain(t *testing.T) {
	t.Parallel()
	e := start(t, stream.Config{}, newScript(message("m1", "one"), note("n", "CANARY")))
	p := e.tape(t, "")
	defer p.res.Body.Close()
	for b, ok := p.next(); b.data == ""; b, ok = p.next() {
		if !ok {
			t.Fatal("ended")
		}
	}
	go e.stop()
	var last block
	id := ""
	for {
		b, ok := p.next()
		if !ok {
			break
		}
		last = b
		if b.id != "" {
			id = b.id
		}
	}
	if last.retry == "" {
		t.Errorf("the last block says nothing about when to come back: %+v", last)
	}
	if id != "" && id != "c2" {
		t.Errorf("cursor at the end: %s", id)
	}
	e.stop()
}

// A reader that takes nothing is cut off after the write timeout, and resumes where he was.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", 1<<20)
	var evs []*realtimev1.Event
	for i := range 40 {
		evs = append(evs, message(fmt.Sprint(i), text))
	}
	feed := newScript(evs...)
	e := start(t, stream.Config{WriteTimeout: 100 * time.Millisecond}, feed)
	conn, err := net.Dial("tcp", strings.TrimPrefix(e.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n\r\n")
	deadline := time.After(time.Minute)
	for closed(t, e.reg, "slow") == 0 {
		select {
		case <-deadline:
			t.Fatal("the slow reader is still there")
		case <-time.After(5 * time.Millisecond):
		}
	}
	feed.add(message("end", "end"))
	got, _ := e.tape(t, "?after=c40").events(t, 1)
	if d := cmp.Diff([]string{"end@c41"}, got); d != "" {
		t.Error(d)
	}
}

func closed(t *testing.T, reg *prometheus.Registry, reason string) float64 {
	t.Helper()
	fams, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fams {
		for _, m := range f.GetMetric() {
			if f.GetName() == "weftline_stream_closed_total" && m.GetLabel()[0].GetValue() == reason {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}
