package stream_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/client"
	"github.com/weftline/weftline/pkg/cloudevent"
	eventv1 "github.com/weftline/weftline/pkg/weftline/event/v1"
	"github.com/weftline/weftline/services/stream"
)

// The Go client reads on through restarts of the hub and cut connections: every
// event once, in order. And it says so when its token was revoked.
func TestGoClientThroughRestarts(t *testing.T) {
	t.Parallel()
	feed := newScript()
	keys := newTokens()
	var mux atomic.Pointer[http.ServeMux] // of the hub of the moment
	restart := func() (stop func()) {
		s, err := stream.New(t.Context(), stream.Config{Recheck: 10 * time.Millisecond}, stream.Deps{Feed: feed, Authenticate: keys.authenticate})
		if err != nil {
			t.Fatal(err)
		}
		m := http.NewServeMux()
		s.Routes(m)
		mux.Store(m)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); _ = s.Run(ctx) }()
		return func() { cancel(); <-done }
	}
	stop := restart()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { mux.Load().ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { stop() })

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var got, want []string
	add := func() {
		text := fmt.Sprint(len(want))
		want = append(want, text)
		feed.add(note("n"+text, "CANARY"), message("m"+text, text))
	}
	add()
	cfg := client.Config{URL: srv.URL, Token: "good", Types: []string{"MessageReceived"}, MaxWait: 5 * time.Millisecond}
	err := client.Subscribe(ctx, cfg, func(_ context.Context, e cloudevent.Event, _ string) error {
		m, err := e.Message()
		if err != nil {
			return err
		}
		got = append(got, m.(*eventv1.MessageReceived).GetText())
		switch n := len(got); {
		case n == 30:
			keys.revoke("good")
			return nil
		case n%5 == 0:
			stop()
			stop = restart()
		case n%3 == 0:
			srv.CloseClientConnections()
		}
		add()
		return nil
	})
	if !errors.Is(err, client.ErrUnauthenticated) {
		t.Errorf("ended with %v", err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
