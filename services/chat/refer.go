package chat

import (
	"github.com/weftline/weftline/services/internal/inbox"
)

// isOf says whether an inbox is there and of a channel. It may have been removed
// since the settings that name it were saved.
func (a *Adapter) isOf(id, channel string) bool {
	in, ok := a.d.Inboxes.Get(id)
	return ok && in.Channel == channel
}

// works notes that a chat inbox works; where one that it names is not there,
// somebody should look, and is told in the log once.
func (a *Adapter) works(id string, h inbox.Health) {
	h.State = "ok"
	in, ok := a.d.Inboxes.Get(id)
	if !ok {
		return
	}
	if err := Channel().Refers(in.Settings, inbox.Find(a.d.Inboxes)); err != nil {
		h.State, h.Detail = "needs_attention", err.Error()
	}
	a.configs.mu.Lock()
	news := a.configs.told[id] != h.Detail
	if news {
		if a.configs.told == nil {
			a.configs.told = map[string]string{}
		}
		a.configs.told[id] = h.Detail
	}
	a.configs.mu.Unlock()
	if news && h.Detail != "" {
		a.log.Error("chat inbox names an inbox that is not there: nothing is sent by it", "inbox", id, "error", h.Detail)
	}
	a.d.Inboxes.SetHealth(id, h)
}

// notOffered answers who asks for a code that is not sent here. Where it is our
// settings that are wrong, it is not his address that is.
func (s *session) notOffered(c *config, kind string) errorFrame {
	by := c.Prove
	if kind == kindPhone {
		by = c.SMSBy
	}
	if by != "" && s.login == nil && s.proveBy(c, kind) == "" {
		return errorFrame{Type: "error", Code: "unavailable", Field: "proof", RetryAfterMS: 2000}
	}
	return errorFrame{Type: "error", Code: "invalid", Field: "proof"}
}
