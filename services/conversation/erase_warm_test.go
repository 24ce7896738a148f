package conversation_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/internal/docstore"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// asked is everything that can be asked about a customer and his conversation,
// as one text. What is refused says why.
func (r *rig) asked(ctx context.Context, customer, conversation, address string, words ...string) string {
	var b strings.Builder
	tell := func(what string, m proto.Message, err error) {
		text := "refused"
		if err == nil {
			text = protojson.Format(m)
		}
		fmt.Fprintf(&b, "== %s\n%s\n", what, text)
	}
	id := r.identity()
	{
		m, err := r.inbox.ListConversations(ctx, &inboxv1.ListConversationsRequest{})
		tell("conversations", m, err)
	}
	{
		m, err := r.inbox.ListConversations(ctx, &inboxv1.ListConversationsRequest{CustomerId: customer})
		tell("his conversations", m, err)
	}
	{
		m, err := r.inbox.GetConversation(ctx, &inboxv1.GetConversationRequest{ConversationId: conversation})
		tell("conversation", m, err)
	}
	{
		m, err := r.inbox.GetTimeline(ctx, &inboxv1.GetTimelineRequest{CustomerId: customer})
		tell("timeline", m, err)
	}
	{
		m, err := r.inbox.FindCustomer(ctx, &inboxv1.FindCustomerRequest{By: &inboxv1.FindCustomerRequest_Handle{Handle: &inboxv1.FindCustomerRequest_ByHandle{Kind: "email", Address: address}}})
		tell("found by address", m, err)
	}
	{
		m, err := r.inbox.ListCustomers(ctx, &inboxv1.ListCustomersRequest{})
		tell("customers", m, err)
	}
	for _, w := range words {
		m, err := r.inbox.Search(ctx, &inboxv1.SearchRequest{Query: w})
		tell("search", m, err)
	}
	{
		m, err := id.GetPerson(ctx, &identityv1.GetPersonRequest{CustomerId: customer})
		tell("person", m, err)
	}
	{
		m, err := id.ListSuggestions(ctx, &identityv1.ListSuggestionsRequest{})
		tell("suggestions", m, err)
	}
	{
		m, err := id.GetRepeats(ctx, &identityv1.GetRepeatsRequest{CustomerId: customer})
		tell("repeats", m, err)
	}
	return b.String()
}

// Beside a running hub whose caches are warm, and are kept warm while it happens,
// nothing that is asked after an erasure tells anything of who was erased; nor
// does any document of the read models.
func TestErasedWhileEverybodyLooks(t *testing.T) {
	t.Parallel()
	r := startWith(t, conversation.Config{}, conversation.Erasure{})
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ada := r.met("ada@example.org", "the adamant word")
	bob := r.met("bob@example.org", "bob stays")
	r.deliver("typed", post{From: "ada@example.org", Name: "Ada Lovelace", Subject: "x", Text: "the typewritten word", Says: "bob@example.org"})
	r.deliver("other", post{From: "cy@example.org", Text: "cy says it too", Says: "ada@example.org"})
	_, err := r.inbox.SendReply(ctx, &inboxv1.SendReplyRequest{ConversationId: ada.GetId(), Text: "the replied word"})
	must(err)
	_, err = r.inbox.AddNote(ctx, &inboxv1.AddNoteRequest{ConversationId: ada.GetId(), Text: "the noted word"})
	must(err)
	_, err = r.inbox.AddTag(ctx, &inboxv1.AddTagRequest{ConversationId: ada.GetId(), Tag: "adastag"})
	must(err)
	_, err = r.inbox.SetAttribute(ctx, &inboxv1.SetAttributeRequest{CustomerId: ada.GetCustomerId(), Name: "city", Value: "adaville"})
	must(err)
	words := []string{"adamant", "typewritten", "replied", "noted", "ada@example.org"}
	ask := func(ctx context.Context) string {
		return r.asked(ctx, ada.GetCustomerId(), ada.GetId(), "ada@example.org", words...)
	}
	told := append([]string{ada.GetId(), "adastag", "adaville", "Ada Lovelace"}, words...)
	eventually(t, "all of it to be told", func() (string, error) { return ask(ctx), nil }, func(s string) bool {
		for _, w := range told {
			if !strings.Contains(s, w) {
				return false
			}
		}
		return strings.Count(s, `"typed@1"`) >= 2 // she said so of Bob's address, and somebody of hers
	})

	looking, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for looking.Err() == nil {
				ask(looking)
			}
		})
	}
	r.erase(ada.GetCustomerId())
	stop()
	all.Wait()

	after := ask(ctx)
	for _, w := range told {
		if i := strings.Index(after, w); i >= 0 {
			t.Errorf("%q is told: …%s…", w, after[max(0, i-300):min(len(after), i+300)])
		}
	}
	if strings.Contains(after, "typed@1") {
		t.Error("he is suggested still")
	}
	if !strings.Contains(after, "bob stays") || !strings.Contains(after, bob.GetId()) {
		t.Error("bob was harmed")
	}
	for _, c := range readmodel.NamesOf(1).All() {
		must(r.views.Scan(ctx, c, func(d docstore.Doc) error {
			for _, w := range told {
				if strings.Contains(d.ID+string(d.JSON), w) {
					t.Errorf("%s: %s still has %q: %.300s", c, d.ID, w, d.JSON)
				}
			}
			return nil
		}))
	}
	r.clean()
}
