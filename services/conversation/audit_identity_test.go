package conversation_test

import (
	"slices"
	"testing"

	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"github.com/weftline/weftline/services/internal/audit"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// unrecorded are the mutating calls that leave no entry on purpose, and why.
var unrecorded = map[string]string{
	"RecordEvent": "an event of the customer with its author, as a message is; integrators send very many",
}

// mutating are the calls of a service that change something.
func mutating(s protoreflect.ServiceDescriptor) (names []string) {
	for i := range s.Methods().Len() {
		m := s.Methods().Get(i)
		if m.Options().(*descriptorpb.MethodOptions).GetIdempotencyLevel() != descriptorpb.MethodOptions_NO_SIDE_EFFECTS {
			names = append(names, string(m.Name()))
		}
	}
	return names
}

// TestEveryIdentityChangeIsRecorded walks the service as its descriptor has it:
// each call that changes something leaves an entry when it is done and when it
// is refused, or is named above. A new one fails here until it is wired.
func TestEveryIdentityChangeIsRecorded(t *testing.T) {
	t.Parallel()
	p := startPersons(t, "ada", "bob", "cleo", "dora")
	ctx := t.Context()
	const why = "they live together, says Pia"
	a, b := p.customers["ada"], p.customers["bob"]
	convA, convB := p.conversations["ada"], p.conversations["bob"]
	var link, joined, hold string
	handle := func(customer string) string {
		c, err := p.GetPerson(ctx, &identityv1.GetPersonRequest{CustomerId: customer})
		if err != nil {
			t.Fatal(err)
		}
		return c.GetPerson().GetMembers()[0].GetHandles()[0].GetHandle().GetId()
	}
	hs := map[string]string{}
	for _, n := range []string{"cleo", "dora"} {
		hs[n] = handle(p.customers[n])
	}
	type call struct {
		method string
		action string
		do     func() error
		refuse func() error // the same, in a way that cannot be done
		why    int          // keys the reason must be under; 0: it takes none
	}
	calls := []call{
		{"Merge", audit.IdentityMerge, func() error {
			pre, err := p.PreviewMerge(ctx, &identityv1.PreviewMergeRequest{A: a, B: b})
			if err != nil {
				return err
			}
			m, err := p.Merge(ctx, &identityv1.MergeRequest{A: a, B: b, Token: pre.GetToken(), Reason: why})
			link = m.GetLinkId()
			return err
		}, func() error {
			_, err := p.Merge(ctx, &identityv1.MergeRequest{A: a, B: p.customers["cleo"], Token: "stale", Reason: why})
			return err
		}, 2},
		{"JoinConversations", audit.IdentityJoin, func() error {
			j, err := p.JoinConversations(ctx, &identityv1.JoinConversationsRequest{A: convA, B: convB})
			joined = j.GetJoinId()
			return err
		}, func() error {
			_, err := p.JoinConversations(ctx, &identityv1.JoinConversationsRequest{A: convA, B: p.conversations["cleo"]})
			return err
		}, 0},
		{"UnjoinConversations", audit.IdentityUnjoin, func() error {
			_, err := p.UnjoinConversations(ctx, &identityv1.UnjoinConversationsRequest{A: convA, B: convB, JoinId: joined})
			return err
		}, func() error {
			_, err := p.UnjoinConversations(ctx, &identityv1.UnjoinConversationsRequest{A: convA, B: convB, JoinId: "never"})
			return err
		}, 0},
		{"Unmerge", audit.IdentityUnmerge, func() error {
			_, err := p.Unmerge(ctx, &identityv1.UnmergeRequest{LinkIds: []string{link}, Reason: why})
			return err
		}, func() error {
			_, err := p.Unmerge(ctx, &identityv1.UnmergeRequest{LinkIds: []string{"never"}, Reason: why})
			return err
		}, 2},
		{"RefuseSuggestion", audit.SuggestionRefused, nil, func() error {
			_, err := p.RefuseSuggestion(ctx, &identityv1.RefuseSuggestionRequest{A: a, B: a, SuggestionId: "s"})
			return err
		}, 0},
		{"MoveHandle", audit.IdentityMove, func() error {
			pre, err := p.PreviewMove(ctx, &identityv1.PreviewMoveRequest{HandleId: hs["cleo"]})
			if err != nil {
				return err
			}
			_, err = p.MoveHandle(ctx, &identityv1.MoveHandleRequest{HandleId: hs["cleo"], Token: pre.GetToken(), Reason: why})
			return err
		}, func() error {
			_, err := p.MoveHandle(ctx, &identityv1.MoveHandleRequest{HandleId: hs["dora"], Token: "stale", Reason: why})
			return err
		}, 2},
		{"QualifyHandle", audit.IdentityQualify, func() error {
			_, err := p.QualifyHandle(ctx, &identityv1.QualifyHandleRequest{HandleId: hs["dora"], Qualifier: identityv1.Qualifier_QUALIFIER_SHARED})
			return err
		}, func() error {
			_, err := p.QualifyHandle(ctx, &identityv1.QualifyHandleRequest{HandleId: "nobodys", Qualifier: identityv1.Qualifier_QUALIFIER_SHARED})
			return err
		}, 0},
		{"AttributeConversation", audit.IdentityAttribute, func() error {
			_, err := p.AttributeConversation(ctx, &identityv1.AttributeConversationRequest{ConversationId: p.conversations["dora"], CustomerId: a})
			return err
		}, func() error {
			_, err := p.AttributeConversation(ctx, &identityv1.AttributeConversationRequest{ConversationId: p.conversations["dora"], CustomerId: "nobody"})
			return err
		}, 0},
		{"SplitConversation", audit.IdentitySplit, func() error {
			p.deliver("again", post{From: "ada@example.org", Name: "ada", Text: "And another thing"})
			line := eventually(t, "ada's second message", func() (*inboxv1.GetTimelineResponse, error) {
				return p.inbox.GetTimeline(ctx, &inboxv1.GetTimelineRequest{CustomerId: a})
			}, func(g *inboxv1.GetTimelineResponse) bool { return messages(g) == 2 })
			last := ""
			for _, e := range line.GetEntries() {
				if e.GetMessage() != nil {
					last = e.GetId()
				}
			}
			p.audit.take()
			_, err := p.SplitConversation(ctx, &identityv1.SplitConversationRequest{ConversationId: convA, EntryIds: []string{last}})
			return err
		}, func() error {
			_, err := p.SplitConversation(ctx, &identityv1.SplitConversationRequest{ConversationId: convA, EntryIds: []string{"no-entry"}})
			return err
		}, 0},
		{"StartProof", audit.ProofStarted, nil, func() error {
			_, err := p.StartProof(ctx, &identityv1.StartProofRequest{CustomerId: a, HandleId: "nobodys", InboxId: "support"})
			return err
		}, 0},
		{"CheckProof", audit.ProofFailed, func() error { // a wrong code is an answer
			_, err := p.CheckProof(ctx, &identityv1.CheckProofRequest{ProofId: "never", Code: "123456"})
			return err
		}, nil, 0},
		{"StartExport", audit.ExportCustomer, func() error {
			_, err := p.StartExport(ctx, &identityv1.StartExportRequest{CustomerIds: []string{b}})
			return err
		}, func() error {
			_, err := p.StartExport(ctx, &identityv1.StartExportRequest{CustomerIds: []string{"nobody"}})
			return err
		}, 0},
		{"PlaceHold", audit.HoldPlaced, func() error {
			h, err := p.PlaceHold(ctx, &identityv1.PlaceHoldRequest{CustomerId: b, Reason: "court"})
			hold = h.GetHoldId()
			return err
		}, func() error {
			_, err := p.PlaceHold(ctx, &identityv1.PlaceHoldRequest{CustomerId: b})
			return err
		}, 0},
		{"LiftHold", audit.HoldLifted, func() error {
			_, err := p.LiftHold(ctx, &identityv1.LiftHoldRequest{CustomerId: b, HoldId: hold})
			return err
		}, func() error {
			_, err := p.LiftHold(ctx, &identityv1.LiftHoldRequest{CustomerId: "nobody", HoldId: "never"})
			return err
		}, 0},
		{"Erase", audit.EraseOrdered, func() error {
			pre, err := p.PreviewErasure(ctx, &identityv1.PreviewErasureRequest{CustomerIds: []string{b}})
			if err != nil {
				return err
			}
			_, err = p.Erase(ctx, &identityv1.EraseRequest{CustomerIds: []string{b}, Token: pre.GetToken(), Reason: why, Reference: "DSR-7"})
			return err
		}, func() error {
			_, err := p.Erase(ctx, &identityv1.EraseRequest{CustomerIds: []string{a}, Token: "stale", Reason: why})
			return err
		}, 1},
	}
	p.audit.take()
	var walked []string
	for _, c := range calls {
		walked = append(walked, c.method)
		for outcome, do := range map[string]func() error{audit.OutcomeOK: c.do, audit.OutcomeRefused: c.refuse} {
			if do == nil { // needs a channel: the scripts audit_reasons and address_is_proven_by_code do it
				continue
			}
			err := do()
			if (err == nil) != (outcome == audit.OutcomeOK) {
				t.Errorf("%s, to be %s: %v", c.method, outcome, err)
			}
			var e audit.Entry
			for _, x := range p.audit.entries() {
				if x.Action == c.action {
					e = x
				}
			}
			if e.Action == "" || e.Outcome != outcome && !(e.Outcome == "" && outcome == audit.OutcomeOK) {
				t.Errorf("%s, %s: left %+v", c.method, outcome, e)
			}
			if outcome == audit.OutcomeOK && (len(e.WhyKeys) != c.why || (e.Why == why) != (c.why > 0)) || outcome != audit.OutcomeOK && e.Why != "" {
				t.Errorf("%s, %s: why is %q under %v, want it under %d keys", c.method, outcome, e.Why, e.WhyKeys, c.why)
			}
		}
	}
	for _, m := range mutating(identityv1.File_weftline_identity_v1_identity_proto.Services().ByName("IdentityService")) {
		if _, ok := unrecorded[m]; !ok && !slices.Contains(walked, m) {
			t.Errorf("%s changes something: say here what entry it leaves in the audit log, or in unrecorded why none", m)
		}
	}
}

func messages(g *inboxv1.GetTimelineResponse) (n int) {
	for _, e := range g.GetEntries() {
		if e.GetMessage() != nil {
			n++
		}
	}
	return n
}
