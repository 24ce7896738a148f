package codec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/eventstore"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/crypt"
)

// write adds golden files that are missing. It never touches one that is there.
var write = flag.Bool("write-golden", false, "write golden files of events that have none")

var (
	at     = time.Date(2026, 3, 4, 5, 6, 7, 8000, time.UTC)
	later  = time.Date(2026, 3, 5, 5, 6, 7, 0, time.UTC)
	sealed = crypt.Sealed{Key: "unit/c1/h1/1", Box: []byte("box")}
	proof  = event.Evidence{Kind: "login", Handle: "h2", Tenure: 2, Unit: "unit/c1/h2/2", ID: "m1"}
	reason = event.Reason{Kind: "same_handle", Handle: "h1", Levels: []int{2, 3}, Evidence: []string{"m1"}}
	handed = event.Handed{Unit: "unit/c1/h1/1", OpenedAt: at, Conversation: "c1", Topic: "t1", LastMessage: "m1"}
)

// all is one filled value of every event, as it is written now.
var all = []event.Event{
	event.HandleClaimed{Tenure: 1, Customer: "a1", Kind: "email", Scope: "s", Address: sealed, Assurance: 2, Evidence: proof, Match: []string{"f1"}},
	event.HandleMoved{MoveID: "mv1", Tenure: 2, From: "a1", To: "a2", ValidFrom: at, Reason: "wrong person", Refuses: []string{"m1"}, Address: sealed},
	event.HandleReleased{Tenure: 2, EraseID: "e1", Seen: []string{"m1"}, CutOff: at, Started: []string{"p1"}},
	event.HandleRemembered{Tenure: 1, EraseID: "e1", Seen: []string{"m1"}, Started: []string{"p1"}, CutOff: at},
	event.HandleAssured{Assurance: 3, Evidence: proof},
	event.CustomerCreated{},
	event.HandleAttached{Handle: "h1", Kind: "email", Tenure: 1, Seen: []string{"m1"}, Forgot: true, Reach: []event.Reached{{Inbox: "support", LastAt: at, Out: true, OutAt: at, Message: "m1"}}},
	event.HandleDetached{Handle: "h1", Tenure: 1, MoveID: "mv1", ValidFrom: at, Handed: []event.Handed{handed}},
	event.AttributeSet{Name: "plan", Value: sealed, Removed: true},
	event.ConversationOpened{
		Conversation: "c1", Topic: "t1", Beside: []string{"c2"}, Via: []string{"l1"}, Inbox: "support", Channel: "email",
		Subject: sealed, Outbound: true, Continues: "c0", Carried: []event.Handed{handed}, Thread: "th1",
	},
	event.MessageReceived{
		Message: "m1", Conversation: "c1", Handle: "h1", Tenure: 1, Channel: "email", Inbox: "support", OccurredAt: at,
		Unit: "unit/c1/h1/1", UnitOpened: &at, Body: sealed, Assurance: 2, Evidence: "dmarc=pass", Flags: []string{"list"},
		Raw: "in/0/7", Refs: []string{"r1"}, ClientID: "k1", Proof: &event.Proof{Evidence: proof, Customer: "a2"}, Late: true, Imported: true,
	},
	event.MessageReread{Message: "m1", Conversation: "c1", Into: []string{"m2"}},
	event.MessageChanged{
		Change: "x1", Target: "r1", Action: "edited", Handle: "h1", Tenure: 1, Channel: "email", Inbox: "support", OccurredAt: at,
		Unit: "unit/x1/h1/1", Body: sealed, Assurance: 2, Flags: []string{"masked"}, Raw: "in/0/7", Forget: true,
	},
	event.ConsentSet{Handle: "h1", Inbox: "support", Wish: "out", Message: "m1", Reason: sealed},
	event.ConversationReopened{Conversation: "c1", By: "m1"},
	event.ConversationClosed{Conversation: "c1", Reason: "moved"},
	event.ConversationPended{Conversation: "c1"},
	event.ConversationSnoozed{Conversation: "c1", Until: later},
	event.ConversationWoken{Conversation: "c1", Until: later},
	event.ConversationAssigned{Conversation: "c1", Assignee: "ag1"},
	event.ConversationPrioritised{Conversation: "c1", Priority: "high"},
	event.ConversationTagged{Conversation: "c1", Tag: "refund"},
	event.ConversationUntagged{Conversation: "c1", Tag: "refund"},
	event.NoteAdded{Note: "n1", Conversation: "c1", Body: sealed},
	event.ReplyRequested{
		Reply: "p1", Conversation: "c1", Answers: "m1", Handle: "h1", Tenure: 1, Channel: "email", Inbox: "support",
		Unit: "unit/c1/h1/1", UnitOpened: &at, Body: sealed, Author: "ag1", Automatic: true, Imported: true, ToRefuted: true,
	},
	event.ReplyRetried{Reply: "p1", Conversation: "c1", Attempt: 2},
	event.ReplyProgressed{Reply: "p1", Conversation: "c1", State: "sent", Detail: sealed, Refs: []string{"r2"}, At: at},
	event.HandleQualified{Qualifier: "shared", Reason: "owners@1"},
	event.HandleAsserted{Handle: "h2", Kind: "email", Assurance: 1, Message: "m1", Match: []string{"f1"}, Address: sealed},
	event.EventRecorded{Event: "e1", Kind: "order.placed", OccurredAt: at, Body: sealed, Imported: true},
	event.CustomerErased{EraseID: "x1"},
	event.ErasureDone{EraseID: "x1", Kept: []string{"unit/c1/h1/1"}},
	event.HoldPlaced{Hold: "o1", Reason: sealed},
	event.HoldLifted{Hold: "o1"},
	event.ConversationCarried{Conversation: "c2", Continues: "c1", Carried: []event.Handed{handed}},
	event.MessagesMoved{From: "c1", To: "c2", Messages: []string{"m1"}},
	event.ConversationAttributed{Conversation: "c1", Customer: "a2"},
	event.ConversationRetired{Conversation: "c1", Units: []string{"unit/c1/h1/1"}, Policy: "support/730d"},
	event.LinkSuggested{Suggestion: "s1", A: "a1", B: "a2", Rule: "same-handle@1", Reasons: []event.Reason{reason}},
	event.LinkRefused{Suggestions: []string{"s1"}, Evidence: []string{"m1"}},
	event.Linked{Link: "l1", A: "a1", B: "a2", Rule: "same-handle@1", Reasons: []event.Reason{reason}},
	event.Unlinked{Link: "l1", Reason: "agent"},
	event.ConversationsJoined{Join: "j1", A: "c1", B: "c2", Customers: []string{"a1", "a2"}},
	event.ConversationsUnjoined{Join: "j1", Customers: []string{"a1", "a2"}},
}

