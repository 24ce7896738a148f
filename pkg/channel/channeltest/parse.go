package channeltest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/weftline/weftline/pkg/channel"
)

// sampleText has letters of one to four bytes, right-to-left ones and an emoji of several code points.
const sampleText = "Grüße, 世界 שלום 👨‍👩‍👧 👋"

// sample is what the adapter makes of one message.
func sample(t *testing.T, h Harness) (Subject, channel.Raw) {
	t.Helper()
	in := &Intake{}
	s := h.New(t, in)
	ctx, cancel := context.WithTimeout(t.Context(), h.Wait)
	defer cancel()
	if err := s.Deliver(ctx, "sample-1", sampleText); err != nil {
		t.Fatalf("deliver: %v", err)
	}
	taken := in.Taken()
	if len(taken) == 0 {
		t.Fatal("nothing was stored")
	}
	return s, taken[0]
}

func parseTwice(t *testing.T, h Harness) {
	s, raw := sample(t, h)
	body := string(raw.Body)
	first, err := s.Adapter.Parse(raw)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	if err := sound(first); err != nil {
		t.Error(err)
	}
	if m := first[0].Message; m == nil || m.Content.Text != sampleText {
		t.Errorf("the text did not survive: %+v", m)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if again, err := s.Adapter.Parse(raw); err != nil || !reflect.DeepEqual(first, again) {
				t.Errorf("parsed again it is something else: %+v, %v", again, err)
			}
		})
	}
	wg.Wait()
	if string(raw.Body) != body {
		t.Error("parse has changed the stored body")
	}
}

// sound says whether items are what the contract allows.
func sound(items []channel.Item) error {
	if len(items) == 0 {
		return errors.New("no item and no error: something accepted would be lost")
	}
	for i, it := range items {
		set := 0
		for _, there := range []bool{it.Message != nil, it.Receipt != nil, it.Change != nil} {
			if there {
				set++
			}
		}
		switch {
		case set != 1:
			return fmt.Errorf("item %d: exactly one of message, receipt and change must be set", i)
		case it.Receipt != nil:
			continue
		case it.Change != nil:
			if c := it.Change; c.ID == "" || c.Target == "" || c.Action == "" || c.From.Kind == "" || c.From.Address == "" {
				return fmt.Errorf("item %d: change without id, target, action or sender", i)
			}
			continue
		case it.Message.ID == "":
			return fmt.Errorf("item %d: message without id", i)
		case it.Message.From.Kind == "" || it.Message.From.Address == "":
			return fmt.Errorf("item %d: message from nobody", i)
		case it.Message.Assurance < 0 || it.Message.Assurance > 4:
			return fmt.Errorf("item %d: assurance %d is not 0 to 4", i, it.Message.Assurance)
		}
	}
	return nil
}

// parseAny feeds the parser damaged inputs and noise. Nothing may panic, and
// each gives either an error or sound items, the same ones twice.
func parseAny(t *testing.T, h Harness) {
	s, raw := sample(t, h)
	rapid.Check(t, func(t *rapid.T) {
		r := raw
		r.Body = damage(t, raw.Body)
		if rapid.Float64Range(0, 1).Draw(t, "other type") < 0.1 {
			r.ContentType = rapid.String().Draw(t, "content type")
		}
		items, err := parse(t, s.Adapter, r)
		again, errAgain := parse(t, s.Adapter, r)
		if (err == nil) != (errAgain == nil) || err == nil && !reflect.DeepEqual(items, again) {
			t.Fatalf("the same bytes gave two results")
		}
		if err == nil {
			if err := sound(items); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func parse(t *rapid.T, p channel.Parser, r channel.Raw) (items []channel.Item, err error) {
	defer func() {
		if v := recover(); v != nil {
			t.Fatalf("parse panicked: %v", v)
		}
	}()
	return p.Parse(r)
}

// damage makes noise, or cuts, flips, doubles or removes a piece of b.
func damage(t *rapid.T, b []byte) []byte {
	b = append([]byte(nil), b...)
	at := func(name string) int { return rapid.IntRange(0, max(0, len(b)-1)).Draw(t, name) }
	for range rapid.IntRange(0, 3).Draw(t, "damages") {
		switch rapid.SampledFrom([]string{"noise", "cut", "flip", "double", "remove", "insert"}).Draw(t, "damage") {
		case "noise":
			b = rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "noise")
		case "cut":
			if len(b) > 0 {
				b = b[:at("end")]
			}
		case "flip":
			if len(b) > 0 {
				b[at("place")] = rapid.Byte().Draw(t, "byte")
			}
		case "double", "remove":
			if len(b) > 0 {
				i := at("from")
				j := rapid.IntRange(i, len(b)).Draw(t, "to")
				if rapid.Bool().Draw(t, "remove") {
					b = append(b[:i:i], b[j:]...)
				} else {
					b = append(b[:j:j], b[i:]...)
				}
			}
		case "insert":
			i := at("place")
			piece := rapid.SampledFrom([]string{"\x00", "\xff", "\"", "{", "\r\n", "null", "1e999", "\\ud800", "--", "=?utf-8?q?"}).Draw(t, "piece")
			b = append(b[:min(i, len(b)):min(i, len(b))], append([]byte(piece), b[min(i, len(b)):]...)...)
		}
	}
	return b
}
