package conversation_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/eventstore"
	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/pkg/weftline/identity/v1/identityv1connect"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"google.golang.org/protobuf/types/known/structpb"
)

func (r *rig) identity() identityv1connect.IdentityServiceClient {
	return identityv1connect.NewIdentityServiceClient(as("agent"), r.url)
}

// erase erases customers and waits until it is through.
func (r *rig) erase(ids ...string) *identityv1.Erasure {
	r.t.Helper()
	p, err := r.identity().PreviewErasure(r.t.Context(), &identityv1.PreviewErasureRequest{CustomerIds: ids})
	if err != nil {
		r.t.Fatal(err)
	}
	e, err := r.identity().Erase(r.t.Context(), &identityv1.EraseRequest{CustomerIds: ids, Token: p.GetToken()})
	if err != nil {
		r.t.Fatal(err)
	}
	return eventually(r.t, "the erasure", func() (*identityv1.GetErasureResponse, error) {
		return r.identity().GetErasure(r.t.Context(), &identityv1.GetErasureRequest{EraseId: e.GetErasure().GetId()})
	}, func(g *identityv1.GetErasureResponse) bool { return g.GetErasure().GetState() == "done" }).GetErasure()
}

// clean checks the laws, and that the read models equal a rebuild.
func (r *rig) clean() {
	r.t.Helper()
	report, err := r.svc.Verify(r.t.Context(), r.scratch())
	if err != nil || !report.OK() {
		r.t.Fatalf("verify: %v %v", report.First, err)
	}
}

func (r *rig) count(subject string) (n int) {
	r.t.Helper()
	for p := range r.events.Partitions() {
		commits, err := r.events.Read(r.t.Context(), p, 1, 1000)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, c := range commits {
			if c.Stream == subject {
				n++
			}
		}
	}
	return n
}

func TestErasedCustomerLeavesATombstone(t *testing.T) {
	t.Parallel()
	r := startWith(t, conversation.Config{}, conversation.Erasure{})
	ada := r.met("ada@example.org", "my secret")
	bob := r.met("bob@example.org", "I stay")
	done := r.erase(ada.GetCustomerId())
	if d := cmp.Diff([]string{ada.GetCustomerId()}, done.GetCustomerIds()); d != "" {
		t.Error(d)
	}
	if n := r.count("customer." + ada.GetCustomerId()); n != 1 {
		t.Errorf("%d commits are left of him, want the tombstone", n)
	}
	r.clean()
	if _, err := r.svc.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	r.clean()
	l, err := r.inbox.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: ada.GetCustomerId()})
	if err != nil || !l.GetCustomer().GetErased() || len(l.GetEntries()) != 1 || l.GetEntries()[0].GetActivity().GetVerb() != "erased" {
		t.Errorf("the stub: %v %v", l, err)
	}
	// The same mail again, and a new one.
	r.deliver("first-ada@example.org", post{From: "ada@example.org", Text: "my secret"})
	r.deliver("new", post{From: "ada@example.org", Text: "hello anew"})
	again := eventually(t, "the new customer", func() (*inboxv1.SearchResponse, error) {
		return r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "anew"})
	}, func(s *inboxv1.SearchResponse) bool { return len(s.GetHits()) == 1 })
	id := again.GetHits()[0].GetEntry().GetCustomerId()
	if id == ada.GetCustomerId() {
		t.Error("an erased customer got a message")
	}
	if s, err := r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "secret"}); err != nil || len(s.GetHits()) != 0 {
		t.Errorf("what was erased came back: %v %v", s.GetHits(), err)
	}
	if s, err := r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "stay"}); err != nil || len(s.GetHits()) != 1 {
		t.Errorf("bob (%s) was harmed: %v %v", bob.GetCustomerId(), s.GetHits(), err)
	}
	if _, err := r.inbox.AddNote(t.Context(), &inboxv1.AddNoteRequest{ConversationId: ada.GetId(), Text: "x"}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("a note for an erased customer: %v", err)
	}
	r.clean()
	r.erase(id) // the next tenure, by the next generation of the key
	r.clean()
}

