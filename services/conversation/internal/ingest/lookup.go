package ingest

import (
	"context"

	"github.com/weftline/weftline/services/conversation/internal/customer"
)

// Reference is where an id that others refer to belongs.
type Reference struct {
	Customer     string
	Conversation string
}

// Refs finds messages by the keyed hash of an id others refer to them by. It
// may lag: it gives hints, never ownership. Several messages may carry one id
// (a forged Message-ID); all are returned, in any order.
type Refs interface {
	Refs(ctx context.Context, tenant, hash string) ([]Reference, error)
}

// Origins finds the original a message came from. It may lag, or not know.
type Origins interface {
	// Origin is the reference of a message's original and the handle of its
	// sender; "" for what it does not know.
	Origin(ctx context.Context, tenant, message string) (ref, handle string, err error)
}

// Reply is an outbound message by a look-up.
type Reply struct {
	Customer     string
	Conversation string
	Topic        string // of the conversation; empty: the conversation itself
	Handle       string
	Tenure       int64
	customer.Course
}

// Replies finds outbound messages by id. It may lag.
type Replies interface {
	Reply(ctx context.Context, tenant, reply string) (Reply, bool, error)
}
