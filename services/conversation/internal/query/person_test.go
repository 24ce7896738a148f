package query_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weftline/weftline/pkg/channel"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/cursor"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/conversation/internal/historytest"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/internal/crypt"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"
)

func timeline(t tb, s *shelf, q *inboxv1.GetTimelineRequest) *inboxv1.GetTimelineResponse {
	t.Helper()
	if q.PageSize == 0 {
		q.PageSize = 200
	}
	out, err := s.reader.GetTimeline(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// said are the ids of messages and replies.
func said(entries []*inboxv1.TimelineEntry) []string {
	var out []string
	for _, e := range entries {
		if e.GetMessage() != nil {
			out = append(out, e.GetId())
		}
	}
	return out
}

// At every cut through the log, whatever is half-done there: each message is on
// exactly one customer's timeline, and each conversation has one live state.
func TestLaw08EveryCutShowsEachOnce(t *testing.T) {
	t.Parallel()
	store, keys := openStore(t), crypt.NewMemory()
	rapid.Check(t, func(t *rapid.T) {
		s := newShelf(t, store, keys)
		s.Crowd(t, 3)
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			s.StepIdentity(t)
		}
		s.catchUp(t)
		at := cursor.Cursor{Seqs: make([]uint64, partitions)}
		messages, conversations, customers := map[string]int{}, map[string]int{}, []string{}
		for p := range partitions {
			head, err := s.Store.Head(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			at.Seqs[p] = uint64(rapid.IntRange(0, int(head)).Draw(t, "cut"))
			commits, err := s.Store.Read(t.Context(), p, 1, 10_000)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range commits {
				if c.Seq > at.Seqs[p] {
					break
				}
				events, err := codec.Decode(c)
				if err != nil {
					t.Fatal(err)
				}
				for _, ev := range events {
					switch v := ev.(type) {
					case event.CustomerCreated:
						customers = append(customers, c.Stream[len("customer."):])
					case event.MessageReceived:
						messages[v.Message] = 0
					case event.ReplyRequested:
						messages[v.Reply] = 0
					case event.ConversationOpened:
						conversations[v.Conversation] = 0
					}
				}
			}
		}
		asOf := at.Encode(s.Keys)
		persons := map[string][]string{}
		for _, id := range customers {
			alone := timeline(t, s, &inboxv1.GetTimelineRequest{CustomerId: id, Alone: true, AsOf: asOf})
			for _, m := range said(alone.GetEntries()) {
				messages[m]++
			}
			for _, c := range alone.GetConversations() {
				if c.GetFragment() != (c.GetStatus() == 0) {
					t.Fatalf("conversation %v is a fragment with a state, or none without", c)
				}
				if !c.GetFragment() {
					conversations[c.GetId()]++
				}
			}
			whole := timeline(t, s, &inboxv1.GetTimelineRequest{CustomerId: id, AsOf: asOf})
			persons[whole.GetPersonId()] = append(persons[whole.GetPersonId()], said(whole.GetEntries())...)
		}
		for id, n := range messages {
			if n != 1 {
				t.Fatalf("message %s is on %d timelines", id, n)
			}
		}
		for id, n := range conversations {
			if n != 1 {
				t.Fatalf("conversation %s has %d live states", id, n)
			}
		}
		seen := map[string]string{}
		for p, ids := range persons {
			slices.Sort(ids)
			for _, id := range slices.Compact(ids) {
				if o, twice := seen[id]; twice {
					t.Fatalf("message %s is said by %s and by %s", id, p, o)
				}
				seen[id] = p
			}
		}
		if d := cmp.Diff(slices.Sorted(maps.Keys(messages)), slices.Sorted(maps.Keys(seen))); d != "" {
			t.Fatalf("on persons' timelines (-said +shown):\n%s", d)
		}
	})
}

// Whatever was linked in between: with every link taken back, each customer's
// timeline is that of him alone, in every field.
func TestLaw04UnlinkedIsNeverLinked(t *testing.T) {
	t.Parallel()
	store, keys := openStore(t), crypt.NewMemory()
	rapid.Check(t, func(t *rapid.T) {
		s := newShelf(t, store, keys)
		s.Crowd(t, 3)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			s.StepIdentity(t)
		}
		for _, l := range s.Links {
			if !l.Undone {
				s.Unlink(t, l)
			}
		}
		s.catchUp(t)
		for _, c := range s.Customers {
			alone := timeline(t, s, &inboxv1.GetTimelineRequest{CustomerId: c.ID, Alone: true})
			whole := timeline(t, s, &inboxv1.GetTimelineRequest{CustomerId: c.ID})
			if d := cmp.Diff(alone, whole, protocmp.Transform()); d != "" {
				t.Fatalf("(-alone +unlinked):\n%s", d)
			}
		}
	})
}

// Pages towards the newer end, from any place, and pages with filters are the
// same entries in the same order as the whole.
func TestTimelinePagesOfAPerson(t *testing.T) {
	t.Parallel()
	store, keys := openStore(t), crypt.NewMemory()
	rapid.Check(t, func(t *rapid.T) {
		s := newShelf(t, store, keys)
		s.Crowd(t, rapid.SampledFrom([]int{3, 7}).Draw(t, "crowd"))
		if rapid.Bool().Draw(t, "all one") {
			for _, c := range s.Customers[1:] {
				s.Link(t, s.Customers[0], c)
			}
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			rapid.SampledFrom([]func(*rapid.T){s.Step, s.StepIdentity}).Draw(t, "kind of step")(t)
		}
		s.catchUp(t)
		c := rapid.SampledFrom(s.Customers).Draw(t, "customer shown")
		whole := timeline(t, s, &inboxv1.GetTimelineRequest{CustomerId: c.ID})
		shown := map[string]bool{}
		for _, e := range whole.GetEntries() {
			if shown[e.GetPosition()] {
				t.Fatalf("shown twice: %v", e)
			}
			shown[e.GetPosition()] = true
		}
		q := &inboxv1.GetTimelineRequest{
			CustomerId: c.ID, PageSize: int32(rapid.IntRange(1, 7).Draw(t, "page")),
			Kinds:    rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"message", "reply", "note", "activity", "event"}), 0, 3, rapid.ID).Draw(t, "kinds"),
			Channels: rapid.SliceOfN(rapid.SampledFrom([]string{"email", "phone"}), 0, 1).Draw(t, "channels"),
		}
		if rapid.Bool().Draw(t, "as of") {
			q.AsOf = whole.GetAsOf()
		}
		if rapid.Bool().Draw(t, "one conversation") {
			q.ConversationId = rapid.SampledFrom(whole.GetConversations()).Draw(t, "conversation").GetId()
		}
		topics := map[string]string{}
		for _, c := range whole.GetConversations() {
			topics[c.GetId()] = c.GetTopicId()
		}
		var want []string
		for _, e := range whole.GetEntries() {
			if (len(q.GetKinds()) == 0 || slices.Contains(q.GetKinds(), kind(e))) &&
				(len(q.GetChannels()) == 0 || slices.Contains(q.GetChannels(), e.GetChannel())) &&
				(q.GetConversationId() == "" || e.GetConversationId() != "" && topics[e.GetConversationId()] == topics[q.GetConversationId()]) {
				want = append(want, e.GetId())
			}
		}
		at := rapid.SampledFrom(whole.GetEntries()).Draw(t, "around")
		q.Around = timestamppb.New(at.GetRecordedAt().AsTime())
		middle := timeline(t, s, q)
		q.Around = nil
		got := ids(middle)
		for token := middle.GetNextPageToken(); token != ""; {
			q.PageToken = token
			page := timeline(t, s, q)
			got = append(ids(page), got...)
			token = page.GetNextPageToken()
		}
		for token := middle.GetNewerPageToken(); token != ""; {
			q.PageToken, q.Newer = token, true
			page := timeline(t, s, q)
			if len(page.GetEntries()) == 0 {
				t.Fatal("a token promised newer entries, and there are none")
			}
			got = append(got, ids(page)...)
			token = page.GetNewerPageToken()
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("pages (-whole +pages):\n%s", d)
		}
		if n := len(middle.GetEntries()); n > 0 && middle.GetEntries()[n-1].GetRecordedAt().AsTime().After(at.GetRecordedAt().AsTime()) {
			t.Fatal("the page around a time ends after it")
		}
	})
}

