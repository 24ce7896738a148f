// Package channeltest is what every channel adapter must pass.
//
//	func TestConformance(t *testing.T) {
//		channeltest.Run(t, channeltest.Harness{…})
//	}
//
// The harness plays the provider: it knows how a message gets into the adapter
// and what the far end has shown of what was sent. The suite plays the hub.
//
// Every check runs for every adapter. Where one has no meaning for a channel the
// harness says why, in Without; a check that could run and is not wired up fails.
// With WEFTLINE_MATRIX naming a directory the outcome is written there, and cmd
// matrix makes docs/channels.md of it.
package channeltest

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
)

// Counterparts, named honestly in the matrix.
const (
	RealServer = "real server"
	VendorSDK  = "vendor's SDK"
	Emulator   = "emulator"
	OurFake    = "our fake of the documented protocol"
)

// Harness connects the suite to one adapter.
type Harness struct {
	// Name in the matrix. Needed.
	Name string
	// Counterpart is what plays the provider: one of the constants, and a word about it. Needed.
	Counterpart string
	// Without gives the reason why a check has no meaning here, by its name.
	Without map[string]string

	// New makes an adapter that gives what arrives to intake, and has it
	// running; it stops with t. Needed.
	New func(t *testing.T, intake channel.Intake) Subject
	// Outbound is a message the subject's far end can be sent. The suite changes its ID. Needed.
	Outbound func(s Subject) channel.Outbound
	// Wait bounds every step. 0 means 10 s.
	Wait time.Duration

	absent *string
}

// lacks notes that a check has no meaning because the adapter does not promise what it asks.
func (h Harness) lacks(why string) { *h.absent = why }

// Subject is one adapter under test with its provider.
type Subject struct {
	Adapter channel.Adapter
	// Deliver is the provider handing over one message with an id of its own.
	// It returns nil only when the adapter has acknowledged it: after that a
	// provider never offers it again.
	Deliver func(ctx context.Context, providerID, text string) error
	// Shown lists the texts the customer sees at the far end, in order, each as often as it is seen.
	Shown func() []string

	// Hook is the provider's way in where it posts to us.
	Hook *Hook
	// API is the provider's way for what we send, where it is called by HTTP.
	API *API
	// Changed is the stored input of a change to the message that Deliver hands over as providerID.
	Changed func(providerID string, action channel.Action) channel.Raw
	// SaidAt makes Deliver's message one that was said at a time.
	SaidAt func(ctx context.Context, providerID, text string, at time.Time) error
	// Health of an inbox, as the adapter reports it.
	Health func(inbox string) Health
}

// Hook is a webhook: how its provider calls and proves itself.
type Hook struct {
	Handler http.Handler
	// Request is what the provider posts for a message, proven with a secret at a time. The adapter's
	// inbox knows the two Secrets as live ones.
	Request func(providerID, text, secret string, at time.Time) *http.Request
	Secrets [2]string
	// Timed: the proof covers a time, so that an old request is refused.
	Timed bool
	// Covers: the proof covers the body; otherwise it is a secret that is sent along.
	Covers bool
}

// API is a provider's API that the suite lets fail.
type API struct {
	// Script makes the next calls that send answer so, one after the other; then it works again.
	Script func(answers ...Answer)
	// Calls counts the calls that send.
	Calls func() int
	// Other is an inbox of another account.
	Other string
	// Revoke makes the provider refuse every token, or take them again.
	Revoke func(revoked bool)
	// Minute lets a minute pass for what the adapter does by itself; nil: it asks all the time.
	Minute func()
}

// Answer of a provider. Lost: it does what it was asked, and its answer never arrives.
type Answer struct {
	Status int
	Header http.Header
	Body   string
	Lost   bool
}

// Health is how an inbox does.
type Health struct {
	State, Detail   string
	LastIn, LastOut time.Time
}

// Run checks everything that holds for any channel.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if h.New == nil || h.Outbound == nil || h.Counterpart == "" || h.Name == "" {
		t.Fatal("channeltest: Name, Counterpart, New and Outbound are needed")
	}
	if h.Wait == 0 {
		h.Wait = 10 * time.Second
	}
	m := matrix(t, h)
	for name := range h.Without {
		if !known(name) {
			t.Errorf("Without names %q, which is no check", name)
		}
	}
	for _, c := range checks {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if why := h.Without[c.Name]; why != "" {
				m.note(c.Name, "–", why)
				return // it is said in the matrix
			}
			h, absent := h, ""
			h.absent = &absent
			defer func() { m.note(c.Name, verdict(t, absent), absent) }()
			c.run(t, h)
		})
	}
}

func verdict(t *testing.T, absent string) string {
	switch {
	case t.Failed():
		return "✗"
	case absent != "":
		return "–"
	}
	return "✓"
}
