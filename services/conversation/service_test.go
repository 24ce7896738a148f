package conversation_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/weftline/weftline/pkg/channel"
	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func jsonBody(s string) io.Reader { return strings.NewReader(s) }

// One message's whole way: in, to a customer, shown, answered, sent, found again.
func TestMessageThereAndBack(t *testing.T) {
	t.Parallel()
	r := start(t)
	ctx := t.Context()
	head, err := r.svc.Feed().Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r.deliver("m1", post{From: "grace@example.org", Name: "Grace", Subject: "Parcel", Text: "Where is my parcel?"})
	r.deliver("m1", post{From: "grace@example.org", Name: "Grace", Subject: "Parcel", Text: "Where is my parcel?"}) // twice

	list := eventually(t, "the conversation", func() (*inboxv1.ListConversationsResponse, error) {
		return r.inbox.ListConversations(ctx, &inboxv1.ListConversationsRequest{Status: inboxv1.Status_STATUS_OPEN, Assignee: "none"})
	}, func(l *inboxv1.ListConversationsResponse) bool { return len(l.GetConversations()) == 1 })
	row := list.GetConversations()[0]
	if row.GetCustomerName() != "Grace" || row.GetSubject() != "Parcel" || row.GetPreview() != "Where is my parcel?" || row.GetMessages() != 1 || row.GetWaitingSince() == nil {
		t.Fatalf("row %v", row)
	}
	if to := row.GetReplyTarget(); to.GetHandle().GetAddress() != "grace@example.org" || to.GetRefused() != "" || to.GetChannel() != "email" {
		t.Fatalf("reply goes to %v", to)
	}
	if d := cmp.Diff(&inboxv1.Counts{Open: 1, OpenUnassigned: 1, OpenByInbox: map[string]int64{"support": 1}}, list.GetCounts(), protocmp.Transform()); d != "" {
		t.Fatal(d)
	}

	// The answer is on its way, shown, and only once however often it is asked for.
	send := &inboxv1.SendReplyRequest{ConversationId: row.GetId(), Text: "It comes tomorrow.", LastSeen: row.GetVersion(), IdempotencyKey: "k1", Close: true}
	sent, err := r.inbox.SendReply(ctx, send)
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.inbox.SendReply(ctx, send)
	if err != nil || again.GetEntry().GetId() != sent.GetEntry().GetId() {
		t.Fatalf("same key again: %v, %v", again, err)
	}
	timeline, err := r.inbox.GetTimeline(ctx, &inboxv1.GetTimelineRequest{CustomerId: row.GetCustomerId()})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"handle_attached", "opened", "Where is my parcel?", "It comes tomorrow.", "closed"}, said(timeline.GetEntries())); d != "" {
		t.Fatal(d)
	}
	before := timeline.GetAsOf()

	// It is in OUT once; the adapter reports what became of it.
	out := eventually(t, "the outbound message", func() (*jetstream.StreamInfo, error) {
		s, err := r.bus.JS.Stream(ctx, "OUT")
		if err != nil {
			return nil, err
		}
		return s.Info(ctx)
	}, func(i *jetstream.StreamInfo) bool { return i.State.Msgs == 1 })
	_ = out
	err = r.intake.Report(ctx, channel.Receipt{
		Channel: "email", Inbox: "support", Outbound: sent.GetEntry().GetId(), Customer: row.GetCustomerId(),
		State: channel.StateSent, ProviderID: "<out1@us>", Detail: "250 ok", At: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	after := eventually(t, "the receipt", func() (*inboxv1.GetTimelineResponse, error) {
		return r.inbox.GetTimeline(ctx, &inboxv1.GetTimelineRequest{CustomerId: row.GetCustomerId()})
	}, func(l *inboxv1.GetTimelineResponse) bool {
		return l.GetEntries()[3].GetMessage().GetDelivery() == inboxv1.DeliveryState_DELIVERY_STATE_SENT
	})
	if got := after.GetEntries()[3].GetMessage().GetDeliveryDetail(); got != "250 ok" {
		t.Fatalf("detail %q", got)
	}

	// As it was before the receipt, exactly.
	was, err := r.inbox.GetTimeline(ctx, &inboxv1.GetTimelineRequest{CustomerId: row.GetCustomerId(), AsOf: before})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(timeline, was, protocmp.Transform()); d != "" {
		t.Fatalf("as of (-then +now):\n%s", d)
	}

	r.live(head, after.GetEntries())
	r.found(ctx, row)
	r.handed(ctx)
}

// live compares the feed with the timeline.
func (r *rig) live(from string, want []*inboxv1.TimelineEntry) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	var got []*inboxv1.TimelineEntry
	for ev, err := range r.svc.Feed().Subscribe(ctx, from) {
		if err != nil {
			r.t.Fatal(err)
		}
		if ev.GetEntry().GetDelivery() != nil {
			break // the receipt comes last
		}
		got = append(got, ev.GetEntry())
	}
	// A live reply is as it was then: queued.
	opts := cmp.Options{protocmp.Transform(), protocmp.IgnoreFields(&inboxv1.Message{}, "delivery", "delivery_detail"), protocmp.IgnoreFields(&inboxv1.TimelineEntry{}, "refs")}
	if d := cmp.Diff(want, got, opts); d != "" {
		r.t.Fatalf("live differs from the page (-page +live):\n%s", d)
	}
}

