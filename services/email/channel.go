package email

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
	"github.com/weftline/weftline/services/internal/inbox"
)

// ChannelDeps is what the live test of settings works with.
type ChannelDeps struct {
	Roots  *x509.CertPool // as Deps.Roots
	Client *http.Client   // as Deps.Client
	// State and Keys keep the tokens that a test was given: a provider may have
	// forgotten the refresh token in the settings for them. Without, inboxes that log in by OAuth 2 are not tested.
	State docstore.Store
	Keys  crypt.Keyring
}

// Channel describes the email channel to the registry: its settings, how to
// check them, and a live test that logs in to both servers and sends nothing.
func Channel(d ChannelDeps) inbox.Channel {
	return inbox.Channel{
		Name:     ChannelName,
		Settings: settings,
		Check:    Check,
		Test: func(ctx context.Context, in inbox.Inbox) error {
			c, err := readConfig(in.Settings)
			if err != nil {
				return err
			}
			if c.oauth != nil && (d.State == nil || d.Keys == nil) {
				return errors.New("an inbox that logs in by OAuth 2 cannot be tested here")
			}
			timing := Timing{}.withDefaults()
			svc := &Service{roots: d.Roots, timing: timing, grants: newGrants(d.State, d.Keys, d.Client, timing, func(string) {})}
			return errors.Join(svc.testIMAP(ctx, in.ID, c), svc.testSMTP(ctx, in.ID, c))
		},
	}
}

func (s *Service) testIMAP(ctx context.Context, inbox string, c config) error {
	if c.imap.host == "" {
		return nil
	}
	conn, err := s.openIMAP(ctx, inbox, c)
	if err != nil {
		return err
	}
	defer conn.close()
	for _, f := range c.folders {
		if _, _, err := conn.open(ctx, f, true); err != nil {
			return fmt.Errorf("folder %q: %w", clip(f, 100), err)
		}
	}
	return nil
}

func (s *Service) testSMTP(ctx context.Context, inbox string, c config) error {
	if c.smtp.host == "" {
		return nil
	}
	client, err := s.openSMTP(ctx, inbox, c)
	if err != nil {
		return err
	}
	defer client.Close()
	return nil
}
