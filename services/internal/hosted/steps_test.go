package hosted_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
	"github.com/weftline/weftline/services/internal/hosted"
)

var errLater = errors.New("later")

// A text of three pieces whose second fails goes on with the second, also in another process.
func TestStepsGoOnWhereTheyStopped(t *testing.T) {
	t.Parallel()
	state, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { state.Close() })
	out := channel.Outbound{ID: "r1", Inbox: "a"}
	var called []int
	fail := true
	call := func(_ context.Context, i int) (string, error) {
		called = append(called, i)
		if i == 1 && fail {
			fail = false
			return "", errLater
		}
		return fmt.Sprint("id", i), nil
	}
	if _, err := hosted.NewSteps(hosted.Deps{State: state}, "x").Send(t.Context(), out, 3, call); !errors.Is(err, errLater) {
		t.Fatal(err)
	}
	again := hosted.NewSteps(hosted.Deps{State: state}, "x")
	ids, err := again.Send(t.Context(), out, 3, call)
	if err != nil || !slices.Equal(ids, []string{"id0", "id1", "id2"}) || !slices.Equal(called, []int{0, 1, 1, 2}) {
		t.Errorf("%v after calls %v, %v", ids, called, err)
	}
	// Whole, it is forgotten.
	if _, err := again.Send(t.Context(), out, 3, call); err != nil || len(called) != 7 {
		t.Errorf("calls %v, %v", called, err)
	}
}

func TestEndedSaysWhatWentOut(t *testing.T) {
	t.Parallel()
	now := time.Now()
	r, err := hosted.Ended(channel.Outbound{ID: "r"}, now, []string{"1"}, 3, fmt.Errorf("x: %w", &hosted.Refusal{Detail: "too long"}))
	if err != nil || r.State != channel.StateFailed || r.Detail != "1 of 3 parts went out, then: too long" {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := hosted.Ended(channel.Outbound{}, now, []string{"1", "2"}, 2, nil); err != nil || r.ProviderID != "1" || r.State != channel.StateSent {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := hosted.Ended(channel.Outbound{}, now, nil, 2, hosted.ErrUnknown); err != nil || r.State != channel.StateUnknown {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := hosted.Ended(channel.Outbound{}, now, nil, 2, errLater); !errors.Is(err, errLater) {
		t.Error(err)
	}
}

func TestOpenKeepsToItsLimit(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/gone":
			w.WriteHeader(http.StatusNotFound)
		case "/stream":
			w.(http.Flusher).Flush() // no length
			fallthrough
		default:
			io.WriteString(w, strings.Repeat("x", 100))
		}
	}))
	t.Cleanup(srv.Close)
	c := hosted.NewCaller(hosted.Deps{Client: srv.Client()})
	get := func(path string, limit int64) ([]byte, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		rc, err := c.Open("a", r, limit)
		if err != nil {
			return nil, err
		}
		defer rc.Close()
		return io.ReadAll(rc)
	}
	if b, err := get("/", 100); err != nil || len(b) != 100 {
		t.Errorf("%d, %v", len(b), err)
	}
	for _, path := range []string{"/", "/stream", "/gone"} {
		if _, err := get(path, 99); !errors.Is(err, channel.ErrGone) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