func (r *rig) found(ctx context.Context, row *inboxv1.Conversation) {
	r.t.Helper()
	for _, by := range []*inboxv1.FindCustomerRequest{
		{By: &inboxv1.FindCustomerRequest_CustomerId{CustomerId: row.GetCustomerId()}},
		{By: &inboxv1.FindCustomerRequest_Handle{Handle: &inboxv1.FindCustomerRequest_ByHandle{Kind: "email", Address: " Grace@Example.org"}}},
	} {
		c, err := r.inbox.FindCustomer(ctx, by)
		if err != nil || c.GetCustomer().GetId() != row.GetCustomerId() || c.GetCustomer().GetName() != "Grace" {
			r.t.Fatalf("find %v: %v, %v", by, c, err)
		}
	}
	hits, err := r.inbox.Search(ctx, &inboxv1.SearchRequest{Query: "parcel wh"})
	if err != nil || len(hits.GetHits()) != 1 || !strings.Contains(hits.GetHits()[0].GetSnippet(), "parcel") || hits.GetHits()[0].GetCustomerName() != "Grace" {
		r.t.Fatalf("search: %v, %v", hits, err)
	}
	all, err := r.inbox.ListCustomers(ctx, &inboxv1.ListCustomersRequest{})
	if err != nil || len(all.GetCustomers()) != 1 {
		r.t.Fatalf("customers: %v, %v", all, err)
	}
}

// handed: the transcript shows the customer what was said, nothing else.
func (r *rig) handed(ctx context.Context) {
	r.t.Helper()
	page, err := r.svc.Transcript().ListMessages(ctx, &channelv1.ListMessagesRequest{Channel: "email", InboxId: "support", Kind: "email", Address: "grace@example.org", PageSize: 1})
	if err != nil || len(page.GetItems()) != 1 || !page.GetMore() || page.GetItems()[0].GetText() != "It comes tomorrow." || page.GetItems()[0].GetAuthorName() != "Ada" {
		r.t.Fatalf("newest of the transcript: %v, %v", page, err)
	}
	all, err := r.svc.Transcript().ListMessages(ctx, &channelv1.ListMessagesRequest{Kind: "email", Address: "grace@example.org", AtLeast: page.GetItems()[0].GetPosition()})
	if err != nil || len(all.GetItems()) != 2 || all.GetItems()[0].GetClientId() != "c-m1" {
		r.t.Fatalf("transcript: %v, %v", all, err)
	}
	rest, err := r.svc.Transcript().ListMessages(ctx, &channelv1.ListMessagesRequest{Kind: "email", Address: "grace@example.org", After: all.GetItems()[0].GetPosition()})
	if err != nil || len(rest.GetItems()) != 1 || rest.GetItems()[0].GetId() != all.GetItems()[1].GetId() {
		r.t.Fatalf("after a position: %v, %v", rest, err)
	}
}

