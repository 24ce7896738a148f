package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/chat"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/boot"
	"github.com/weftline/weftline/services/internal/outbox"
	"github.com/weftline/weftline/services/internal/peer"
	"github.com/weftline/weftline/services/internal/remote"
	"github.com/weftline/weftline/services/internal/telemetry"
)

// target is a part of the hub that can run in a process of its own.
type target struct{ name, help string }

var targets = append([]target{
	{"all", "everything, with NATS and the stores embedded (default)"},
	{"conversation", "ingest, projections, commands and queries"},
	{"email", "IMAP in, SMTP out"},
	{"chat", "the widget and its websockets"},
	{"console", "the agents' edge: login, RPC, live socket, web app"},
	{"stream", "the integrators' edge: public events over SSE and NATS"},
}, carrierTargets()...)

func carrierTargets() (list []target) {
	for _, k := range carriers {
		list = append(list, target{k.name, k.help})
	}
	return list
}

func targetNames() []string {
	var names []string
	for _, t := range targets {
		names = append(names, t.name)
	}
	return names
}

func serve(ctx context.Context, in invocation) error {
	o := flags(in, "serve", "run the hub until it is interrupted")
	o.fs.String("listen", "127.0.0.1:8080", "HTTP `address`")
	o.fs.String("target", "all", "parts to run in this process, separated by commas: "+strings.Join(targetNames(), ", "))
	o.fs.String("demo", "auto", "auto (while no inbox is configured), on or off")
	o.fs.String("log-format", "text", "text or json")
	list := o.fs.Bool("list-targets", false, "print the targets and exit")
	version := o.fs.Bool("version", false, "print the build and exit")
	usage := o.fs.Usage
	o.fs.Usage = func() { usage(); fmt.Fprint(in.stderr, "\n"+commandList()) }
	if err := o.parse(in, 0); err != nil {
		return err
	}
	switch {
	case *list:
		for _, t := range targets {
			fmt.Fprintf(in.stdout, "%-14s %s\n", t.name, t.help)
		}
		return nil
	case *version:
		fmt.Fprintln(in.stdout, telemetry.Build())
		return nil
	}
	cfg, err := o.load(in)
	if err != nil {
		return err
	}
	if err := checkSocketPath(cfg.Data); err != nil {
		return err
	}
	log := logger(cfg, in.stderr)
	l, err := listen(cfg.Listen)
	if err != nil {
		return err
	}
	defer l.Close()
	cfg = cfg.At(l.Addr())
	early := &meanwhile{public: l}
	var opsListener net.Listener
	if cfg.OpsListen != "" {
		private, err := listen(cfg.OpsListen)
		if err != nil {
			return err
		}
		defer private.Close()
		opsListener, early.private = private, private
	}
	flush, err := telemetry.StartTracing(ctx, cfg.Trace.OTLP, "weftline", cfg.Trace.Sample)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		_ = flush(ctx)
	}()
	h, err := open(ctx, cfg, log, early)
	if err != nil {
		return err
	}
	defer h.close()
	err = boot.Run(ctx, log, h.units(l, opsListener, in))
	if err == nil {
		log.Info("stopped")
	}
	return err
}

// units are the parts of this process. Parts are stopped in reverse: first the
// doors, then what works behind them, then the log.
func (h *hub) units(l, opsListener net.Listener, in invocation) []boot.Unit {
	units := []boot.Unit{
		simple("inboxes", nil, h.book.Run),
		{Name: "admin", Run: func(ctx context.Context, ready func()) error { return serveAdmin(ctx, h, h.log, ready) }},
	}
	add := func(u ...boot.Unit) { units = append(units, u...) }
	if h.embedded != nil {
		add(simple("log", nil, func(ctx context.Context) error {
			return watchLog(ctx, h.cfg.Data, h.embedded.Broken(), h.embedded.WriteError, h.log)
		}))
	}
	add(simple("log head", nil, h.watchLogHead))
	if h.conversation != nil {
		add(simple("conversation", nil, h.conversation.Run))
	}
	if h.demo() {
		add(boot.Unit{Name: "demo mailbox", Run: h.runMailbox})
	}
	if h.cfg.Runs("email") {
		add(simple("email", []string{"conversation", "inboxes", "demo mailbox"}, h.email.Run))
		if h.listener != nil {
			add(boot.Unit{Name: "email listener", Needs: []string{"conversation", "inboxes"}, Run: h.runListener})
		}
		add(simple("email outbox", []string{"email"}, h.outbox(email.ChannelName, h.email.Sender, false)))
	}
	if h.chat != nil {
		add(simple("chat", []string{"conversation", "inboxes"}, h.chat.Run))
		add(simple("chat outbox", []string{"chat"}, h.outbox(chat.Name, func(id string) (channel.Sender, bool) {
			in, ok := h.book.Get(id)
			return h.chat.Sender(id), ok && in.Channel == chat.Name
		}, true)))
	}
	add(h.carrierUnits()...)
	if h.console != nil && h.cfg.Runs("console") {
		add(simple("console", []string{"conversation"}, h.console.Run))
	}
	if h.stream != nil {
		add(simple("stream", []string{"conversation"}, h.stream.Run))
	}
	doors := []string{"conversation", "chat", "console", "stream", "email", "admin"}
	for _, k := range carriers {
		doors = append(doors, k.name)
	}
	add(boot.Unit{Name: "http", Needs: doors, Run: func(ctx context.Context, ready func()) error {
		ready()
		h.greet(ctx, in)
		return serveHTTP(ctx, l, remote.Behind(h.cfg.Proxies(), outside(h.routes(opsListener == nil), h.log)), h.log)
	}})
	if opsListener != nil {
		mux := http.NewServeMux()
		ops(mux, h.metrics, h.readiness)
		add(simple("ops", nil, func(ctx context.Context) error { return serveHTTP(ctx, opsListener, mux, h.log) }))
	}
	if h.demo() {
		add(simple("demo customer", []string{"http", "email", "chat"}, h.runScript))
	}
	return units
}

