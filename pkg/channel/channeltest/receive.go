package channeltest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

func rawFirst(t *testing.T, h Harness) {
	in := &Intake{}
	s := h.New(t, in)
	ctx, cancel := context.WithTimeout(t.Context(), h.Wait)
	defer cancel()
	in.Fail(errFull)
	short, stop := context.WithTimeout(ctx, time.Second)
	defer stop()
	if err := s.Deliver(short, "raw-1", "hello"); err == nil {
		t.Fatal("acknowledged what was not stored")
	}
	in.Fail(nil)
	if err := s.Deliver(ctx, "raw-1", "hello"); err != nil {
		t.Fatalf("offered again: %v", err)
	}
	taken := in.Taken()
	if len(taken) == 0 {
		t.Fatal("acknowledged before it was stored")
	}
	for _, r := range taken {
		if err := complete(r, s.Adapter.Channel()); err != nil {
			t.Errorf("raw input: %v", err)
		}
	}
}

func complete(r channel.Raw, name string) error {
	switch {
	case r.Channel != name:
		return fmt.Errorf("channel is %q, the adapter's is %q", r.Channel, name)
	case r.Inbox == "":
		return errors.New("inbox is empty")
	case r.ProviderID == "":
		return errors.New("provider id is empty")
	case r.ContentType == "":
		return errors.New("content type is empty")
	case len(r.Body) == 0:
		return errors.New("body is empty")
	case r.ReceivedAt.IsZero():
		return errors.New("received at is zero")
	case r.Peek.Address != "" && r.Peek.Kind == "":
		return errors.New("peek has no kind")
	}
	return nil
}

func sameProviderID(t *testing.T, h Harness) {
	in := &Intake{}
	s := h.New(t, in)
	ctx, cancel := context.WithTimeout(t.Context(), h.Wait)
	defer cancel()
	for _, d := range []struct{ id, text string }{{"same-1", "once"}, {"same-1", "once"}, {"same-2", "once"}} {
		if err := s.Deliver(ctx, d.id, d.text); err != nil {
			t.Fatalf("deliver %s: %v", d.id, err)
		}
	}
	providers, messages := map[string]bool{}, map[string]bool{}
	for _, r := range in.Taken() {
		providers[r.ProviderID] = true
		items, err := s.Adapter.Parse(r)
		if err != nil {
			t.Fatalf("parse: %v", err)
		}
		for _, it := range items {
			if it.Message != nil {
				messages[it.Message.ID] = true
			}
		}
	}
	if len(providers) != 2 || len(messages) != 2 {
		t.Errorf("one message offered twice and another of the same text: %d provider ids and %d message ids, want 2 and 2", len(providers), len(messages))
	}
}
