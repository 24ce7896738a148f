package stream_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
	"github.com/weftline/weftline/services/stream"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

var update = flag.Bool("update", false, "write golden files")

// fill sets every field of a message, recursively, each text to its own path.
func fill(m protoreflect.Message, path string) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		p := path + "." + string(f.Name())
		if f.ContainingOneof() != nil && m.WhichOneof(f.ContainingOneof()) != nil {
			continue // chosen by the test
		}
		switch {
		case f.IsMap():
			m.Mutable(f).Map().Set(protoreflect.ValueOfString("key").MapKey(), protoreflect.ValueOfString(p))
		case f.IsList() && f.Message() != nil:
			fill(m.Mutable(f).List().AppendMutable().Message(), p)
		case f.IsList():
			m.Mutable(f).List().Append(protoreflect.ValueOfString(p))
		case f.Message() != nil:
			fill(m.Mutable(f).Message(), p)
		case f.Kind() == protoreflect.StringKind:
			m.Set(f, protoreflect.ValueOfString(p))
		case f.Kind() == protoreflect.Int64Kind:
			m.Set(f, protoreflect.ValueOfInt64(7))
		case f.Kind() == protoreflect.Int32Kind:
			m.Set(f, protoreflect.ValueOfInt32(7))
		case f.Kind() == protoreflect.BoolKind:
			m.Set(f, protoreflect.ValueOfBool(true))
		case f.Kind() == protoreflect.EnumKind:
			m.Set(f, protoreflect.ValueOfEnum(1))
		default:
			panic("field of a kind the test does not know: " + p)
		}
	}
}

// full is an event of the feed with every field set that there is.
func full(body func(*inboxv1.TimelineEntry)) *realtimev1.Event {
	ev := &realtimev1.Event{Entry: &inboxv1.TimelineEntry{}}
	body(ev.Entry)
	switch b := ev.Entry.Body.(type) {
	case *inboxv1.TimelineEntry_Message:
		d := b.Message.Direction
		fill(b.Message.ProtoReflect(), "message")
		b.Message.Direction = d
	case *inboxv1.TimelineEntry_Note:
		fill(b.Note.ProtoReflect(), "note")
	case *inboxv1.TimelineEntry_Activity:
		v := b.Activity.Verb
		fill(b.Activity.ProtoReflect(), "activity")
		b.Activity.Verb = v
	case *inboxv1.TimelineEntry_Event:
		fill(b.Event.ProtoReflect(), "business")
	case *inboxv1.TimelineEntry_Change:
		fill(b.Change.ProtoReflect(), "change")
	case *inboxv1.TimelineEntry_Delivery:
		s := b.Delivery.State
		fill(b.Delivery.ProtoReflect(), "delivery")
		b.Delivery.State = s
	}
	fill(ev.ProtoReflect(), "event")
	return ev
}

// every is what can come over the feed.
func every() map[string]*realtimev1.Event {
	out := map[string]*realtimev1.Event{}
	for _, verb := range []string{
		"created", "handle_attached", "handle_detached", "attribute", "opened", "reopened", "woken", "closed", "snoozed", "pending",
		"assigned", "priority", "tagged", "untagged", "subject", "reread", "invented later",
		"linked", "unlinked", "suggested", "refused", "joined", "unjoined", "erased", "consent",
	} {
		out["activity "+verb] = full(func(e *inboxv1.TimelineEntry) {
			e.Body = &inboxv1.TimelineEntry_Activity{Activity: &inboxv1.Activity{Verb: verb}}
		})
	}
	for _, verb := range []string{"linked", "unlinked"} { // said in two timelines, told once
		other := proto.CloneOf(out["activity "+verb])
		other.Entry.CustomerId = "a smaller id"
		out["activity "+verb+", the smaller side"] = other
	}
	for name, d := range inboxv1.Direction_value {
		if d == 0 {
			continue
		}
		out["message "+name] = full(func(e *inboxv1.TimelineEntry) {
			e.Body = &inboxv1.TimelineEntry_Message{Message: &inboxv1.Message{Direction: inboxv1.Direction(d)}}
		})
	}
	for name, d := range inboxv1.DeliveryState_value {
		out["delivery "+name] = full(func(e *inboxv1.TimelineEntry) {
			e.Body = &inboxv1.TimelineEntry_Delivery{Delivery: &inboxv1.DeliveryChange{State: inboxv1.DeliveryState(d)}}
		})
	}
	out["note"] = full(func(e *inboxv1.TimelineEntry) { e.Body = &inboxv1.TimelineEntry_Note{Note: &inboxv1.Note{}} })
	out["business event"] = full(func(e *inboxv1.TimelineEntry) {
		e.Body = &inboxv1.TimelineEntry_Event{Event: &inboxv1.BusinessEvent{}}
	})
	out["change"] = full(func(e *inboxv1.TimelineEntry) {
		e.Body = &inboxv1.TimelineEntry_Change{Change: &inboxv1.MessageChange{}}
	})
	out["nothing"] = &realtimev1.Event{Entry: &inboxv1.TimelineEntry{Id: "e", CustomerId: "c"}}
	out["empty"] = &realtimev1.Event{}
	return out
}

