// Package cloudevent is the envelope of Weftline's public events: CloudEvents
// 1.0 in the JSON format, structured mode. The same bytes travel over
// server-sent events, NATS and files.
package cloudevent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// ContentType is the media type of one event in structured mode.
const ContentType = "application/cloudevents+json"

const specVersion = "1.0"

// Event is one public event. The zero value is not valid: ID, Source and Type
// are required.
type Event struct {
	// ID is unique within Source. A redelivered event has the ID it had before,
	// so an ID that was handled can be skipped.
	ID string
	// Source is /weftline/<tenant>.
	Source string
	// Type is the full name of the protobuf message in Data, such as weftline.event.v1.MessageReceived.
	Type string
	// Subject is conversation/<id> or customer/<id>.
	Subject string
	// Time is when the hub recorded the event, in UTC.
	Time            time.Time
	DataContentType string
	DataSchema      string
	// Extensions are further attributes; names are 1 to 20 of a-z and 0-9.
	// Booleans and numbers of other senders arrive as their JSON text.
	Extensions map[string]string
	// Data is JSON, nil for none.
	Data json.RawMessage
}

// Names of the extensions the hub sets.
const (
	// ExtensionSequence sorts the events of one customer, as strings.
	ExtensionSequence = "sequence"
	ExtensionTenant   = "tenantid"
	// ExtensionCorrelation is the conversation an event belongs to.
	ExtensionCorrelation = "correlationid"
	// ExtensionCausation is the ID of the event that this one answers or carries on.
	ExtensionCausation = "causationid"
)

// New makes an event whose type and data are m.
func New(id, source string, m proto.Message) (Event, error) {
	data, err := protojson.Marshal(m)
	if err != nil {
		return Event{}, fmt.Errorf("encode %s: %w", m.ProtoReflect().Descriptor().FullName(), err)
	}
	// protojson varies its white space on purpose; the same event must be the same bytes.
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		return Event{}, fmt.Errorf("encode %s: %w", m.ProtoReflect().Descriptor().FullName(), err)
	}
	return Event{
		ID: id, Source: source, Type: string(m.ProtoReflect().Descriptor().FullName()),
		DataContentType: "application/json", Data: b.Bytes(),
	}, nil
}

// ErrUnknownType: no such message is linked into this program. Ignore the event.
var ErrUnknownType = errors.New("event type is not known")

// Message decodes Data into the message that Type names, or says ErrUnknownType.
// The package of the message must be imported. Unknown fields are ignored.
func (e Event) Message() (proto.Message, error) {
	t, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(e.Type))
	if err != nil {
		return nil, fmt.Errorf("%w: %q", ErrUnknownType, e.Type)
	}
	m := t.New().Interface()
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(e.Data, m); err != nil {
		return nil, fmt.Errorf("decode data of event %s: %w", e.ID, err)
	}
	return m, nil
}

// Validate says what is wrong, nil when nothing is.
func (e Event) Validate() error {
	var errs []error
	for _, a := range []struct{ name, value string }{{"id", e.ID}, {"source", e.Source}, {"type", e.Type}} {
		if a.value == "" {
			errs = append(errs, fmt.Errorf("%s is missing", a.name))
		}
	}
	for name := range e.Extensions {
		if !validExtension(name) {
			errs = append(errs, fmt.Errorf("extension %q: want 1 to 20 of a-z 0-9, and no attribute of the specification", name))
		}
	}
	if e.Data != nil && !json.Valid(e.Data) {
		errs = append(errs, errors.New("data is not JSON"))
	}
	if len(errs) > 0 {
		return fmt.Errorf("event is not a CloudEvent: %w", errors.Join(errs...))
	}
	return nil
}

func validExtension(name string) bool {
	if name == "" || len(name) > 20 || reserved[name] {
		return false
	}
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') {
			return false
		}
	}
	return true
}
