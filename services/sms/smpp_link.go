package sms

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/internal/safedial"
	"github.com/weftline/weftline/services/sms/smpp"
)

// link keeps an inbox bound to its SMSC and connects again when that ends.
type link struct {
	a     *Adapter
	inbox string
	rev   int64
	cfg   config

	cancel context.CancelFunc
	ended  chan struct{}

	mu      sync.Mutex
	sender  *smpp.Session // nil: not bound
	refused error         // the login was refused
	changed chan struct{} // closed and replaced when sender changes
	slow    int           // times in a row that the SMSC asked to wait
	taking  sync.Mutex    // one part at a time is put together
}

func (k *link) stop() {
	k.cancel()
	<-k.ended
}

// run binds again and again, at growing distance while that fails.
func (k *link) run(ctx context.Context) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = k.a.retry, 60*k.a.retry
	for ctx.Err() == nil {
		began := k.a.now()
		err := k.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if k.a.now().Sub(began) > wait.MaxInterval {
			wait.Reset()
		}
		h := inbox.Health{State: "connecting", Detail: "the SMSC: " + err.Error()}
		if e, ok := errors.AsType[*smpp.StatusError](err); ok && e.Status.Credentials() {
			h.State = "needs_attention"
		}
		k.a.deps.Inboxes.SetHealth(k.inbox, h)
		k.a.log.Warn("the link to the SMSC has ended", "inbox", k.inbox, "error", err)
		select {
		case <-time.After(wait.NextBackOff()):
		case <-ctx.Done():
		}
	}
}

// session is one connection, or a pair of them, from bind to end.
func (k *link) session(ctx context.Context) error {
	binds := []smpp.Command{smpp.BindTransceiver}
	if k.cfg.smpp.two {
		binds = []smpp.Command{smpp.BindReceiver, smpp.BindTransmitter}
	}
	var token [8]byte
	_, _ = rand.Read(token[:])
	name := hex.EncodeToString(token[:])
	var sessions []*smpp.Session
	defer func() {
		k.set(nil, nil)
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		for _, s := range sessions {
			s.Close(end)
		}
	}()
	for _, bind := range binds {
		s, err := k.open(ctx, bind, name)
		if err != nil {
			if e, ok := errors.AsType[*smpp.StatusError](err); ok && e.Status.Credentials() {
				k.set(nil, err)
			}
			return err
		}
		sessions = append(sessions, s)
	}
	k.set(sessions[len(sessions)-1], nil)
	k.a.deps.Inboxes.SetHealth(k.inbox, inbox.Health{State: "ok", Detail: ""})
	sweep := time.NewTicker(time.Minute)
	defer sweep.Stop()
	for {
		if err := k.sweep(ctx); err != nil && ctx.Err() == nil {
			k.a.log.Warn("parts of messages could not be looked through", "inbox", k.inbox, "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-sessions[0].Done():
			return sessions[0].Err()
		case <-sessions[len(sessions)-1].Done():
			return sessions[len(sessions)-1].Err()
		case <-sweep.C:
		}
	}
}

func (k *link) open(ctx context.Context, bind smpp.Command, name string) (*smpp.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	conn, err := k.a.dialSMSC(ctx, k.cfg.smpp)
	if err != nil {
		return nil, err
	}
	return smpp.Open(ctx, conn, smpp.Config{
		Bind: bind, Login: k.cfg.smpp.login, Window: k.cfg.smpp.window,
		Deliver: func(ctx context.Context, p smpp.PDU) smpp.Status { return k.deliver(ctx, name, p) },
	})
}

func (k *link) set(s *smpp.Session, refused error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s == nil && refused == nil && k.refused != nil {
		refused = k.refused // it stays until a bind works
	}
	k.sender, k.refused = s, refused
	if s != nil {
		k.refused = nil
	}
	close(k.changed)
	k.changed = make(chan struct{})
}

// bound waits a little for a link that is being made, as after a start.
func (k *link) bound(ctx context.Context) (*smpp.Session, error) {
	wait := time.NewTimer(2 * time.Second)
	defer wait.Stop()
	for {
		k.mu.Lock()
		s, refused, changed := k.sender, k.refused, k.changed
		k.mu.Unlock()
		switch {
		case s != nil:
			return s, nil
		case refused != nil:
			return nil, fmt.Errorf("%w: %w", channel.ErrNeedsAttention, refused)
		}
		select {
		case <-changed:
		case <-wait.C:
			return nil, smpp.ErrNotSent
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// probeSMSC binds and leaves again: the live test of settings.
func (a *Adapter) probeSMSC(ctx context.Context, c smppConfig) error {
	conn, err := a.dialSMSC(ctx, c)
	if err != nil {
		return fmt.Errorf("%s: %w", keyAddress, err)
	}
	bind := smpp.BindTransceiver
	if c.two {
		bind = smpp.BindTransmitter
	}
	s, err := smpp.Open(ctx, conn, smpp.Config{Bind: bind, Login: c.login})
	if err != nil {
		return fmt.Errorf("%s, %s: %w", keySystemID, keyPassword, err)
	}
	s.Close(ctx)
	return nil
}

// dialSMSC reaches the public internet and what outgoing.allow adds, like every call of a provider.
func (a *Adapter) dialSMSC(ctx context.Context, c smppConfig) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := a.deps.Dial(ctx, "tcp", c.address)
	if err != nil {
		if errors.Is(err, safedial.ErrPrivate) {
			return nil, fmt.Errorf("%s is not in the public internet, and not in outgoing.allow: %w", c.host, safedial.ErrPrivate)
		}
		return nil, err
	}
	if !c.tls {
		return conn, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.roots != nil {
		config = a.roots.Clone()
	}
	config.ServerName = c.host
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}
