package conversation_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/channel"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// refusal is the machine-readable reason of a refused send, "" when it was not.
func refusal(t *testing.T, err error) string {
	t.Helper()
	e, ok := err.(*connect.Error)
	if !ok || e.Code() != connect.CodeFailedPrecondition {
		t.Fatalf("want a failed precondition, got %v", err)
	}
	for _, d := range e.Details() {
		if v, err := d.Value(); err == nil {
			if r, ok := v.(*inboxv1.SendRefused); ok {
				return r.GetReason()
			}
		}
	}
	t.Fatalf("no reason in %v", err)
	return ""
}

func (r *rig) target(conversation string, ok func(*inboxv1.ReplyTarget) bool) *inboxv1.ReplyTarget {
	r.t.Helper()
	return eventually(r.t, "the reply target", func() (*inboxv1.ReplyTarget, error) {
		c, err := r.inbox.GetConversation(r.t.Context(), &inboxv1.GetConversationRequest{ConversationId: conversation})
		return c.GetConversation().GetReplyTarget(), err
	}, ok)
}

func TestStopAndStart(t *testing.T) {
	t.Parallel()
	r := start(t)
	row := r.met(ada, "hello")
	say := func() error {
		_, err := r.inbox.SendReply(t.Context(), &inboxv1.SendReplyRequest{ConversationId: row.GetId(), Text: "hi"})
		return err
	}
	h := row.GetReplyTarget().GetHandle()
	first := func(inbox string) error {
		_, err := r.inbox.StartConversation(t.Context(), &inboxv1.StartConversationRequest{CustomerId: row.GetCustomerId(), HandleId: h.GetId(), InboxId: inbox, Text: "hi"})
		return err
	}
	r.deliver("stop", post{From: ada, Text: "STOP", Consent: "out"})
	out := r.target(row.GetId(), func(x *inboxv1.ReplyTarget) bool { return x.GetOptedOut() != nil }).GetOptedOut()
	if out.GetInboxId() != "support" || out.GetEntryId() == "" || out.GetActor() != "customer" || out.GetAt() == nil {
		t.Errorf("opted out: %v", out)
	}
	if why := refusal(t, say()); why != "opted_out" {
		t.Error(why)
	}
	if why := refusal(t, first("support")); why != "opted_out" {
		t.Error(why)
	}
	if err := first("masking"); err != nil {
		t.Errorf("another inbox: %v", err)
	}
	// Nobody speaks for him who is only claimed to be him.
	r.deliver("start0", post{From: ada, Text: "START", Consent: "in", Assurance: 1})
	r.deliver("start", post{From: ada, Text: "START", Consent: "in"})
	r.target(row.GetId(), func(x *inboxv1.ReplyTarget) bool { return x.GetOptedOut().GetWish() == "in" || x.GetOptedOut() == nil })
	if err := say(); err != nil {
		t.Errorf("after he opted in: %v", err)
	}
	// By an agent, with a reason.
	consent := &inboxv1.SetConsentRequest{CustomerId: row.GetCustomerId(), HandleId: h.GetId(), InboxId: "support", Wish: "out"}
	if _, err := r.inbox.SetConsent(t.Context(), consent); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("without a reason: %v", err)
	}
	consent.Reason = "said so on the phone"
	if _, err := r.inbox.SetConsent(t.Context(), consent); err != nil {
		t.Fatal(err)
	}
	if why := refusal(t, say()); why != "opted_out" {
		t.Error(why)
	}
	if n := len(eventsOf[event.ConsentSet](r, 0)) + len(eventsOf[event.ConsentSet](r, 1)) + len(eventsOf[event.ConsentSet](r, 2)) + len(eventsOf[event.ConsentSet](r, 3)); n != 3 {
		t.Errorf("%d consents are stored, want 3", n)
	}
	r.clean()
}

// Who unsubscribed and asks something is answered, and the console offers it; nothing is begun with him.
func TestUnsubscribedIsAnsweredWhenHeAsks(t *testing.T) {
	t.Parallel()
	r := start(t)
	row := r.met(ada, "hello")
	h := row.GetReplyTarget().GetHandle()
	say := func() error {
		_, err := r.inbox.SendReply(t.Context(), &inboxv1.SendReplyRequest{ConversationId: row.GetId(), Text: "hi"})
		return err
	}
	begin := func() error {
		_, err := r.inbox.StartConversation(t.Context(), &inboxv1.StartConversationRequest{CustomerId: row.GetCustomerId(), HandleId: h.GetId(), InboxId: "support", Text: "news"})
		return err
	}
	r.deliver("unsubscribe", post{From: ada, Text: "unsubscribed", Consent: "out_unasked"})
	r.target(row.GetId(), func(x *inboxv1.ReplyTarget) bool { return x.GetOptedOut().GetWish() == "out" })
	if why := refusal(t, say()); why != "opted_out" {
		t.Error(why)
	}
	r.deliver("question", post{From: ada, Text: "where is my order?"})
	r.target(row.GetId(), func(x *inboxv1.ReplyTarget) bool { return x.GetOptedOut() == nil })
	if err := say(); err != nil {
		t.Errorf("his question is not answered: %v", err)
	}
	if why := refusal(t, begin()); why != "opted_out" {
		t.Error(why)
	}
	r.clean()
}