// simple is a part that is ready as soon as it runs.
func simple(name string, needs []string, run func(context.Context) error) boot.Unit {
	return boot.Unit{Name: name, Needs: needs, Run: func(ctx context.Context, ready func()) error {
		ready()
		return run(ctx)
	}}
}

// runListener takes mail once its addresses are bound.
func (h *hub) runListener(ctx context.Context, ready func()) error {
	if err := h.listener.Open(); err != nil {
		return err
	}
	ready()
	return h.listener.Run(ctx)
}

// sendPolicy says when a channel tries again; the zero value is what operators get. Tests do not wait that long.
var sendPolicy outbox.Policy

// outbox sends what the conversation target wants sent on a channel.
func (h *hub) outbox(name string, senders func(string) (channel.Sender, bool), idempotent bool) func(context.Context) error {
	return func(ctx context.Context) error {
		return outbox.Run(ctx, outbox.Deps{
			Bus: h.bus, Keys: h.keys, Intake: h.intake, State: h.state, Senders: senders, Paused: h.paused, Gone: h.gone(name), Idempotent: idempotent, Policy: sendPolicy,
			Log: h.log.With("part", "outbox"), Metrics: h.metrics,
		}, name)
	}
}

// routes is everything the process answers on its public address.
func (h *hub) routes(withOps bool) http.Handler {
	mux := http.NewServeMux()
	if withOps {
		ops(mux, h.metrics, h.readiness)
	}
	if h.chat != nil {
		h.chat.Routes(mux)
	}
	h.carrierRoutes(mux)
	if h.cfg.Runs(email.ChannelName) {
		h.mailHooks.Routes(mux)
		h.unsubscribe.Routes(mux)
	}
	if h.stream != nil {
		h.stream.Routes(mux)
	}
	if h.console != nil && h.cfg.Runs("console") {
		h.console.Routes(mux)
	} else if h.conversation != nil {
		// Without a console in front, the conversation target answers other targets only.
		inner := http.NewServeMux()
		h.conversation.Routes(inner)
		inner.Handle(peer.FeedHandler(h.conversation.Feed()))
		mux.Handle("/", peer.Server(h.cfg.Cluster.Secret, inner))
	}
	return mux
}

func (h *hub) readiness() []check {
	return h.checks()
}

// greet tells a person at the terminal where to go.
func (h *hub) greet(ctx context.Context, in invocation) {
	h.log.Info("ready", "url", h.cfg.PublicURL, "data", h.cfg.Data, "build", telemetry.Build())
	fmt.Fprintf(in.stdout, "\n  Weftline is ready: %s\n", h.cfg.PublicURL)
	if here := "http://" + h.cfg.Listen; here != h.cfg.PublicURL {
		fmt.Fprintf(in.stdout, "  It listens on: %s\n", here)
	}
	if h.console != nil && h.cfg.Runs("console") {
		if exists, err := h.console.HasAgents(ctx); err == nil && !exists {
			fmt.Fprintf(in.stdout, "  First run: open it and create the owner.\n")
		}
	}
	if h.demo() {
		fmt.Fprintf(in.stdout, "  A demo customer writes by mail and chat. Play one yourself: %s/chat/demo-chat/demo\n", h.cfg.PublicURL)
	}
	fmt.Fprintln(in.stdout)
}