func said(entries []*inboxv1.TimelineEntry) []string {
	var out []string
	for _, e := range entries {
		switch {
		case e.GetMessage() != nil:
			out = append(out, e.GetMessage().GetText())
		case e.GetNote() != nil:
			out = append(out, "note: "+e.GetNote().GetText())
		default:
			out = append(out, e.GetActivity().GetVerb())
		}
	}
	return out
}

// met delivers a first message and returns its row.
func (r *rig) met(from, text string) *inboxv1.Conversation {
	r.t.Helper()
	r.deliver("first-"+from, post{From: from, Subject: "Hello", Text: text})
	return eventually(r.t, "the conversation of "+from, func() (*inboxv1.Conversation, error) {
		l, err := r.inbox.ListConversations(r.t.Context(), &inboxv1.ListConversationsRequest{})
		for _, c := range l.GetConversations() {
			if c.GetReplyTarget().GetHandle().GetAddress() == from {
				return c, nil
			}
		}
		return nil, err
	}, func(c *inboxv1.Conversation) bool { return c != nil })
}

// The ids of chat visitors are no words of anybody: a file is found by its name without them.
func TestSnippetsShowNoVisitorIDs(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.deliver("c1", post{Kind: "chat", From: "sub:customer-1042", Name: "Ada Obi", Files: map[string][]byte{"cat.png": []byte("meow")}})
	r.deliver("m1", post{From: "bob@example.org", Name: "Bob", Text: "hello"})
	for query, want := range map[string]string{"cat.png": "Ada Obi cat.png", "obi": "Ada Obi cat.png", "1042": "", "bob@example.org": "Bob bob@example.org"} {
		hits := eventually(t, query, func() (*inboxv1.SearchResponse, error) {
			return r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: query})
		}, func(s *inboxv1.SearchResponse) bool { return len(s.GetHits()) == 1 }).GetHits()
		if got := hits[0].GetSnippet(); got != want {
			t.Errorf("%s: snippet %q, want %q", query, got, want)
		}
	}
}

