// Package meta is the channels of Meta's platforms: WhatsApp (Cloud API),
// Messenger and Instagram. They share how a webhook is proven, how its batches are
// taken apart, and the Graph API with its error codes; each has its own parser and sender.
//
//	Meta ──POST /hooks/<channel>/<inbox>──► Door: X-Hub-Signature-256 ─► one input per message or status ─► Intake, then 200
//	Send ──POST /<version>/<id>/messages──► Graph API
//
// The documentation is developers.facebook.com: "Graph API/Webhooks", "WhatsApp Business
// Platform", "Messenger Platform", "Instagram Platform". What is particular is in docs/quirks/.
package meta

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// The channels' names. Those of handles are the same; WhatsApp has phone numbers, too.
const (
	WhatsApp  = "whatsapp"
	Messenger = "messenger"
	Instagram = "instagram"
)

// platform is what the three have in common. Safe for concurrent use.
type platform struct {
	name   string
	kind   kind
	deps   hosted.Deps
	door   *hosted.Door
	caller *hosted.Caller
	steps  *hosted.Steps
	heard  *heard
	log    *slog.Logger
	now    func() time.Time
}

func open(name string, k kind, d hosted.Deps, split func(inbox.Inbox, config, *hosted.Request) []channel.Raw) *platform {
	d = d.WithDefaults()
	p := &platform{
		name: name, kind: k, deps: d, caller: hosted.NewCaller(d), steps: hosted.NewSteps(d, name), heard: newHeard(), log: d.Log, now: d.Now,
	}
	p.caller.Delay = regain
	p.door = (&hosted.Door{
		Channel: name, Limit: maxRequest, Admit: p.admit, Greet: p.greet,
		Split: func(in inbox.Inbox, r *hosted.Request) []channel.Raw {
			c, err := p.kind.read(in.Settings)
			if err != nil { // Admit has read it a moment ago
				return []channel.Raw{hosted.Whole(r)}
			}
			return split(in, c, r)
		},
	}).Open(d)
	return p
}

// Channel is the platform's name.
func (p *platform) Channel() string { return p.name }

// Routes mounts the door.
func (p *platform) Routes(mux *http.ServeMux) { p.door.Routes(mux) }

// Run watches the settings of the inboxes and whether Meta takes their tokens.
func (p *platform) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return hosted.Watch(ctx, p.deps.Inboxes, p.name, func(in inbox.Inbox) error {
			_, err := p.kind.read(in.Settings)
			return err
		})
	})
	g.Go(func() error { return hosted.Credentials(ctx, p.deps, p.name, p.try) })
	return g.Wait()
}

// try asks whether the provider takes the token: the account's own fields need it and change nothing.
func (p *platform) try(ctx context.Context, in inbox.Inbox) error {
	c, err := p.kind.read(in.Settings)
	if err != nil {
		return hosted.ErrNotAsked // Watch says what is wrong
	}
	return p.get(ctx, in.ID, c, c.account, "id", nil)
}

// there says whether an inbox is of this channel.
func (p *platform) there(id string) bool {
	in, ok := p.deps.Inboxes.Get(id)
	return ok && in.Channel == p.name
}
