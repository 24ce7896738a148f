package stream

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	eventv1 "github.com/weftline/weftline/pkg/weftline/event/v1"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// typePrefix begins every public type; ?types= may leave it out.
const typePrefix = "weftline.event.v1."

// Types lists the names of the public events: the messages of the protobuf file that are
// about a customer. The others are only parts of them.
func Types() []string {
	var out []string
	ms := eventv1.File_weftline_event_v1_event_proto.Messages()
	for i := range ms.Len() {
		if IsEvent(ms.Get(i)) {
			out = append(out, string(ms.Get(i).Name()))
		}
	}
	return out
}

// IsEvent says whether a message of the file is an event of its own.
func IsEvent(m protoreflect.MessageDescriptor) bool { return m.Fields().ByName("customer_id") != nil }

// verb is the last token of an event's NATS subject: message_received.
func verb(typ string) string {
	var b strings.Builder
	for i, r := range strings.TrimPrefix(typ, typePrefix) {
		if unicode.IsUpper(r) {
			if i > 0 {
				b.WriteByte('_')
			}
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// filter is a set of full type names; nil lets all pass.
type filter map[string]bool

func (f filter) pass(typ string) bool { return f == nil || f[typ] }

// parseFilter reads "MessageReceived,weftline.event.v1.ReplyRequested"; empty is all.
func parseFilter(s string) (filter, error) {
	if s == "" {
		return nil, nil
	}
	known := Types()
	f := filter{}
	for name := range strings.SplitSeq(s, ",") {
		short := strings.TrimPrefix(strings.TrimSpace(name), typePrefix)
		if !slices.Contains(known, short) {
			return nil, fmt.Errorf("types: %.100q is not an event: allowed are %s", name, strings.Join(known, ", "))
		}
		f[typePrefix+short] = true
	}
	return f, nil
}
