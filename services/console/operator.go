package console

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/weftline/weftline/services/internal/audit"
)

// What operators do with API tokens on the machine itself, outside of RPC.

// TokenInfo is what may be shown of a token.
type TokenInfo struct {
	ID, Name string
	Scopes   []string
	Created  time.Time
	LastUsed time.Time // zero: not since this process began
}

// CheckToken says what is wrong with a name and scopes of a token that is to be made.
func CheckToken(name string, scopes []string) error { return checkToken(name, scopes) }

// ListTokens are all that were made and not revoked.
func (c *Console) ListTokens(ctx context.Context) ([]TokenInfo, error) {
	list, err := c.tokens.list(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]TokenInfo, 0, len(list))
	for _, t := range list {
		out = append(out, TokenInfo{ID: t.ID, Name: t.Name, Scopes: t.Scopes, Created: t.Created, LastUsed: c.tokens.lastUsed(t.ID)})
	}
	return out, nil
}

// RevokeToken ends a token at once, and records it. One that is not there is an error.
func (c *Console) RevokeToken(ctx context.Context, id string) error {
	list, err := c.tokens.list(ctx)
	if err == nil && !slices.ContainsFunc(list, func(t tokenDoc) bool { return t.ID == id }) {
		return fmt.Errorf("token %.60q is not there: `hub token list` names those that are", id)
	}
	if err == nil {
		err = c.tokens.revoke(ctx, id)
	}
	return c.did(ctx, audit.Entry{Action: audit.RightTokenRevoked, Object: audit.ID(id)}, err)
}
