package slack

import (
	"context"
	"errors"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// lookAfter asks now and then whose token it is ("auth.test"), until ctx ends or
// the settings are known to be wrong. Where Slack is to post to, nobody can tell it but its console.
func (a *Adapter) lookAfter(ctx context.Context, in inbox.Inbox) {
	c, err := readConfig(in.Settings)
	if err != nil {
		a.note(in.ID, "needs_attention", err.Error())
		return
	}
	a.healed(in.ID) // the settings are new: what Slack told was about others
	for wait := time.Second; ; {
		err := a.call(ctx, in.ID, c, "auth.test", struct{}{}, nil)
		pause := a.look
		switch after, throttled := errors.AsType[*channel.RetryAfterError](err); {
		case ctx.Err() != nil:
			return
		case err == nil:
			a.well(in.ID)
			wait = time.Second
		case throttled:
			pause = after.After
		case !errors.Is(err, channel.ErrNeedsAttention):
			a.log.Warn("token could not be tried", "channel", Name, "inbox", in.ID, "error", err)
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

// suffers notes what Slack has told and a person must mend. It lasts until a
// message goes out or the settings change.
func (a *Adapter) suffers(id, detail string) {
	a.mu.Lock()
	defer a.mu.Unlock() // until it is noted: a look at the token that ends meanwhile must not have the last word
	a.ill[id] = detail
	a.note(id, "needs_attention", detail)
}

func (a *Adapter) healed(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.ill, id)
}

// well says that an inbox works, and where Slack is to post to as long as nothing has come.
func (a *Adapter) well(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch ill := a.ill[id]; {
	case ill != "":
		a.note(id, "needs_attention", ill)
	case a.deps.Inboxes.Health(id).LastIn.IsZero():
		public := a.deps.PublicURL
		if public == "" {
			public = "https://<the hub's public address>"
		}
		a.note(id, "ok", "nothing has come yet; the request URL for Event Subscriptions at api.slack.com/apps is "+public+hosted.HookPath(Name, id))
	default:
		a.note(id, "ok", "")
	}
}

func (a *Adapter) note(id, state, detail string) {
	if a.deps.Inboxes == nil {
		return // settings are being tried
	}
	a.deps.Inboxes.SetHealth(id, inbox.Health{State: state, Detail: detail})
}
