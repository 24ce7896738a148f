package peer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"

	"connectrpc.com/connect"
	realtimev1 "github.com/weftline/weftline/pkg/weftline/realtime/v1"
	"github.com/weftline/weftline/pkg/weftline/realtime/v1/realtimev1connect"
)

// Feed is the live event log as the conversation target offers it.
type Feed interface {
	// Subscribe yields events after cursor; "" starts at the head.
	Subscribe(ctx context.Context, cursor string) iter.Seq2[*realtimev1.Event, error]
	// Replay yields events after cursor however far back it is; "" starts at the first.
	Replay(ctx context.Context, cursor string) iter.Seq2[*realtimev1.Event, error]
	Head(ctx context.Context) (string, error)
}

// Errors of a feed, told apart over the wire by their codes.
var (
	ErrReset = errors.New("cursor cannot be resumed")
	ErrSlow  = errors.New("reader is too slow")
)

// FeedHandler serves a feed to other targets. Mount it behind Server.
func FeedHandler(feed Feed) (string, http.Handler) {
	return realtimev1connect.NewFeedServiceHandler(feedServer{feed})
}

type feedServer struct{ feed Feed }

func (s feedServer) GetHead(ctx context.Context, _ *realtimev1.GetHeadRequest) (*realtimev1.GetHeadResponse, error) {
	c, err := s.feed.Head(ctx)
	if err != nil {
		return nil, connect.NewError(connect.CodeUnavailable, err)
	}
	return &realtimev1.GetHeadResponse{Cursor: c}, nil
}

func (s feedServer) Subscribe(ctx context.Context, req *realtimev1.SubscribeRequest, out *connect.ServerStream[realtimev1.SubscribeResponse]) error {
	events := s.feed.Subscribe
	if req.GetReplay() {
		events = s.feed.Replay
	}
	for ev, err := range events(ctx, req.GetCursor()) {
		switch {
		case errors.Is(err, ErrReset):
			return connect.NewError(connect.CodeOutOfRange, err)
		case errors.Is(err, ErrSlow):
			return connect.NewError(connect.CodeResourceExhausted, err)
		case err != nil:
			return connect.NewError(connect.CodeUnavailable, err)
		}
		if err := out.Send(&realtimev1.SubscribeResponse{Events: []*realtimev1.Event{ev}}); err != nil {
			return err
		}
	}
	return nil
}

// RemoteFeed reads the feed of the conversation target at base.
func RemoteFeed(base, secret string) Feed {
	return remoteFeed{realtimev1connect.NewFeedServiceClient(Client(secret), base)}
}

type remoteFeed struct {
	c realtimev1connect.FeedServiceClient
}

func (f remoteFeed) Head(ctx context.Context) (string, error) {
	res, err := f.c.GetHead(ctx, &realtimev1.GetHeadRequest{})
	return res.GetCursor(), err
}

func (f remoteFeed) Subscribe(ctx context.Context, cursor string) iter.Seq2[*realtimev1.Event, error] {
	return f.events(ctx, &realtimev1.SubscribeRequest{Cursor: cursor})
}

func (f remoteFeed) Replay(ctx context.Context, cursor string) iter.Seq2[*realtimev1.Event, error] {
	return f.events(ctx, &realtimev1.SubscribeRequest{Cursor: cursor, Replay: true})
}

func (f remoteFeed) events(ctx context.Context, req *realtimev1.SubscribeRequest) iter.Seq2[*realtimev1.Event, error] {
	return func(yield func(*realtimev1.Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		in, err := f.c.Subscribe(ctx, req)
		if err != nil {
			yield(nil, fmt.Errorf("subscribe: %w", err))
			return
		}
		defer in.Close()
		for in.Receive() {
			for _, ev := range in.Msg().GetEvents() {
				if !yield(ev, nil) {
					return
				}
			}
		}
		switch err := in.Err(); connect.CodeOf(err) {
		case connect.CodeOutOfRange:
			yield(nil, ErrReset)
		case connect.CodeResourceExhausted:
			yield(nil, ErrSlow)
		default:
			if err != nil {
				yield(nil, err)
			}
		}
	}
}
