package client

import (
	"context"

	"connectrpc.com/connect"

	"github.com/weftline/weftline/pkg/weftline/inbox/v1/inboxv1connect"
)

// Inbox calls the hub's InboxService with the token, which needs the scope
// inbox. Only URL, Token and HTTP of the config are used.
func Inbox(cfg Config) (inboxv1connect.InboxServiceClient, error) {
	base, err := cfg.check()
	if err != nil {
		return nil, err
	}
	return inboxv1connect.NewInboxServiceClient(cfg.HTTP, base.String(), connect.WithInterceptors(bearer(cfg.Token))), nil
}

// bearer puts the token into every call.
type bearer string

func (b bearer) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		req.Header().Set("Authorization", "Bearer "+string(b))
		return next(ctx, req)
	}
}

func (b bearer) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		conn.RequestHeader().Set("Authorization", "Bearer "+string(b))
		return conn
	}
}

func (b bearer) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}
