package rpc

import (
	"fmt"
	"regexp"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// strictJSON is Connect's JSON codec, but a field it does not know is an error:
// a misspelt option that is silently ignored would do something else than asked.
type strictJSON struct{ name string }

func (c strictJSON) Name() string { return c.name }

func (c strictJSON) Marshal(v any) ([]byte, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%T is not a message", v)
	}
	return protojson.MarshalOptions{}.Marshal(m)
}

func (c strictJSON) Unmarshal(b []byte, v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is not a message", v)
	}
	if len(b) == 0 {
		b = []byte("{}")
	}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: false}).Unmarshal(b, m); err != nil {
		return withValues(err, m.ProtoReflect().Descriptor())
	}
	return nil
}

var wrongEnum = regexp.MustCompile(`invalid value for enum field (\w+): (.{1,80})`)

// withValues says in place of the library's words what an enum field of a message may be.
func withValues(err error, message protoreflect.MessageDescriptor) error {
	found := wrongEnum.FindStringSubmatch(err.Error())
	if found == nil {
		return err
	}
	f := message.Fields().ByJSONName(found[1])
	if f == nil {
		f = message.Fields().ByName(protoreflect.Name(found[1]))
	}
	if f == nil || f.Enum() == nil {
		return err
	}
	var allowed []string
	for i := range f.Enum().Values().Len() {
		allowed = append(allowed, string(f.Enum().Values().Get(i).Name()))
	}
	return fmt.Errorf("%s: %s is not one of %s", f.Name(), found[2], strings.Join(allowed, ", "))
}
