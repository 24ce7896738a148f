package email

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Deps is what the service works with.
type Deps struct {
	Intake  channel.Intake
	Inboxes inbox.Registry
	State   docstore.Store // keeps the cursors
	Keys    crypt.Keyring
	Blobs   blob.Store
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil: not exported
	// Roots are the certificate authorities servers are checked against; nil: the system's.
	Roots *x509.CertPool
	// Signature is the own signature of an agent, as text; nil: agents have none.
	Signature func(ctx context.Context, agent string) (string, error)
	// Client reaches token endpoints (OAuth 2); nil: as http.DefaultClient.
	Client *http.Client
	// Resolver is asked about senders where an inbox verifies them itself; nil: the system's.
	Resolver Resolver
	// Listens: a listener takes mail for inboxes that receive by it.
	Listens bool
	// PublicURL is where links in mail lead to; "": there are none.
	PublicURL string
	Timing    Timing
}

// Timing says how long to wait. Zero values become the defaults.
type Timing struct {
	RetryMin  time.Duration // first wait after a lost connection; 1s
	RetryMax  time.Duration // longest; 5m
	AuthRetry time.Duration // after a refused login; 15m
	IdleLimit time.Duration // an IDLE is renewed after; at most 4m30s
	IdleEnd   time.Duration // the server must answer the end of an IDLE in; 30s
	SMTPStep  time.Duration // wait for the answer to one SMTP command; 1m

	TokenCall  time.Duration // wait for a token endpoint; 20s
	TokenYoung time.Duration // an access token this young is not replaced because a server refuses it; 1m

	Outage time.Duration // a mailbox that worked may be gone for so long before it needs attention; that of inbox.Outage
}

func (t Timing) withDefaults() Timing {
	set := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	set(&t.RetryMin, time.Second)
	set(&t.RetryMax, 5*time.Minute)
	set(&t.AuthRetry, 15*time.Minute)
	set(&t.IdleLimit, idleLimit)
	set(&t.IdleEnd, 30*time.Second)
	set(&t.SMTPStep, time.Minute)
	set(&t.TokenCall, 20*time.Second)
	set(&t.TokenYoung, time.Minute)
	return t
}

// Service is the email channel: it receives and sends for every email inbox
// of the registry. Safe for concurrent use.
type Service struct {
	intake  channel.Intake
	inboxes inbox.Registry
	state   docstore.Store
	keys    crypt.Keyring
	blobs   blob.Store
	log     *slog.Logger
	metrics metrics
	roots   *x509.CertPool
	timing  Timing
	health  *board
	verify  *Verifier
	grants  *grants
	listens bool

	publicURL string

	signature func(ctx context.Context, agent string) (string, error)

	mu     sync.Mutex
	filers map[string]*filer // by inbox
}

// New makes the service. It does no I/O.
func New(d Deps) (*Service, error) {
	if d.Intake == nil || d.Inboxes == nil || d.State == nil || d.Keys == nil || d.Blobs == nil {
		return nil, errors.New("email: intake, inboxes, state, keys and blobs are required")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Resolver == nil {
		d.Resolver = net.DefaultResolver
	}
	verify := NewVerifier(d.Resolver, func(id string) (map[string]string, bool) {
		in, ok := d.Inboxes.Get(id)
		return in.Settings, ok
	})
	metrics, timing := newMetrics(d.Metrics), d.Timing.withDefaults()
	return &Service{
		intake: d.Intake, inboxes: d.Inboxes, state: d.State, keys: d.Keys, blobs: d.Blobs,
		log: d.Log.With("channel", ChannelName), metrics: metrics, roots: d.Roots, timing: timing,
		health: &board{registry: d.Inboxes, sides: map[string]*[2]inbox.Health{}}, verify: verify, listens: d.Listens, publicURL: d.PublicURL,
		grants: newGrants(d.State, d.Keys, d.Client, timing, metrics.token), filers: map[string]*filer{}, signature: d.Signature,
	}, nil
}

// Run receives for every inbox until ctx ends. An inbox that is added,
// changed or removed is started, restarted or stopped alone.
func (s *Service) Run(ctx context.Context) error {
	if err := s.state.Declare(ctx, docstore.Collection{Name: cursorCollection}); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("declare email cursors: %w", err)
	}
	var (
		group   sync.WaitGroup
		running = map[string]worker{}
		ran     map[string]map[string]string // settings that were run last, by inbox; nil before the first look
	)
	s.inboxes.Watch(ctx, ChannelName, func(list []inbox.Inbox) {
		wanted := map[string]inbox.Inbox{}
		for _, in := range list {
			wanted[in.ID] = in
		}
		for id, w := range running {
			if in, ok := wanted[id]; !ok || in.Rev != w.rev || !maps.Equal(in.Settings, w.settings) {
				w.stop()
				<-w.done // the old connection is closed before a new one is opened
				delete(running, id)
			}
		}
		for id, in := range wanted {
			if _, ok := running[id]; !ok && ctx.Err() == nil {
				running[id] = s.start(ctx, &group, in, ran != nil && !maps.Equal(ran[id], in.Settings))
			}
		}
		if ran == nil {
			ran = map[string]map[string]string{}
		}
		for id, w := range running {
			ran[id] = w.settings
		}
	})
	<-ctx.Done()
	group.Wait()
	return nil
}

