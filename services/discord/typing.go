package discord

import (
	"context"
	"errors"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// typingLasts is how long somebody is shown as typing ("Trigger Typing Indicator").
const typingLasts = 10 * time.Second

// Typing shows the customer that somebody types, for ten seconds or until a message comes.
func (a *Adapter) Typing(ctx context.Context, inboxID string, to channel.Address, on bool) error {
	c, err := a.config(inboxID)
	if err != nil || !on {
		return err
	}
	where, err := a.with(ctx, inboxID, to.Address)
	if err != nil {
		return err
	}
	if where == "" {
		return errors.New("typing: no conversation with this customer is known")
	}
	return a.post(hosted.Aside(ctx), inboxID, c, "/channels/"+where+"/typing", struct{}{}, nil)
}
