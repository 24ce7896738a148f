package mastodon_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/mastodon"
)

// desk is the adapter with its instance.
type desk struct {
	*fake
	t       testing.TB
	inboxes *hostedtest.Registry
	adapter *mastodon.Adapter
	intake  *channeltest.Intake
	run     func() (stop func())
}

func settings(f *fake, token string) map[string]string {
	return map[string]string{"instance": f.URL, "access_token": token}
}

func prepare(t testing.TB, f *fake, deps hosted.Deps) *desk {
	d := &desk{fake: f, t: t}
	d.intake, _ = deps.Intake.(*channeltest.Intake)
	d.inboxes = hostedtest.Inboxes(
		inbox.Inbox{ID: "desk", Channel: mastodon.Name, Name: "Shop", Settings: settings(f, token)},
		inbox.Inbox{ID: "other", Channel: mastodon.Name, Name: "Another", Settings: settings(f, otherToken)},
	)
	deps.Inboxes, deps.Client = d.inboxes, f.Client()
	d.adapter = mastodon.New(deps)
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

// start runs it, and waits until its stream is open.
func start(t testing.TB, intake channel.Intake) *desk {
	d := prepare(t, newFake(t), hosted.Deps{Intake: intake})
	t.Cleanup(d.run())
	d.listening(2)
	return d
}

func (d *desk) listening(streams int) {
	d.t.Helper()
	hostedtest.Wait(d.t, "the streams", func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.open >= streams
	})
}

// taken is the stored input of a kind about a post.
func (d *desk) taken(prefix string) (channel.Raw, bool) {
	for _, raw := range d.intake.Taken() {
		if strings.HasPrefix(raw.ProviderID, prefix) {
			return raw, true
		}
	}
	return channel.Raw{}, false
}

func (d *desk) item(prefix string) channel.Item {
	d.t.Helper()
	hostedtest.Wait(d.t, prefix, func() bool { _, ok := d.taken(prefix); return ok })
	raw, _ := d.taken(prefix)
	items, err := d.adapter.Parse(raw)
	if err != nil {
		d.t.Fatal(err)
	}
	return items[0]
}

// edited is what the stream tells of an edit.
func (d *desk) edit(name, text string) {
	s := said(name, text, "direct", time.Now())
	s["edited_at"] = time.Now().UTC().Format(time.RFC3339Nano)
	b, _ := json.Marshal(s)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tell("status.update", string(b))
}

func outbound() channel.Outbound {
	return channel.Outbound{Inbox: "desk", Customer: "c1", At: time.Now(), To: channel.Address{Kind: mastodon.Name, Scope: "desk", Address: "ada@far.test"}}
}

const noHook = "the adapter asks the instance with the account's token; nobody posts to it"

func TestConformanceFake(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, channeltest.Harness{
		Name: "Mastodon", Counterpart: channeltest.OurFake + ", stream and notifications",
		Without:  map[string]string{"ForgedIsRefused": noHook, "OldProofIsRefused": noHook, "TwoSecretsAreLive": noHook},
		Outbound: func(channeltest.Subject) channel.Outbound { return outbound() },
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			d := start(t, intake)
			deliver := func(ctx context.Context, id, text string, at time.Time) error {
				return d.confirmed(ctx, d.mention(said(id, text, "direct", at)))
			}
			return channeltest.Subject{
				Adapter: d.adapter, Shown: d.Shown, API: d.API("other"), Health: d.inboxes.Reported,
				Deliver: func(ctx context.Context, id, text string) error { return deliver(ctx, id, text, time.Now()) },
				SaidAt:  deliver,
				Changed: func(id string, action channel.Action) channel.Raw {
					prefix := "status:" + number(id) + "@"
					if action == channel.Deleted {
						prefix = "deleted:" + number(id)
						d.mu.Lock()
						d.tell("delete", number(id))
						d.mu.Unlock()
					} else {
						d.edit(id, "after")
					}
					hostedtest.Wait(t, string(action), func() bool { _, ok := d.taken(prefix); return ok })
					raw, _ := d.taken(prefix)
					return raw
				},
			}
		},
	})
}
