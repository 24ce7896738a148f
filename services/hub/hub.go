package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/weftline/channel/v1/channelv1connect"
	"github.com/weftline/weftline/services/chat"
	"github.com/weftline/weftline/services/console"
	"github.com/weftline/weftline/services/conversation"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/email/listener"
	"github.com/weftline/weftline/services/email/unsubscribe"
	"github.com/weftline/weftline/services/email/webhook"
	"github.com/weftline/weftline/services/hub/demo"
	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/config"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/internal/ledger"
	"github.com/weftline/weftline/services/internal/peer"
	"github.com/weftline/weftline/services/internal/poison"
	"github.com/weftline/weftline/services/internal/telemetry"
	"github.com/weftline/weftline/services/sms"
	"github.com/weftline/weftline/services/stream"
)

// hub is an open hub: the platform and the parts of this process, not yet running.
// A part that runs elsewhere is nil.
type hub struct {
	*platform
	book         *inbox.Book
	poison       *poison.Queue
	conversation *conversation.Service
	email        *email.Service
	listener     *listener.Listener // of mail; nil without one in the configuration
	mailHooks    *webhook.Webhook
	unsubscribe  *unsubscribe.Page
	chat         *chat.Adapter
	carriers     map[string]carrier // by name
	console      *console.Console
	stream       *stream.Service
	mailbox      *demo.Mailbox // nil without a demo
	rebuilding   sync.Mutex    // held by the rebuild an operator asked for
	importing    sync.Mutex    // held by the import an operator asked for
	ledger       *ledger.Ledger
	early        *meanwhile // while it is opened; nil in a command
}

