package chat

import (
	"context"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

// FollowUp is what Run does every Timing.Follow.
func (a *Adapter) FollowUp(ctx context.Context) error { return a.followUp(ctx) }

// MailKey is the sealed address of a handle.
func MailKey(ctx context.Context, state docstore.Store, handleID string) (crypt.Sealed, bool) {
	var h handleState
	found, err := (&Adapter{d: Deps{State: state}}).load(ctx, colHandle, handleID, &h)
	if err != nil || !found || h.Mail == nil {
		return crypt.Sealed{}, false
	}
	return h.Mail.Sealed, true
}

// Kept are the sealed addresses of a handle that answers follow to.
func Kept(ctx context.Context, state docstore.Store, handleID string) (out []crypt.Sealed) {
	var h handleState
	if _, err := (&Adapter{d: Deps{State: state}}).load(ctx, colHandle, handleID, &h); err != nil {
		return nil
	}
	for _, x := range []*address{h.Mail, h.Phone} {
		if x != nil {
			out = append(out, x.Sealed)
		}
	}
	return out
}

// ReadUpTo is how far a visitor's reading was noted.
func ReadUpTo(ctx context.Context, state docstore.Store, handleID string) string {
	var h handleState
	if _, err := (&Adapter{d: Deps{State: state}}).load(ctx, colHandle, handleID, &h); err != nil {
		return ""
	}
	return h.Read
}
