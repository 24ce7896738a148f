package email

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/weftline/weftline/services/internal/inbox"
)

// Channel describes the email channel to the registry: its settings, how to
// check them, and a live test that logs in to both servers and sends nothing.
// roots: see Deps.Roots.
func Channel(roots *x509.CertPool) inbox.Channel {
	return inbox.Channel{
		Name:     ChannelName,
		Settings: settings,
		Check:    Check,
		Test: func(ctx context.Context, in inbox.Inbox) error {
			c, err := readConfig(in.Settings)
			if err != nil {
				return err
			}
			return errors.Join(testIMAP(ctx, c, roots), testSMTP(ctx, c, roots))
		},
	}
}

func testIMAP(ctx context.Context, c config, roots *x509.CertPool) error {
	if c.imap.host == "" {
		return nil
	}
	conn, err := dialIMAP(ctx, c.imap, roots)
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

func testSMTP(ctx context.Context, c config, roots *x509.CertPool) error {
	if c.smtp.host == "" {
		return nil
	}
	client, err := dialSMTP(ctx, c.smtp, &Service{roots: roots, timing: Timing{}.withDefaults()})
	if err != nil {
		return err
	}
	defer client.Close()
	return nil
}
