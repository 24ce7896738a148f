package line

import (
	"context"
	"net/url"

	"github.com/weftline/weftline/pkg/channel"
)

// Verify puts in the names that customers have given themselves, since events
// hold ids alone ("Get profile"). LINE's signature has attested the ids
// already: nobody becomes more or less than Parse says. Whom LINE does not tell of (404: he has
// blocked the account, or does not consent) has no name.
func (a *Adapter) Verify(ctx context.Context, raw channel.Raw, items []channel.Item) []channel.Item {
	in, ok := a.deps.Inboxes.Get(raw.Inbox)
	if !ok {
		return items
	}
	c, err := readConfig(in.Settings)
	if err != nil {
		return items
	}
	return a.names.Fill(ctx, raw.Inbox, items, func(ctx context.Context, who channel.Address) (string, error) {
		if who.Kind != Name {
			return "", nil
		}
		var profile struct {
			Name string `json:"displayName"`
		}
		err := a.get(ctx, raw.Inbox, c, "/v2/bot/profile/"+url.PathEscape(who.Address), &profile)
		return profile.Name, err
	})
}
