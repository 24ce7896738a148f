package rpc

import (
	"context"
	"slices"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	"github.com/weftline/weftline/services/conversation/internal/forward"
	"github.com/weftline/weftline/services/internal/telemetry"
)

// Forward sends copies, *forward.Service is meant.
type Forward interface {
	Transcript(ctx context.Context, q forward.Request) (int, error)
	Replies(ctx context.Context, q forward.Request, after, atLeast string) (int, error)
}

type forwarding interface {
	GetHandle() *channelv1.ChannelHandle
	GetKind() string
	GetAddress() string
	GetSendBy() string
	GetLanguage() string
}

// forwarding reads a request for a copy to an address of one of the kinds.
func (s *Server) forwarding(ctx context.Context, q forwarding, kinds ...string) (forward.Request, error) {
	via, err := handleOf(q.GetHandle())
	if err != nil {
		return forward.Request{}, err
	}
	if !slices.Contains(kinds, q.GetKind()) {
		return forward.Request{}, field("kind", "must be "+strings.Join(kinds, " or "))
	}
	if q.GetAddress() == "" || len(q.GetAddress()) > 254 {
		return forward.Request{}, field("address", "must have 1 to 254 bytes")
	}
	return forward.Request{
		Tenant: s.tenant(), Via: *via, To: channel.Address{Kind: q.GetKind(), Address: q.GetAddress()},
		Inbox: q.GetSendBy(), Language: q.GetLanguage(), Trace: telemetry.Traceparent(ctx),
	}, nil
}

// ForwardTranscript sends a chat to the visitor's own mailbox: it is too long for a text message.
func (s *Server) ForwardTranscript(ctx context.Context, q *channelv1.ForwardTranscriptRequest) (*channelv1.ForwardTranscriptResponse, error) {
	req, err := s.forwarding(ctx, q, "email")
	if err != nil {
		return nil, err
	}
	n, err := s.Forward.Transcript(ctx, req)
	return &channelv1.ForwardTranscriptResponse{Messages: int32(n)}, err
}

// ForwardReplies sends replies that nobody has read.
func (s *Server) ForwardReplies(ctx context.Context, q *channelv1.ForwardRepliesRequest) (*channelv1.ForwardRepliesResponse, error) {
	req, err := s.forwarding(ctx, q, "email", "phone")
	if err != nil {
		return nil, err
	}
	n, err := s.Forward.Replies(ctx, req, q.GetAfter(), q.GetAtLeast())
	return &channelv1.ForwardRepliesResponse{Messages: int32(n)}, err
}
