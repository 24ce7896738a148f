package conversation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// one delivers a mail and waits for its row.
func (r *rig) one(from, text string) *inboxv1.Conversation {
	r.t.Helper()
	r.deliver("one-"+from+text, post{From: from, Text: text})
	page := eventually(r.t, text, func() (*inboxv1.ListConversationsResponse, error) {
		return r.inbox.ListConversations(r.t.Context(), &inboxv1.ListConversationsRequest{})
	}, func(p *inboxv1.ListConversationsResponse) bool {
		return len(p.GetConversations()) > 0 && p.GetConversations()[0].GetPreview() == text
	})
	return page.GetConversations()[0]
}

// refuses wants a field to be named, and what is wrong with it.
func refuses(t *testing.T, what string, err error, words ...string) {
	t.Helper()
	if connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("%s: %v", what, err)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: %v does not say %q", what, err, w)
		}
	}
}

// What is given to nobody real would be in no queue.
func TestAssignKnowsItsAgents(t *testing.T) {
	t.Parallel()
	r := start(t)
	row := r.one("grace@example.org", "hello")
	for _, id := range []string{"nobody", row.GetCustomerId(), "none"} {
		_, err := r.inbox.Assign(t.Context(), &inboxv1.AssignRequest{ConversationId: row.GetId(), Assignee: id})
		refuses(t, id, err, "assignee: ", "agent")
	}
	for _, id := range []string{"ada", ""} {
		if _, err := r.inbox.Assign(t.Context(), &inboxv1.AssignRequest{ConversationId: row.GetId(), Assignee: id}); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestACustomerHasAtMost100Attributes(t *testing.T) {
	t.Parallel()
	r := start(t)
	id := r.one("grace@example.org", "hello").GetCustomerId()
	set := func(name, value string) error {
		_, err := r.inbox.SetAttribute(t.Context(), &inboxv1.SetAttributeRequest{CustomerId: id, Name: name, Value: value})
		return err
	}
	for i := range 100 {
		if err := set(fmt.Sprintf("n%d", i), "x"); err != nil {
			t.Fatal(err)
		}
	}
	refuses(t, "one more", set("more", "x"), "name: ", "at most 100")
	if err := set("n7", "y"); err != nil {
		t.Errorf("a new value: %v", err)
	}
	if err := set("n8", ""); err != nil {
		t.Errorf("one less: %v", err)
	}
	if err := set("more", "x"); err != nil {
		t.Errorf("in its place: %v", err)
	}
}

// A token is of one list, of one customer and of one filter.
func TestPageTokensAreOfOneList(t *testing.T) {
	t.Parallel()
	r := start(t)
	ctx := t.Context()
	a, b := r.one("grace@example.org", "first"), r.one("ada@example.org", "second")
	rows, err := r.inbox.ListConversations(ctx, &inboxv1.ListConversationsRequest{PageSize: 1})
	if err != nil || rows.GetNextPageToken() == "" {
		t.Fatal(rows, err)
	}
	people, err := r.inbox.ListCustomers(ctx, &inboxv1.ListCustomersRequest{PageSize: 1})
	if err != nil || people.GetNextPageToken() == "" {
		t.Fatal(people, err)
	}
	line, err := r.inbox.GetTimeline(ctx, &inboxv1.GetTimelineRequest{CustomerId: a.GetCustomerId(), PageSize: 1})
	if err != nil || line.GetNextPageToken() == "" {
		t.Fatal(line, err)
	}
	const words = "page_token: is not one of ours"
	for what, tok := range map[string]string{"customers'": people.GetNextPageToken(), "timeline's": line.GetNextPageToken(), "anything": "eHl6"} {
		_, err := r.inbox.ListConversations(ctx, &inboxv1.ListConversationsRequest{PageToken: tok})
		refuses(t, "conversations with "+what, err, words)
		_, err = r.inbox.Search(ctx, &inboxv1.SearchRequest{Query: "first", PageToken: tok})
		refuses(t, "search with "+what, err, words)
		_, err = r.identity().ListErasures(ctx, &identityv1.ListErasuresRequest{PageToken: tok})
		refuses(t, "erasures with "+what, err, words)
		_, err = r.identity().ListSuggestions(ctx, &identityv1.ListSuggestionsRequest{PageToken: tok})
		refuses(t, "suggestions with "+what, err, words)
		_, err = r.identity().ListRepeats(ctx, &identityv1.ListRepeatsRequest{PageToken: tok})
		refuses(t, "repeats with "+what, err, words)
	}
	_, err = r.inbox.ListConversations(ctx, &inboxv1.ListConversationsRequest{Status: inboxv1.Status_STATUS_OPEN, PageToken: rows.GetNextPageToken()})
	refuses(t, "another filter", err, words)
	_, err = r.inbox.GetTimeline(ctx, &inboxv1.GetTimelineRequest{CustomerId: b.GetCustomerId(), PageToken: line.GetNextPageToken()})
	refuses(t, "another customer", err, words)
	_, err = r.inbox.ListCustomers(ctx, &inboxv1.ListCustomersRequest{PageToken: rows.GetNextPageToken()})
	refuses(t, "customers with conversations'", err, words)

	if rows, err = r.inbox.ListConversations(ctx, &inboxv1.ListConversationsRequest{PageToken: rows.GetNextPageToken()}); err != nil || len(rows.GetConversations()) != 1 {
		t.Errorf("its own: %v, %v", rows, err)
	}
	if more, err := r.inbox.GetTimeline(ctx, &inboxv1.GetTimelineRequest{CustomerId: a.GetCustomerId(), PageToken: line.GetNextPageToken()}); err != nil || len(more.GetEntries()) == 0 {
		t.Errorf("the timeline's own: %v, %v", more, err)
	}
}

// What is asked for beyond all there is, is the end or an error, and never nothing.
func TestAskingBeyondTheEnds(t *testing.T) {
	t.Parallel()
	r := start(t)
	ctx := t.Context()
	row := r.one("grace@example.org", "hello")
	line, err := r.inbox.GetTimeline(ctx, &inboxv1.GetTimelineRequest{CustomerId: row.GetCustomerId(), Around: timestamppb.New(time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC))})
	if err != nil || len(line.GetEntries()) == 0 {
		t.Errorf("around the year 9999: %v, %v", line, err)
	}
	_, err = r.inbox.SendReply(ctx, &inboxv1.SendReplyRequest{ConversationId: row.GetId(), Text: "x", LastSeen: row.GetVersion() + 1})
	refuses(t, "last seen", err, "last_seen: is 2", "version is 1")
	for _, days := range []int32{-1, 100_000} {
		for _, id := range []string{"", row.GetCustomerId()} {
			_, err := r.identity().GetRepeats(ctx, &identityv1.GetRepeatsRequest{CustomerId: id, Days: days})
			refuses(t, fmt.Sprint(days, " days"), err, "days: ", "0 to ")
		}
	}
}

// What is wrong is said with what is right.
func TestErrorsSayWhatIsMeant(t *testing.T) {
	t.Parallel()
	r := start(t)
	ctx := t.Context()
	row := r.one("grace@example.org", "hello")
	for local, ok := range map[string]bool{strings.Repeat("x", 64): true, strings.Repeat("x", 65): false, strings.Repeat("x", 300): false, "": false} {
		_, err := r.inbox.StartConversation(ctx, &inboxv1.StartConversationRequest{InboxId: "support", Kind: "email", Address: local + "@example.org", Text: "hi"})
		if ok && err != nil {
			t.Errorf("%d bytes: %v", len(local), err)
		} else if !ok {
			refuses(t, fmt.Sprint(len(local), " bytes"), err, "address: ", "1 to 64 bytes")
		}
	}
	const service = "/weftline.inbox.v1.InboxService/"
	if code, _, body := r.call("agent", "POST", service+"SetStatus", `{"conversationId":"`+row.GetId()+`","status":"closed"}`); code != 400 || !strings.Contains(body, "STATUS_CLOSED") {
		t.Errorf("a status by another name: %d %s", code, body)
	}
	if code, _, body := r.call("agent", "POST", service+"AddNote", `{"text":"`+strings.Repeat("x", 5<<20)+`"}`); code != 400 || !strings.Contains(body, "invalid_argument") || !strings.Contains(body, "at most 4194304") {
		t.Errorf("too large a body: %d %.200s", code, body)
	}
	_, err := r.identity().PreviewMerge(ctx, &identityv1.PreviewMergeRequest{A: row.GetCustomerId(), B: row.GetCustomerId()})
	if connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("himself: %v", err)
	}
	_, none := r.inbox.GetTimeline(ctx, &inboxv1.GetTimelineRequest{CustomerId: "nobody"})
	_, nobody := r.identity().GetPerson(ctx, &identityv1.GetPersonRequest{CustomerId: "nobody"})
	_, nowhere := r.inbox.GetConversation(ctx, &inboxv1.GetConversationRequest{ConversationId: "nothing"})
	for err, what := range map[error]string{none: "customer not found", nobody: "customer not found", nowhere: "conversation not found"} {
		if connect.CodeOf(err) != connect.CodeNotFound || !strings.Contains(err.Error(), what) {
			t.Errorf("%v, want %q", err, what)
		}
	}
}

// What nobody can see is said by nobody, on any way.
func TestWhatCannotBeSeenIsRefused(t *testing.T) {
	t.Parallel()
	r := start(t)
	ctx := t.Context()
	row := r.one("grace@example.org", "hello")
	id, customer := row.GetId(), row.GetCustomerId()
	for _, s := range []string{"\u202eevil", "a\x00b", " ", "\u200b"} {
		_, err := r.inbox.AddTag(ctx, &inboxv1.AddTagRequest{ConversationId: id, Tag: s})
		refuses(t, fmt.Sprintf("tag %q", s), err, "tag: ")
		_, err = r.inbox.SetAttribute(ctx, &inboxv1.SetAttributeRequest{CustomerId: customer, Name: "x", Value: s})
		refuses(t, fmt.Sprintf("value %q", s), err, "value: ")
		_, err = r.identity().RecordEvent(ctx, &identityv1.RecordEventRequest{CustomerId: customer, Type: "x", Title: s, Source: "shop", EventId: s + "1"})
		refuses(t, fmt.Sprintf("title %q", s), err, "title: ")
	}
	for _, s := range []string{"\x00", " \n", "\u202e", "\u200b"} {
		_, err := r.inbox.AddNote(ctx, &inboxv1.AddNoteRequest{ConversationId: id, Text: s})
		refuses(t, fmt.Sprintf("note %q", s), err, "text: ")
		_, err = r.inbox.SendReply(ctx, &inboxv1.SendReplyRequest{ConversationId: id, Text: s})
		refuses(t, fmt.Sprintf("reply %q", s), err, "text: ")
	}
	if _, err := r.inbox.SetAttribute(ctx, &inboxv1.SetAttributeRequest{CustomerId: customer, Name: "x", Value: "two\nlines"}); err != nil {
		t.Errorf("two lines: %v", err)
	}
	note, err := r.inbox.AddNote(ctx, &inboxv1.AddNoteRequest{ConversationId: id, Text: "a\x00b\nשלום\u200f"})
	if err != nil || note.GetEntry().GetNote().GetText() != "ab\nשלום\u200f" {
		t.Errorf("a note: %v, %v", note, err)
	}
}
