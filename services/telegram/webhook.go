package telegram

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weftline/weftline/services/internal/hosted"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/inbox"
)

// allowed are the updates we ask for. Reactions come only when they are named.
var allowed = []string{"message", "edited_message", "message_reaction", "callback_query", "my_chat_member"}

type setWebhook struct {
	URL     string   `json:"url"`
	Secret  string   `json:"secret_token"`
	Allowed []string `json:"allowed_updates"`
}

type webhookInfo struct {
	URL         string `json:"url"`
	Pending     int    `json:"pending_update_count"`
	ErrorDate   int64  `json:"last_error_date"`
	ErrorReason string `json:"last_error_message"`
}

// keepWebhook registers our address, which changes nothing where it is
// registered, and looks now and then whether Telegram reaches it.
func (a *Adapter) keepWebhook(ctx context.Context, id string, c config) {
	if !a.insist(ctx, id, func() error {
		return a.call(ctx, id, c, "setWebhook", setWebhook{c.webhook, c.secrets[0], allowed}, nil)
	}) {
		return
	}
	a.well(id)
	t := time.NewTicker(a.look)
	defer t.Stop()
	looked := a.now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := a.lookAfter(ctx, id, c, looked); err != nil && ctx.Err() == nil {
			a.log.Warn("webhook could not be looked after", "channel", Name, "inbox", id, "error", err)
		}
		looked = a.now()
	}
}

// lookAfter registers again what somebody else has taken away, and tells of what Telegram could not deliver since.
func (a *Adapter) lookAfter(ctx context.Context, id string, c config, since time.Time) error {
	var info webhookInfo
	if err := a.call(ctx, id, c, "getWebhookInfo", struct{}{}, &info); err != nil {
		return err
	}
	switch {
	case info.URL != c.webhook:
		if err := a.call(ctx, id, c, "setWebhook", setWebhook{c.webhook, c.secrets[0], allowed}, nil); err != nil {
			return err
		}
		a.note(id, "needs_attention", "somebody else had changed the bot's webhook; it is ours again. Does another program use this token?")
	case info.Pending > 0 && info.ErrorDate >= since.Unix():
		a.note(id, "needs_attention", fmt.Sprintf("Telegram cannot deliver %d updates: %s", info.Pending, hosted.Clip(info.ErrorReason, 200)))
	default:
		a.well(id)
	}
	return nil
}

// insist tries until it works; false: ctx ended.
func (a *Adapter) insist(ctx context.Context, id string, try func() error) bool {
	return hosted.Insist(ctx, func(err error) { a.trouble(id, err) }, try)
}

// trouble tells of an error: a person is needed, or time.
func (a *Adapter) trouble(id string, err error) {
	state := "connecting"
	if errors.Is(err, channel.ErrNeedsAttention) || errors.Is(err, errConflict) || refused(err) {
		state = "needs_attention"
	}
	a.note(id, state, err.Error())
}

func (a *Adapter) note(id, state, detail string) {
	a.deps.Inboxes.SetHealth(id, inbox.Health{State: state, Detail: detail})
}

// well says that an inbox works, and of groups that are not answered.
func (a *Adapter) well(id string) {
	a.mu.Lock()
	detail := a.groups[id]
	a.mu.Unlock()
	a.note(id, "ok", detail)
}