// move gives a handle to another customer as the log would have it: the move on
// the handle, the fence in the old owner's stream.
func (r *rig) move(handle string, tenure int64, from, to string, valid time.Time) {
	r.t.Helper()
	address, err := r.keys.Seal(r.t.Context(), event.AddressKey(handle, tenure+1), []byte(`{"kind":"email","address":"moved@example.org"}`), event.AddressAAD(handle, tenure+1))
	if err != nil {
		r.t.Fatal(err)
	}
	r.append("handle."+handle, "mv", event.HandleMoved{MoveID: "mv", Tenure: tenure + 1, From: from, To: to, ValidFrom: valid, Address: address})
	r.append("customer."+from, fmt.Sprintf("detach:%s:%d", handle, tenure), event.HandleDetached{Handle: handle, Tenure: tenure, MoveID: "mv", ValidFrom: valid})
}

func (r *rig) append(stream, id string, evs ...event.Event) {
	r.t.Helper()
	records, err := codec.Encode(evs)
	if err != nil {
		r.t.Fatal(err)
	}
	last, at := uint64(0), time.Now().UTC().Truncate(time.Microsecond)
	for c, err := range r.events.Load(r.t.Context(), "default", stream, 0) {
		if err != nil {
			r.t.Fatal(err)
		}
		last = c.Seq
		if !at.After(c.RecordedAt) {
			at = c.RecordedAt.Add(time.Microsecond)
		}
	}
	res := r.events.Append(r.t.Context(), eventstore.Append{
		Tenant: "default", Stream: stream, Expect: last, Commit: eventstore.Commit{ID: id, RecordedAt: at, Actor: "test", Records: records},
	})[0]
	if res.Err != nil {
		r.t.Fatal(res.Err)
	}
}

// TestLaw09ErasureFollowsTheTenure is C-8: what was moved to somebody living
// survives the erasure of the former owner, in whose stream it is; and what was
// moved to the erased goes, though it is in another's stream.
func TestLaw09ErasureFollowsTheTenure(t *testing.T) {
	t.Parallel()
	for _, toErased := range []bool{false, true} {
		t.Run(fmt.Sprint("moved to the erased: ", toErased), func(t *testing.T) {
			t.Parallel()
			r := startWith(t, conversation.Config{}, conversation.Erasure{})
			ada := r.met("ada@example.org", "adas own")
			shared := r.met("shared@example.org", "the moved words")
			// shared@ belongs to a customer of its own; make it another handle of ada's by a move there and back.
			handle, from, to := shared.GetReplyTarget().GetHandle().GetId(), shared.GetCustomerId(), ada.GetCustomerId()
			r.move(handle, 1, from, to, time.Now().Add(-time.Hour))
			victim := from
			if toErased {
				victim = to
			}
			r.erase(victim)
			s, err := r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "moved"})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := len(s.GetHits()), map[bool]int{false: 1, true: 0}[toErased]; got != want {
				t.Errorf("the moved words are found %d times, want %d", got, want)
			}
			read := ""
			for _, id := range []string{from, to} { // they are shown with whose they are
				l, err := r.inbox.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: id})
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range l.GetEntries() {
					read += e.GetMessage().GetText() + "\n"
				}
			}
			if got := strings.Contains(read, "the moved words"); got == toErased {
				t.Errorf("readable: %t, in %q", got, read)
			}
			if _, err := r.svc.Rebuild(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			r.clean()
		})
	}
}

// A move that lands after the erasure (C-18): the standing order.
func TestLaw09WhatComesLaterIsDestroyedToo(t *testing.T) {
	t.Parallel()
	r := startWith(t, conversation.Config{}, conversation.Erasure{})
	ada := r.met("ada@example.org", "adas own")
	late := r.met("late@example.org", "the late words")
	r.erase(ada.GetCustomerId())
	r.move(late.GetReplyTarget().GetHandle().GetId(), 1, late.GetCustomerId(), ada.GetCustomerId(), time.Now().Add(-time.Hour))
	eventually(t, "the end of the late words", func() (*inboxv1.SearchResponse, error) {
		return r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "late words"})
	}, func(s *inboxv1.SearchResponse) bool { return len(s.GetHits()) == 0 })
	r.deliver("l2", post{From: "late@example.org", Text: "from a new tenure"})
	eventually(t, "the message of a new customer", func() (*inboxv1.SearchResponse, error) {
		return r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "tenure"})
	}, func(s *inboxv1.SearchResponse) bool {
		return len(s.GetHits()) == 1 && s.GetHits()[0].GetEntry().GetCustomerId() != ada.GetCustomerId()
	})
	r.clean()
}

