package main

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/api"
	"github.com/weftline/weftline/services/discord"
	"github.com/weftline/weftline/services/internal/boot"
	"github.com/weftline/weftline/services/internal/config"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/internal/safedial"
	"github.com/weftline/weftline/services/line"
	"github.com/weftline/weftline/services/mastodon"
	"github.com/weftline/weftline/services/matrix"
	"github.com/weftline/weftline/services/meta"
	"github.com/weftline/weftline/services/slack"
	"github.com/weftline/weftline/services/sms"
	"github.com/weftline/weftline/services/telegram"
)

// carrier is a channel that needs nothing of the hub but what hosted.Deps
// holds: every one except mail and the chat widget.
type carrier interface {
	channel.Adapter
	// Sender sends for one inbox; false: there is none such now.
	Sender(inbox string) (channel.Sender, bool)
	// Routes mounts what its provider calls.
	Routes(mux *http.ServeMux)
}

// carrierKind is what the hub knows of a carrier before it is made. Its name is that of its target, too.
type carrierKind struct {
	name, help string
	channel    func(*http.Client, hosted.Dial) inbox.Channel // both are for the live test of settings
	make       func(hosted.Deps) carrier
}

// carriers is the list to which a new channel is added.
var carriers = []carrierKind{
	{meta.WhatsApp, "WhatsApp numbers (Cloud API)", byHTTP(meta.WhatsAppChannel), func(d hosted.Deps) carrier { return meta.NewWhatsApp(d) }},
	{meta.Messenger, "Messenger of Facebook pages", byHTTP(meta.MessengerChannel), func(d hosted.Deps) carrier { return meta.NewMessenger(d) }},
	{meta.Instagram, "Instagram's messages and comments", byHTTP(meta.InstagramChannel), func(d hosted.Deps) carrier { return meta.NewInstagram(d) }},
	{telegram.Name, "private chats with a Telegram bot", byHTTP(telegram.Channel), func(d hosted.Deps) carrier { return telegram.New(d) }},
	{line.Name, "one-on-one chats with a LINE Official Account", byHTTP(line.Channel), func(d hosted.Deps) carrier { return line.New(d) }},
	{slack.Name, "direct messages to a Slack app, and threads of its channels", byHTTP(slack.Channel), func(d hosted.Deps) carrier { return slack.New(d) }},
	{discord.Name, "direct messages to a Discord bot", byHTTP(discord.Channel), func(d hosted.Deps) carrier { return discord.New(d) }},
	{matrix.Name, "direct chats of a Matrix account", byHTTP(matrix.Channel), func(d hosted.Deps) carrier { return matrix.New(d) }},
	{mastodon.Name, "mentions and direct messages of a Mastodon account", byHTTP(mastodon.Channel), func(d hosted.Deps) carrier { return mastodon.New(d) }},
	{api.Name, "apps and forms that bring their own backend", byHTTP(api.Channel), func(d hosted.Deps) carrier { return api.New(d) }},
	{sms.Name, "text messages: Twilio, Vonage, Telnyx, MessageBird, Plivo, SMPP", sms.Channel, func(d hosted.Deps) carrier { return sms.New(d) }},
}

// byHTTP is a channel whose provider is called by HTTP alone.
func byHTTP(of func(*http.Client) inbox.Channel) func(*http.Client, hosted.Dial) inbox.Channel {
	return func(client *http.Client, _ hosted.Dial) inbox.Channel { return of(client) }
}

// outgoing reaches providers: the public internet, and what the configuration allows beyond it.
func outgoing(cfg config.Config) *http.Client { return safedial.Client(reach(cfg)) }

// dialing is outgoing for providers that are not called by HTTP.
func dialing(cfg config.Config) hosted.Dial { return safedial.Dial(reach(cfg)) }

func reach(cfg config.Config) safedial.Config {
	allowed := cfg.Outgoing.Prefixes()
	return safedial.Config{Timeout: 30 * time.Second, Also: func(a netip.AddrPort) bool {
		return slices.ContainsFunc(allowed, func(p netip.Prefix) bool { return p.Contains(a.Addr().Unmap()) })
	}}
}

// openCarriers makes all of them, also those that run elsewhere: their parsers are needed wherever inputs are read.
func (h *hub) openCarriers(context.Context) error {
	h.carriers = map[string]carrier{}
	for _, k := range carriers {
		h.carriers[k.name] = k.make(hosted.Deps{
			Intake: h.intake, Inboxes: h.book, State: h.state, Keys: h.keys, Blobs: h.blobs, PublicURL: h.cfg.PublicURL,
			Client: outgoing(h.cfg), Dial: dialing(h.cfg), Typing: h.customerTypes, Log: h.log.With("part", k.name), Metrics: h.metrics,
		})
	}
	return nil
}

// carrierUnits run those of this process, each with its outbox.
func (h *hub) carrierUnits() (units []boot.Unit) {
	for _, k := range carriers {
		if !h.cfg.Runs(k.name) {
			continue
		}
		c := h.carriers[k.name]
		units = append(units,
			simple(k.name, []string{"conversation", "inboxes"}, c.Run),
			simple(k.name+" outbox", []string{k.name}, h.outbox(k.name, c.Sender, c.Capabilities().IdempotentSend)),
		)
		units = append(units, h.typist(c)...)
	}
	return units
}

func (h *hub) carrierRoutes(mux *http.ServeMux) {
	for _, k := range carriers {
		if h.cfg.Runs(k.name) {
			h.carriers[k.name].Routes(mux)
		}
	}
}
