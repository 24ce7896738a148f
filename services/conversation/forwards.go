package conversation

import (
	"context"
	"errors"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	"github.com/weftline/weftline/pkg/weftline/channel/v1/channelv1connect"
	"github.com/weftline/weftline/services/conversation/internal/command"
	"github.com/weftline/weftline/services/conversation/internal/forward"
	"github.com/weftline/weftline/services/conversation/internal/query"
	"github.com/weftline/weftline/services/conversation/internal/rpc"
)

// openForward: a chat goes on by mail.
func (s *Service) openForward(context.Context) error {
	now := s.cfg.Now
	if now == nil {
		now = time.Now
	}
	own := s.deps.Own
	if own == nil {
		own = func(channel.Address) bool { return false }
	}
	s.forward = &forward.Service{Deps: forward.Deps{
		Handle: s.claims.Load, Customer: s.customers.Load, Transcript: s.reader.Transcript, Reach: s.reach, Own: own, Record: s.recordCopy,
		Members: func(id string) []string { return s.live.Graph().Members(id) },
		OptedOut: func(ctx context.Context, id, inbox string) (bool, error) {
			_, _, out, err := s.optedOut(ctx, id, inbox)
			return out, err
		},
		Owner: func(ctx context.Context, _, reply string) (string, error) {
			e, err := s.reader.Entry(ctx, reply)
			if errors.Is(err, query.ErrNotFound) {
				return "", nil
			}
			if err != nil {
				return "", err
			}
			return e.Customer, nil
		},
		InboxName: func(id string) string {
			in, _ := s.deps.Inboxes.Get(id)
			return in.Name
		},
		Outbox: sender{s.deps.Bus, s.deps.Keys, s.report}, Now: now, Log: s.log,
	}}
	return nil
}

// recordCopy puts what became of a copy on the timeline.
func (s *Service) recordCopy(ctx context.Context, tenant, id, key, kind, title string) error {
	_, err := s.commands.RecordEvent(ctx, command.RecordEvent{
		Order: command.Order{Tenant: tenant, Actor: "system", Customer: id, Key: key}, Type: kind, Title: title, Source: "chat",
	})
	return err
}

// Forward lets channels in this process bring what was said to another address of the same person.
func (s *Service) Forward() channelv1connect.ForwardServiceClient { return forwards{s.rpc} }

type forwards struct{ rpc *rpc.Server }

func (f forwards) ForwardTranscript(ctx context.Context, q *channelv1.ForwardTranscriptRequest) (*channelv1.ForwardTranscriptResponse, error) {
	out, err := f.rpc.ForwardTranscript(ctx, q)
	if err != nil {
		return nil, f.rpc.Refuse(ctx, err)
	}
	return out, nil
}

func (f forwards) ForwardReplies(ctx context.Context, q *channelv1.ForwardRepliesRequest) (*channelv1.ForwardRepliesResponse, error) {
	out, err := f.rpc.ForwardReplies(ctx, q)
	if err != nil {
		return nil, f.rpc.Refuse(ctx, err)
	}
	return out, nil
}
