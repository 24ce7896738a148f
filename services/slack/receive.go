package slack

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// ContentType of stored inputs: one event with its envelope, as it came.
const ContentType = "application/vnd.weftline.slack+json"

const (
	maxRequest = 4 << 20
	maxID      = 100 // characters of an id of Slack's; they have 30 and fewer
)

// split: one request is one event. Most of what an app can hear is no message.
func (a *Adapter) split(in inbox.Inbox, r *hosted.Request) []channel.Raw {
	var env envelope
	if json.Unmarshal(r.Body, &env) != nil {
		return []channel.Raw{hosted.Whole(r)}
	}
	if env.Type == "app_rate_limited" {
		a.suffers(in.ID, "Slack drops events: more than 30,000 came within an hour. Subscribe the app to fewer, or take it out of busy channels")
	}
	var kind struct {
		Type string `json:"type"`
	}
	if env.Type != "event_callback" || json.Unmarshal(env.Event, &kind) != nil {
		return nil
	}
	var ev event
	broken := json.Unmarshal(env.Event, &ev) != nil
	switch kind.Type {
	case typeUninstalled:
		a.suffers(in.ID, "the app was taken out of the Slack workspace: install it again and enter the new bot token")
		return nil
	case typeRevoked:
		if len(ev.Tokens.Bot) > 0 {
			a.suffers(in.ID, "the app's bot token was revoked: install the app again and enter the new one")
		}
		return nil
	case typeMessage, typeMention, typeReacted, typeUnreacted:
	default:
		return nil
	}
	raw := channel.Raw{ProviderID: hosted.Clip(env.ID, maxID), ContentType: ContentType, Body: r.Body}
	if raw.ProviderID == "" {
		raw.ProviderID = hosted.Name(r.Body)
	}
	if broken {
		return []channel.Raw{raw} // kept, and shown as not read
	}
	c, err := readConfig(in.Settings)
	if err != nil || !a.heed(in.ID, c, env, ev) {
		return nil
	}
	if said[ev.Subtype] && ev.TS != "" && ev.Item.TS == "" && len(ev.Channel)+len(ev.TS) < maxID {
		raw.ProviderID = messageID(ev.Channel, ev.TS) // as app_mention and as message it is one
	}
	if who := env.sender(ev.actor()); who.Address != "" && len(who.Address) <= maxID {
		raw.Peek = who
	}
	return []channel.Raw{raw}
}

// heed says whether an event is for us: what people do, in direct messages and
// as far as the settings go in channels.
func (a *Adapter) heed(id string, c config, env envelope, ev event) bool {
	bot := env.bot()
	switch {
	case ev.Type == typeReacted || ev.Type == typeUnreacted:
		// On what he said himself, or what we said: nobody else's messages are his.
		return ev.Item.Type == "message" && ev.User != bot && (ev.ItemUser == bot || ev.ItemUser == ev.User && (c.all || direct(ev.Item.Channel)))
	case ev.Subtype == subChanged:
		return ev.Message != nil && changed(ev.Message, ev.Previous) && ev.actor().person() && a.toUs(id, c, bot, ev.Channel, ev.Message, ev.Previous)
	case ev.Subtype == subDeleted:
		return ev.Previous != nil && ev.Previous.person() && ev.Previous.User != bot && a.toUs(id, c, bot, ev.Channel, ev.Previous)
	case !said[ev.Subtype] || !ev.person() || ev.User == bot:
		return false
	case !direct(ev.Channel) && len(ev.Channel)+len(ev.Thread)+len(ev.TS) < maxID && (ev.Type == typeMention || mentions(bot, ev.Text)):
		if err := a.heard.note(id, messageID(ev.Channel, cmp.Or(ev.Thread, ev.TS))); err != nil {
			a.log.Warn("a thread could not be noted", "channel", Name, "inbox", id, "error", err)
		}
		return true
	}
	return ev.Type == typeMention || a.toUs(id, c, bot, ev.Channel, &ev)
}

func mentions(bot, text string) bool { return bot != "" && strings.Contains(text, "<@"+bot) }

// toUs says whether messages (one, or what it is and was) are said to the app:
// directly, in a channel of which everything is taken, with a mention, or below one.
func (a *Adapter) toUs(id string, c config, bot, channelID string, messages ...*event) bool {
	if c.all || direct(channelID) {
		return true
	}
	for _, m := range messages {
		switch {
		case m == nil:
		case mentions(bot, m.Text):
			return true
		case m.Thread != "" && len(channelID)+len(m.Thread) < maxID:
			there, err := a.heard.has(id, messageID(channelID, m.Thread))
			if err != nil {
				a.log.Warn("a thread could not be looked for", "channel", Name, "inbox", id, "error", err)
			}
			if there {
				return true
			}
		}
	}
	return false
}

// changed tells what somebody edited from what Slack notes on a message by
// itself: previews of links, counts of a thread.
func changed(now, was *event) bool {
	return was == nil || now.Subtype == subTombstone || now.Text != was.Text || len(now.Files) != len(was.Files) || !reflect.DeepEqual(now.Edited, was.Edited)
}

// actor is the event that names who did it: that of the message changed.
func (e event) actor() event {
	inner := e.Message
	if e.Subtype == subDeleted || inner != nil && inner.Subtype == subTombstone {
		inner = e.Previous
	}
	if (e.Subtype == subChanged || e.Subtype == subDeleted) && inner != nil {
		return *inner
	}
	return e
}

// sender is a user in his own workspace: in a channel that is shared with
// another company that may be another one than ours.
func (e envelope) sender(ev event) channel.Address {
	team := e.Team
	for _, t := range []string{ev.Team, ev.SourceTeam, ev.UserTeam} {
		if t != "" {
			team = t
		}
	}
	return channel.Address{Kind: Name, Scope: team, Address: ev.User}
}

// answer gives back the challenge with which Slack tries an address ("url_verification").
func answer(w http.ResponseWriter, _ inbox.Inbox, r *hosted.Request) {
	var env envelope
	if json.Unmarshal(r.Body, &env) == nil && env.Type == "url_verification" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = io.WriteString(w, hosted.Clip(env.Challenge, 1000))
		return
	}
	w.WriteHeader(http.StatusOK)
}
