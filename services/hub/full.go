package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// probeEvery is how often a hub whose log broke looks for space.
const probeEvery = 5 * time.Second

// watchLog waits until a stream could not be written, for want of space most
// often. Nothing can be accepted from then on, but agents can still read, so
// the hub stays until dir takes writes again; then it ends with an error, so
// that who supervises it starts it anew: the server opens its streams again
// only then.
func watchLog(ctx context.Context, dir string, broken <-chan struct{}, why func() error, log *slog.Logger) error {
	select {
	case <-ctx.Done():
		return nil
	case <-broken:
	}
	log.Error("the log cannot be written: nothing is accepted, reading goes on, the hub ends as soon as its disk takes writes", "error", why())
	t := time.NewTicker(probeEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		if probe(dir) == nil {
			return fmt.Errorf("the disk takes writes again, start anew: %w", why())
		}
	}
}

// probeSize is more than a start needs.
const probeSize = 16 << 20

// probe writes a file and removes it.
func probe(dir string) error {
	f, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	block := make([]byte, 1<<20)
	for range probeSize / len(block) {
		if _, err = f.Write(block); err != nil {
			break
		}
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