// before is what old versions of an event are read as: they lack what came later.
var before = map[string]event.Event{
	"handle.claimed.v1":                without(func(e *event.HandleClaimed) { e.Match = nil }),
	"handle.moved.v1":                  without(func(e *event.HandleMoved) { e.Address = crypt.Sealed{} }),
	"handle.released.v1":               without(func(e *event.HandleReleased) { e.Started = nil }),
	"customer.handle_attached.v1":      without(func(e *event.HandleAttached) { e.Forgot, e.Reach = false, nil }),
	"customer.handle_attached.v2":      without(func(e *event.HandleAttached) { e.Reach = nil }),
	"conversation.opened.v1":           without(func(e *event.ConversationOpened) { e.Thread = "" }),
	"conversation.message_received.v1": without(func(e *event.MessageReceived) { e.Imported = false }),
	"join.joined.v1":                   without(func(e *event.ConversationsJoined) { e.Customers = nil }),
	"join.unjoined.v1":                 without(func(e *event.ConversationsUnjoined) { e.Customers = nil }),
	"conversation.reply_requested.v1":  without(func(e *event.ReplyRequested) { e.Imported, e.ToRefuted = false, false }),
	"conversation.reply_requested.v2":  without(func(e *event.ReplyRequested) { e.ToRefuted = false }),
	"customer.erasure_done.v1":         without(func(e *event.ErasureDone) { e.Kept = nil }),
}

