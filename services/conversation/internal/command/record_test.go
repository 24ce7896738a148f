package command_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/seal"
)

// ordered is an order of a shop.
func ordered(id string) command.RecordEvent {
	return command.RecordEvent{
		Order: command.Order{Actor: "shop", Key: id}, Kind: "email", Address: "ADA@x.org ",
		Type: "order.placed", Title: "Order " + id, Link: "https://shop.example/o/" + id, Source: "shop",
		Payload: json.RawMessage(`{"total": 12, "lines": ["lamp"]}`), OccurredAt: domaintest.Start.Add(-time.Hour),
	}
}

func TestAnEventIsPutOnTheTimelineOfTheOwnerOfAnAddress(t *testing.T) {
	t.Parallel()
	d, _ := asked(t)
	r, err := d.Orders.RecordEvent(t.Context(), ordered("7"))
	if err != nil || r.Customer != customerOf(d) {
		t.Fatalf("customer %q, %v", r.Customer, err)
	}
	e := r.Events[0].(event.EventRecorded)
	if e.Event != r.Entry || e.Kind != "order.placed" || !e.OccurredAt.Equal(domaintest.Start.Add(-time.Hour)) || e.Body.Key != event.CustomerKey(r.Customer) {
		t.Errorf("event %+v", e)
	}
	got, err := seal.Open[event.EventBody](t.Context(), d.Keys, e.Body, event.EventAAD(e.Event))
	want := event.EventBody{Title: "Order 7", Link: "https://shop.example/o/7", Source: "shop", Payload: json.RawMessage(`{"total":12,"lines":["lamp"]}`)}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

// The same source and id is one event for ever: long after the state has
// forgotten it, by whatever name its customer is meant, and for many at once.
func TestAnEventIsRecordedOnceForEver(t *testing.T) {
	t.Parallel()
	d, o := asked(t)
	first, err := d.Orders.RecordEvent(t.Context(), ordered("7"))
	if err != nil {
		t.Fatal(err)
	}
	o.Customer = first.Customer
	for n := range 2*customer.DefaultBounds.Commands + 10 {
		o.Key = fmt.Sprint(n)
		if _, err := d.Orders.SetAttribute(t.Context(), o, "n", o.Key); err != nil {
			t.Fatal(err)
		}
	}
	st, err := d.Customers.Load(t.Context(), "default", first.Customer)
	if err != nil || st.Commands.Has("event:"+first.Entry) {
		t.Fatalf("the state has not forgotten: %v", err)
	}
	byID := ordered("7")
	byID.Kind, byID.Address, byID.Customer, byID.Title = "", "", first.Customer, "another title"
	elsewhere := byID
	elsewhere.Customer = "somebodyelse"
	for name, in := range map[string]command.RecordEvent{"address": ordered("7"), "customer": byID, "another customer": elsewhere} {
		again, err := d.Orders.RecordEvent(t.Context(), in)
		if err != nil || !again.Repeated || again.Customer != first.Customer || again.Entry != first.Entry {
			t.Errorf("by %s: %+v, %v", name, again, err)
		}
	}
	if n := len(domaintest.Events[event.EventRecorded](d)); n != 1 {
		t.Errorf("recorded %d times", n)
	}
	other := ordered("7")
	other.Source = "warehouse"
	if r, err := d.Orders.RecordEvent(t.Context(), other); err != nil || r.Repeated {
		t.Errorf("another source's event: %+v, %v", r, err)
	}
}

func TestOneOfManyEventsAtOnce(t *testing.T) {
	t.Parallel()
	d, _ := asked(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := d.Orders.RecordEvent(t.Context(), ordered("7")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(domaintest.Events[event.EventRecorded](d)); n != 1 {
		t.Errorf("recorded %d times", n)
	}
}

func TestEventsOutOfTheirLimitsAreRefused(t *testing.T) {
	t.Parallel()
	d, _ := asked(t)
	for name, c := range map[string]struct {
		field string
		edit  func(*command.RecordEvent)
	}{
		"type empty":    {"type", func(e *command.RecordEvent) { e.Type = "" }},
		"type letters":  {"type", func(e *command.RecordEvent) { e.Type = "Order" }},
		"type long":     {"type", func(e *command.RecordEvent) { e.Type = strings.Repeat("x", 65) }},
		"title empty":   {"title", func(e *command.RecordEvent) { e.Title = "" }},
		"title lines":   {"title", func(e *command.RecordEvent) { e.Title = "a\nb" }},
		"title long":    {"title", func(e *command.RecordEvent) { e.Title = strings.Repeat("é", 201) }},
		"link script":   {"link", func(e *command.RecordEvent) { e.Link = "javascript:alert(1)" }},
		"link no host":  {"link", func(e *command.RecordEvent) { e.Link = "https:///x" }},
		"link long":     {"link", func(e *command.RecordEvent) { e.Link = "https://x/" + strings.Repeat("x", 2000) }},
		"payload array": {"payload", func(e *command.RecordEvent) { e.Payload = json.RawMessage(`[1]`) }},
		"payload null":  {"payload", func(e *command.RecordEvent) { e.Payload = json.RawMessage(`null`) }},
		"payload large": {"payload", func(e *command.RecordEvent) {
			e.Payload = json.RawMessage(`{"a":"` + strings.Repeat("x", 16<<10) + `"}`)
		}},
		"event id empty": {"event_id", func(e *command.RecordEvent) { e.Key = "" }},
		"event id long":  {"event_id", func(e *command.RecordEvent) { e.Key = strings.Repeat("x", 201) }},
		"source long":    {"source", func(e *command.RecordEvent) { e.Source = strings.Repeat("x", 65) }},
		"future":         {"occurred_at", func(e *command.RecordEvent) { e.OccurredAt = domaintest.Start.Add(25 * time.Hour) }},
		"before 1970":    {"occurred_at", func(e *command.RecordEvent) { e.OccurredAt = time.Unix(-1, 0) }},
		"no kind":        {"kind", func(e *command.RecordEvent) { e.Kind = "" }},
		"no address":     {"address", func(e *command.RecordEvent) { e.Address = " " }},
	} {
		in := ordered("7")
		c.edit(&in)
		var fe *customer.FieldError
		if _, err := d.Orders.RecordEvent(t.Context(), in); !errors.As(err, &fe) || fe.Field != c.field {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, edit := range map[string]func(*command.RecordEvent){
		"unknown address":  func(e *command.RecordEvent) { e.Address = "nobody@x.org" },
		"unknown customer": func(e *command.RecordEvent) { e.Customer = "nobody" },
		"odd customer":     func(e *command.RecordEvent) { e.Customer = "no.body" },
	} {
		in := ordered("7")
		edit(&in)
		var nf *customer.NotFoundError
		if _, err := d.Orders.RecordEvent(t.Context(), in); !errors.As(err, &nf) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := len(domaintest.Events[event.EventRecorded](d)); n != 0 {
		t.Errorf("%d events were recorded", n)
	}
}