func TestRetentionDestroysWhatIsOver(t *testing.T) {
	t.Parallel()
	var ahead time.Duration
	r := startWith(t, conversation.Config{Now: func() time.Time { return time.Now().Add(ahead) }},
		conversation.Erasure{Policies: []conversation.RetentionPolicy{{Inbox: "support", Days: 30}}})
	over, open, held := r.met("over@example.org", "words over"), r.met("open@example.org", "words open"), r.met("held@example.org", "words held")
	for _, c := range []*inboxv1.Conversation{over, held} {
		if _, err := r.inbox.AddNote(t.Context(), &inboxv1.AddNoteRequest{ConversationId: c.GetId(), Text: "noted words"}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.inbox.SetStatus(t.Context(), &inboxv1.SetStatusRequest{ConversationId: c.GetId(), Status: inboxv1.Status_STATUS_CLOSED}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.identity().PlaceHold(t.Context(), &identityv1.PlaceHoldRequest{CustomerId: held.GetCustomerId(), Reason: "court"}); err != nil {
		t.Fatal(err)
	}
	figures := func() [2]int64 {
		p, err := r.identity().PreviewRetention(t.Context(), &identityv1.PreviewRetentionRequest{})
		if err != nil || len(p.GetPolicies()) != 1 {
			t.Fatalf("preview: %v %v", p, err)
		}
		return [2]int64{p.GetPolicies()[0].GetConversations(), p.GetPolicies()[0].GetHeld()}
	}
	if got := figures(); got != [2]int64{0, 0} {
		t.Fatalf("due at once: %v", got)
	}
	ahead = 31 * 24 * time.Hour
	if got := figures(); got != [2]int64{1, 1} {
		t.Fatalf("due after a month: %v, want one, and one held", got)
	}
	if ran, err := r.svc.Retain(t.Context()); err != nil || ran[0].Conversations != 1 || ran[0].Held != 1 {
		t.Fatalf("run: %v %v", ran, err)
	}
	if ran, err := r.svc.Retain(t.Context()); err != nil || ran[0].Conversations != 0 {
		t.Fatalf("again: %v %v", ran, err)
	}
	s, err := r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "words"})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, h := range s.GetHits() {
		found[h.GetEntry().GetCustomerId()]++
	}
	if d := cmp.Diff(map[string]int{open.GetCustomerId(): 1, held.GetCustomerId(): 2}, found); d != "" {
		t.Error(d)
	}
	row, err := r.inbox.GetConversation(t.Context(), &inboxv1.GetConversationRequest{ConversationId: over.GetId()})
	if err != nil || row.GetConversation().GetSubject() != "" || row.GetConversation().GetPreview() != "" {
		t.Errorf("the line that is left: %v %v", row, err)
	}
	r.deliver("more", post{From: "over@example.org", Text: "more"})
	eventually(t, "what he says next", func() (*inboxv1.SearchResponse, error) {
		return r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "more"})
	}, func(s *inboxv1.SearchResponse) bool {
		return len(s.GetHits()) == 1 && s.GetHits()[0].GetEntry().GetConversationId() != over.GetId()
	})
	r.clean()
}