func ids(page *inboxv1.GetTimelineResponse) []string {
	var out []string
	for _, e := range page.GetEntries() {
		out = append(out, e.GetId())
	}
	return out
}

func kind(e *inboxv1.TimelineEntry) string {
	switch {
	case e.GetMessage() != nil && e.GetMessage().GetDirection() == inboxv1.Direction_DIRECTION_INBOUND:
		return "message"
	case e.GetMessage() != nil:
		return "reply"
	case e.GetNote() != nil:
		return "note"
	case e.GetEvent() != nil:
		return "event"
	}
	return "activity"
}

// meet makes a customer with a second handle.
func meet(t historytest.TB, s *shelf, name string) (*historytest.Customer, historytest.Handle) {
	t.Helper()
	c := s.Meet(t, channel.Address{Kind: "email", Address: name + "@example.org", Name: name}, "about "+name, "hello from "+name)
	hd := s.Claim(t, c, channel.Address{Kind: "phone", Address: "+49 30 " + name})
	s.Append(t, "customer."+c.ID, "attach:"+hd.ID, "system", event.HandleAttached{Handle: hd.ID, Kind: "phone", Tenure: 1})
	return c, hd
}

// A number that was somebody else's: what was said since it is his goes to him,
// without what agents noted of it, and the former owner sees that it left.
func TestAMovedHandleTakesItsUnits(t *testing.T) {
	t.Parallel()
	keys := crypt.NewMemory()
	s := newShelf(t, openStore(t), keys)
	a, phone := meet(t, s, "ann")
	b, _ := meet(t, s, "ben")
	before := s.Open(t, a, phone, "", "", "", "")
	now := s.Now
	after := s.Open(t, a, phone, "", "", "", "")
	s.Note(t, a, after, "ada", "secret of ann")
	s.Reply(t, a, after, "ada", "answer")
	s.Say(t, a, after, a.Handles[0], "ann by mail")
	s.Move(t, a, 1, b, now)
	s.catchUp(t)

	ofA, ofB := timeline(t, s, &inboxv1.GetTimelineRequest{CustomerId: a.ID}), timeline(t, s, &inboxv1.GetTimelineRequest{CustomerId: b.ID})
	moved := []string{after.Messages[0].ID, after.Replies[0]}
	for _, id := range moved {
		if slices.Contains(said(ofA.GetEntries()), id) || !slices.Contains(said(ofB.GetEntries()), id) {
			t.Errorf("%s is with the former owner, or not with the new one", id)
		}
	}
	for _, id := range []string{before.Messages[0].ID, after.Messages[1].ID} {
		if !slices.Contains(said(ofA.GetEntries()), id) || slices.Contains(said(ofB.GetEntries()), id) {
			t.Errorf("%s left, or is with both", id)
		}
	}
	for _, e := range ofB.GetEntries() {
		if e.GetNote() != nil {
			t.Errorf("a note went along: %v", e)
		}
		if e.GetCustomerId() != b.ID {
			t.Errorf("an entry of his names another customer: %v", e)
		}
	}
	if !slices.ContainsFunc(ofA.GetEntries(), func(e *inboxv1.TimelineEntry) bool { return e.GetActivity().GetVerb() == "handle_detached" }) {
		t.Error("the former owner does not see that it left")
	}
	var part *inboxv1.Conversation
	for _, c := range ofB.GetConversations() {
		if c.GetFragment() {
			part = c
		}
	}
	if part.GetId() != after.ID || part.GetSubject() != "" || part.GetStatus() != 0 || len(part.GetTags()) > 0 || part.GetCustomerId() != b.ID {
		t.Errorf("fragment %v", part)
	}
	// Once they are one person it is in one piece, with its state.
	s.Link(t, a, b)
	s.catchUp(t)
	whole := timeline(t, s, &inboxv1.GetTimelineRequest{CustomerId: b.ID})
	if got := len(said(whole.GetEntries())); got != len(said(ofA.GetEntries()))+len(said(ofB.GetEntries())) {
		t.Errorf("%d messages of both", got)
	}
	for _, c := range whole.GetConversations() {
		if c.GetFragment() {
			t.Errorf("still in parts: %v", c)
		}
	}
}

