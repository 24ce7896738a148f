package email

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/emersion/go-imap/v2"
)

const (
	copyQueue = 16          // copies that wait for one inbox
	copyTime  = time.Hour   // how long one is tried
	copyIdle  = time.Minute // how long the connection is kept for the next
)

// sentCopy is a mail that was sent and shall be in the folder of sent mail.
type sentCopy struct {
	messageID string
	data      []byte
	at        time.Time
}

// filer puts copies of what an inbox sends into its folder of sent mail, on a
// connection of its own and after the mail is gone: nothing waits for it. What
// waits is in memory, so a copy can be missing after a crash; it is never there twice.
type filer struct {
	svc    *Service
	inbox  string
	config config
	log    *slog.Logger
	copies chan sentCopy
}

// fileSent hands a copy to the inbox's filer, if it has one. It never blocks.
func (s *Service) fileSent(inbox string, m composed) {
	s.mu.Lock()
	f := s.filers[inbox]
	s.mu.Unlock()
	if f == nil {
		return
	}
	select {
	case f.copies <- sentCopy{m.messageID, m.data, time.Now()}:
	default:
		s.metrics.copies.WithLabelValues("dropped").Inc()
		f.log.Warn("too many copies of sent mails wait; one is left out")
	}
}

// startFiler registers a filer; the function it returns takes it away.
func (s *Service) startFiler(inbox string, c config, log *slog.Logger) (*filer, func()) {
	f := &filer{svc: s, inbox: inbox, config: c, log: log, copies: make(chan sentCopy, copyQueue)}
	s.mu.Lock()
	s.filers[inbox] = f
	s.mu.Unlock()
	return f, func() {
		s.mu.Lock()
		delete(s.filers, inbox)
		s.mu.Unlock()
	}
}

// run files until ctx ends.
func (f *filer) run(ctx context.Context) {
	var c *imapConn
	hangUp := func() {
		if c != nil {
			c.logout()
			c = nil
		}
	}
	defer hangUp()
	for {
		var idle <-chan time.Time
		if c != nil {
			idle = time.After(copyIdle)
		}
		select {
		case <-ctx.Done():
			return
		case <-idle:
			hangUp()
		case m := <-f.copies:
			c = f.file(ctx, c, m)
		}
	}
}

// file puts one copy there, again and again for a while, and returns the connection it is on.
func (f *filer) file(ctx context.Context, c *imapConn, m sentCopy) *imapConn {
	retry := backoff.NewExponentialBackOff()
	retry.InitialInterval, retry.MaxInterval = f.svc.timing.RetryMin, f.svc.timing.RetryMax
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		if c == nil {
			var err error
			if c, err = f.svc.openIMAP(ctx, f.inbox, f.config); err != nil {
				return struct{}{}, err
			}
		}
		err := c.fileOnce(ctx, f.config.sent, m)
		if err != nil {
			c.close()
			c = nil
		}
		return struct{}{}, err
	}, backoff.WithBackOff(retry), backoff.WithMaxElapsedTime(copyTime))
	if err != nil {
		f.svc.metrics.copies.WithLabelValues("failed").Inc()
		f.log.WarnContext(ctx, "a sent mail has no copy in the folder of sent mail", "error", err)
		return c
	}
	f.svc.metrics.copies.WithLabelValues("filed").Inc()
	return c
}

// fileOnce appends a mail unless the folder has one with its Message-ID, which is ours alone.
func (c *imapConn) fileOnce(ctx context.Context, folder string, m sentCopy) error {
	_, err := c.open(ctx, folder, true)
	if said := (*imap.Error)(nil); errors.As(err, &said) {
		if err := c.do(ctx, commandTimeout, "make folder of sent mail", func() error { return c.client.Create(folder, nil).Wait() }); err != nil {
			return err
		}
		_, err = c.open(ctx, folder, true)
	}
	if err != nil {
		return err
	}
	there := false
	err = c.do(ctx, commandTimeout, "look for a sent mail", func() error {
		found, err := c.client.UIDSearch(&imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Message-Id", Value: m.messageID}}}, nil).Wait()
		there = err == nil && len(found.AllUIDs()) > 0
		return err
	})
	if err != nil || there {
		return err
	}
	return c.do(ctx, 5*time.Minute, "append a sent mail", func() error {
		cmd := c.client.Append(folder, int64(len(m.data)), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}, Time: m.at})
		if _, err := cmd.Write(m.data); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		if err := cmd.Close(); err != nil {
			return err
		}
		_, err := cmd.Wait()
		return err
	})
}
