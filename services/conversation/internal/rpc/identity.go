package rpc

import (
	"context"
	"time"

	"github.com/weftline/weftline/pkg/weftline/identity/v1/identityv1connect"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/command"
)

// Identity answers IdentityService. Each group of its methods has a file of
// its own (identity_<group>.go) and a field here for what it stands on.
type Identity struct {
	*Server
	Tenures Tenures
	identityv1connect.UnimplementedIdentityServiceHandler
}

// Tenures is what can be ordered about handles; *command.Service is meant.
type Tenures interface {
	PreviewMove(ctx context.Context, tenant, handle, to string, validFrom time.Time) (command.MovePreview, error)
	MoveHandle(ctx context.Context, in command.MoveHandle) (command.Moved, error)
	QualifyHandle(ctx context.Context, o command.Order, handle, qualifier string) (claim.Owned, error)
	AttributeConversation(ctx context.Context, o command.Order, speaker string) (command.Result, error)
	SplitConversation(ctx context.Context, o command.Order, entries []string) (command.Result, error)
}

var _ identityv1connect.IdentityServiceHandler = Identity{}