func TestExportIsComplete(t *testing.T) {
	t.Parallel()
	r := startWith(t, conversation.Config{}, conversation.Erasure{})
	r.deliver("m1", post{From: "ada@example.org", Name: `Ada <script>`, Subject: "عنوان", Text: "<b>where</b>", Files: map[string][]byte{"cat.png": []byte("meow")}})
	r.met("bob@example.org", "bobs words")
	c, err := eventually(t, "ada", func() (*inboxv1.FindCustomerResponse, error) {
		return r.inbox.FindCustomer(t.Context(), &inboxv1.FindCustomerRequest{By: &inboxv1.FindCustomerRequest_Handle{Handle: &inboxv1.FindCustomerRequest_ByHandle{Kind: "email", Address: "ada@example.org"}}})
	}, func(f *inboxv1.FindCustomerResponse) bool { return f.GetCustomer() != nil }), error(nil)
	if err != nil {
		t.Fatal(err)
	}
	id := c.GetCustomer().GetId()
	if _, err := r.inbox.SetAttribute(t.Context(), &inboxv1.SetAttributeRequest{CustomerId: id, Name: "plan", Value: "gold"}); err != nil {
		t.Fatal(err)
	}
	handle := c.GetCustomer().GetHandles()[0].GetId()
	for _, said := range [][2]string{{"out", "no more"}, {"in", "on the phone"}} {
		if _, err := r.inbox.SetConsent(t.Context(), &inboxv1.SetConsentRequest{CustomerId: id, HandleId: handle, InboxId: "support", Wish: said[0], Reason: said[1]}); err != nil {
			t.Fatal(err)
		}
	}
	total := &structpb.Struct{Fields: map[string]*structpb.Value{"total": structpb.NewNumberValue(12.5)}}
	order := &identityv1.RecordEventRequest{CustomerId: id, Source: "shop", EventId: "1", Type: "order.placed", Title: "Order 1", Payload: total}
	if _, err := r.identity().RecordEvent(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	started, err := r.identity().StartExport(t.Context(), &identityv1.StartExportRequest{CustomerIds: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	export := started.GetExport().GetId()
	eventually(t, "the export", func() (*identityv1.GetExportResponse, error) {
		return r.identity().GetExport(t.Context(), &identityv1.GetExportRequest{ExportId: export})
	}, func(g *identityv1.GetExportResponse) bool { return g.GetExport().GetState() == "done" })
	if status, _, _ := r.call("events", http.MethodGet, "/exports/"+export, ""); status != http.StatusForbidden {
		t.Errorf("a token without the scope got %d", status)
	}
	status, _, body := r.call("agent", http.MethodGet, "/exports/"+export, "")
	if status != http.StatusOK {
		t.Fatalf("download: %d %s", status, body)
	}
	files := unzip(t, []byte(body))
	var manifest struct {
		Files []struct {
			Path   string
			SHA256 string `json:"sha256"`
		}
		Missing []any
	}
	if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil || len(manifest.Missing) > 0 {
		t.Fatalf("manifest: %v %v", err, manifest.Missing)
	}
	if len(manifest.Files) != len(files)-1 {
		t.Errorf("the manifest has %d files of %d", len(manifest.Files), len(files)-1)
	}
	all := ""
	for _, f := range manifest.Files {
		sum := sha256.Sum256(files[f.Path])
		if hex.EncodeToString(sum[:]) != f.SHA256 {
			t.Errorf("%s: sum", f.Path)
		}
		all += string(files[f.Path])
	}
	for _, want := range []string{"ada@example.org", "عنوان", "gold", "meow", `"kind":"conversation.message_received"`} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in the export", want)
		}
	}
	var who []struct {
		Consents []struct{ Handle, Inbox, Wish, Reason string }
	}
	if err := json.Unmarshal(files["customers.json"], &who); err != nil || len(who) != 1 || len(who[0].Consents) != 1 {
		t.Fatalf("consents: %+v %v", who, err)
	}
	if c := who[0].Consents[0]; c.Handle != handle || c.Inbox != "support" || c.Wish != "in" || c.Reason != "on the phone" {
		t.Errorf("consent: %+v", c)
	}
	if strings.Contains(all, "bobs words") {
		t.Error("somebody else's words are in the export")
	}
	page := string(files["index.html"])
	if strings.Contains(page, "<script") || strings.Contains(page, "<b>where") || !strings.Contains(page, "&lt;b&gt;where") {
		t.Errorf("the page is not escaped: %s", page)
	}
	for _, want := range []string{`>payload: {&#34;total&#34;:12.5}<`, ">title: Order 1<", ">reason: on the phone<", ">name: plan<"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	for _, dump := range []string{"map[", "[123 ", "false []", ">link:", ">removed:"} {
		if strings.Contains(page, dump) {
			t.Errorf("the page has %q: %s", dump, page)
		}
	}
	r.erase(id)
	if status, _, _ := r.call("agent", http.MethodGet, "/exports/"+export, ""); status != http.StatusGone {
		t.Errorf("the export of an erased customer: %d", status)
	}
}

func unzip(t *testing.T, b []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err == nil {
			out[f.Name], err = io.ReadAll(r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}
