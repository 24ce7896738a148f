package eventstore

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Codec turns events of the closed set E into records and back. Names are
// written out, never taken from Go types: renaming a type must not break history.
// Register all before use; then safe for concurrent use.
//
//	codec := eventstore.NewCodec[Event](upcasters)
//	codec.Register("conversation.message_received", 2, MessageReceived{})
type Codec[E any] struct {
	upcasters *Upcasters
	byName    map[string]registered
	byType    map[reflect.Type]registered
}

type registered struct {
	Kind
	goType reflect.Type
}

// Kind names a stored form of an event.
type Kind struct {
	Type string
	V    int
}

// UnknownEventError: a record is of a type or version this build does not know,
// and no upcaster leads to one it does. Most likely a newer build wrote it: stop
// and upgrade, do not skip it.
type UnknownEventError struct {
	Type  string
	V     int
	Known int // version of that type this build knows, 0 for none
}

func (e *UnknownEventError) Error() string {
	if e.Known == 0 {
		return fmt.Sprintf("event type %s v%d is not known", e.Type, e.V)
	}
	return fmt.Sprintf("event type %s v%d is not known, only v%d", e.Type, e.V, e.Known)
}

// NewCodec makes a codec that knows nothing yet. upcasters may be nil.
func NewCodec[E any](upcasters *Upcasters) *Codec[E] {
	return &Codec[E]{upcasters: upcasters, byName: map[string]registered{}, byType: map[reflect.Type]registered{}}
}

// Register says under which name and version (from 1) values of zero's type are
// stored. It panics on a name or a type registered twice, and on a nil zero.
func (c *Codec[E]) Register(name string, v int, zero E) {
	t := reflect.TypeOf(zero)
	if name == "" || v < 1 || t == nil {
		panic(fmt.Sprintf("eventstore: register %q v%d as %v", name, v, t))
	}
	if _, twice := c.byName[name]; twice {
		panic(fmt.Sprintf("eventstore: event name %s registered twice", name))
	}
	if r, twice := c.byType[t]; twice {
		panic(fmt.Sprintf("eventstore: %v registered twice, as %s and %s", t, r.Type, name))
	}
	r := registered{Kind: Kind{Type: name, V: v}, goType: t}
	c.byName[name], c.byType[t] = r, r
}

// Encode gives the records of events, in order. It fails for a type that is not registered.
func (c *Codec[E]) Encode(events ...E) ([]Record, error) {
	records := make([]Record, 0, len(events))
	for _, e := range events {
		r, ok := c.byType[reflect.TypeOf(e)]
		if !ok {
			return nil, fmt.Errorf("encode event: %T is not registered", e)
		}
		data, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", r.Type, err)
		}
		records = append(records, Record{Type: r.Type, V: r.V, Data: data})
	}
	return records, nil
}

// Decode gives the events of records, old ones through the upcasters. Fields it
// does not know are ignored; a type or version it does not know is an *UnknownEventError.
func (c *Codec[E]) Decode(records []Record) ([]E, error) {
	records, err := c.upcasters.Apply(records)
	if err != nil {
		return nil, err
	}
	events := make([]E, 0, len(records))
	for _, rec := range records {
		r := c.byName[rec.Type]
		if r.goType == nil || r.V != rec.V {
			return nil, &UnknownEventError{Type: rec.Type, V: rec.V, Known: r.V}
		}
		p := reflect.New(r.goType)
		if err := json.Unmarshal(rec.Data, p.Interface()); err != nil {
			return nil, fmt.Errorf("decode %s v%d: %w", rec.Type, rec.V, err)
		}
		events = append(events, p.Elem().Interface().(E))
	}
	return events, nil
}

// Kinds are the registered names and versions, sorted by name: for catalogues
// and for tests that walk the whole set.
func (c *Codec[E]) Kinds() []Kind {
	kinds := make([]Kind, 0, len(c.byName))
	for _, r := range c.byName {
		kinds = append(kinds, r.Kind)
	}
	slices.SortFunc(kinds, func(a, b Kind) int { return strings.Compare(a.Type, b.Type) })
	return kinds
}

// KindOf is the name and version e is stored under.
func (c *Codec[E]) KindOf(e E) (Kind, bool) {
	r, ok := c.byType[reflect.TypeOf(e)]
	return r.Kind, ok
}