// What was said of being written to goes with the handle, and counts for all of a person.
func TestConsentGoesWithTheHandle(t *testing.T) {
	t.Parallel()
	r := start(t)
	from, to := r.met(ada, "hello"), r.met("bob@example.org", "hi")
	r.deliver("stop", post{From: ada, Text: "STOP", Consent: "out"})
	r.target(from.GetId(), func(x *inboxv1.ReplyTarget) bool { return x.GetOptedOut() != nil })
	h := from.GetReplyTarget().GetHandle()
	r.move(h.GetId(), h.GetTenure(), from.GetCustomerId(), to.GetCustomerId(), time.Now().Add(-time.Hour))
	r.deliver("more", post{From: ada, Text: "it is me"})
	at := eventually(t, "the next message", func() (*inboxv1.SearchResponse, error) {
		return r.inbox.Search(t.Context(), &inboxv1.SearchRequest{Query: "it is me"})
	}, func(s *inboxv1.SearchResponse) bool { return len(s.GetHits()) == 1 }).GetHits()[0].GetEntry()
	if at.GetCustomerId() != to.GetCustomerId() {
		t.Fatalf("it went to %s", at.GetCustomerId())
	}
	_, err := r.inbox.SendReply(t.Context(), &inboxv1.SendReplyRequest{ConversationId: at.GetConversationId(), Text: "hi", Answers: at.GetId()})
	if why := refusal(t, err); why != "opted_out" {
		t.Error(why)
	}
	r.clean()
}

