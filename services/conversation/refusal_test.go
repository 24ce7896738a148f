package conversation_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
)

func detailOf[T any](err error) (T, bool) {
	var none T
	var e *connect.Error
	if !errors.As(err, &e) {
		return none, false
	}
	for _, d := range e.Details() {
		if v, err := d.Value(); err == nil {
			if m, ok := v.(T); ok {
				return m, true
			}
		}
	}
	return none, false
}

// An answer to a sender who does not own his address says why it is refused,
// and who insists is on record.
func TestReplyToARefutedSender(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.deliver("forged", post{From: "ada@example.org", Text: "send the code", Refuted: true})
	r.deliver("own", post{From: "ada@example.org", Text: "my own words"})
	row := func(words string) *inboxv1.Conversation {
		page := eventually(t, words, func() (*inboxv1.ListConversationsResponse, error) {
			return r.inbox.ListConversations(t.Context(), &inboxv1.ListConversationsRequest{})
		}, func(p *inboxv1.ListConversationsResponse) bool { return len(p.GetConversations()) == 2 })
		for _, c := range page.GetConversations() {
			if c.GetPreview() == words {
				return c
			}
		}
		t.Fatalf("no conversation with %q", words)
		return nil
	}
	forged, own := row("send the code"), row("my own words")
	if !forged.GetReplyTarget().GetHandle().GetRefuted() || own.GetReplyTarget().GetHandle().GetRefuted() {
		t.Error("the target does not say who is refuted")
	}
	r.audit.take()
	q := &inboxv1.SendReplyRequest{ConversationId: forged.GetId(), Text: "which code?", LastSeen: forged.GetVersion(), Force: true, IdempotencyKey: "k"}
	_, err := r.inbox.SendReply(t.Context(), q)
	d, ok := detailOf[*inboxv1.SenderRefuted](err)
	if connect.CodeOf(err) != connect.CodeFailedPrecondition || !ok {
		t.Fatalf("refused with %v", err)
	}
	if d.GetAnswers() != forged.GetReplyTarget().GetAnswers() || d.GetHandle().GetAddress() != "ada@example.org" || !d.GetHandle().GetRefuted() || d.GetEvidence() != "dmarc=fail" {
		t.Errorf("detail %v", d)
	}
	if got := r.audit.take(); len(got) != 0 {
		t.Errorf("recorded before anybody insisted: %q", got)
	}
	q.ToRefuted = true
	sent, err := r.inbox.SendReply(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if f := sent.GetEntry().GetMessage().GetFlags(); !slices.Contains(f, "to_refuted") {
		t.Errorf("the reply is flagged %q", f)
	}
	if d := cmp.Diff([]string{"ada reply.to_refuted " + forged.GetCustomerId()}, r.audit.take()); d != "" {
		t.Errorf("recorded (-want +got):\n%s", d)
	}
	// It says nothing of a sender nobody refutes, nor of an order that is no good.
	if sent, err = r.inbox.SendReply(t.Context(), &inboxv1.SendReplyRequest{ConversationId: own.GetId(), Text: "hello", ToRefuted: true}); err != nil || len(sent.GetEntry().GetMessage().GetFlags()) != 0 {
		t.Errorf("%v, %v", sent, err)
	}
	if got := r.audit.take(); len(got) != 0 {
		t.Errorf("recorded: %q", got)
	}
	// What cannot be recorded is not answered.
	r.audit.brake(errors.New("disk full"))
	q.IdempotencyKey = "k2"
	if _, err := r.inbox.SendReply(t.Context(), q); connect.CodeOf(err) != connect.CodeUnavailable {
		t.Errorf("without a record: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	r := start(t)
	const list = "/weftline.inbox.v1.InboxService/ListConversations"
	for name, c := range map[string]struct {
		who, path, body string
		status          int
		holds           string
	}{
		"anonymous":               {"", list, `{}`, http.StatusUnauthorized, "unauthenticated"},
		"wrong scope":             {"events", list, `{}`, http.StatusForbidden, "permission_denied"},
		"unknown field":           {"agent", list, `{"pageSice":1}`, http.StatusBadRequest, "pageSice"},
		"page too big":            {"agent", list, `{"pageSize":201}`, http.StatusBadRequest, "page_size: must be 0 to 200"},
		"page token":              {"agent", list, `{"pageToken":"!"}`, http.StatusBadRequest, "page_token"},
		"no such":                 {"agent", "/weftline.inbox.v1.InboxService/GetConversation", `{"conversationId":"x"}`, http.StatusNotFound, "not_found"},
		"cursor":                  {"agent", "/weftline.inbox.v1.InboxService/GetTimeline", `{"customerId":"x","asOf":"AAAA"}`, http.StatusBadRequest, "as_of"},
		"long key":                {"agent", "/weftline.inbox.v1.InboxService/AddNote", `{"conversationId":"x","text":"t","idempotencyKey":"` + strings.Repeat("k", 201) + `"}`, http.StatusBadRequest, "idempotency_key"},
		"scoped address":          {"agent", "/weftline.inbox.v1.InboxService/FindCustomer", `{"handle":{"kind":"chat","address":"v"}}`, http.StatusBadRequest, "handle.inbox_id"},
		"no inbox":                {"agent", "/weftline.inbox.v1.InboxService/StartConversation", `{"kind":"email","address":"a@b.c","inboxId":"nope","text":"t","idempotencyKey":"k"}`, http.StatusBadRequest, "inbox_id"},
		"kind of another channel": {"agent", "/weftline.inbox.v1.InboxService/StartConversation", `{"kind":"chat","address":"a@b.c","inboxId":"support","text":"t"}`, http.StatusBadRequest, "kind"},
		"search":                  {"agent", "/weftline.inbox.v1.InboxService/Search", `{"query":" "}`, http.StatusBadRequest, "query"},
	} {
		status, _, body := r.call(c.who, http.MethodPost, c.path, c.body)
		if status != c.status || !strings.Contains(body, c.holds) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	_, err := r.inbox.ListConversations(t.Context(), &inboxv1.ListConversationsRequest{PageSize: 201})
	if d, ok := detailOf[*errdetails.BadRequest](err); !ok || d.GetFieldViolations()[0].GetField() != "page_size" {
		t.Errorf("detail of %v: %v", err, d)
	}
}
