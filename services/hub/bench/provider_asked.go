package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
)

// asked is what the providers have in common that the hub asks, or holds a
// connection to. Its fields are read and written inside change and until.
type asked struct {
	mu       sync.Mutex
	changed  chan struct{} // closed and replaced by every change
	last     int           // number of the last thing that happened; they grow
	seen     int           // up to which the hub has said that it has everything
	requests int
	wrong    error // the first thing of the hub's that a provider would not understand
}

func newAsked() *asked { return &asked{changed: make(chan struct{})} }

func (a *asked) change(do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	do()
	close(a.changed)
	a.changed = make(chan struct{})
}

// acknowledge is what the hub says that it has; called inside change.
func (a *asked) acknowledge(n int) {
	if n > a.last && a.wrong == nil {
		a.wrong = fmt.Errorf("the hub acknowledges number %d, the last is %d", n, a.last)
	}
	a.seen = max(a.seen, min(n, a.last))
}

// refuse notes what fails the run.
func (a *asked) refuse(format string, args ...any) {
	a.change(func() {
		if a.wrong == nil {
			a.wrong = fmt.Errorf(format, args...)
		}
	})
}

// until waits for something about the hub, which what names.
func (a *asked) until(ctx context.Context, what string, ok func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, 4*patience)
	defer cancel()
	for {
		a.mu.Lock()
		is, wrong, changed := ok(), a.wrong, a.changed
		a.mu.Unlock()
		if wrong != nil || is {
			return wrong
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait until the hub %s: %w", what, ctx.Err())
		}
	}
}

// acknowledged waits until the hub has said that it has everything.
func (a *asked) acknowledged(ctx context.Context) error {
	return a.until(ctx, "acknowledges everything", func() bool { return a.seen >= a.last })
}

func (a *asked) answered() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests
}

// askedSources are the channels whose provider the hub asks, or holds a
// connection to. leave takes their providers down.
func askedSources() (list []source, leave func(), err error) {
	smsc, err := openSMSC()
	if err != nil {
		return nil, nil, err
	}
	matrix, mastodon, telegram, discord := openHomeserver(), openInstance(), openBotAPI(), openGuild()
	return []source{smsc.source(), matrix.source(), mastodon.source(), telegram.source(), discord.source()}, func() {
		smsc.close()
		matrix.Close()
		mastodon.Close()
		telegram.Close()
		discord.Close()
	}, nil
}

// answerJSON is how the providers that speak HTTP answer.
func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // who does not read it asks again
}