func TestWindowTemplateAndLimits(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	r := startChannel(t, conversation.Config{Now: now}, conversation.Erasure{}, channel.Capabilities{
		TextLimit: 10, TextUnit: channel.UTF16Units, Parts: 2, ReplyWindow: 24 * time.Hour, Templates: true,
	})
	row := r.met(ada, "hello")
	x := row.GetReplyTarget()
	if c := x.GetCapabilities(); c.GetTextLimit() != 10 || c.GetTextUnit() != "utf-16" || c.GetParts() != 2 || !c.GetTemplates() || x.GetWindowEndsAt() == nil {
		t.Errorf("target %v", x)
	}
	send := func(q *inboxv1.SendReplyRequest) error {
		q.ConversationId = row.GetId()
		_, err := r.inbox.SendReply(t.Context(), q)
		return err
	}
	for name, c := range map[string]struct {
		q    *inboxv1.SendReplyRequest
		want string
	}{
		"text":     {&inboxv1.SendReplyRequest{Text: "😀😀😀 😀😀 😀😀😀😀😀😀"}, "text: must have at most 2 messages of 10 utf-16 units on channel email, has 24"},
		"html":     {&inboxv1.SendReplyRequest{Text: "hi", Html: "<b>hi</b>"}, "html: must be empty: channel email carries plain text only"},
		"template": {&inboxv1.SendReplyRequest{Text: "hi", Template: &inboxv1.Template{Language: "en"}}, "template.name: must have 1 to 200 characters, has 0"},
	} {
		err := send(c.q)
		if connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := send(&inboxv1.SendReplyRequest{Text: "hello 😀 you"}); err != nil {
		t.Errorf("two messages: %v", err)
	}
	ahead.Store(int64(24*time.Hour + time.Minute))
	if why := refusal(t, send(&inboxv1.SendReplyRequest{Text: "too late"})); why != "window_closed" {
		t.Error(why)
	}
	tmpl := &inboxv1.Template{Name: "order_ready", Language: "en", Values: []string{"Ada"}}
	if err := send(&inboxv1.SendReplyRequest{Text: "Dear Ada, your order is ready.", Template: tmpl}); err != nil {
		t.Errorf("a template: %v", err)
	}
	l := r.reads(row.GetCustomerId(), "hello", "hello 😀 you", "Dear Ada, your order is ready.")
	if got := l.GetEntries()[len(l.GetEntries())-1].GetMessage().GetTemplate(); got.GetName() != "order_ready" {
		t.Errorf("template %v", got)
	}
	r.deliver("again", post{From: ada, Text: "I am back"})
	r.reads(row.GetCustomerId(), "hello", "hello 😀 you", "Dear Ada, your order is ready.", "I am back")
	if err := send(&inboxv1.SendReplyRequest{Text: "fine"}); err != nil {
		t.Errorf("after he wrote: %v", err)
	}
}

// Nobody sends for an inbox that was removed, or that history was imported of: it
// is said before somebody writes, and refused when he does.
func TestRemovedInboxIsNotAnswered(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.deliverTo("elsewhere", "old", post{From: "bob@example.org", Text: "long ago"})
	row := r.met(ada, "hello")
	send := func(conversation, text string) (string, error) {
		x, err := r.inbox.SendReply(t.Context(), &inboxv1.SendReplyRequest{ConversationId: conversation, Text: text})
		return x.GetEntry().GetId(), err
	}
	before, err := send(row.GetId(), "hi")
	if err != nil {
		t.Fatal(err)
	}
	err = r.intake.Report(t.Context(), channel.Receipt{
		Tenant: "default", Channel: "email", Inbox: "support", Outbound: before, Customer: row.GetCustomerId(), State: channel.StateFailed, Detail: "550", At: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "that it failed", func() (*inboxv1.GetTimelineResponse, error) {
		return r.inbox.GetTimeline(t.Context(), &inboxv1.GetTimelineRequest{CustomerId: row.GetCustomerId()})
	}, func(l *inboxv1.GetTimelineResponse) bool {
		for _, e := range l.GetEntries() {
			if e.GetMessage().GetDelivery() == inboxv1.DeliveryState_DELIVERY_STATE_FAILED {
				return true
			}
		}
		return false
	})
	r.removed.Store("support", true)
	old := eventually(t, "the old conversation", func() (*inboxv1.ListConversationsResponse, error) {
		return r.inbox.ListConversations(t.Context(), &inboxv1.ListConversationsRequest{InboxId: "elsewhere"})
	}, func(l *inboxv1.ListConversationsResponse) bool { return len(l.GetConversations()) == 1 }).GetConversations()[0]
	for _, id := range []string{row.GetId(), old.GetId()} {
		if why := r.target(id, func(*inboxv1.ReplyTarget) bool { return true }).GetRefused(); why != "this inbox no longer exists" {
			t.Errorf("the reply target says %q", why)
		}
		_, err := send(id, "are you there?")
		if err == nil {
			t.Fatal("a reply by an inbox that is not there is taken")
		}
		if why := refusal(t, err); why != "inbox_gone" || !strings.Contains(err.Error(), "no longer exists") {
			t.Errorf("refused with %s: %v", why, err)
		}
	}
	again := &inboxv1.RetryReplyRequest{ConversationId: row.GetId(), EntryId: before}
	if _, err := r.inbox.RetryReply(t.Context(), again); err == nil {
		t.Error("a failed reply is sent again by an inbox that is not there")
	} else if why := refusal(t, err); why != "inbox_gone" {
		t.Error(why)
	}
	r.removed.Delete("support") // it comes back
	if why := r.target(row.GetId(), func(*inboxv1.ReplyTarget) bool { return true }).GetRefused(); why != "" {
		t.Error(why)
	}
	if _, err := r.inbox.RetryReply(t.Context(), again); err != nil {
		t.Error(err)
	}
	r.clean()
}

// What one sender says under two posts is two conversations; an answer goes under the post.
func TestThreadsAreConversations(t *testing.T) {
	t.Parallel()
	r := start(t)
	for id, thread := range map[string]string{"p1": "post-1", "p2": "post-2", "p3": ""} {
		r.deliver(id, post{From: ada, Text: "about " + id, Thread: thread})
	}
	r.deliver("p4", post{From: ada, Text: "more about p1", Thread: "post-1"})
	l := eventually(t, "four messages", func() (*inboxv1.ListConversationsResponse, error) {
		return r.inbox.ListConversations(t.Context(), &inboxv1.ListConversationsRequest{})
	}, func(l *inboxv1.ListConversationsResponse) bool {
		n := int64(0)
		for _, c := range l.GetConversations() {
			n += c.GetMessages()
		}
		return n == 4
	})
	sizes := map[string]int64{}
	for _, c := range l.GetConversations() {
		sizes[c.GetPreview()] = c.GetMessages()
	}
	if d := cmp.Diff(map[string]int64{"more about p1": 2, "about p2": 1, "about p3": 1}, sizes); d != "" {
		t.Error(d)
	}
	r.clean()
}