// The allow-list: exactly these attributes and fields leave, filled from
// exactly these. A new field anywhere shows here, and a person decides.
func TestAllowList(t *testing.T) {
	t.Parallel()
	all := every()
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(all)) {
		e, ok, err := stream.Translate("acme", all[name])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !ok {
			fmt.Fprintf(&b, "%s: does not leave\n\n", name)
			continue
		}
		raw, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, raw, "", "  "); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s:\n%s\n\n", name, &pretty)
	}
	golden(t, "leaves.golden", b.String())
}

// Canaries: what is internal is in no byte of what leaves.
func TestNothingInternalLeaves(t *testing.T) {
	t.Parallel()
	for name, ev := range every() {
		e, ok, err := stream.Translate("acme", ev)
		if err != nil || !ok {
			continue
		}
		raw, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, canary := range []string{
			"note.", "message.html", "message.quoted", "message.original", "message.cc", "message.to", "message.from",
			"message.unparsed", "message.delivery_detail", "content_id", "preview", "attributes", "customer_name", "assignee\"", "reply_target", "event.cursor",
			"business.source", "business.payload",
		} {
			if name == "activity assigned" && canary == "assignee\"" {
				continue
			}
			if strings.Contains(string(raw), canary) {
				t.Errorf("%s: %q left: %s", name, canary, raw)
			}
		}
	}
}

// Every event of the catalogue can happen, and nothing else.
func TestEveryTypeHappens(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, ev := range every() {
		if e, ok, _ := stream.Translate("acme", ev); ok {
			seen[strings.TrimPrefix(e.Type, "weftline.event.v1.")] = true
		}
	}
	if d := cmp.Diff(slices.Sorted(slices.Values(stream.Types())), slices.Sorted(maps.Keys(seen))); d != "" {
		t.Errorf("types of the catalogue and of the feed differ (-catalogue +feed):\n%s", d)
	}
}

// The same event has the same id, whatever else the feed says about it; two events never share one.
func TestEventID(t *testing.T) {
	t.Parallel()
	ids := map[string]string{}
	for name, ev := range every() {
		e, ok, err := stream.Translate("acme", ev)
		if err != nil || !ok {
			continue
		}
		again := proto.CloneOf(ev)
		again.Cursor, again.Conversation = "another", nil
		f, _, err := stream.Translate("acme", again)
		if err != nil || f.ID != e.ID {
			t.Errorf("%s: id %s became %s, %v", name, e.ID, f.ID, err)
		}
		again.Entry.Id += "x"
		if f, _, _ := stream.Translate("acme", again); f.ID == e.ID {
			t.Errorf("%s: another entry has the same id", name)
		}
		if old, ok := ids[e.ID]; ok && old != e.Type {
			t.Errorf("%s and %s share an id", old, e.Type)
		}
		ids[e.ID] = e.Type
	}
}

// An answer points to what it answers, a receipt to the reply.
func TestCausation(t *testing.T) {
	t.Parallel()
	in, _, err := stream.Translate("acme", message("m1", "help"))
	if err != nil {
		t.Fatal(err)
	}
	e := entry("r1")
	e.Body = &inboxv1.TimelineEntry_Message{Message: &inboxv1.Message{Direction: inboxv1.Direction_DIRECTION_OUTBOUND, Answers: "m1"}}
	reply, _, err := stream.Translate("acme", &realtimev1.Event{Entry: e})
	if err != nil {
		t.Fatal(err)
	}
	d := entry("cust.receipt.0")
	d.Body = &inboxv1.TimelineEntry_Delivery{Delivery: &inboxv1.DeliveryChange{EntryId: "r1", State: inboxv1.DeliveryState_DELIVERY_STATE_SENT}}
	sent, _, err := stream.Translate("acme", &realtimev1.Event{Entry: d})
	if err != nil {
		t.Fatal(err)
	}
	if reply.Extensions["causationid"] != in.ID || sent.Extensions["causationid"] != reply.ID {
		t.Errorf("message %s, reply after %s; reply %s, receipt after %s", in.ID, reply.Extensions["causationid"], reply.ID, sent.Extensions["causationid"])
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s differs (-want +got); run the test with -update and read the change:\n%s", path, d)
	}
}
