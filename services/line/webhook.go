package line

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

const pathWebhook = "/v2/bot/channel/webhook/endpoint"

type endpoint struct {
	Endpoint string `json:"endpoint"`
	Active   bool   `json:"active"`
}

// lookAfter sees to it that LINE posts to us, now and every few minutes, until
// ctx ends or the settings are known to be wrong.
func (a *Adapter) lookAfter(ctx context.Context, in inbox.Inbox) {
	c, err := readConfig(in.Settings)
	if err != nil {
		a.note(in.ID, "needs_attention", err.Error())
		return
	}
	address := a.webhook(in.ID)
	if address == "" || !c.register {
		a.mu.Lock()
		a.advice[in.ID] = "enter this webhook URL in the LINE Developers Console: " + a.copied(in.ID)
		a.mu.Unlock()
	}
	for wait := time.Second; ; {
		err := a.ready(ctx, in.ID, c, address)
		pause := a.look
		switch after, throttled := errors.AsType[*channel.RetryAfterError](err); {
		case ctx.Err() != nil:
			return
		case err == nil:
			a.well(in.ID)
			wait = time.Second
		case throttled:
			pause = after.After
		case lasting(err) || errors.Is(err, errNotActive):
			a.note(in.ID, "needs_attention", err.Error())
		default:
			a.log.Warn("webhook could not be looked after", "channel", Name, "inbox", in.ID, "error", err)
			if s := a.deps.Inboxes.Health(in.ID).State; s != "ok" {
				a.note(in.ID, "connecting", err.Error())
			}
			pause, wait = wait, min(2*wait, a.look)
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

// copied is our address for somebody who enters it himself.
func (a *Adapter) copied(id string) string {
	if address := a.webhook(id); address != "" {
		return address
	}
	return "https://<the hub's public address>" + hosted.HookPath(Name, id)
}

var errNotActive = errors.New("LINE posts nothing: turn on Use webhook in the LINE Developers Console (Messaging API) or in LINE Official Account Manager (Settings, Response settings)")

// ready enters our address at LINE where it is another, and says whether LINE uses it.
// Without an address to enter it only tries the token.
func (a *Adapter) ready(ctx context.Context, id string, c config, address string) error {
	var is endpoint
	err := a.get(ctx, id, c, pathWebhook, &is)
	if no, ok := errors.AsType[*refused](err); ok && no.status == http.StatusNotFound {
		is, err = endpoint{}, nil // none was ever entered
	}
	if err != nil {
		return err
	}
	if c.register && address != "" && is.Endpoint != address {
		if err := a.post(ctx, id, c, http.MethodPut, pathWebhook, map[string]string{"endpoint": address}, nil); err != nil {
			return fmt.Errorf("enter the webhook URL: %w", err)
		}
		if err := a.get(ctx, id, c, pathWebhook, &is); err != nil {
			return err
		}
	}
	if !is.Active && is.Endpoint != "" {
		return errNotActive
	}
	return nil
}

func (a *Adapter) note(id, state, detail string) {
	a.deps.Inboxes.SetHealth(id, inbox.Health{State: state, Detail: detail})
}

// well says that an inbox works, of groups that are not answered, and what is
// left to do by hand. While nothing can be sent it says that.
func (a *Adapter) well(id string) {
	a.mu.Lock()
	state, detail := "ok", cmp.Or(a.groups[id], a.advice[id])
	if a.spent[id] {
		state, detail = "needs_attention", monthOver
	}
	a.mu.Unlock()
	a.note(id, state, detail)
}
