package conversation_test

import (
	"errors"
	"testing"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/pkg/weftline/identity/v1/identityv1connect"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
)

// persons is a rig with three customers who wrote once: their ids and conversations.
type persons struct {
	*rig
	identityv1connect.IdentityServiceClient
	customers, conversations map[string]string
}

func startPersons(t *testing.T, names ...string) *persons {
	t.Helper()
	r := start(t)
	p := &persons{
		rig: r, IdentityServiceClient: identityv1connect.NewIdentityServiceClient(as("agent"), r.url),
		customers: map[string]string{}, conversations: map[string]string{},
	}
	for _, name := range names {
		r.deliver("first-"+name, post{From: name + "@example.org", Name: name, Subject: "Hello", Text: "I am " + name})
		eventually(t, name, func() (*inboxv1.ListConversationsResponse, error) {
			return r.inbox.ListConversations(t.Context(), &inboxv1.ListConversationsRequest{Status: inboxv1.Status_STATUS_OPEN})
		}, func(l *inboxv1.ListConversationsResponse) bool {
			for _, c := range l.GetConversations() {
				if c.GetCustomerName() == name {
					p.customers[name], p.conversations[name] = c.GetCustomerId(), c.GetId()
				}
			}
			return p.customers[name] != ""
		})
	}
	return p
}

func (p *persons) merge(t *testing.T, a, b string) string {
	t.Helper()
	preview, err := p.PreviewMerge(t.Context(), &identityv1.PreviewMergeRequest{A: p.customers[a], B: p.customers[b]})
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.Merge(t.Context(), &identityv1.MergeRequest{A: p.customers[a], B: p.customers[b], Token: preview.GetToken()})
	if err != nil {
		t.Fatal(err)
	}
	return m.GetLinkId()
}

func (p *persons) members(t *testing.T, of string) (out []string) {
	t.Helper()
	res, err := p.GetPerson(t.Context(), &identityv1.GetPersonRequest{CustomerId: p.customers[of]})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range res.GetPerson().GetMembers() {
		out = append(out, m.GetCustomer().GetName())
	}
	return out
}

func code(err error) connect.Code {
	if e, ok := errors.AsType[*connect.Error](err); ok {
		return e.Code()
	}
	return 0
}

