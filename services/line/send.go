package line

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Limits of what is sent ("Text message", "Send push message").
const (
	maxText  = 5000 // UTF-16 units
	maxParts = 5    // messages of one push
)

// keyLasts is how long LINE knows a retry key, less what a slow call may take.
const keyLasts = 23 * time.Hour

const headerRetryKey = "X-Line-Retry-Key"

// keys is the name space of our retry keys. It must never change: a message asked for
// before an update may be sent again after it.
var keys = uuid.MustParse("b0a0f0a2-3f0e-5d0b-9a53-7d5f3d9c1e61")

var userForm = regexp.MustCompile(`^U[0-9a-f]{32}$`)

type push struct {
	To       string        `json:"to"`
	Messages []textMessage `json:"messages"`
}

type textMessage struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type pushed struct {
	Sent []struct {
		ID string `json:"id"`
	} `json:"sentMessages"`
}

// Sender sends for one inbox; false: there is none such.
func (a *Adapter) Sender(id string) (channel.Sender, bool) {
	in, ok := a.deps.Inboxes.Get(id)
	return a, ok && in.Channel == Name
}

// Send pushes a message, all its parts in one call. Its retry key makes LINE
// take it once however often it is sent, for 24 hours: an answer that was lost is asked for again
// by sending again. Reply tokens would be free of charge, and are not used: they are
// good for about a minute and for one use, and no retry key goes with them.
func (a *Adapter) Send(ctx context.Context, out channel.Outbound) (channel.Receipt, error) {
	c, err := a.sending(out.Inbox)
	if err != nil {
		return channel.Receipt{}, err
	}
	p, no := planned(out)
	if no != "" {
		return hosted.Failed(out, a.now(), no)
	}
	r, err := hosted.JSON(ctx, c.api+"/v2/bot/message/push", p)
	if err != nil {
		return channel.Receipt{}, err
	}
	r.Header.Set(headerRetryKey, uuid.NewSHA1(keys, []byte(out.Inbox+"\x00"+out.ID)).String())
	var sent pushed
	err = a.do(out.Inbox, c, r, &sent)
	switch no, ok := errors.AsType[*refused](err); {
	case ok:
		return hosted.Failed(out, a.now(), no.Detail)
	case errors.Is(err, hosted.ErrUnknown) && a.now().Sub(out.At) < keyLasts:
		// In words only: wrapped it would be taken for unknown, and here it is harmless to send again.
		return channel.Receipt{}, fmt.Errorf("send: %v; LINE takes it once however often it is sent", err)
	case err != nil:
		return hosted.Result(out, a.now(), "", err)
	}
	a.mu.Lock()
	delete(a.spent, out.Inbox)
	a.mu.Unlock()
	a.well(out.Inbox)
	a.deps.Inboxes.SetHealth(out.Inbox, inbox.Health{LastOut: a.now().UTC()})
	id := ""
	if len(sent.Sent) > 0 {
		id = sent.Sent[0].ID
	}
	return hosted.Result(out, a.now(), id, nil)
}

// planned says why a message cannot go, or how it does.
func planned(out channel.Outbound) (p push, refusal string) {
	text := out.Content.Text
	switch {
	case out.To.Kind == kindGroup:
		return p, "groups and rooms are not served: nothing is sent there"
	case out.To.Kind != Name || !userForm.MatchString(out.To.Address):
		return p, "the address is not a LINE user's id"
	case len(out.Content.Attachments) > 0:
		return p, "LINE takes files only from a public address: send a link"
	case strings.TrimSpace(text) == "":
		return p, "the message is empty"
	}
	p.To = out.To.Address
	for _, t := range channel.Split(text, maxText, channel.UTF16Units.Length) {
		p.Messages = append(p.Messages, textMessage{"text", t})
	}
	if n := len(p.Messages); n > maxParts {
		return p, fmt.Sprintf("the text is %d messages of %d characters long, at most %d are sent", n, maxText, maxParts)
	}
	return p, ""
}

// Typing shows moving dots for five seconds or until a message comes, while the
// customer looks at the chat ("Display a loading animation").
func (a *Adapter) Typing(ctx context.Context, inboxID string, to channel.Address, on bool) error {
	c, err := a.sending(inboxID)
	if err != nil || !on {
		return err
	}
	if to.Kind != Name || !userForm.MatchString(to.Address) {
		return errors.New("typing: the address is not a LINE user's id")
	}
	return a.post(ctx, inboxID, c, http.MethodPost, "/v2/bot/chat/loading/start", map[string]any{"chatId": to.Address, "loadingSeconds": 5}, nil)
}
