package conversation

import (
	"context"
	"log/slog"
	"time"

	"github.com/weftline/weftline/pkg/eventstore"
	channelv1 "github.com/weftline/weftline/pkg/weftline/channel/v1"
	"github.com/weftline/weftline/pkg/weftline/channel/v1/channelv1connect"
	"github.com/weftline/weftline/services/conversation/internal/codec"
	"github.com/weftline/weftline/services/conversation/internal/readmodel"
	"github.com/weftline/weftline/services/conversation/internal/rebuild"
	"github.com/weftline/weftline/services/conversation/internal/rpc"
	"github.com/weftline/weftline/services/conversation/internal/verify"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

// What operators see of maintenance.
type (
	RebuildProgress = rebuild.Progress
	RebuildReport   = rebuild.Report
	VerifyReport    = verify.Report
	Offence         = verify.Offence
)

// ErrRebuild: the read models are of another version, or missing; call Rebuild, then New.
var ErrRebuild = readmodel.ErrRebuild

// Rebuild makes the read models anew while the service goes on. progress may be nil.
func (s *Service) Rebuild(ctx context.Context, progress func(RebuildProgress)) (RebuildReport, error) {
	return rebuild.Run(ctx, rebuild.Deps{
		Store: s.deps.Views, Events: s.deps.Events, Keys: s.deps.Keys, Decode: codec.Decode,
		Live: s.live, Progress: progress, Log: s.log,
	})
}

// Rebuild makes the read models anew without a service: before New, or beside
// one in another process, which is given grace to follow.
func Rebuild(ctx context.Context, views docstore.Store, events eventstore.Store, keys crypt.Keyring, grace time.Duration,
	progress func(RebuildProgress), log *slog.Logger,
) (RebuildReport, error) {
	return rebuild.Run(ctx, rebuild.Deps{
		Store: views, Events: events, Keys: keys, Decode: codec.Decode, Grace: grace, Progress: progress, Log: log,
	})
}

// Verify checks log and read models against the laws. scratch is an empty store
// to rebuild in. Projection is held while the documents are read.
func (s *Service) Verify(ctx context.Context, scratch docstore.Store) (VerifyReport, error) {
	return verify.Run(ctx, verify.Deps{
		Events: s.deps.Events, Keys: s.deps.Keys, Decode: codec.Decode, Live: s.live, Scratch: scratch,
	})
}

// Transcript is TranscriptService without the network, for a channel in this process.
func (s *Service) Transcript() channelv1connect.TranscriptServiceClient { return transcript{s.rpc} }

type transcript struct{ rpc *rpc.Server }

func (t transcript) ListMessages(ctx context.Context, q *channelv1.ListMessagesRequest) (*channelv1.ListMessagesResponse, error) {
	out, err := t.rpc.ListMessages(ctx, q)
	if err != nil {
		return nil, t.rpc.Refuse(ctx, err)
	}
	return out, nil
}
