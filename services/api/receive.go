package api

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// ContentType of stored inputs. The vouch setting is kept with them, so that
// an input means later what it meant when it came.
const ContentType = "application/vnd.weftline.api+json"

// split: one request is one input, named by webhook-id. A ping is nothing, and
// that somebody types is shown and not kept.
func (a *Adapter) split(in inbox.Inbox, r *hosted.Request) []channel.Raw {
	raw := channel.Raw{ProviderID: r.Header.Get(headerID), ContentType: ContentType + "; vouch=" + vouch(in), Body: r.Body}
	var peek struct {
		Type   string `json:"type"`
		Typing bool   `json:"typing"`
		From   struct {
			ID string `json:"id"`
		} `json:"from"`
	}
	if json.Unmarshal(r.Body, &peek) != nil {
		return []channel.Raw{raw}
	}
	// An id that Parse will not take names nobody.
	if peek.From.ID != "" && utf8.RuneCountInString(peek.From.ID) <= maxID {
		raw.Peek = channel.Address{Kind: Name, Scope: in.ID, Address: peek.From.ID}
	}
	switch peek.Type {
	case typeTyping:
		if a.deps.Typing != nil && raw.Peek.Address != "" {
			a.deps.Typing(raw.Peek, peek.Typing)
		}
		return nil
	case typePing:
		return nil
	}
	return []channel.Raw{raw}
}

func vouch(in inbox.Inbox) string {
	if strings.TrimSpace(in.Settings[keyVouch]) == vouchDevice {
		return vouchDevice
	}
	return vouchLogin
}
