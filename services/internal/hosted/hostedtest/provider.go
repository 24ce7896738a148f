package hostedtest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/weftline/weftline/pkg/channel/channeltest"
)

// Provider is a provider's API on 127.0.0.1. Sends says which calls send a
// message; these fail by script. Everything that works goes to Serve.
type Provider struct {
	*httptest.Server
	// Sends says whether a call sends a message.
	Sends func(r *http.Request) bool
	// Serve does what the provider's documentation says. The body can be read once more.
	Serve func(w http.ResponseWriter, r *http.Request, body []byte)
	// Clock is for hosted.Deps of adapters that ask for their credentials.
	Clock Clock
	// Refuse answers calls with a token that was revoked; nil: 401.
	Refuse func(w http.ResponseWriter)

	mu      sync.Mutex
	script  []channeltest.Answer
	calls   int
	shown   []string
	revoked bool
	spare   func(r *http.Request) bool
}

// Start starts it; it stops with t.
func (p *Provider) Start(t testing.TB) *Provider {
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

func (p *Provider) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "broken off", http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if p.refuses(r) {
		if p.Refuse != nil {
			p.Refuse(w)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, "{}")
		return
	}
	answer, scripted := p.next(p.Sends(r))
	switch {
	case scripted && answer.Lost:
		p.Serve(httptest.NewRecorder(), r, body)
		panic(http.ErrAbortHandler) // the connection breaks
	case scripted:
		for k, v := range answer.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(answer.Status)
		io.WriteString(w, answer.Body)
	default:
		p.Serve(w, r, body)
	}
}

func (p *Provider) next(sends bool) (channeltest.Answer, bool) {
	if !sends {
		return channeltest.Answer{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if len(p.script) == 0 {
		return channeltest.Answer{}, false
	}
	a := p.script[0]
	p.script = p.script[1:]
	return a, true
}

// Revoke makes every token one that was revoked, or good again.
func (p *Provider) Revoke(revoked bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.revoked = revoked
}

// Spare names calls with tokens that are never revoked, such as a customer's own.
func (p *Provider) Spare(calls func(r *http.Request) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spare = calls
}

func (p *Provider) refuses(r *http.Request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.revoked && (p.spare == nil || !p.spare(r))
}

// Show notes a text that the customer sees now.
func (p *Provider) Show(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = append(p.shown, text)
}

// Shown lists what the customer sees.
func (p *Provider) Shown() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.shown)
}

// API is the provider for the conformance suite; other is an inbox of another account.
// Clock, where the adapter has it, lets its minutes pass.
func (p *Provider) API(other string) *channeltest.API {
	return &channeltest.API{
		Minute: p.Clock.Minute,
		Other:  other, Revoke: p.Revoke,
		Script: func(answers ...channeltest.Answer) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.script = append(p.script, answers...)
		},
		Calls: func() int {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.calls
		},
	}
}
