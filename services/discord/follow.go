package discord

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// bot is who an inbox is, for a set of settings.
type bot struct {
	config config
	user   user
}

// bot asks who we are, once for each set of settings.
func (a *Adapter) bot(ctx context.Context, id string, c config) (user, error) {
	a.mu.Lock()
	b := a.bots[id]
	a.mu.Unlock()
	if b.config == c && b.user.ID != "" {
		return b.user, nil
	}
	var me user
	if err := a.get(ctx, id, c, "/users/@me", &me); err != nil {
		return me, fmt.Errorf("ask who we are: %w", attention(err))
	}
	if !idForm.MatchString(me.ID) {
		return me, errors.New("ask who we are: Discord's answer cannot be read")
	}
	a.mu.Lock()
	a.bots[id] = bot{c, me}
	a.mu.Unlock()
	return me, nil
}

// follower follows one bot.
type follower struct {
	a     *Adapter
	id    string // of the inbox
	c     config
	me    user
	at    cursor
	taken atomic.Int64 // at.Seq, for heartbeats

	late    []string       // channels to catch up
	lateAt  time.Time      // not before
	stuck   map[string]int // how often a channel could not be listed, of those that are behind
	ready   bool           // the connection has become a session
	ill     bool           // trouble was told of
	outage  inbox.Outage
	aside   string // what to say beside "ok"
	savedAt time.Time
}

// key names the cursor: of another bot in the same inbox it is another.
func (f *follower) key() string { return f.a.kept.ID(f.id, f.me.ID) }

// longestWait is between two tries of a bot that is refused: it may begin a thousand sessions a day.
const longestWait = 5 * time.Minute

// A connection that lasts so long was one. Of those that do not, a few in a row are no trouble yet.
const (
	steady  = time.Minute
	usually = 5 * time.Second
)

// follow runs one inbox until ctx ends, or until its settings are known to be wrong.
func (a *Adapter) follow(ctx context.Context, in inbox.Inbox) {
	c, err := readConfig(in.Settings)
	if err != nil {
		a.note(in.ID, "needs_attention", err.Error())
		return
	}
	f := &follower{a: a, id: in.ID, c: c, stuck: map[string]int{}}
	if !hosted.Insist(ctx, f.trouble, func() (err error) {
		if f.me, err = a.bot(ctx, in.ID, c); err != nil {
			return err
		}
		_, err = a.kept.Get(ctx, colCursors, f.key(), &f.at)
		return err
	}) {
		return
	}
	f.taken.Store(f.at.Seq)
	wait := time.Second
	for ctx.Err() == nil {
		f.ready = false
		began := time.Now()
		err := f.turn(ctx)
		if ctx.Err() != nil {
			return
		}
		if f.ready && time.Since(began) >= steady {
			wait = time.Second
		}
		hosted.Pause(ctx, f.ended(err, wait))
		wait = min(2*wait, longestWait)
	}
}

// ended sorts why a connection ended, and says how long to wait before the next.
// Discord hangs up now and then, which is no trouble.
func (f *follower) ended(err error, wait time.Duration) time.Duration {
	f.a.log.Debug("connection ended", "channel", Name, "inbox", f.id, "error", err)
	closed, forbidden := errors.AsType[*hangUp](err)
	switch {
	case errors.Is(err, errStarted):
		f.forget()
		return max(wait, time.Second+rand.N(4*time.Second)) // "Invalid Session": after one to five seconds
	case errors.Is(err, errResumable):
		return max(wait, time.Second+rand.N(4*time.Second))
	case forbidden && closed.code != badToken:
		f.forget()
		f.trouble(err)
		return longestWait
	case forbidden: // from now on Discord is asked by HTTP first, which counts no session
		f.forget()
	case errors.Is(err, errUnreadable):
		f.forget()
	case f.ready && wait <= usually:
		return rand.N(wait)
	}
	f.trouble(err)
	return max(hosted.Patience(err, wait), wait)
}

// forget ends the session: the next connection begins another.
func (f *follower) forget() { f.at.Session, f.at.Seq, f.at.Resume = "", 0, "" }

// turn is one connection, from where to go to its end. What came is taken in before it returns.
func (f *follower) turn(ctx context.Context) error {
	address := f.at.Resume
	if address == "" {
		g, err := f.a.gateway(ctx, f.id, f.c)
		if err != nil {
			return attention(err)
		}
		if after := g.full(); f.at.Session == "" && after > 0 {
			return &channel.RetryAfterError{After: after, Err: errors.New("the bot has begun as many sessions today as Discord allows")}
		}
		address = g.URL
	}
	address, err := f.c.socket(address)
	if err != nil {
		f.at.Resume = ""
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ws, err := f.a.connect(ctx, address)
	if err != nil {
		f.at.Resume = "" // the next time Discord is asked where
		return err
	}
	l, err := f.open(ctx, ws)
	if err != nil {
		ws.Close()
		f.at.Resume = ""
		return err
	}
	defer func() {
		stop()
		for range l.events { // whoever fills it has to end
		}
	}()
	if err := f.introduce(l); err != nil {
		return lost(err)
	}
	return f.work(ctx, l)
}

func (f *follower) trouble(err error) {
	f.ill = true
	f.a.setDeaf(f.id, true)
	state := "connecting"
	if hosted.Gone(&f.outage, err, f.a.now()) || errors.Is(err, channel.ErrNeedsAttention) {
		state = "needs_attention"
	}
	f.a.note(f.id, state, err.Error())
}

func (a *Adapter) setDeaf(inboxID string, deaf bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.deaf[inboxID] = deaf
}

// sent notes a good send in the inbox's health.
func (a *Adapter) sent(inboxID string) {
	h := inbox.Health{State: "ok", LastOut: a.now().UTC()}
	a.mu.Lock()
	if a.deaf[inboxID] {
		h.State = "" // as it is
	}
	a.mu.Unlock()
	a.deps.Inboxes.SetHealth(inboxID, h)
}
