package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"
)

// guild is Discord for the hub's bot, to which customers write direct messages.
type guild struct {
	*asked
	*httptest.Server
	events []any          // of its one session; number n is n-1
	lines  int            // connections open now
	said   map[string]any // the message of each channel that was written first
}

const discordToken = "YmVuY2gtYm90LWlk.G5toRy.bench-token-of-nobody-for-discord"

func openGuild() *guild {
	g := &guild{asked: newAsked(), said: map[string]any{}}
	g.Server = httptest.NewServer(http.HandlerFunc(g.serve))
	return g
}

func (g *guild) source() source {
	return source{
		name: "discord", inbox: inboxYAML("discord", "discord", "bot_token", discordToken, "api_url", g.URL+"/api/v10"),
		ready: g.ready, write: g.write, acknowledged: g.acknowledged, asked: g.answered,
	}
}

func (g *guild) ready(ctx context.Context, _, _ int) error {
	return g.until(ctx, "listens to the gateway", func() bool { return g.lines == 1 && g.last > 0 })
}

// write lets everybody say something, then everybody the next thing; the gateway tells of each.
func (g *guild) write(_ context.Context, _ *child, from, senders int) error {
	g.change(func() {
		for n := range eachSays {
			for sender := from; sender < from+senders; sender++ {
				g.tell("MESSAGE_CREATE", g.message(sender, n))
			}
		}
	})
	return nil
}

// tell is an event; called inside change.
func (g *guild) tell(name string, data any) {
	g.last++
	g.events = append(g.events, map[string]any{"op": 0, "s": g.last, "t": name, "d": data})
}

// message is a direct message ("Message"); called inside change.
func (g *guild) message(sender, n int) map[string]any {
	channel := fmt.Sprint(5_000_000 + sender)
	m := map[string]any{
		"id": fmt.Sprint(9_000_000_000_000_000_000 + g.last), "channel_id": channel, "channel_type": 1, "type": 0, "content": text(sender, n),
		"author":    map[string]any{"id": fmt.Sprint(1_000_000 + sender), "username": fmt.Sprintf("customer%d", sender), "global_name": "Customer", "bot": false},
		"timestamp": time.Now().UTC().Format("2006-01-02T15:04:05.000000+00:00"), "edited_timestamp": nil, "tts": false, "mention_everyone": false, "pinned": false, "flags": 0,
		"mentions": []any{}, "mention_roles": []any{}, "attachments": []any{}, "embeds": []any{}, "components": []any{},
	}
	if g.said[channel] == nil {
		g.said[channel] = m
	}
	return m
}
