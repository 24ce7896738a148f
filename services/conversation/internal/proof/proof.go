package proof

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/aggregate"
	"github.com/weftline/weftline/services/conversation/internal/claim"
	"github.com/weftline/weftline/services/conversation/internal/customer"
	"github.com/weftline/weftline/services/conversation/internal/event"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

// Level is the assurance of an address that was proven here.
const Level = 3

// idPrefix tells a challenge's outbound message from replies, whose ids are hexadecimal.
const idPrefix = "proof_"

// Is says whether an outbound message is a challenge's.
func Is(outbound string) bool { return strings.HasPrefix(outbound, idPrefix) }

// Outbox takes what must be sent. Publishing the same ID and Attempt again is harmless.
type Outbox interface {
	// Publish is durable when it returns. dataKey names the key to seal it under.
	Publish(ctx context.Context, dataKey string, out channel.Outbound) error
}

// Handles are the handles and who owns them: *claim.Claimer, whose claims are settled.
type Handles interface {
	Load(ctx context.Context, tenant string, a channel.Address) (claim.Owned, error)
	Claim(ctx context.Context, req claim.Request) (claim.Owned, error)
	Address(ctx context.Context, tenant, id string) (claim.Owned, channel.Address, error)
	// Prove notes that whoever controls the handle was shown to, at Level or the level it has.
	Prove(ctx context.Context, tenant string, o claim.Owned, level int, ev event.Evidence, actor string) error
}

// Link is what makes one person of two customers: A proved to control a handle of B.
type Link struct {
	Proof  string // id of the challenge
	Word   string // code or link
	A, B   string
	Handle string
	Kind   string // of the handle
	// Address in clear, to look at; it is stored nowhere.
	Address string
	Owner   int // level of the handle
	Trace   string
}

// Linker makes links by the rules. Doing it again does nothing.
type Linker interface {
	// LinkProven returns the link's id, or why the rules refuse it (a word): then
	// it may be suggested instead.
	LinkProven(ctx context.Context, tenant string, l Link) (id, refused string, err error)
}

// Deps are what a Service works with.
type Deps struct {
	State     docstore.Store // of the challenges; not rebuildable
	Keys      crypt.Keyring
	Outbox    Outbox
	Handles   Handles
	Customers *aggregate.Repository[customer.State]
	Links     Linker
	// Reach finds the channel of an inbox that can write to an address of the
	// kind. Its error is for the caller.
	Reach func(inbox, kind string) (channel string, err error)
	// Own says that mail to the address comes to ourselves: nothing is sent there,
	// so that no code is ever in a timeline. Nil: no address is.
	Own       func(a channel.Address) bool
	Workspace string // as recipients know it
	PublicURL string // of links, without a trailing slash
	Now       func() time.Time
	Log       *slog.Logger
}

// Service makes and checks challenges. Safe for concurrent use, also by several processes.
type Service struct {
	Deps
}

// New declares the collections.
func New(ctx context.Context, d Deps) (*Service, error) {
	if d.State == nil || d.Keys == nil || d.Outbox == nil || d.Handles == nil || d.Customers == nil || d.Links == nil || d.Reach == nil || d.Log == nil {
		return nil, errors.New("proof: a dependency is missing")
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Workspace == "" {
		d.Workspace = "Weftline"
	}
	if d.Own == nil {
		d.Own = func(channel.Address) bool { return false }
	}
	if err := d.State.Declare(ctx, challenges, limits); err != nil {
		return nil, fmt.Errorf("declare proofs: %w", err)
	}
	return &Service{Deps: d}, nil
}

func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }
