package discord_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/discord"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
)

// desk is the adapter with its Discord.
type desk struct {
	*fake
	t       testing.TB
	inboxes *hostedtest.Registry
	adapter *discord.Adapter
	intake  *channeltest.Intake
	run     func() (stop func())
}

func settings(f *fake, token string) map[string]string {
	return map[string]string{"bot_token": token, "api_url": f.URL + "/api/v10"}
}

func prepare(t testing.TB, f *fake, deps hosted.Deps) *desk {
	d := &desk{fake: f, t: t}
	d.intake, _ = deps.Intake.(*channeltest.Intake)
	d.inboxes = hostedtest.Inboxes(
		inbox.Inbox{ID: "desk", Channel: discord.Name, Name: "Shop", Settings: settings(f, token)},
		inbox.Inbox{ID: "other", Channel: discord.Name, Name: "Another", Settings: settings(f, otherToken)},
	)
	deps.Inboxes, deps.Client, deps.After = d.inboxes, f.Client(), f.Clock.After
	deps.Dial = (&net.Dialer{}).DialContext
	d.adapter = discord.New(deps)
	d.run = func() func() {
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- d.adapter.Run(ctx) }()
		return func() {
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	return d
}

// start runs it, and waits until it listens.
func start(t testing.TB, intake channel.Intake) *desk {
	d := prepare(t, newFake(t), hosted.Deps{Intake: intake})
	t.Cleanup(d.run())
	d.connected()
	return d
}

func (d *desk) connected() {
	d.t.Helper()
	hostedtest.Wait(d.t, "the gateway", func() bool {
		return d.listening(shop) == 1 && d.listening(another) == 1 && d.inboxes.Health("desk").State == "ok"
	})
}

// taken is the stored input whose id begins so.
func (d *desk) taken(prefix string) (channel.Raw, bool) {
	for _, raw := range d.intake.Taken() {
		if strings.HasPrefix(raw.ProviderID, prefix) {
			return raw, true
		}
	}
	return channel.Raw{}, false
}

// await is that input, once it is there.
func (d *desk) await(prefix string) channel.Raw {
	d.t.Helper()
	hostedtest.Wait(d.t, prefix, func() bool { _, ok := d.taken(prefix); return ok })
	raw, _ := d.taken(prefix)
	return raw
}

func (d *desk) item(prefix string) channel.Item {
	d.t.Helper()
	items, err := d.adapter.Parse(d.await(prefix))
	if err != nil {
		d.t.Fatal(err)
	}
	return items[0]
}

// says lets Ada write, and waits until it is safe.
func (d *desk) says(name, text string, more ...func(m map[string]any)) {
	d.t.Helper()
	s, seq := d.write(name, text, time.Now(), more...)
	if err := d.confirmed(d.t.Context(), s, seq); err != nil {
		d.t.Fatal(err)
	}
}

// change is the event of something that Ada does to a message of hers.
func (d *desk) change(name string, action channel.Action) (in *session, seq int64) {
	target := map[string]any{"id": d.id(name), "channel_id": adaDM}
	reaction := map[string]any{"user_id": ada, "channel_id": adaDM, "message_id": d.id(name), "emoji": map[string]any{"id": nil, "name": "🔥"}, "burst": false, "type": 0}
	switch action {
	case channel.Edited:
		d.mu.Lock()
		m := d.written(name, adaDM, "", time.Now())
		m["content"], m["edited_timestamp"] = "after", time.Now().UTC().Format("2006-01-02T15:04:05.000000+00:00")
		d.mu.Unlock()
		return d.tell("MESSAGE_UPDATE", m)
	case channel.Deleted:
		return d.tell("MESSAGE_DELETE", target)
	case channel.Reacted:
		return d.tell("MESSAGE_REACTION_ADD", reaction)
	}
	return d.tell("MESSAGE_REACTION_REMOVE", reaction)
}

// api is the fake for the suite: a token that is revoked ends its sessions.
func (f *fake) api() *channeltest.API {
	api := f.API("other")
	revoke := api.Revoke
	api.Revoke = func(revoked bool) {
		f.mu.Lock()
		f.revoked = revoked
		f.mu.Unlock()
		if revoke(revoked); revoked {
			f.hangUp(shop, 4004, true)
			f.hangUp(another, 4004, true)
		}
	}
	return api
}

func outbound() channel.Outbound {
	return channel.Outbound{Inbox: "desk", Customer: "c1", At: time.Now(), To: channel.Address{Kind: discord.Name, Scope: "desk", Address: ada}}
}

const noHook = "the adapter connects to the gateway with the bot's token; nobody posts to it"

func TestConformanceFake(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, channeltest.Harness{
		Name: "Discord", Counterpart: channeltest.OurFake + ", gateway and REST; discord.js (community client) reads the fake in the tests with the build tag rig",
		Without:  map[string]string{"ForgedIsRefused": noHook, "OldProofIsRefused": noHook, "TwoSecretsAreLive": noHook},
		Outbound: func(channeltest.Subject) channel.Outbound { return outbound() },
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			d := start(t, intake)
			deliver := func(ctx context.Context, id, text string, at time.Time) error {
				s, seq := d.write(id, text, at)
				return d.confirmed(ctx, s, seq)
			}
			return channeltest.Subject{
				Adapter: d.adapter, Shown: d.Shown, API: d.api(), Health: d.inboxes.Reported,
				Deliver: func(ctx context.Context, id, text string) error { return deliver(ctx, id, text, time.Now()) },
				SaidAt:  deliver,
				Changed: func(id string, action channel.Action) channel.Raw {
					_, seq := d.change(id, action)
					prefix := map[channel.Action]string{channel.Edited: "edit:", channel.Deleted: "delete:"}[action]
					if prefix == "" {
						prefix = "reaction:" + d.current() + ":" + itoa(seq)
					}
					return d.await(prefix)
				},
			}
		},
	})
}
