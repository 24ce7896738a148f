package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
)

// comesAgain is an input a provider brought once more: another original of the same.
func comesAgain(in ingest.Input, ref string) ingest.Input {
	raw := *in.Raw
	raw.ProviderID = ref
	in.Raw, in.Ref = &raw, ref
	return in
}

// The second original of what is stored goes; the one that is named stays,
// however often its input is given again.
func TestTheOriginalOfACopyGoes(t *testing.T) {
	t.Parallel()
	one, two := mail("m1", "ada@x.org", "1"), mail("m2", "ada@x.org", "2")
	edit := channel.Item{Change: &channel.Change{
		ID: "c1", From: one.From, Target: "<m1>", Action: channel.Edited, Content: channel.Content{Text: "1b"}, OccurredAt: domaintest.Start, Assurance: 1,
	}}
	for name, items := range map[string][]channel.Item{
		"a message": {{Message: &one}},
		"an album":  {{Message: &one}, {Message: &two}},
		"a change":  {edit},
		"both":      {{Message: &one}, edit},
		"unread":    {{}}, // an item that is nothing
	} {
		for _, lags := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, lagging %v", name, lags), func(t *testing.T) {
				t.Parallel()
				d := domaintest.New(t)
				gone := discarding(t, d)
				if lags {
					d.Ingest.Origins = nil // its stream is read
				}
				if name == "unread" {
					h := *d.Ingest
					h.Parsers = func(string) (channel.Parser, bool) {
						return unreadable{func(raw channel.Raw) string { return string(raw.Body) }}, true
					}
					d.Ingest = &h
				}
				in := domaintest.InputOf("email", "support", "in/first", one.From, items...)
				in.Ref = "in/first"
				for range 3 { // its acknowledgement was lost
					must(t, d.Handle(in))
				}
				if len(*gone) != 0 {
					t.Fatalf("discarded %v, which is named", *gone)
				}
				events := len(d.Commits())
				for range 2 { // cut off before it was acknowledged
					must(t, d.Handle(comesAgain(in, "in/copy")))
				}
				must(t, d.Handle(in))
				if !slices.Equal(*gone, []string{"in/copy", "in/copy"}) || len(d.Commits()) != events {
					t.Errorf("discarded %v, %d commits more", *gone, len(d.Commits())-events)
				}
			})
		}
	}
}

// An original stays that something new came with, that was put back from POISON
// (the one it is a copy of has the same body), and one of which nothing is found.
func TestTheOriginalOfWhatIsNotOnlyACopyStays(t *testing.T) {
	t.Parallel()
	one, two := mail("m1", "ada@x.org", "1"), mail("m2", "ada@x.org", "2")
	first := domaintest.InputOf("email", "support", "first", one.From, channel.Item{Message: &one})
	album := domaintest.InputOf("email", "support", "album", one.From, channel.Item{Message: &one}, channel.Item{Message: &two})
	back := comesAgain(first, "in/back")
	back.Again = true
	for name, in := range map[string]ingest.Input{"with another message": album, "put back": back} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := domaintest.New(t)
			gone := discarding(t, d)
			must(t, d.Handle(first))
			for range 2 {
				must(t, d.Handle(in))
			}
			if len(*gone) != 0 {
				t.Errorf("discarded %v", *gone)
			}
		})
	}
}

// What cannot be removed now is tried again with its input.
func TestACopyThatCannotBeDiscarded(t *testing.T) {
	t.Parallel()
	d := domaintest.New(t)
	gone := discarding(t, d)
	fails, discard := true, d.Ingest.Discard
	d.Ingest.Discard = func(ctx context.Context, ref string) error {
		if fails {
			return errors.New("the stream does not answer")
		}
		return discard(ctx, ref)
	}
	m := mail("m1", "ada@x.org", "1")
	must(t, d.Deliver("email", "support", "p1", m))
	if err := d.Deliver("email", "support", "copy", m); err == nil {
		t.Fatal("the copy is still there, and was acknowledged")
	}
	fails = false
	must(t, d.Deliver("email", "support", "copy", m))
	if !slices.Equal(*gone, []string{"in/copy"}) {
		t.Errorf("discarded %v", *gone)
	}
}

// The first could not be read, the copy could: the placeholder names the first.
func TestTheOriginalOfAPlaceholderStays(t *testing.T) {
	t.Parallel()
	for _, peek := range []string{"ada@x.org", "other@x.org", "ada@x.org, lagging", "other@x.org, lagging"} {
		d := domaintest.New(t)
		gone := discarding(t, d)
		if strings.Contains(peek, "lagging") {
			d.Ingest.Origins = nil
		}
		peek, _, _ := strings.Cut(peek, ",")
		m := mail("m1", "ada@x.org", "1")
		first := domaintest.InputOf("email", "support", "first", channel.Address{Kind: "email", Address: peek}, channel.Item{Message: &m})
		good := d.Parse
		d.Parse = func(channel.Raw) ([]channel.Item, error) { return nil, errors.New("bad charset") }
		must(t, d.Handle(first))
		d.Parse = good
		must(t, d.Handle(comesAgain(first, "in/second")))
		must(t, d.Handle(first))
		if got := domaintest.Events[event.MessageReceived](d); len(got) != 2 || len(*gone) != 0 {
			t.Errorf("peek %s: %d messages, discarded %v", peek, len(got), *gone)
		}
		must(t, d.Handle(comesAgain(first, "in/third")))
		if !slices.Equal(*gone, []string{"in/third"}) {
			t.Errorf("peek %s: discarded %v", peek, *gone)
		}
	}
}
