package boot_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/weftline/weftline/services/internal/boot"
)

type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(s string) { j.mu.Lock(); defer j.mu.Unlock(); j.lines = append(j.lines, s) }

func (j *journal) unit(name string, needs ...string) boot.Unit {
	return boot.Unit{Name: name, Needs: needs, Run: func(ctx context.Context, ready func()) error {
		j.add("+" + name)
		ready()
		<-ctx.Done()
		j.add("-" + name)
		return nil
	}}
}

func TestStartsByNeedAndStopsInReverse(t *testing.T) {
	t.Parallel()
	var j journal
	ctx, cancel := context.WithCancel(t.Context())
	last := j.unit("web", "api", "elsewhere")
	inner := last.Run
	last.Run = func(ctx context.Context, ready func()) error {
		return inner(ctx, func() { ready(); cancel() })
	}
	if err := boot.Run(ctx, slog.New(slog.DiscardHandler), []boot.Unit{last, j.unit("api", "nats"), j.unit("nats")}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"+nats", "+api", "+web", "-web", "-api", "-nats"}; !slices.Equal(j.lines, want) {
		t.Fatalf("got %v, want %v", j.lines, want)
	}
}

func TestFailureStopsEverythingAndIsNamed(t *testing.T) {
	t.Parallel()
	var j journal
	boom := boot.Unit{Name: "mail", Needs: []string{"nats"}, Run: func(context.Context, func()) error { return errors.New("boom") }}
	err := boot.Run(t.Context(), slog.New(slog.DiscardHandler), []boot.Unit{boom, j.unit("nats")})
	if err == nil || err.Error() != "mail: boom" {
		t.Fatalf("got %v", err)
	}
	if !slices.Equal(j.lines, []string{"+nats", "-nats"}) {
		t.Fatalf("got %v", j.lines)
	}
}

func TestCycleIsRefused(t *testing.T) {
	t.Parallel()
	var j journal
	err := boot.Run(t.Context(), slog.New(slog.DiscardHandler), []boot.Unit{j.unit("a", "b"), j.unit("b", "a")})
	if err == nil || !strings.Contains(err.Error(), "needs itself") {
		t.Fatalf("got %v", err)
	}
}

func TestAPartThatHangsDoesNotHangTheHub(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		hang := boot.Unit{Name: "hang", Run: func(_ context.Context, ready func()) error { ready(); cancel(); <-release; return nil }}
		err := boot.Run(ctx, slog.New(slog.DiscardHandler), []boot.Unit{hang})
		if err == nil || !strings.Contains(err.Error(), "hang did not stop within 25s") {
			t.Fatalf("got %v", err)
		}
		close(release)
	})
}
