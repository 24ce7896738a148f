package natsbus

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/weftline/weftline/pkg/subject"
)

// Client is an integrator at the embedded server. It reads one subject tree of
// the stream PUB, through core NATS and through the durable pull consumer of
// its name, and can do nothing else. Its inbox prefix is "_INBOX_<name>".
//
// Every name is an account of its own that imports just that. In the hub's
// account even one allowed request would be too much: its answer goes wherever
// the client says, into IN and EVT too.
type Client struct {
	Name    string // 1 to 64 letters, digits, - and _
	Subject string // such as weftline.v1.default.event.>
}

// Login says who presents a token or password; false: nobody. It is called from
// the server's goroutines, many at once.
type Login func(ctx context.Context, presented string) (Client, bool)

// loginTimeout bounds a Login together with the making of the consumer.
const loginTimeout = 8 * time.Second

// forgetConsumer is how long a consumer that nobody uses is kept: as long as PUB keeps events.
const forgetConsumer = 30 * 24 * time.Hour

// Admit lets integrators connect to EmbeddedConfig.Listen until ctx ends. bus
// makes their consumers. Every recheck each open connection's login is asked
// again, and who is not admitted any more is disconnected. It blocks; in a
// server without Listen it returns at once.
func (e *Embedded) Admit(ctx context.Context, bus *Bus, login Login, recheck time.Duration) {
	g := e.gate
	if g == nil {
		return
	}
	g.set(&admission{login: login, js: bus.JS})
	defer g.set(nil)
	t := time.NewTicker(recheck)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			g.recheck(ctx, e.server)
		case <-ctx.Done():
			return
		}
	}
}

// admission is who decides at present.
type admission struct {
	login Login
	js    jetstream.JetStream
}

// gate authenticates the connections of the embedded server.
type gate struct {
	password string // of the hub itself
	log      *slog.Logger

	making sync.Mutex // of accounts

	mu        sync.Mutex
	server    *server.Server
	admission *admission
	inside    map[uint64]string // what the open connections presented
}

func newGate(log *slog.Logger) *gate {
	return &gate{password: rand.Text(), log: log, inside: map[uint64]string{}}
}

func (g *gate) set(a *admission) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.admission = a
}

func (g *gate) state() (*server.Server, *admission) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.server, g.admission
}

// Check implements server.Authentication.
func (g *gate) Check(c server.ClientAuthentication) bool {
	opts := c.GetOpts()
	if opts.Username == internalUser {
		if subtle.ConstantTimeCompare([]byte(opts.Password), []byte(g.password)) != 1 {
			return false
		}
		c.RegisterUser(&server.User{Username: internalUser})
		return true
	}
	presented := opts.Token
	if presented == "" {
		presented = opts.Password
	}
	s, a := g.state()
	if presented == "" || a == nil || s == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), loginTimeout)
	defer cancel()
	client, ok := a.login(ctx, presented)
	if !ok {
		return false
	}
	account, err := g.admit(ctx, s, a.js, client)
	if err != nil {
		g.log.Error("client could not be admitted to NATS", "client", client.Name, "error", err)
		return false
	}
	c.RegisterUser(&server.User{Username: client.Name, Account: account, Permissions: permissions(client)})
	g.mu.Lock()
	g.inside[c.GetID()] = presented
	g.mu.Unlock()
	return true
}

// recheck disconnects whose login does not pass any more.
func (g *gate) recheck(ctx context.Context, s *server.Server) {
	_, a := g.state()
	g.mu.Lock()
	inside := make(map[uint64]string, len(g.inside))
	for id, presented := range g.inside {
		if s.GetClient(id) == nil {
			delete(g.inside, id) // gone by itself
			continue
		}
		inside[id] = presented
	}
	g.mu.Unlock()
	for id, presented := range inside {
		if _, ok := a.login(ctx, presented); ok || ctx.Err() != nil {
			continue
		}
		if err := s.DisconnectClientByID(id); err != nil && s.GetClient(id) != nil {
			g.log.Error("client could not be disconnected from NATS", "error", err)
		}
	}
}

// consumer makes the client's consumer when it is not there.
func consumer(ctx context.Context, js jetstream.JetStream, c Client) error {
	have, err := js.Consumer(ctx, subject.StreamPub, c.Name)
	switch {
	case err == nil && have.CachedInfo().Config.FilterSubject == c.Subject:
		return nil
	case err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound):
		return err
	}
	_, err = js.CreateOrUpdateConsumer(ctx, subject.StreamPub, jetstream.ConsumerConfig{
		Durable: c.Name, FilterSubject: c.Subject, AckPolicy: jetstream.AckExplicitPolicy,
		DeliverPolicy: jetstream.DeliverAllPolicy, InactiveThreshold: forgetConsumer,
	})
	return err
}
