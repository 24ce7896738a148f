package conversation

import (
	"context"
	"errors"
	"time"

	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/ingest"
	"github.com/weftline/weftline/services/conversation/internal/person"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
)

// lookup answers those who decide from the read models. They know that it may
// lag. The read models are of one tenant, so none is asked for.
type lookup struct {
	*query.Reader
	*readmodel.Live
}

// Graph is that of the read models, for both.
func (l lookup) Graph() *person.Graph { return l.Live.Graph() }

func (l lookup) Known(ctx context.Context, _, entry string) (bool, error) {
	return l.Reader.Known(ctx, entry)
}

func (l lookup) Refs(ctx context.Context, _, hash string) ([]ingest.Reference, error) {
	refs, err := l.Reader.Refs(ctx, hash)
	out := make([]ingest.Reference, len(refs))
	for i, r := range refs {
		out[i] = ingest.Reference{Customer: r.Customer, Conversation: r.Conversation}
	}
	return out, err
}

func (l lookup) CustomerOf(ctx context.Context, _, conversation string) (string, bool, error) {
	row, err := l.Row(ctx, conversation)
	if errors.Is(err, query.ErrNotFound) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	return row.Customer, true, nil
}

func (l lookup) Message(ctx context.Context, _, id string) (command.Message, bool, error) {
	e, ok, err := l.entry(ctx, id, readmodel.KindMessage)
	if !ok || err != nil {
		return command.Message{}, false, err
	}
	return command.Message{
		Conversation: e.Conversation, Handle: e.Handle, Tenure: e.Tenure, Channel: e.Channel, Inbox: e.Inbox,
	}, true, nil
}

func (l lookup) Reply(ctx context.Context, _, id string) (command.Reply, bool, error) {
	e, ok, err := l.entry(ctx, id, readmodel.KindReply)
	if !ok || err != nil {
		return command.Reply{}, false, err
	}
	return command.Reply{
		Conversation: e.Conversation, Handle: e.Handle, Tenure: e.Tenure, Course: course(e.Delivery),
	}, true, nil
}

func (l lookup) EventOf(ctx context.Context, _, id string) (string, bool, error) {
	e, ok, err := l.entry(ctx, id, readmodel.KindEvent)
	if !ok || err != nil {
		return "", false, err
	}
	return e.Customer, true, nil
}

func (l lookup) entry(ctx context.Context, id, kind string) (*readmodel.Entry, bool, error) {
	e, err := l.Entry(ctx, id)
	if errors.Is(err, query.ErrNotFound) || err == nil && e.Kind != kind {
		return nil, false, nil
	}
	return e, err == nil, err
}

// Origin implements ingest.Origins.
func (l lookup) Origin(ctx context.Context, _, message string) (ref, handle string, err error) {
	e, ok, err := l.entry(ctx, message, readmodel.KindMessage)
	if !ok || err != nil {
		return "", "", err
	}
	return e.Raw, e.Handle, nil
}

// course folds what is shown of an outbound message's way.
func course(steps []readmodel.Delivery) customer.Course {
	out := customer.Asked()
	for i, d := range steps {
		switch at := time.UnixMicro(d.At).UTC(); {
		case d.State != readmodel.StateQueued:
			out = out.Progressed(d.State, at)
		case i > 0:
			out = out.Retried(at)
		}
	}
	return out
}

// replies is the look-up as ingest asks for it.
type replies struct{ lookup }

func (l replies) Reply(ctx context.Context, _, id string) (ingest.Reply, bool, error) {
	e, ok, err := l.entry(ctx, id, readmodel.KindReply)
	if !ok || err != nil {
		return ingest.Reply{}, false, err
	}
	out := ingest.Reply{
		Customer: e.Customer, Conversation: e.Conversation, Handle: e.Handle, Tenure: e.Tenure,
		Course: course(e.Delivery),
	}
	row, err := l.Row(ctx, e.Conversation)
	if errors.Is(err, query.ErrNotFound) {
		return out, true, nil
	}
	if err != nil {
		return ingest.Reply{}, false, err
	}
	out.Topic = row.Topic
	return out, true, nil
}
