// Package sms is the channel for short messages. One inbox is one number or
// sender at one provider, which its setting provider names:
//
//	twilio, vonage, telnyx, messagebird, plivo   HTTP: they post to us, we post to them
//	smpp                                         SMPP 3.4 to an SMSC or gateway of your own
//
//	provider ──POST /hooks/sms/<inbox>──► Door: signature ──► Intake
//	Send ──► segments counted ──► provider's API ──► receipts by webhook
//	SMSC ──deliver_sm──► parts kept until all are there ──► Intake ──► deliver_sm_resp
//	Send ──► parts journalled ──submit_sm──► SMSC ──deliver_sm (receipt)──► Intake.Report
//
// Each provider has files of its own: what signs its requests, where ids and times are,
// what its words for a state mean. What was learnt about them, and what could not be
// confirmed against the real provider, is in docs/quirks/sms.md.
//
// Documentation relied on: Twilio "Messages resource", "Security: validating signatures
// from Twilio"; Vonage "Messages API v1", "Signing messages: webhooks"; Telnyx "Messaging:
// receiving webhooks"; MessageBird "SMS API", "Verify HTTP requests"; Plivo "Message API",
// "Signature validation V3"; SMPP Protocol Specification v3.4, issue 1.2.
package sms

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/handout"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/internal/metric"
	"github.com/weftline/weftline/services/internal/safedial"
)

// Name is the channel's name.
const Name = "sms"

// KindPhone is the kind of its handles: numbers are the same person everywhere.
const KindPhone = "phone"

// maxText is what ten parts of the GSM alphabet hold. How many parts a text
// takes depends on what is in it, so Send counts again.
const maxText = 1530

// Adapter is the channel. Safe for concurrent use.
type Adapter struct {
	deps   hosted.Deps
	door   *hosted.Door
	caller *hosted.Caller
	desk   *handout.Desk // of files that providers fetch
	doubts *doubts
	links  *links
	retry  time.Duration // before an SMSC is called again; it doubles
	roots  *tls.Config   // nil: the system's
	odd    prometheus.Counter
	log    *slog.Logger
	now    func() time.Time
}

var _ interface {
	channel.Adapter
	channel.Fetcher
	channel.Varied
} = (*Adapter)(nil)

// New makes the adapter; requests are taken from the first moment.
func New(d hosted.Deps) *Adapter {
	d = d.WithDefaults()
	if d.Dial == nil {
		d.Dial = safedial.Dial(safedial.Config{})
	}
	a := &Adapter{deps: d, caller: hosted.NewCaller(d), doubts: &doubts{store: d.State}, log: d.Log, now: d.Now}
	a.desk = &handout.Desk{Blobs: d.Blobs, Keys: d.Keys, Log: d.Log, Now: d.Now}
	a.links = &links{a: a, list: map[string]*link{}, changed: make(chan struct{})}
	a.retry = time.Second
	a.odd = metric.Register(d.Metrics, prometheus.NewCounter(prometheus.CounterOpts{
		Name: "weftline_sms_unknown_receipts_total", Help: "Receipts of SMSCs that name no message we know. They are kept for a week, in case the answer to its submit_sm is still to come.",
	}))
	a.door = (&hosted.Door{Channel: Name, Get: true, Admit: a.admit, Split: a.split, Answer: answer}).Open(d)
	return a
}

// Channel is "sms".
func (a *Adapter) Channel() string { return Name }

// Capabilities are those of a text, which every inbox carries. What files one can send, CapabilitiesOf says.
func (a *Adapter) Capabilities() channel.Capabilities {
	return channel.Capabilities{TextLimit: maxText, Delivered: true}
}

// Routes mounts the door, and the files that providers fetch.
func (a *Adapter) Routes(mux *http.ServeMux) {
	a.door.Routes(mux)
	if a.deps.Blobs != nil && a.deps.Keys != nil {
		a.desk.Routes(mux, hosted.HookPath(Name, "{inbox}")+"/media")
	}
}

// Run watches the settings of the inboxes and whether their providers take the
// credentials, and keeps the links to SMSCs.
func (a *Adapter) Run(ctx context.Context) error {
	if a.deps.State != nil {
		err := a.deps.State.Declare(ctx, smppCollections...)
		if ctx.Err() != nil {
			return nil // it was to end while it started
		}
		if err != nil {
			return fmt.Errorf("declare what is kept of SMSCs: %w", err)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return hosted.Watch(ctx, posting{a.deps.Inboxes}, Name, checkInbox) })
	g.Go(func() error { return hosted.Credentials(ctx, a.deps, Name, a.try) })
	if a.deps.State != nil {
		g.Go(func() error {
			a.links.run(ctx)
			return nil
		})
	}
	return g.Wait()
}

// posting are the inboxes as they are watched for their settings alone: of one
// whose provider is smpp the link says that it is well, not its settings.
type posting struct{ inbox.Registry }

// SetHealth implements inbox.Registry.
func (p posting) SetHealth(id string, h inbox.Health) {
	in, ok := p.Get(id)
	if ok && h.State == "ok" && strings.TrimSpace(in.Settings[keyProvider]) == providerSMPP {
		return
	}
	p.Registry.SetHealth(id, h)
}
