package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAHubWhoseLogBrokeEndsWhenThereIsSpace(t *testing.T) {
	t.Parallel()
	full := filepath.Join(t.TempDir(), "data") // not there yet: cannot be written
	synctest.Test(t, func(t *testing.T) {
		broken, ended := make(chan struct{}), make(chan error, 1)
		go func() {
			ended <- watchLog(t.Context(), full, broken, func() error { return errors.New("no space") }, slog.New(slog.DiscardHandler))
		}()
		close(broken)
		time.Sleep(10 * probeEvery) // of the bubble
		synctest.Wait()
		select {
		case err := <-ended:
			t.Fatalf("ended while the disk is full: %v", err)
		default:
		}
		if err := os.Mkdir(full, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "no space") {
			t.Fatalf("ended with %v", err)
		}
	})
	if left, err := os.ReadDir(full); err != nil || len(left) != 0 {
		t.Fatalf("left behind: %v %v", left, err)
	}
}

func TestAHubWhoseLogIsWellStopsOnTime(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := watchLog(ctx, t.TempDir(), make(chan struct{}), nil, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
}