// without is the value of all with something taken away.
func without[E event.Event](take func(*E)) event.Event {
	for _, e := range all {
		if e, ok := e.(E); ok {
			take(&e)
			return e
		}
	}
	panic("no such event")
}

func TestEveryEventHasAGoldenFile(t *testing.T) {
	t.Parallel()
	for _, e := range all {
		records, err := codec.Encode([]event.Event{e})
		if err != nil {
			t.Fatal(err)
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, records[0].Data, "", "  "); err != nil {
			t.Fatal(err)
		}
		pretty.WriteByte('\n')
		path := goldenPath(records[0].Type, records[0].V)
		want, err := os.ReadFile(path)
		if os.IsNotExist(err) && *write {
			want, err = pretty.Bytes(), os.WriteFile(path, pretty.Bytes(), 0o644)
		}
		if err != nil {
			t.Fatalf("%v: run with -args -write-golden once and commit the file", err)
		}
		if diff := cmp.Diff(string(want), pretty.String()); diff != "" {
			t.Errorf("%s: what is written changed: add a version with an upcaster instead (-golden +written)\n%s", path, diff)
		}
	}
}

func TestEveryGoldenFileIsRead(t *testing.T) {
	t.Parallel()
	byName := map[string]event.Event{}
	for _, e := range all {
		k, _ := codec.KindOf(e)
		byName[k.Type] = e
	}
	files, err := filepath.Glob("testdata/events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("golden files: %v, %v", files, err)
	}
	for _, path := range files {
		var v int
		name, version, _ := strings.Cut(strings.TrimSuffix(filepath.Base(path), ".json"), ".v")
		if _, err := fmt.Sscan(version, &v); err != nil {
			t.Fatalf("%s: no version in the name: %v", path, err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := codec.Decode(eventstore.Commit{Records: []eventstore.Record{{Type: name, V: v, Data: data}}})
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		want := byName[name]
		if old, ok := before[fmt.Sprintf("%s.v%d", name, v)]; ok {
			want = old
		}
		if diff := cmp.Diff([]event.Event{want}, got); diff != "" {
			t.Errorf("%s (-want +read)\n%s", path, diff)
		}
	}
}

// TestTheSetIsClosed reads the source of package event: every type that is an
// event has a name and a value above.
func TestTheSetIsClosed(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../event/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == "event" {
				declared = append(declared, f.Recv.List[0].Type.(*ast.Ident).Name)
			}
		}
	}
	var registered []string
	for _, e := range all {
		if _, ok := codec.KindOf(e); !ok {
			t.Errorf("%T has no stored name", e)
		}
		registered = append(registered, reflect.TypeOf(e).Name())
	}
	slices.Sort(declared)
	slices.Sort(registered)
	if diff := cmp.Diff(declared, registered); diff != "" {
		t.Errorf("events (-declared +tested)\n%s", diff)
	}
	if len(codec.Kinds()) != len(all) {
		t.Errorf("%d names for %d events", len(codec.Kinds()), len(all))
	}
}

func TestANewerEventIsRefused(t *testing.T) {
	t.Parallel()
	_, err := codec.Decode(eventstore.Commit{Records: []eventstore.Record{{Type: "conversation.opened", V: 99}}})
	if _, ok := errors.AsType[*eventstore.UnknownEventError](err); !ok {
		t.Fatalf("got %v", err)
	}
}

func goldenPath(name string, v int) string {
	return filepath.Join("testdata", "events", fmt.Sprintf("%s.v%d.json", name, v))
}
