package replay_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/domaintest"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/replay"
	"github.com/weftline/weftline/services/conversation/internal/seal"
)

func email(a string) channel.Address { return channel.Address{Kind: "email", Address: a} }

// whole is a history with one of everything, its lines in no order.
func whole() []string {
	return []string{
		`{"type":"note","id":"n1","conversation":"c1","at":"2024-05-01T11:30:00Z","author":"grace@shop.test","text":"careful"}`,
		message("m2", "c1", "out", "11:00:00", `,"author":"grace@shop.test","author_name":"Grace","message_id":"<m2@shop>","references":["<m1@x>"]`),
		message("m3", "c1", "in", "12:00:00", ""),
		customer("7", "ada@x.org"),
		`{"type":"event","id":"e1","customer":"7","kind":"order.placed","title":"Order","at":"2024-05-01T10:30:00Z"}`,
		conversation("c1", "7", `,"subject":"Hello","status":"pending","assignee":"grace@shop.test","tags":["a","b"],"priority":"high"`),
		message("m1", "c1", "in", "10:00:00", `,"message_id":"<m1@x>","attachments":[{"name":"../cat.png","data":"bWVvdw=="}]`),
	}
}

func TestHistoryIsWrittenAsItHappened(t *testing.T) {
	t.Parallel()
	r := setup(t)
	rep := r.must(whole()...)
	ada := r.ownerOf("ADA@x.org")
	type line struct {
		At    time.Time
		Actor string
		What  string
	}
	var got []line
	for _, c := range r.ofStream("customer." + ada) {
		var what []string
		for _, e := range c.Events {
			what = append(what, strings.TrimPrefix(fmt.Sprintf("%T", e), "event."))
		}
		got = append(got, line{c.At, c.Actor, strings.Join(what, " ")})
	}
	want := []line{
		{at("10:00:00").Add(-time.Microsecond), "import", "CustomerCreated HandleAttached AttributeSet"},
		{at("10:00:00"), "customer", "ConversationOpened MessageReceived"},
		{at("10:30:00"), "import", "EventRecorded"},
		{at("11:00:00"), "ag1", "ReplyRequested ReplyProgressed"},
		{at("11:30:00"), "ag1", "NoteAdded"},
		{at("12:00:00"), "customer", "MessageReceived"},
		{at("12:00:00").Add(time.Microsecond), "import", "ConversationAssigned ConversationPrioritised ConversationTagged ConversationTagged ConversationPended"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if rep.Written != 5 || rep.Already != 0 || rep.Commits != len(want)+1 { // and the claim
		t.Errorf("report %+v", rep)
	}
	for _, m := range domaintest.Events[event.MessageReceived](r.Domain) {
		if !m.Imported || m.Assurance != 1 || m.Evidence != "import" || m.Tenure != 1 {
			t.Errorf("message %+v", m)
		}
	}
	reply := domaintest.Events[event.ReplyRequested](r.Domain)[0]
	first := domaintest.Events[event.MessageReceived](r.Domain)[0]
	if !reply.Imported || reply.Answers != first.Message || reply.Author != "ag1" {
		t.Errorf("reply %+v", reply)
	}
	body, err := seal.Open[event.ReplyBody](t.Context(), r.Keys, reply.Body, event.ReplyAAD(reply.Reply))
	if err != nil || body.Text != "text of m2" || body.AuthorName != "Grace" || body.InReplyTo != "m1@x" || !body.OccurredAt.Equal(at("11:00:00")) || body.To.Address != "ada@x.org" {
		t.Errorf("body %+v, %v", body, err)
	}
	in, err := seal.Open[event.MessageBody](t.Context(), r.Keys, first.Body, event.MessageAAD(first.Message))
	if err != nil || len(in.Attachments) != 1 || in.Attachments[0].Name != "cat.png" {
		t.Fatalf("body %+v, %v", in, err)
	}
	if data, err := r.blobs.Get(t.Context(), in.Attachments[0].Blob); err != nil || string(data) != "meow" {
		t.Errorf("attachment %q, %v", data, err)
	}
}

// Twice is once, whatever happened here meanwhile.
func TestTwiceIsOnce(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.must(whole()...)
	before := len(r.Commits())
	if rep := r.must(whole()...); rep.Commits != 0 || rep.Written != 0 || rep.Already != 5 {
		t.Errorf("again: %+v", rep)
	}
	conv := domaintest.Events[event.ConversationOpened](r.Domain)[0].Conversation
	o := order("tag", conv)
	if _, err := r.Orders.RemoveTag(t.Context(), o, "a"); err != nil {
		t.Fatal(err)
	}
	o.Key = "status"
	if _, err := r.Orders.SetStatus(t.Context(), o, "open", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if rep := r.must(whole()...); rep.Commits != 0 {
		t.Errorf("after agents worked on it: %+v", rep)
	}
	if n := len(r.Commits()); n != before+2 {
		t.Errorf("%d commits, want %d", n, before+2)
	}
	// A later export with one message more brings that, and how it stands now.
	more := append(whole(), message("m4", "c1", "in", "13:00:00", ""))
	more[5] = conversation("c1", "7", `,"status":"closed","updated_at":"2024-05-01T14:00:00Z"`)
	if rep := r.must(more...); rep.Written != 1 || rep.Commits != 2 {
		t.Errorf("a later export: %+v", rep)
	}
}

// The history of somebody who is here already goes behind what he has.
func TestHistoryOfAnOwnerHereGoesToHim(t *testing.T) {
	t.Parallel()
	r := setup(t)
	if err := r.Deliver("email", "support", "p1", channel.Message{ID: "live", From: email("ada@x.org"), Content: channel.Content{Text: "now"}}); err != nil {
		t.Fatal(err)
	}
	ada := r.ownerOf("ada@x.org")
	if rep := r.must(whole()...); rep.Joined != 1 || rep.Written != 5 {
		t.Errorf("report %+v", rep)
	}
	commits := r.ofStream("customer." + ada)
	if len(commits) != 7 {
		t.Fatalf("%d commits of %s", len(commits), ada)
	}
	for i, c := range commits[1:] {
		if !c.At.After(commits[i].At) || c.At.Before(domaintest.Start) {
			t.Errorf("recorded at %s after %s", c.At, commits[i].At)
		}
	}
	for _, m := range domaintest.Events[event.MessageReceived](r.Domain)[1:] {
		if m.OccurredAt.After(at("12:00:00")) {
			t.Errorf("occurred at %s", m.OccurredAt)
		}
	}
	for _, a := range domaintest.Events[event.AttributeSet](r.Domain) {
		t.Errorf("attribute %s of somebody who is here was set", a.Name)
	}
	if rep := r.must(whole()...); rep.Commits != 0 || rep.Already != 5 {
		t.Errorf("again: %+v", rep)
	}
}

// A message that came by its channel and is in an export too is one message.
func TestAMessageThatCameByItsChannelIsTheSame(t *testing.T) {
	t.Parallel()
	lines := []string{customer("7", "ada@x.org"), conversation("c1", "7", ""), message("m1", "c1", "in", "10:00:00", `,"provider_id":"live"`)}
	live := channel.Message{ID: "live", From: email("ada@x.org"), Content: channel.Content{Text: "now"}}
	for _, first := range []string{"channel", "import"} {
		r := setup(t)
		if first == "import" {
			r.must(lines...)
		}
		if err := r.Deliver("email", "support", "p1", live); err != nil {
			t.Fatal(err)
		}
		if first == "channel" {
			if rep := r.must(lines...); rep.Already != 1 {
				t.Errorf("report %+v", rep)
			}
		}
		if n := len(domaintest.Events[event.MessageReceived](r.Domain)); n != 1 {
			t.Errorf("%s first: %d messages", first, n)
		}
	}
}

// An address moved on after an import: what was imported is not imported again to its new owner.
func TestWhatWasImportedStaysWhereItWas(t *testing.T) {
	t.Parallel()
	r := setup(t)
	if err := r.Deliver("email", "support", "p1", channel.Message{ID: "live", From: email("ada@x.org")}); err != nil {
		t.Fatal(err)
	}
	r.must(whole()...)
	before := len(r.Commits())
	own, err := r.Claims.Find(t.Context(), "default", email("ada@x.org"))
	if err != nil {
		t.Fatal(err)
	}
	r.raw("handle."+own.ID, "move1", event.HandleMoved{MoveID: "move1", Tenure: 2, From: own.Customer, To: "somebodyelse", ValidFrom: domaintest.Start})
	r.raw("customer."+own.Customer, "detach:"+own.ID+":1", event.HandleDetached{Handle: own.ID, Tenure: 1, MoveID: "move1"})
	r.raw("customer.somebodyelse", "attach:"+own.ID+":2", event.CustomerCreated{}, event.HandleAttached{Handle: own.ID, Kind: "email", Tenure: 2})
	if rep := r.must(whole()...); rep.Written != 0 || rep.Already != 5 {
		t.Errorf("report %+v", rep)
	}
	for _, c := range r.Commits()[before:] {
		for _, e := range c.Events {
			switch e.(type) {
			case event.MessageReceived, event.ReplyRequested, event.NoteAdded, event.EventRecorded:
				t.Errorf("%s has %T again", c.Stream, e)
			}
		}
	}
}

// Two persons of a file share a conversation: each one's words are in his own stream.
func TestAThirdPartysWordsAreHisOwn(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.must(customer("7", "ada@x.org"), customer("8", "bob@x.org"), conversation("c1", "7", ""),
		message("m1", "c1", "in", "10:00:00", ""), message("m2", "c1", "in", "11:00:00", `,"customer":"8"`))
	ada, bob := r.ownerOf("ada@x.org"), r.ownerOf("bob@x.org")
	opened := map[string]event.ConversationOpened{}
	for _, who := range []string{ada, bob} {
		for _, c := range r.ofStream("customer." + who) {
			for _, e := range c.Events {
				if o, ok := e.(event.ConversationOpened); ok {
					opened[who] = o
				}
			}
		}
	}
	if len(opened) != 2 || opened[bob].Topic != opened[ada].Conversation || opened[bob].Conversation == opened[ada].Conversation {
		t.Errorf("opened %+v", opened)
	}
	for _, m := range domaintest.Events[event.MessageReceived](r.Domain) {
		if third := len(m.Flags) == 1 && m.Flags[0] == "third_party"; third != (m.Conversation == opened[bob].Conversation) {
			t.Errorf("message %+v", m)
		}
	}
}

// Nothing of a person who was erased comes back by an import.
func TestErasedPersonsStayErased(t *testing.T) {
	t.Parallel()
	r := setup(t)
	r.must(whole()...)
	own, err := r.Claims.Find(t.Context(), "default", email("ada@x.org"))
	if err != nil {
		t.Fatal(err)
	}
	r.raw("customer."+own.Customer, "erase:"+own.Customer, event.CustomerErased{EraseID: "er1"})
	r.raw("handle."+own.ID, "release:"+own.ID+":1", event.HandleReleased{Tenure: 1, EraseID: "er1", CutOff: domaintest.Start})
	before := len(r.Commits())
	if rep := r.must(whole()...); rep.Erased != 5 || rep.Written != 0 || rep.Commits != 0 {
		t.Errorf("report %+v", rep)
	}
	// Another source knows the same address: the time of the erasure decides.
	other := setupSource(r, "other")
	if rep := other(whole()...); rep.Erased != 5 || rep.Commits != 0 {
		t.Errorf("another source: %+v", rep)
	}
	if n := len(r.Commits()); n != before {
		t.Errorf("%d commits more", n-before)
	}
}

func TestASnoozeThatIsOverIsOpen(t *testing.T) {
	t.Parallel()
	r := setup(t)
	later := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	r.must(customer("7", "ada@x.org"),
		conversation("c1", "7", `,"status":"snoozed","snoozed_until":"2024-06-01T00:00:00Z"`), message("m1", "c1", "in", "10:00:00", ""),
		conversation("c2", "7", fmt.Sprintf(`,"status":"snoozed","snoozed_until":%q`, later.Format(time.RFC3339))), message("m2", "c2", "in", "10:00:00", ""))
	got := domaintest.Events[event.ConversationSnoozed](r.Domain)
	if len(got) != 1 || !got[0].Until.Equal(later) {
		t.Errorf("snoozed %+v", got)
	}
}

// A link of a file joins two customers once; one that was taken back stays so.
func TestALinkIsMadeOnceForEver(t *testing.T) {
	t.Parallel()
	r := setup(t)
	lines := []string{customer("7", "ada@x.org"), customer("8", "ada@y.org"), `{"type":"link","customers":["8","7"]}`}
	r.must(lines...)
	linked := domaintest.Events[event.Linked](r.Domain)
	a, b := r.ownerOf("ada@x.org"), r.ownerOf("ada@y.org")
	if len(linked) != 1 || linked[0].A != min(a, b) || linked[0].B != max(a, b) || linked[0].Rule != "import@1" {
		t.Fatalf("linked %+v", linked)
	}
	r.raw("link."+min(a, b)+"."+max(a, b), "un1", event.Unlinked{Link: linked[0].Link})
	if rep := r.must(lines...); rep.Commits != 0 {
		t.Errorf("again: %+v", rep)
	}
}

func TestStrictWritesNothing(t *testing.T) {
	t.Parallel()
	r := setup(t)
	rep, err := r.run(replay.Config{Strict: true}, append(whole(), `{"type":"note"}`)...)
	if !errors.Is(err, replay.ErrRefused) || rep.BadLines != 1 || len(r.Commits()) != 0 {
		t.Errorf("%v, %+v, %d commits", err, rep, len(r.Commits()))
	}
	rep, err = r.run(replay.Config{DryRun: true}, whole()...)
	if err != nil || rep.Messages != 3 || len(r.Commits()) != 0 {
		t.Errorf("dry: %v, %+v, %d commits", err, rep, len(r.Commits()))
	}
}

// Every bad line is named with what is wrong; the others go in.
func TestBadLinesAreNamed(t *testing.T) {
	t.Parallel()
	r := setup(t)
	rep, err := r.run(replay.Config{},
		customer("7", "ada@x.org"),                // 2
		`not json`,                                // 3
		`{"type":"wish","id":"1"}`,                // 4
		customer("7", "other@x.org"),              // 5
		conversation("c1", "7", ""),               // 6
		conversation("c2", "nobody", ""),          // 7
		message("m1", "c1", "in", "10:00:00", ""), // 8
		message("m1", "c1", "in", "10:00:01", ""), // 9
		message("m2", "c2", "in", "10:00:00", ""), // 10
		message("m3", "c1", "in", "10:00:00", `,"handle":{"kind":"email","address":"ada@x.org","assurance":3}`), // 11
		conversation("c3", "7", ""), // 12
		`{"type":"note","id":"n","conversation":"c3","at":"2024-05-01T10:00:00Z","text":"x"}`,                                                      // 13
		`{"type":"link","customers":["7","nobody"]}`,                                                                                               // 14
		`{"type":"event","id":"e","customer":"7","kind":"Order","title":"x","at":"2024-05-01T10:00:00Z"}`,                                          // 15
		`{"type":"customer","id":"9","handles":[{"kind":"external","address":"a","assurance":4},{"kind":"external","address":"b","assurance":4}]}`, // 16
		`{"type":"problem","origin":"export.json: 4","problem":"is odd"}`,                                                                          // 17
		`{"type":"message","id":"m9","conversation":"c1","direction":"in","at":"2999-01-01T00:00:00Z","text":"x"}`,                                 // 18
	)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range rep.Bad {
		got = append(got, b.String())
	}
	want := []string{
		"line 3: is no JSON object",
		`line 4: type: "wish" is not customer, conversation, message, note, event or link`,
		`line 5: id: "7" is on line 2 already`,
		`line 7: customer: "nobody" is not in the file, or was refused`,
		`line 9: id: "m1" is on line 8 already`,
		`line 10: conversation: "c2" is of a customer who is not in the file, or was refused`,
		"line 11: handle.assurance: must be 0, 1 or 2; 4 is for kind external only",
		"line 12: conversation has no message that could be imported",
		"line 13: conversation: has no message",
		"line 14: customers: one is not in the file, or was refused",
		`line 15: type: must be 1 to 64 characters of a-z 0-9 _ . -, is "Order"`,
		"line 16: handles.1.assurance: two logins of level 4 are never one customer",
		"export.json: 4: is odd",
		"line 18: at: must not be in the future",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if rep.BadLines != len(want) || rep.Written != 1 {
		t.Errorf("report %+v", rep)
	}
}
