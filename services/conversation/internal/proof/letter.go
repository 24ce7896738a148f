package proof

import (
	"fmt"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/conversation/internal/event"
)

// letter is what goes to the address. It says nothing that the customer, or
// whoever poses as him, has said: it must be of no use to send somebody something.
func (s *Service) letter(c challenge, to event.Address, secret string) channel.Outbound {
	out := channel.Outbound{
		ID: c.id, Tenant: c.Tenant, Channel: c.Channel, Inbox: c.Inbox,
		Customer: c.id, // a lane of its own: it waits for nobody's replies
		To:       channel.Address{Kind: to.Kind, Address: to.Address},
		Subject:  s.Workspace + ": confirm your address", At: time.UnixMicro(c.Created).UTC(),
		Automatic: true, Attempt: c.Attempt,
	}
	minutes := int(time.Duration(c.Expires-c.Created) * time.Microsecond / time.Minute)
	switch {
	case c.Method == MethodLink:
		out.Content.Text = fmt.Sprintf(`Somebody who is in contact with %s gave this address as their own.

If that was you, confirm it here:

    %s

The link is good for %d minutes, and once. If this was not you, ignore this message: nothing happens until the button on that page is pressed.
`, s.Workspace, s.PublicURL+"/prove/"+token(c.id, secret), minutes)
	case to.Kind == "phone":
		out.Content.Text = fmt.Sprintf("%s: your code is %s. Good for %d minutes, and once. If this was not you, ignore it.", s.Workspace, secret, minutes)
	default:
		where := "Give it where you were asked for it."
		if c.Via != "" {
			where = "Enter it in the chat in which you gave this address, and nowhere else."
		}
		out.Content.Text = fmt.Sprintf(`Your code for %s:

    %s

Somebody who is in contact with %s gave this address as their own. The code shows that it is theirs. %s It is good for %d minutes, and once.

If this was not you, ignore this message: nothing happens without the code.
`, s.Workspace, secret, s.Workspace, where, minutes)
	}
	return out
}
