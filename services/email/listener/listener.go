// Package listener takes mail by SMTP and LMTP, so that an inbox needs no mailbox.
//
//	client ── RCPT: an inbox's address, or 550 ── DATA ──► Intake.Accept ──► 250 | 451 (bring it again)
//
// It relays nothing: what is for none of our inboxes is refused before its content is
// sent. It offers no login, since there is nothing that one would allow.
package listener

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/config"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/internal/metric"
)

const (
	// commandTime is for a command, and for the whole of a mail's content (RFC 5321 §4.5.3.2 asks for 5 and 10 minutes).
	commandTime = 10 * time.Minute
	// storeTime is how long storing may take before the client is told to come again.
	storeTime = time.Minute
	// drainTime is how long transfers may go on when it stops.
	drainTime = 5 * time.Second
	// heldBytes of mails are in memory at once, of all connections.
	heldBytes = 256 << 20
	// lineBytes is how long a line may be. RFC 5321 §4.5.3.1.6 says 1000, and who writes HTML on
	// one line sends it all the same: refused, such a mail is lost. The library has one
	// bound for content and commands, so a command takes that much memory at most, too.
	lineBytes = 1 << 20
)

// Deps of a listener.
type Deps struct {
	Intake  channel.Intake
	Inboxes inbox.Registry
	Log     *slog.Logger          // nil: nothing is logged
	Metrics prometheus.Registerer // nil: not exported
}

// Listener takes mail on the addresses of its configuration.
type Listener struct {
	deps    Deps
	held    *budget
	results *prometheus.CounterVec
	doors   []*door
}

// door is one address.
type door struct {
	cfg  config.MailListener
	gate *gate
	srv  *smtp.Server
}

// New checks the configuration. It does no I/O.
func New(list []config.MailListener, d Deps) (*Listener, error) {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	l := &Listener{deps: d, held: &budget{left: heldBytes}, results: metric.Register(d.Metrics, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weftline_email_listener_total", Help: "Mails and connections by result: taken, unknown_recipient, too_large, not_stored, busy, too_many_connections.",
	}, []string{"result"}))}
	var errs []error
	for i, c := range list {
		c, err := c.Complete()
		if err != nil {
			errs = append(errs, fmt.Errorf("email.listen[%d]: %w", i, err))
		}
		l.doors = append(l.doors, &door{cfg: c})
	}
	return l, errors.Join(errs...)
}

// Open binds all addresses and reads the certificates. Call it before Run.
func (l *Listener) Open() error {
	for i, d := range l.doors {
		if err := l.open(d); err != nil {
			l.close()
			return fmt.Errorf("email.listen[%d]: %w", i, err)
		}
	}
	return nil
}

func (l *Listener) open(d *door) error {
	var tlsConfig *tls.Config
	if d.cfg.Cert != "" {
		cert := &certificate{cert: d.cfg.Cert, key: d.cfg.Key, log: l.deps.Log}
		if _, err := cert.get(nil); err != nil {
			return err
		}
		tlsConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: cert.get}
	}
	if d.cfg.Network() == "unix" {
		if fi, err := os.Lstat(d.cfg.Address); err == nil && fi.Mode()&os.ModeSocket != 0 {
			_ = os.Remove(d.cfg.Address) // of a process that was killed
		}
	}
	raw, err := net.Listen(d.cfg.Network(), d.cfg.Address)
	if err != nil {
		return fmt.Errorf("listen for mail: %w", err)
	}
	d.gate = newGate(raw, d.cfg.MaxConnections, d.cfg.MaxConnectionsPerAddress, func() { l.count("too_many_connections") })
	d.srv = smtp.NewServer(nil)
	d.srv.Domain, d.srv.LMTP, d.srv.TLSConfig = d.cfg.Hostname, d.cfg.Protocol == config.LMTP, tlsConfig
	d.srv.MaxRecipients, d.srv.MaxMessageBytes = d.cfg.MaxRecipients, int64(d.cfg.MaxSize)<<20
	d.srv.MaxLineLength = lineBytes
	d.srv.ReadTimeout, d.srv.WriteTimeout = commandTime, commandTime
	d.srv.EnableSMTPUTF8 = true
	d.srv.ErrorLog = log.New(quiet{l.deps.Log}, "", 0)
	return nil
}

// Addresses are those that are bound.
func (l *Listener) Addresses() (list []net.Addr) {
	for _, d := range l.doors {
		list = append(list, d.gate.Addr())
	}
	return list
}

// Run takes mail until ctx ends; what is being transferred then has some seconds.
func (l *Listener) Run(ctx context.Context) error {
	defer l.close()
	// A mail that was handed over is stored even if the process is told to stop.
	accept := func(raws ...channel.Raw) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
		defer cancel()
		return l.deps.Intake.Accept(ctx, raws...)
	}
	failed := make(chan error, len(l.doors))
	var group sync.WaitGroup
	for _, d := range l.doors {
		d.srv.Backend = smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
			return &session{listener: l, door: d, conn: c, accept: accept}, nil
		})
		group.Go(func() {
			if err := d.srv.Serve(d.gate); err != nil && ctx.Err() == nil {
				failed <- fmt.Errorf("listen for mail: %w", err)
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	for _, d := range l.doors {
		group.Go(func() {
			stop := time.AfterFunc(drainTime, d.gate.closeAll)
			defer stop.Stop()
			d.gate.closeIdle()
			_ = d.srv.Shutdown(context.WithoutCancel(ctx)) // ends when closeAll has, at the latest
		})
	}
	group.Wait()
	return err
}

func (l *Listener) close() {
	for _, d := range l.doors {
		if d.gate != nil {
			d.gate.Close()
			d.gate.closeAll()
		}
	}
}

func (l *Listener) count(result string) { l.results.WithLabelValues(result).Inc() }

// quiet takes the library's log: it tells of clients' broken lines with their addresses.
type quiet struct{ log *slog.Logger }

func (q quiet) Write(p []byte) (int, error) {
	q.log.Debug("a mail connection ended in trouble")
	return len(p), nil
}