func TestOrdersAreShownAtOnce(t *testing.T) {
	t.Parallel()
	r := start(t)
	ctx := t.Context()
	c := r.met("joan@example.org", "hi")
	id := c.GetId()
	until := timestamppb.New(time.Now().Add(time.Second).Truncate(time.Millisecond))
	steps := []struct {
		do   func() error
		want func(*inboxv1.Conversation) bool
	}{
		{func() error {
			_, err := r.inbox.Assign(ctx, &inboxv1.AssignRequest{ConversationId: id, Assignee: "ada", IdempotencyKey: "1"})
			return err
		}, func(c *inboxv1.Conversation) bool { return c.GetAssignee() == "ada" }},
		{func() error {
			_, err := r.inbox.SetPriority(ctx, &inboxv1.SetPriorityRequest{ConversationId: id, Priority: inboxv1.Priority_PRIORITY_URGENT, IdempotencyKey: "2"})
			return err
		}, func(c *inboxv1.Conversation) bool { return c.GetPriority() == inboxv1.Priority_PRIORITY_URGENT }},
		{func() error {
			_, err := r.inbox.AddTag(ctx, &inboxv1.AddTagRequest{ConversationId: id, Tag: "vip", IdempotencyKey: "3"})
			return err
		}, func(c *inboxv1.Conversation) bool { return len(c.GetTags()) == 1 }},
		{func() error {
			_, err := r.inbox.RemoveTag(ctx, &inboxv1.RemoveTagRequest{ConversationId: id, Tag: "vip", IdempotencyKey: "4"})
			return err
		}, func(c *inboxv1.Conversation) bool { return len(c.GetTags()) == 0 }},
		{func() error {
			_, err := r.inbox.SetAttribute(ctx, &inboxv1.SetAttributeRequest{CustomerId: c.GetCustomerId(), Name: "name", Value: "Joan of Arc", IdempotencyKey: "5"})
			return err
		}, func(c *inboxv1.Conversation) bool { return c.GetCustomerName() == "Joan of Arc" }},
		{func() error {
			_, err := r.inbox.AddNote(ctx, &inboxv1.AddNoteRequest{ConversationId: id, Text: "careful", IdempotencyKey: "6"})
			return err
		}, func(c *inboxv1.Conversation) bool { return c.GetVersion() == 1 }},
		{func() error {
			_, err := r.inbox.SetStatus(ctx, &inboxv1.SetStatusRequest{ConversationId: id, Status: inboxv1.Status_STATUS_SNOOZED, SnoozedUntil: until, IdempotencyKey: "7"})
			return err
		}, func(c *inboxv1.Conversation) bool {
			return c.GetStatus() == inboxv1.Status_STATUS_SNOOZED && c.GetSnoozedUntil().AsTime().Equal(until.AsTime())
		}},
	}
	for i, s := range steps {
		if err := s.do(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		got, err := r.inbox.GetConversation(ctx, &inboxv1.GetConversationRequest{ConversationId: id})
		if err != nil || !s.want(got.GetConversation()) {
			t.Fatalf("after step %d: %v, %v", i, got, err)
		}
	}
	// The timer ends the snooze.
	eventually(t, "the end of the snooze", func() (*inboxv1.GetConversationResponse, error) {
		return r.inbox.GetConversation(ctx, &inboxv1.GetConversationRequest{ConversationId: id})
	}, func(c *inboxv1.GetConversationResponse) bool {
		return c.GetConversation().GetStatus() == inboxv1.Status_STATUS_OPEN
	})
}

func TestChangedMeanwhileShowsWhatIsNew(t *testing.T) {
	t.Parallel()
	r := start(t)
	c := r.met("mary@example.org", "first")
	r.deliver("second", post{From: "mary@example.org", Text: "wait, there is more"})
	eventually(t, "the second message", func() (*inboxv1.GetConversationResponse, error) {
		return r.inbox.GetConversation(t.Context(), &inboxv1.GetConversationRequest{ConversationId: c.GetId()})
	}, func(c *inboxv1.GetConversationResponse) bool { return c.GetConversation().GetVersion() == 2 })
	reply := &inboxv1.SendReplyRequest{ConversationId: c.GetId(), Text: "done", LastSeen: 1, IdempotencyKey: "k"}
	_, err := r.inbox.SendReply(t.Context(), reply)
	detail, ok := detailOf[*inboxv1.ConversationChanged](err)
	if connect.CodeOf(err) != connect.CodeFailedPrecondition || !ok || detail.GetVersion() != 2 {
		t.Fatalf("got %v, %v", err, detail)
	}
	if d := cmp.Diff([]string{"wait, there is more"}, said(detail.GetNewer())); d != "" {
		t.Fatal(d)
	}
	reply.Force = true
	if _, err := r.inbox.SendReply(t.Context(), reply); err != nil {
		t.Fatal(err)
	}
}

func TestWriteFirst(t *testing.T) {
	t.Parallel()
	r := start(t)
	got, err := r.inbox.StartConversation(t.Context(), &inboxv1.StartConversationRequest{
		Kind: "email", Address: "new@example.org", InboxId: "support", Subject: "Your order", Text: "Something came up.", IdempotencyKey: "k",
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.GetConversationId() == "" || got.GetCustomerId() == "" || got.GetEntry().GetMessage().GetText() != "Something came up." {
		t.Fatalf("got %v", got)
	}
	c, err := r.inbox.GetConversation(t.Context(), &inboxv1.GetConversationRequest{ConversationId: got.GetConversationId()})
	if err != nil || c.GetConversation().GetSubject() != "Your order" || c.GetConversation().GetCustomerName() != "new@example.org" {
		t.Fatalf("got %v, %v", c, err)
	}
}

func TestRebuildAndVerifyBesideTraffic(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.met("one@example.org", "hi")
	report, err := r.svc.Rebuild(t.Context(), nil)
	if err != nil || report.Generation != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	r.met("two@example.org", "hi")
	if err := r.svc.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := r.svc.Verify(t.Context(), r.scratch())
	if err != nil || !v.OK() || v.Customers != 2 || v.Messages != 2 {
		t.Fatalf("%+v %v, %v", v, v.First, err)
	}
}
