package ingest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
)

// unreadable is a parser that names what it cannot read.
type unreadable struct{ identify func(channel.Raw) string }

func (unreadable) Parse(channel.Raw) ([]channel.Item, error) { return nil, errors.New("bad charset") }

func (u unreadable) Identify(raw channel.Raw) string { return u.identify(raw) }

// An input that cannot be read is shown once, also when its provider counts anew.
func TestUnreadableAgainUnderAnotherProviderID(t *testing.T) {
	t.Parallel()
	byBody := func(raw channel.Raw) string { return string(raw.Body) }
	for name, c := range map[string]struct {
		identify func(channel.Raw) string
		peek     channel.Address
		want     int
	}{
		"sender known":   {byBody, channel.Address{Kind: "email", Address: "ada@x.org"}, 2},
		"sender unknown": {byBody, channel.Address{}, 2},
		"panics":         {func(channel.Raw) string { panic("index out of range") }, channel.Address{}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := domaintest.New(t)
			h := *d.Ingest
			h.Parsers = func(string) (channel.Parser, bool) { return unreadable{c.identify}, true }
			for i, body := range []string{"one", "two", "one"} {
				raw := &channel.Raw{Channel: "email", Inbox: "support", ProviderID: string(rune('a' + i)), Peek: c.peek, Body: []byte(body)}
				must(t, h.Handle(context.Background(), ingest.Input{Raw: raw, Ref: "in/" + raw.ProviderID}))
				d.CatchUp()
			}
			if n := len(domaintest.Events[event.MessageReceived](d)); n != c.want {
				t.Errorf("%d messages, want %d", n, c.want)
			}
		})
	}
}