// A person's name and attributes are the newest of his customers'; each customer keeps his own.
func TestAPersonsNameIsTheNewest(t *testing.T) {
	t.Parallel()
	s := newShelf(t, openStore(t), crypt.NewMemory())
	a, _ := meet(t, s, "ann")
	b, _ := meet(t, s, "ben")
	set := func(c *historytest.Customer, name, value string) {
		s.Do(t, c, "ada", event.AttributeSet{Name: name, Value: s.Seal(t, event.CustomerKey(c.ID), value, event.AttributeAAD(c.ID, name))})
	}
	set(b, "plan", "gold")
	set(a, "plan", "silver")
	set(b, "name", "Benedict")
	s.Link(t, a, b)
	s.catchUp(t)
	got := timeline(t, s, &inboxv1.GetTimelineRequest{CustomerId: a.ID})
	if c := got.GetCustomer(); c.GetName() != "Benedict" || c.GetAttributes()["plan"] != "silver" || c.GetPersonId() != a.ID {
		t.Errorf("person %v", c)
	}
	if m := got.GetMembers(); len(m) != 2 || m[0].GetName() != "ann" || m[1].GetAttributes()["plan"] != "gold" || m[1].GetPersonId() != a.ID {
		t.Errorf("members %v", m)
	}
	rows, err := s.reader.ListConversations(t.Context(), &inboxv1.ListConversationsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range rows.GetConversations() {
		if c.GetCustomerName() != "Benedict" || c.GetPersonId() != a.ID {
			t.Errorf("row %v", c)
		}
	}
	if c, err := s.reader.Customer(t.Context(), b.ID); err != nil || c.GetPersonId() != a.ID {
		t.Errorf("found %v, %v", c, err)
	}
}

// Joined conversations are one topic, also in the queue, while their customers are one person.
func TestTopicsOfAPerson(t *testing.T) {
	t.Parallel()
	s := newShelf(t, openStore(t), crypt.NewMemory())
	a, _ := meet(t, s, "ann")
	b, _ := meet(t, s, "ben")
	ca, cb := a.Conversations[0], b.Conversations[0]
	s.Do(t, a, "ada", event.ConversationTagged{Conversation: ca.ID, Tag: "vip"}, event.ConversationAssigned{Conversation: ca.ID, Assignee: "ada"})
	s.Do(t, b, "ada", event.ConversationClosed{Conversation: cb.ID}, event.ConversationTagged{Conversation: cb.ID, Tag: "late"}, event.ConversationAssigned{Conversation: cb.ID, Assignee: "bob"})
	l := s.Link(t, a, b)
	s.Join(t, a, ca, b, cb)
	s.catchUp(t)
	got := timeline(t, s, &inboxv1.GetTimelineRequest{CustomerId: a.ID}).GetTopics()
	want := []*inboxv1.Topic{{Id: ca.ID, ConversationIds: []string{cb.ID, ca.ID}, Status: inboxv1.Status_STATUS_OPEN, Assignee: "bob", Tags: []string{"late", "vip"}}}
	if d := cmp.Diff(want, got, protocmp.Transform()); d != "" {
		t.Errorf("topics (-want +got):\n%s", d)
	}
	topicOf := func(id string) string {
		row, err := s.reader.GetConversation(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return row.GetConversation().GetTopicId()
	}
	if topicOf(cb.ID) != ca.ID {
		t.Errorf("the row of %s has the topic %s", cb.ID, topicOf(cb.ID))
	}
	both := timeline(t, s, &inboxv1.GetTimelineRequest{CustomerId: b.ID, ConversationId: cb.ID})
	if n := len(said(both.GetEntries())); n != 2 {
		t.Errorf("%d messages of the topic", n)
	}
	s.Unlink(t, l)
	s.catchUp(t)
	if got := timeline(t, s, &inboxv1.GetTimelineRequest{CustomerId: a.ID}).GetTopics(); len(got) > 0 || topicOf(cb.ID) != cb.ID {
		t.Errorf("shown as one although they are two: %v", got)
	}
}

// Of an erased member there is a line that says so, and nothing else; his id resolves.
func TestAnErasedMemberHasNoContent(t *testing.T) {
	t.Parallel()
	s := newShelf(t, openStore(t), crypt.NewMemory())
	a, _ := meet(t, s, "ann")
	b, _ := meet(t, s, "ben")
	s.Link(t, a, b)
	s.Do(t, a, "ada", event.CustomerErased{EraseID: "e1"})
	s.Append(t, "customer.nobody", "erase:nobody", "ada", event.CustomerErased{EraseID: "e2"})
	s.catchUp(t)
	got := timeline(t, s, &inboxv1.GetTimelineRequest{CustomerId: b.ID})
	if got.GetPersonId() != b.ID {
		t.Errorf("person %s, an erased one", got.GetPersonId())
	}
	lines := 0
	for _, e := range got.GetEntries() {
		if e.GetCustomerId() == a.ID {
			lines++
			if e.GetActivity().GetVerb() != "erased" {
				t.Errorf("of the erased one: %v", e)
			}
		}
	}
	if lines != 1 {
		t.Errorf("%d lines of the erased one", lines)
	}
	for _, c := range got.GetConversations() {
		if c.GetCustomerId() == a.ID {
			t.Errorf("his conversation: %v", c)
		}
	}
	for _, id := range []string{a.ID, "nobody"} {
		c, err := s.reader.Customer(t.Context(), id)
		if err != nil || !c.GetErased() || c.GetName() != "Erased" || len(c.GetHandles()) > 0 {
			t.Errorf("%s: %v, %v", id, c, err)
		}
	}
}

// A business event is opened on the timeline, found by its title, and in no transcript.
func TestBusinessEvents(t *testing.T) {
	t.Parallel()
	s := newShelf(t, openStore(t), crypt.NewMemory())
	a, _ := meet(t, s, "ann")
	s.Event(t, a, "Order 4711 placed")
	s.catchUp(t)
	got := timeline(t, s, &inboxv1.GetTimelineRequest{CustomerId: a.ID, Kinds: []string{"event"}})
	want := &inboxv1.BusinessEvent{Type: "order.placed", Title: "Order 4711 placed", Link: "https://shop.example/1", Payload: `{"total":12}`}
	if len(got.GetEntries()) != 1 || !cmp.Equal(want, got.GetEntries()[0].GetEvent(), protocmp.Transform()) {
		t.Errorf("events %v", got.GetEntries())
	}
	hits, err := s.reader.Search(t.Context(), &inboxv1.SearchRequest{Query: "order 4711"})
	if err != nil || len(hits.GetHits()) != 1 {
		t.Errorf("hits %v, %v", hits, err)
	}
}

func TestTimelineRefuses(t *testing.T) {
	t.Parallel()
	s := newShelf(t, openStore(t), crypt.NewMemory())
	a, _ := meet(t, s, "ann")
	b, _ := meet(t, s, "ben")
	s.catchUp(t)
	for field, q := range map[string]*inboxv1.GetTimelineRequest{
		"kinds":           {Kinds: []string{"letter"}},
		"around":          {Around: timestamppb.Now(), PageToken: "eA"},
		"conversation_id": {ConversationId: b.Conversations[0].ID},
		"page_token":      {PageToken: "!"},
	} {
		q.CustomerId = a.ID
		_, err := s.reader.GetTimeline(t.Context(), q)
		f, ok := err.(*query.FieldError)
		if !ok || f.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