// Preview, merge, a message meanwhile, unmerge: two events in all, and everything is as it was.
func TestMergeAndUnmerge(t *testing.T) {
	t.Parallel()
	p := startPersons(t, "ada", "bob")
	ctx, a, b := t.Context(), p.customers["ada"], p.customers["bob"]
	preview, err := p.PreviewMerge(ctx, &identityv1.PreviewMergeRequest{A: a, B: b})
	if err != nil {
		t.Fatal(err)
	}
	if preview.GetRefused() != "" || preview.GetA().GetMessages() != 1 || preview.GetResult().GetMessages() != 2 ||
		preview.GetResult().GetOpenConversations() != 2 || len(preview.GetResult().GetOpen()) != 2 || len(preview.GetLinks()) != 0 {
		t.Fatalf("preview %v", preview)
	}
	h := preview.GetB().GetPerson().GetMembers()[0].GetHandles()[0]
	if h.GetHandle().GetAddress() != "bob@example.org" || h.GetHandle().GetAssurance() != 2 || h.GetEvidence() != "new" || h.GetSince() == nil {
		t.Errorf("handle %v", h)
	}

	// A message does not make the preview stale.
	p.deliver("more", post{From: "bob@example.org", Name: "bob", Text: "One more thing"})
	eventually(t, "bob's second message", func() (*identityv1.PreviewMergeResponse, error) {
		return p.PreviewMerge(ctx, &identityv1.PreviewMergeRequest{A: a, B: b})
	}, func(v *identityv1.PreviewMergeResponse) bool { return v.GetB().GetMessages() == 2 })
	order := &identityv1.MergeRequest{A: a, B: b, Token: preview.GetToken(), IdempotencyKey: "k"}
	merged, err := p.Merge(ctx, order)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := p.Merge(ctx, order); err != nil || again.GetLinkId() != merged.GetLinkId() {
		t.Errorf("the same order again: %v, %v", again, err)
	}
	if other, err := p.Merge(ctx, &identityv1.MergeRequest{A: b, B: a, Token: preview.GetToken()}); err != nil || other.GetLinkId() != merged.GetLinkId() {
		t.Errorf("who is one person already: %v, %v", other, err)
	}
	if d := cmp.Diff([]string{"ada", "bob"}, p.members(t, "bob")); d != "" {
		t.Error(d)
	}
	if got := merged.GetPerson().GetId(); got != a {
		t.Errorf("canonical id is %s, the older one is %s", got, a)
	}

	// What is written meanwhile is told, and stays on its side.
	if _, err := p.inbox.AddNote(ctx, &inboxv1.AddNoteRequest{ConversationId: p.conversations["bob"], Text: "Prefers mornings."}); err != nil {
		t.Fatal(err)
	}
	parting, err := p.PreviewUnmerge(ctx, &identityv1.PreviewUnmergeRequest{A: a, B: b})
	if err != nil {
		t.Fatal(err)
	}
	if len(parting.GetLinks()) != 1 || parting.GetLinks()[0].GetId() != merged.GetLinkId() || len(parting.GetWritten()) != 1 ||
		parting.GetWritten()[0].GetCustomerId() != b || parting.GetWritten()[0].GetText() != "Prefers mornings." {
		t.Errorf("unmerge preview %v", parting)
	}
	for range 2 { // done twice is done once
		out, err := p.Unmerge(ctx, &identityv1.UnmergeRequest{LinkIds: []string{merged.GetLinkId()}})
		if err != nil || len(out.GetPersons()) != 2 {
			t.Fatalf("unmerge: %v, %v", out, err)
		}
	}
	for _, name := range []string{"ada", "bob"} {
		if d := cmp.Diff([]string{name}, p.members(t, name)); d != "" {
			t.Error(d)
		}
		line, err := p.inbox.GetTimeline(ctx, &inboxv1.GetTimelineRequest{CustomerId: p.customers[name]})
		if err != nil {
			t.Fatal(err)
		}
		var verbs []string
		for _, e := range line.GetEntries() {
			if v := e.GetActivity().GetVerb(); v == "linked" || v == "unlinked" {
				verbs = append(verbs, v+" "+e.GetActivity().GetRef())
			}
		}
		if d := cmp.Diff([]string{"linked " + merged.GetLinkId(), "unlinked " + merged.GetLinkId()}, verbs); d != "" {
			t.Errorf("timeline of %s (-want +got)\n%s", name, d)
		}
	}
	former, err := p.GetPerson(ctx, &identityv1.GetPersonRequest{CustomerId: b})
	if err != nil || len(former.GetPerson().GetFormerLinks()) != 1 || former.GetPerson().GetFormerLinks()[0].GetUndoneBy() != "ada" {
		t.Errorf("former links: %v, %v", former, err)
	}
	if _, err := p.Unmerge(ctx, &identityv1.UnmergeRequest{LinkIds: []string{"no-such-link"}}); code(err) != connect.CodeNotFound {
		t.Errorf("a link that never was: %v", err)
	}
}

