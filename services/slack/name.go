package slack

import (
	"cmp"
	"context"
	"net/url"

	"github.com/weftline/weftline/pkg/channel"
)

// Verify puts in the names that people have given themselves, since events hold
// ids alone ("users.info"). Slack's signature has attested the ids already:
// nobody becomes more or less than Parse says.
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
		var v struct {
			User struct {
				Name    string `json:"name"`
				Real    string `json:"real_name"`
				Profile struct {
					Display string `json:"display_name"`
					Real    string `json:"real_name"`
				} `json:"profile"`
			} `json:"user"`
		}
		err := a.ask(ctx, raw.Inbox, c, "users.info", url.Values{"user": {who.Address}}, &v)
		return cmp.Or(v.User.Profile.Display, v.User.Profile.Real, v.User.Real, v.User.Name), err
	})
}
