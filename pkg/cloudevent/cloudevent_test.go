package cloudevent_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/cloudevent"
	eventv1 "github.com/weftline/weftline/pkg/weftline/event/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write golden files")

func messageReceived(t *testing.T) (cloudevent.Event, proto.Message) {
	t.Helper()
	m := &eventv1.MessageReceived{
		CustomerId: "c1", ConversationId: "v1", MessageId: "m1", Channel: "email", InboxId: "support",
		OccurredAt: timestamppb.New(time.Date(2026, 3, 1, 14, 3, 0, 0, time.UTC)), Text: "it is <b>broken</b>\nagain \u2028",
		Attachments: []*eventv1.AttachmentInfo{{Id: "a1", Name: "shot.png", ContentType: "image/png", Size: 1 << 40}},
	}
	e, err := cloudevent.New("e1", "/weftline/default", m)
	if err != nil {
		t.Fatal(err)
	}
	e.Subject = "conversation/v1"
	e.Time = time.Date(2026, 3, 1, 14, 3, 7, 120_000_000, time.UTC)
	e.DataSchema = "https://example.org/schema"
	e.Extensions = map[string]string{cloudevent.ExtensionTenant: "default", cloudevent.ExtensionSequence: "0001"}
	return e, m
}

func TestGolden(t *testing.T) {
	t.Parallel()
	e, m := messageReceived(t)
	got, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "message_received.json")
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.TrimSpace(string(want)), string(got)); d != "" {
		t.Fatalf("envelope changed (-want +got):\n%s", d)
	}
	if strings.ContainsAny(string(got), "\n\r") {
		t.Fatal("an event must be one line")
	}
	var back cloudevent.Event
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	again, err := back.Message()
	if err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(m, again) {
		t.Fatalf("data came back as %v", again)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 20, -1)
		want := cloudevent.Event{
			ID: text.Draw(t, "id"), Source: text.Draw(t, "source"), Type: text.Draw(t, "type"),
			Subject:    rapid.String().Draw(t, "subject"),
			Time:       time.Unix(rapid.Int64Range(1, 1<<33).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC(),
			Data:       json.RawMessage(`{"a":[1,"x"]}`),
			Extensions: rapid.MapOfN(rapid.StringMatching(`x[a-z0-9]{1,18}`), text, 1, 4).Draw(t, "extensions"),
		}
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got cloudevent.Event
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"no id":                `{"specversion":"1.0","source":"s","type":"t"}`,
		"old version":          `{"specversion":"0.3","id":"1","source":"s","type":"t"}`,
		"bad time":             `{"specversion":"1.0","id":"1","source":"s","type":"t","time":"yesterday"}`,
		"binary":               `{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"AA=="}`,
		"id is a number":       `{"specversion":"1.0","id":1,"source":"s","type":"t"}`,
		"structured extension": `{"specversion":"1.0","id":"1","source":"s","type":"t","x":{}}`,
		"extension name":       `{"specversion":"1.0","id":"1","source":"s","type":"t","Trace-Id":"x"}`,
		"array":                `[]`,
	} {
		var e cloudevent.Event
		if err := json.Unmarshal([]byte(in), &e); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestForeignEvents(t *testing.T) {
	t.Parallel()
	var e cloudevent.Event
	in := `{"specversion":"1.0","id":"1","source":"s","type":"org.example.Later","subject":null,"retries":3,"urgent":true,"data":{"new":1}}`
	if err := json.Unmarshal([]byte(in), &e); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{"retries": "3", "urgent": "true"}, e.Extensions); d != "" {
		t.Error(d)
	}
	if _, err := e.Message(); !errors.Is(err, cloudevent.ErrUnknownType) {
		t.Errorf("unknown type: %v", err)
	}
	e.Type, e.Data = "weftline.event.v1.CustomerCreated", json.RawMessage(`{"customerId":"c","laterField":[1]}`)
	m, err := e.Message()
	if err != nil || m.(*eventv1.CustomerCreated).GetCustomerId() != "c" {
		t.Errorf("a field of the future: %v, %v", m, err)
	}
}
