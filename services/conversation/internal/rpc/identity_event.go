package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/subject"
	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/telemetry"
)

// RecordEvent puts something that happened in the business on a timeline.
func (s Identity) RecordEvent(ctx context.Context, q *identityv1.RecordEventRequest) (*identityv1.RecordEventResponse, error) {
	switch {
	case q.GetCustomerId() != "" && q.GetAddress() != "":
		return nil, field("address", "excludes customer_id")
	case q.GetCustomerId() == "" && q.GetAddress() == "":
		return nil, field("customer_id", "or kind and address are required")
	case q.GetCustomerId() != "" && !subject.ValidToken(q.GetCustomerId()):
		return nil, field("customer_id", "is no customer's id")
	}
	var at time.Time
	if t := q.GetOccurredAt(); t != nil {
		if err := t.CheckValid(); err != nil {
			return nil, field("occurred_at", "is not a valid time")
		}
		at = t.AsTime()
	}
	var payload json.RawMessage
	if p := q.GetPayload(); p != nil {
		var err error
		if payload, err = json.Marshal(p.AsMap()); err != nil {
			return nil, fmt.Errorf("encode payload: %w", err)
		}
	}
	who, _ := actor.From(ctx)
	r, err := s.Commands.RecordEvent(ctx, command.RecordEvent{
		Order: command.Order{Tenant: s.Tenant, Actor: who.ID, Key: q.GetEventId(), Customer: q.GetCustomerId(), Trace: telemetry.Traceparent(ctx)},
		Kind:  q.GetKind(), Address: q.GetAddress(), Inbox: q.GetInboxId(),
		Type: q.GetType(), Title: q.GetTitle(), Link: q.GetLink(), Payload: payload, OccurredAt: at, Source: q.GetSource(),
	})
	if err != nil {
		return nil, err
	}
	entry, err := s.entry(ctx, r)
	return &identityv1.RecordEventResponse{CustomerId: r.Customer, Entry: entry}, err
}
