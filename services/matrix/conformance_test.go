package matrix_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/matrix"
)

const noHook = "the adapter asks the homeserver with the account's token; nobody posts to it"

var without = map[string]string{"ForgedIsRefused": noHook, "OldProofIsRefused": noHook, "TwoSecretsAreLive": noHook}

// desk is the adapter with its homeserver and a customer in a direct room with each of its two inboxes.
type desk struct {
	t       testing.TB
	inboxes *hostedtest.Registry
	adapter *matrix.Adapter
	intake  *channeltest.Intake
	ada     *customer
	bot     string // user id of the inbox "desk"
	room    string
	second  string // user id of the inbox "second"
	other   string // the room with it
	third   string // user id of somebody else
	run     func() (stop func())
}

type place struct {
	base      string                                 // of the homeserver, for customers
	api       string                                 // for the adapter
	account   func(name string) (base, token string) // makes one
	blobs     blob.Store
	state     docstore.Store
	transport *http.Client
	lags      bool // see customer
}

// prepare makes accounts and the adapter; nothing runs yet.
func prepare(t testing.TB, p place, intake channel.Intake) *desk {
	d := &desk{t: t}
	d.intake, _ = intake.(*channeltest.Intake)
	settings := func(name string) (map[string]string, string) {
		_, token := p.account(name)
		return map[string]string{"homeserver": p.api, "access_token": token}, token
	}
	first, token := settings("desk")
	second, otherToken := settings("second")
	d.bot = newCustomer(t, p.base, token).user
	_, adaToken := p.account("ada")
	d.ada = newCustomer(t, p.base, adaToken)
	d.ada.lags = p.lags
	d.inboxes = hostedtest.Inboxes(
		inbox.Inbox{ID: "desk", Channel: matrix.Name, Name: "Shop", Settings: first},
		inbox.Inbox{ID: "second", Channel: matrix.Name, Name: "Another", Settings: second},
	)
	with := prepareWith(t, hosted.Deps{Intake: intake, Inboxes: d.inboxes, Client: p.transport, Blobs: p.blobs, State: p.state})
	d.adapter, d.run = with.adapter, with.run
	d.second = newCustomer(t, p.base, otherToken).user
	_, thirdToken := p.account("carol")
	d.third = newCustomer(t, p.base, thirdToken).user
	return d
}

// prepareWith makes the adapter alone.
func prepareWith(t testing.TB, deps hosted.Deps) *desk {
	d := &desk{t: t, adapter: matrix.New(deps)}
	d.intake, _ = deps.Intake.(*channeltest.Intake)
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

// meet runs it, and opens the rooms.
func meet(t testing.TB, d *desk) *desk {
	t.Cleanup(d.run())
	for _, id := range []string{"desk", "second"} {
		hostedtest.Wait(t, id+" to be ready", func() bool { return d.inboxes.Health(id).State == "ok" })
	}
	d.room, d.other = d.ada.direct(d.bot, nil), d.ada.direct(d.second, nil)
	for room, user := range map[string]string{d.room: d.bot, d.other: d.second} {
		hostedtest.Wait(t, "the invitation to be followed", func() bool { return d.joined(room, user) })
	}
	for _, id := range []string{"desk", "second"} {
		hostedtest.Wait(t, "the room to be known", func() bool { return d.adapter.Knows(t.Context(), id, d.ada.user) })
	}
	return d
}

func (d *desk) joined(room, user string) bool {
	var state []struct {
		Type    string         `json:"type"`
		Key     string         `json:"state_key"`
		Content map[string]any `json:"content"`
	}
	d.ada.try(http.MethodGet, "/rooms/"+room+"/state", nil, &state)
	for _, e := range state {
		if e.Type == "m.room.member" && e.Key == user && e.Content["membership"] == "join" {
			return true
		}
	}
	return false
}

// taken is the stored input of an event.
func (d *desk) taken(event string) (channel.Raw, bool) {
	for _, raw := range d.intake.Taken() {
		if strings.HasSuffix(raw.ProviderID, "/"+event) {
			return raw, true
		}
	}
	return channel.Raw{}, false
}

// item waits for an event to come through, and reads it.
func (d *desk) item(event string) channel.Item {
	d.t.Helper()
	hostedtest.Wait(d.t, "event "+event, func() bool { _, ok := d.taken(event); return ok })
	raw, _ := d.taken(event)
	items, err := d.adapter.Parse(raw)
	if err != nil {
		d.t.Fatal(err)
	}
	return items[0]
}

func outboundTo(user string) channel.Outbound {
	return channel.Outbound{Inbox: "desk", Customer: "c1", At: time.Now(), To: channel.Address{Kind: matrix.Name, Address: user}}
}

// subject is a desk for the suite. The homeserver makes the ids: the names that
// the suite gives are transactions, which it does once.
func subject(t *testing.T, d *desk, api *channeltest.API, acknowledged func(event string) bool) channeltest.Subject {
	var mu sync.Mutex
	events := map[string]string{}
	deliver := func(ctx context.Context, id string, content map[string]any) error {
		mu.Lock() // of a transaction that comes twice at once, homeservers may make two events
		event := d.ada.send(d.room, "m.room.message", id, content)
		events[id] = event
		mu.Unlock()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for !acknowledged(event) {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}
	return channeltest.Subject{
		Adapter: d.adapter, Health: d.inboxes.Reported, API: api,
		Shown:   func() []string { return d.ada.shown(d.room, d.other) },
		Deliver: func(ctx context.Context, id, s string) error { return deliver(ctx, id, text(s)) },
		Changed: func(id string, action channel.Action) channel.Raw {
			mu.Lock()
			event := events[id]
			mu.Unlock()
			var made string
			switch action {
			case channel.Edited:
				made = d.ada.edit(d.room, event, "after")
			case channel.Deleted:
				made = d.ada.redact(d.room, event)
			case channel.Reacted:
				made = d.ada.react(d.room, event, "👍")
			case channel.Unreacted:
				reaction := d.ada.react(d.room, event, "❤️")
				hostedtest.Wait(t, "the reaction", func() bool { _, ok := d.taken(reaction); return ok })
				made = d.ada.redact(d.room, reaction)
			}
			hostedtest.Wait(t, string(action), func() bool { _, ok := d.taken(made); return ok })
			raw, _ := d.taken(made)
			return raw
		},
	}
}

func fakePlace(h *homeserver) place {
	return place{base: h.URL, api: h.URL, account: h.account, transport: h.Client()}
}

func TestConformanceFake(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, channeltest.Harness{
		Name: "Matrix", Counterpart: channeltest.OurFake + ", sync; the same suite passes against Dendrite (.ci/rig)",
		Without: without,
		Outbound: func(channeltest.Subject) channel.Outbound {
			return outboundTo("@ada:" + server)
		},
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			h := newHomeserver(t)
			d := meet(t, prepare(t, fakePlace(h), intake))
			h.Spare(func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+d.ada.token })
			s := subject(t, d, h.API("second"), func(event string) bool { return h.acknowledged(d.bot, event) })
			s.SaidAt = func(ctx context.Context, id, words string, at time.Time) error {
				h.mu.Lock()
				h.clock = func() time.Time { return at }
				h.mu.Unlock()
				return s.Deliver(ctx, id, words)
			}
			return s
		},
	})
}
