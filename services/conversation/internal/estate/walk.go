package estate

import (
	"context"
	"strconv"
	"strings"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// Item is one event that belongs to the customer.
type Item struct {
	Home   string // whose stream it is in
	Commit eventstore.Commit
	Index  int
	Event  event.Event
	Unit   string // "" for what belongs to him as a whole (notes, attributes, statuses)
}

// Walk yields everything that belongs to him: all of his own stream but
// others' units, and his units in other streams. Each stream is in its order.
func (r *Reader) Walk(ctx context.Context, e *Estate, fn func(Item) error) error {
	his, foreign := map[string]bool{}, map[string]bool{}
	for _, u := range e.Units {
		his[u.Key] = true
	}
	for _, u := range e.Foreign {
		foreign[u.Key] = true
	}
	for i, home := range e.Homes {
		own := i == 0
		entries := map[string]string{} // message or reply → unit
		err := r.each(ctx, home, func(c eventstore.Commit, n int, ev event.Event) error {
			unit := UnitOf(ev, entries)
			if unit == "" && !own || foreign[unit] || unit != "" && !own && !his[unit] {
				return nil
			}
			return fn(Item{Home: home, Commit: c, Index: n, Event: ev, Unit: unit})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// UnitOf names the unit an event belongs to, "" for none. entries remembers
// which message and reply is in which, and must see the stream from its beginning.
func UnitOf(ev event.Event, entries map[string]string) string {
	switch e := ev.(type) {
	case event.MessageReceived:
		entries[e.Message] = e.Unit
		return e.Unit
	case event.MessageChanged:
		return e.Unit
	case event.ReplyRequested:
		entries[e.Reply] = e.Unit
		return e.Unit
	case event.ReplyRetried:
		return entries[e.Reply]
	case event.ReplyProgressed:
		return entries[e.Reply]
	case event.MessageReread:
		return entries[e.Message]
	}
	return ""
}

// HandleOf reads the handle out of event.UnitKey.
func HandleOf(unit string) (string, bool) {
	f := strings.Split(unit, "/")
	if len(f) != 4 || f[0] != "unit" {
		return "", false
	}
	if _, err := strconv.ParseInt(f[3], 10, 64); err != nil {
		return "", false
	}
	return f[2], true
}