// A preview is refused when what it rests on changed: here another link.
func TestStalePreview(t *testing.T) {
	t.Parallel()
	p := startPersons(t, "ada", "bob", "cyd")
	preview, err := p.PreviewMerge(t.Context(), &identityv1.PreviewMergeRequest{A: p.customers["ada"], B: p.customers["bob"]})
	if err != nil {
		t.Fatal(err)
	}
	p.merge(t, "bob", "cyd")
	_, err = p.Merge(t.Context(), &identityv1.MergeRequest{A: p.customers["ada"], B: p.customers["bob"], Token: preview.GetToken()})
	if code(err) != connect.CodeFailedPrecondition {
		t.Fatalf("got %v", err)
	}
	e, _ := errors.AsType[*connect.Error](err)
	detail, err := e.Details()[0].Value()
	stale, ok := detail.(*identityv1.PreviewStale)
	if err != nil || !ok || len(stale.GetChanges()) == 0 {
		t.Errorf("detail %v, %v", detail, err)
	}
	for name, token := range map[string]string{"forged": preview.GetToken()[:len(preview.GetToken())-4] + "AAAA", "nonsense": "x"} {
		if _, err := p.Merge(t.Context(), &identityv1.MergeRequest{A: p.customers["ada"], B: p.customers["bob"], Token: token}); code(err) != connect.CodeFailedPrecondition {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.PreviewMerge(t.Context(), &identityv1.PreviewMergeRequest{A: p.customers["ada"], B: "nobody"}); code(err) != connect.CodeNotFound {
		t.Errorf("a customer that never was: %v", err)
	}
}

// Two who are one over a third are parted by one link; of the person nobody else comes apart.
func TestUnmergeOverOthers(t *testing.T) {
	t.Parallel()
	p := startPersons(t, "ada", "bob", "cyd")
	ctx := t.Context()
	ab, bc := p.merge(t, "ada", "bob"), p.merge(t, "bob", "cyd")
	// Who is one person already gets no third link, so one is taken back first.
	if _, err := p.Unmerge(ctx, &identityv1.UnmergeRequest{LinkIds: []string{ab}}); err != nil {
		t.Fatal(err)
	}
	ac := p.merge(t, "ada", "cyd")
	preview, err := p.PreviewUnmerge(ctx, &identityv1.PreviewUnmergeRequest{A: p.customers["ada"], B: p.customers["bob"]})
	if err != nil {
		t.Fatal(err)
	}
	if len(preview.GetLinks()) != 1 || len(preview.GetRemaining()) != 1 {
		t.Fatalf("preview %v", preview)
	}
	if _, err := p.Unmerge(ctx, &identityv1.UnmergeRequest{LinkIds: []string{preview.GetLinks()[0].GetId()}}); err != nil {
		t.Fatal(err)
	}
	if got := p.members(t, "bob"); len(got) == 3 {
		t.Errorf("%v are one person still", got)
	}
	if _, err := p.Unmerge(ctx, &identityv1.UnmergeRequest{LinkIds: []string{bc, ac}}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ada", "bob", "cyd"} {
		if d := cmp.Diff([]string{name}, p.members(t, name)); d != "" {
			t.Error(d)
		}
	}
}

// Conversations of two persons are not joined.
func TestJoinConversations(t *testing.T) {
	t.Parallel()
	p := startPersons(t, "ada", "bob")
	ctx := t.Context()
	ask := &identityv1.JoinConversationsRequest{A: p.conversations["ada"], B: p.conversations["bob"]}
	if _, err := p.JoinConversations(ctx, ask); code(err) != connect.CodeFailedPrecondition {
		t.Fatalf("of two persons: %v", err)
	}
	p.merge(t, "ada", "bob")
	joined, err := p.JoinConversations(ctx, ask)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := p.JoinConversations(ctx, ask); err != nil || again.GetJoinId() != joined.GetJoinId() {
		t.Errorf("again: %v, %v", again, err)
	}
	undo := &identityv1.UnjoinConversationsRequest{A: ask.GetB(), B: ask.GetA(), JoinId: joined.GetJoinId()}
	for range 2 {
		if _, err := p.UnjoinConversations(ctx, undo); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.UnjoinConversations(ctx, &identityv1.UnjoinConversationsRequest{A: ask.GetA(), B: ask.GetB(), JoinId: "never"}); code(err) != connect.CodeNotFound {
		t.Errorf("a join that never was: %v", err)
	}
	if _, err := p.JoinConversations(ctx, &identityv1.JoinConversationsRequest{A: ask.GetA(), B: ask.GetA()}); code(err) != connect.CodeFailedPrecondition {
		t.Errorf("one with itself: %v", err)
	}
}
