package catalogue_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	eventv1 "github.com/weftline/weftline/pkg/weftline/event/v1"
	"github.com/weftline/weftline/services/stream"
	"github.com/weftline/weftline/services/stream/internal/catalogue"
)

const proto = "../../../../proto/weftline/event/v1/event.proto"

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPageIsFresh(t *testing.T) {
	t.Parallel()
	want, err := catalogue.Page(read(t, proto))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, read(t, "../../../../docs/events.md")); d != "" {
		t.Errorf("docs/events.md is stale; run go generate ./services/stream (-want +page):\n%s", d)
	}
}

// The small reader sees what the compiler saw.
func TestReaderAgreesWithDescriptor(t *testing.T) {
	t.Parallel()
	messages, err := catalogue.Parse(read(t, proto))
	if err != nil {
		t.Fatal(err)
	}
	var got, want, events []string
	for _, m := range messages {
		for _, f := range m.Fields {
			got = append(got, m.Name+"."+f.Name)
		}
		if m.Event() {
			events = append(events, m.Name)
		}
	}
	ms := eventv1.File_weftline_event_v1_event_proto.Messages()
	for i := range ms.Len() {
		fs := ms.Get(i).Fields()
		for j := range fs.Len() {
			want = append(want, string(ms.Get(i).Name()+"."+fs.Get(j).Name()))
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("fields differ (-descriptor +reader):\n%s", d)
	}
	if d := cmp.Diff(stream.Types(), events); d != "" {
		t.Errorf("events differ (-stream +reader):\n%s", d)
	}
}

func TestWhatIsNotUnderstoodIsAnError(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"message A {\n  oneof x {\n", "enum E {\n", "message A {\n  string a = 1;\n", "service S {}\n", "message A {\n  map<string, string> m = 1;\n}\n",
	} {
		if _, err := catalogue.Parse(in); err == nil {
			t.Errorf("accepted %q", in)
		}
	}
	if _, err := catalogue.Page("message A {\n  string customer_id = 1;\n}\n"); err == nil || !strings.Contains(err.Error(), "A has no comment") {
		t.Errorf("a message without a comment: %v", err)
	}
}