// open builds everything in the order a message meets it. Nothing runs yet, but
// early, if there is one, where read models are built first.
func open(ctx context.Context, cfg config.Config, log *slog.Logger, early *meanwhile) (_ *hub, err error) {
	p, err := openPlatform(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	h := &hub{platform: p, early: early}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	for _, build := range []func(context.Context) error{h.openInboxes, h.openEmail, h.openCarriers, h.openConversation, h.openChat, h.openConsole, h.openStream} {
		if err := build(ctx); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// channels are the kinds of inboxes this hub knows; client and dial reach their providers for a live test, mail is what that of a mailbox needs.
func channels(client *http.Client, dial hosted.Dial, mail email.ChannelDeps) []inbox.Channel {
	kinds := []inbox.Channel{chat.Channel(), email.Channel(mail)}
	for _, k := range carriers {
		kinds = append(kinds, k.channel(client, dial))
	}
	return kinds
}

func channelChecks() map[string]func(map[string]string) error {
	m := map[string]func(map[string]string) error{}
	for _, c := range channels(nil, nil, email.ChannelDeps{}) {
		m[c.Name] = checkSettings(c)
	}
	return m
}

// checkSettings refuses keys the channel does not have before its own check looks at values.
func checkSettings(c inbox.Channel) func(map[string]string) error {
	return func(m map[string]string) error {
		known := map[string]bool{}
		for _, s := range c.Settings {
			known[s.Key] = true
		}
		for k := range m {
			if !known[k] {
				return fmt.Errorf("%s: unknown setting of channel %s", k, c.Name)
			}
		}
		if c.Check == nil {
			return nil
		}
		return c.Check(m)
	}
}

// checkReferences looks at settings of the file that are the ids of other
// inboxes. One that is not in the file may be in the console's database or be
// the demo's, which a file cannot know: only what the file alone shows wrong is
// refused, an inbox of a channel that cannot do it. A chat inbox says of itself, when it runs, what is not there.
func checkReferences(cfg config.Config) error {
	of := map[string]string{}
	for _, in := range cfg.Inboxes {
		of[in.ID] = in.Channel
	}
	var errs []error
	for _, c := range channels(nil, nil, email.ChannelDeps{}) {
		for i, in := range cfg.Inboxes {
			if in.Channel != c.Name {
				continue
			}
			err := c.Refers(in.Settings, func(id string) (string, bool) {
				return of[id], true // "": not to be known here
			})
			if err != nil {
				errs = append(errs, config.Below(fmt.Sprintf("inboxes[%d].settings", i), err)...)
			}
		}
	}
	return errors.Join(errs...)
}

func (h *hub) openInboxes(ctx context.Context) error {
	var fixed []inbox.Inbox
	for _, in := range h.cfg.Inboxes {
		name := in.Name
		if name == "" {
			name = in.ID
		}
		fixed = append(fixed, inbox.Inbox{ID: in.ID, Channel: in.Channel, Name: name, Source: inbox.SourceFile, Settings: in.Settings, Paused: in.Paused})
	}
	var err error
	client := outgoing(h.cfg)
	kinds := channels(client, dialing(h.cfg), email.ChannelDeps{Client: client, State: h.state, Keys: h.keys, Listens: len(h.cfg.Email.Listen) > 0})
	if h.book, err = inbox.NewBook(ctx, h.state, h.keys, kinds, fixed, h.log); err != nil {
		return err
	}
	if h.poison, err = poison.New(ctx, h.bus, h.state); err != nil {
		return err
	}
	return nil
}

// openEmail builds the adapter; its parser is needed wherever inputs are read.
func (h *hub) openEmail(ctx context.Context) error {
	signature, err := console.Signatures(ctx, h.state)
	if err != nil {
		return err
	}
	h.email, err = email.New(email.Deps{
		Intake: h.intake, Inboxes: h.book, State: h.state, Keys: h.keys, Blobs: h.blobs,
		Log: h.log.With("part", "email"), Metrics: h.metrics, Resolver: mailResolver, Client: outgoing(h.cfg), Listens: len(h.cfg.Email.Listen) > 0, PublicURL: h.cfg.PublicURL, Signature: signature,
	})
	h.unsubscribe = unsubscribe.New(unsubscribe.Deps{
		Intake: h.intake, Inboxes: h.book, Keys: h.keys, Tenant: h.cfg.Tenant, Log: h.log.With("part", "email"),
	})
	h.mailHooks = webhook.New(hosted.Deps{
		Intake: h.intake, Inboxes: h.book, PublicURL: h.cfg.PublicURL, Log: h.log.With("part", "email"), Metrics: h.metrics,
	})
	if err != nil || len(h.cfg.Email.Listen) == 0 || !h.cfg.Runs(email.ChannelName) {
		return err
	}
	h.listener, err = listener.New(h.cfg.Email.Listen, listener.Deps{
		Intake: h.intake, Inboxes: h.book, Log: h.log.With("part", "email listener"), Metrics: h.metrics,
	})
	return err
}

// mailResolver answers about senders of mail; nil is the system's, which operators get. Tests bring a DNS of their own.
var mailResolver email.Resolver

func (h *hub) parser(name string) (channel.Parser, bool) {
	switch name {
	case email.ChannelName:
		return h.email.Parser(), true
	case chat.Name:
		return chat.Parser{}, true
	}
	c, ok := h.carriers[name]
	return c, ok
}

// openConversation opens the read models, rebuilding them first when this hub
// writes another version of them, or a backup came without them.
func (h *hub) openConversation(ctx context.Context) error {
	if !h.cfg.Runs("conversation") {
		return nil
	}
	deps := conversation.Deps{
		Events: h.events, Snapshots: h.events, Views: h.views, State: h.state, Keys: h.keys, Blobs: h.blobs, Bus: h.bus,
		Originals: h.intake, Inboxes: h.book, Parser: h.parser, Parts: h.parts, Capabilities: h.capabilities, Own: h.ownAddress, Templates: h.templates, Audit: h.audit, Log: h.log, Metrics: h.metrics,
	}
	cfg := conversation.Config{Tenant: h.cfg.Tenant, Workspace: h.cfg.Workspace, PublicURL: h.cfg.PublicURL, BulkRead: h.cfg.Audit.BulkRead, Rules: h.cfg.Identity.Rules}
	var err error
	if deps.Agent, err = console.ActiveAgents(ctx, h.state); err != nil {
		return err
	}
	if deps.Erasure, err = h.erasure(); err != nil {
		return err
	}
	h.conversation, err = conversation.New(ctx, cfg, deps)
	if !errors.Is(err, conversation.ErrRebuild) {
		return err
	}
	if err := h.rebuildFirst(ctx, err); err != nil {
		return err
	}
	h.conversation, err = conversation.New(ctx, cfg, deps)
	return err
}

// rebuildFirst builds the read models before anything is served.
func (h *hub) rebuildFirst(ctx context.Context, why error) error {
	defer h.early.answer(ctx, h)()
	h.log.Info("read models are built anew before anything is served", "why", why)
	logged := sometimes(10*time.Second, func(p conversation.RebuildProgress) {
		h.log.Info("read models are being built", "partition", p.Partition, "applied", p.Applied, "head", p.Head)
	})
	_, err := conversation.Rebuild(ctx, h.views, h.events, h.keys, 0, func(p conversation.RebuildProgress) {
		h.early.tell(p)
		logged(p)
	}, h.log)
	return err
}

// capabilities say what an inbox of a channel can carry, where this program has its adapter.
func (h *hub) capabilities(name, inboxID string) (channel.Capabilities, bool) {
	switch name {
	case email.ChannelName:
		return h.email.Capabilities(), true
	case chat.Name:
		return chat.Capabilities(), true
	}
	if c, ok := h.carriers[name]; ok {
		if v, ok := c.(channel.Varied); ok && inboxID != "" {
			return v.CapabilitiesOf(inboxID), true
		}
		return c.Capabilities(), true
	}
	return channel.Capabilities{}, false
}

// parts finds who can open the parts of a channel's originals.
func (h *hub) parts(name string) (channel.PartOpener, bool) {
	p, ok := h.parser(name)
	if !ok {
		return nil, false
	}
	opener, ok := p.(channel.PartOpener)
	return opener, ok
}

func (h *hub) openChat(context.Context) error {
	if !h.cfg.Runs("chat") {
		return nil
	}
	var transcript channelv1connect.TranscriptServiceClient
	var proofs channelv1connect.ProofServiceClient
	var forward channelv1connect.ForwardServiceClient
	if h.conversation != nil {
		transcript, proofs, forward = h.conversation.Transcript(), h.conversation.Proofs(), h.conversation.Forward()
	} else {
		proofs = channelv1connect.NewProofServiceClient(peer.Client(h.cfg.Cluster.Secret), h.cfg.Cluster.Conversation)
		forward = channelv1connect.NewForwardServiceClient(peer.Client(h.cfg.Cluster.Secret), h.cfg.Cluster.Conversation)
		transcript = channelv1connect.NewTranscriptServiceClient(peer.Client(h.cfg.Cluster.Secret), h.cfg.Cluster.Conversation)
	}
	var err error
	h.chat, err = chat.New(chat.Deps{
		Intake: h.intake, Transcript: transcript, Proofs: proofs, Forward: forward, Inboxes: h.book, State: h.state, Keys: h.keys, Blobs: h.blobs,
		NC: h.bus.NC, Log: h.log.With("part", "chat"), Metrics: h.metrics, PublicURL: h.cfg.PublicURL,
		Numbers: func(settings map[string]string) handleid.Normaliser {
			_, numbers := sms.Number(settings)
			return numbers
		},
		OpenFile: h.openFile,
	})
	return err
}

// backend answers InboxService, TranscriptService and files for the actor in
// the request's context: the conversation target, here or in its own process.
func (h *hub) backend() http.Handler {
	if h.conversation != nil {
		mux := http.NewServeMux()
		h.conversation.Routes(mux)
		return mux
	}
	base, err := url.Parse(h.cfg.Cluster.Conversation)
	if err != nil || base.Host == "" {
		return http.NotFoundHandler()
	}
	return peer.Proxy(base, h.cfg.Cluster.Secret)
}

// feed is the live event log, here or over the wire.
func (h *hub) feed() peer.Feed {
	if h.conversation != nil {
		return h.conversation.Feed()
	}
	return peer.RemoteFeed(h.cfg.Cluster.Conversation, h.cfg.Cluster.Secret)
}

func (h *hub) openConsole(ctx context.Context) error {
	if !h.cfg.Runs("console") && !h.cfg.Runs("stream") {
		return nil
	}
	demoURL := ""
	if h.demo() {
		demoURL = "/chat/" + demo.ChatInbox + "/demo"
	}
	var err error
	h.console, err = console.New(ctx, console.Config{
		Tenant: h.cfg.Tenant, Workspace: h.cfg.Workspace, PublicURL: h.cfg.PublicURL, Listen: h.cfg.Listen, Build: telemetry.Build(), DemoURL: demoURL,
	}, console.Deps{
		State: h.state, Keys: h.keys, Blobs: h.blobs, Inboxes: h.book, Feed: h.feed(), Backend: h.backend(),
		ReplyTarget: h.replyTarget(), ShowsTyping: h.showsTyping, Sender: h.sender, Waiting: h.waiting, Audit: h.audit, NC: h.bus.NC, Log: h.log.With("part", "console"), Metrics: h.metrics,
	})
	if err != nil {
		return err
	}
	if h.cfg.Owner.Email != "" {
		return h.console.EnsureOwner(actor.With(ctx, audit.Operator()), h.cfg.Owner.Name, h.cfg.Owner.Email, h.cfg.Owner.Password)
	}
	return nil
}

// openStream publishes to NATS where integrators can reach it: on a cluster, or on the embedded server when it listens.
func (h *hub) openStream(ctx context.Context) error {
	if !h.cfg.Runs("stream") {
		return nil
	}
	var err error
	h.stream, err = stream.New(ctx, stream.Config{Tenant: h.cfg.Tenant, NATS: h.cfg.NATS.URL != "" || h.cfg.NATS.Listen != ""}, stream.Deps{
		Feed: h.feed(), Bus: h.bus, State: h.state, Embedded: h.embedded, Log: h.log.With("part", "stream"), Metrics: h.metrics,
		Authenticate: func(r *http.Request) (actor.Actor, bool) {
			who, byCookie, ok := h.console.Authenticate(r)
			return who, ok && !byCookie
		},
	})
	return err
}

// demo says whether the demo plays: by default while no inbox is configured in the file.
func (h *hub) demo() bool {
	return h.cfg.All() && (h.cfg.Demo == "on" || h.cfg.Demo == "auto" && len(h.cfg.Inboxes) == 0)
}

// openFile reads an attachment of a transcript for the chat channel, which has
// checked that it belongs to the asking visitor.
func (h *hub) openFile(ctx context.Context, _, id string) ([]byte, error) {
	base, client := "http://conversation", peer.InProcess(h.backend())
	if h.conversation == nil {
		base, client = h.cfg.Cluster.Conversation, peer.Client(h.cfg.Cluster.Secret)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/attachments/"+url.PathEscape(id), nil)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("open attachment: %w", err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
		return io.ReadAll(io.LimitReader(res.Body, blob.MaxSize))
	case http.StatusNotFound, http.StatusGone:
		return nil, blob.ErrNotFound
	}
	return nil, fmt.Errorf("open attachment: %s", res.Status)
}

// localURL reaches this hub from itself.
func (h *hub) localURL() string { return "http://" + h.cfg.Listen }