// worker is a running receiver.
type worker struct {
	rev      int64
	settings map[string]string
	stop     context.CancelFunc
	done     chan struct{}
}

// start runs an inbox. saved: with settings that somebody has just saved.
func (s *Service) start(ctx context.Context, group *sync.WaitGroup, in inbox.Inbox, saved bool) worker {
	wctx, stop := context.WithCancel(ctx)
	s.health.forget(in.ID)
	w := worker{rev: in.Rev, settings: maps.Clone(in.Settings), stop: stop, done: make(chan struct{})}
	group.Go(func() {
		defer close(w.done)
		defer stop()
		c, err := readConfig(in.Settings)
		switch {
		case err != nil:
			s.health.set(in.ID, receiving, stateNeedsAttention, "settings: "+clip(err.Error(), 500))
			s.log.ErrorContext(wctx, "inbox cannot run with its settings", "inbox", in.ID, "error", err)
		case c.receive == ReceiveListener && !s.listens:
			s.health.set(in.ID, receiving, stateNeedsAttention, "settings: receive is listener, and the configuration has no email.listen")
		case c.receive != ReceiveIMAP:
			s.health.set(in.ID, receiving, stateOK, c.notice())
		case c.imap.host == "":
			s.health.set(in.ID, receiving, stateOK, "sends only")
		default:
			log := s.log.With("inbox", in.ID)
			var filing sync.WaitGroup
			defer filing.Wait()
			if c.sent != "" {
				f, end := s.startFiler(in.ID, c, log)
				defer end()
				filing.Go(func() { f.run(wctx) })
			}
			r := receiver{svc: s, inbox: in, config: c, log: log}
			r.outage = inbox.Outage{After: s.timing.Outage, Fresh: saved || !s.everRead(wctx, in.ID, c)}
			r.run(wctx)
		}
		<-wctx.Done()
	})
	return w
}

// openIMAP connects and logs in, as the inbox does that.
func (s *Service) openIMAP(ctx context.Context, inbox string, c config) (*imapConn, error) {
	return withToken(ctx, s.grants, inbox, c.oauth, func(token string) (*imapConn, error) {
		return dialIMAP(ctx, c.imap, token, s.roots)
	})
}

// openSMTP is openIMAP for the server that sends.
func (s *Service) openSMTP(ctx context.Context, inbox string, c config) (*smtp.Client, error) {
	return withToken(ctx, s.grants, inbox, c.oauth, func(token string) (*smtp.Client, error) {
		return dialSMTP(ctx, c.smtp, token, s)
	})
}

// Reader reads what this channel received, and says what its senders are worth.
type Reader struct {
	*Parser
	*Verifier
}

// Parser is the Reader of the inboxes of the registry.
func (s *Service) Parser() Reader {
	return Reader{Verifier: s.verify, Parser: NewParser(s.keys, func(id string) []string {
		in, ok := s.inboxes.Get(id)
		if !ok {
			return nil
		}
		return readOwn(in.Settings)
	})}
}

// Capabilities of the channel.
func (s *Service) Capabilities() channel.Capabilities {
	return channel.Capabilities{HTML: true, Attachments: true, AttachmentLimit: maxAttachment, Threads: true}
}

// Sender sends for an inbox; false when there is none or it has no SMTP
// server. Settings are read anew for every mail.
func (s *Service) Sender(id string) (channel.Sender, bool) {
	in, ok := s.inboxes.Get(id)
	if !ok || in.Channel != ChannelName || in.Settings["smtp_host"] == "" {
		return nil, false
	}
	return &Sender{svc: s, inbox: id}, true
}

func (s *Service) accepted(id string, raws []channel.Raw) {
	for _, r := range raws {
		s.metrics.received.Inc()
		s.metrics.bytes.Add(float64(len(r.Body)))
	}
	s.health.came(id)
}
