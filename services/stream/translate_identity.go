package stream

import (
	eventv1 "github.com/weftline/weftline/pkg/weftline/event/v1"
	inboxv1 "github.com/weftline/weftline/pkg/weftline/inbox/v1"
	"google.golang.org/protobuf/proto"
)

// identity is the event of what concerns who is who; nil for other verbs.
// Suggestions and joins do not leave: they are the agents' own.
func identity(e *inboxv1.TimelineEntry, a *inboxv1.Activity) proto.Message {
	customer, other := e.GetCustomerId(), a.GetValue()
	switch a.GetVerb() {
	case "handle_detached":
		return &eventv1.HandleDetached{CustomerId: customer, HandleId: e.GetHandle().GetId(), Tenure: e.GetHandle().GetTenure()}
	case "erased":
		return &eventv1.CustomerErased{CustomerId: customer, EraseId: a.GetValue()}
	case "linked":
		if customer > other { // both timelines have a line; one event leaves
			return nil
		}
		return &eventv1.CustomersLinked{
			CustomerId: customer, OtherCustomerId: other, LinkId: a.GetRef(), Rule: a.GetRule(), Actor: a.GetActor(),
		}
	case "unlinked":
		if customer > other {
			return nil
		}
		return &eventv1.CustomersUnlinked{
			CustomerId: customer, OtherCustomerId: other, LinkId: a.GetRef(), Actor: a.GetActor(),
		}
	}
	return nil
}
