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
		Steps:    func(ctx context.Context, in inbox.Inbox) []inbox.Step { return steps(ctx, in, roots) },
		Test: func(ctx context.Context, in inbox.Inbox) error {
			var errs []error
			for _, s := range steps(ctx, in, roots) {
				errs = append(errs, s.Err)
			}
			return errors.Join(errs...)
		},
		About:     "A mailbox: mail is fetched over IMAP and answered over SMTP.",
		Needs:     []string{"The mailbox's address, user and password (many providers want an app password)", "The names of its IMAP and SMTP servers"},
		Recipient: &inbox.Recipient{Kind: "email", Label: "E-mail address", Help: "Of a mailbox you can look into."},
	}
}

// steps tries both servers; what is wrong with one says nothing of the other.
func steps(ctx context.Context, in inbox.Inbox, roots *x509.CertPool) []inbox.Step {
	c, err := readConfig(in.Settings)
	if err != nil {
		return []inbox.Step{{Name: "Read the settings", Err: err}}
	}
	return append(testIMAP(ctx, c, roots), testSMTP(ctx, c, roots)...)
}

func testIMAP(ctx context.Context, c config, roots *x509.CertPool) []inbox.Step {
	if c.imap.host == "" {
		return nil
	}
	reach, enter := inbox.Step{Name: "Connect to the IMAP server"}, inbox.Step{Name: "Log in to the IMAP server"}
	conn, err := dialIMAP(ctx, c.imap, roots)
	if errors.Is(err, errAuth) {
		enter.Err = err
		return []inbox.Step{reach, enter}
	}
	if err != nil {
		reach.Err = err
		return []inbox.Step{reach}
	}
	defer conn.close()
	list := []inbox.Step{reach, enter}
	for _, f := range c.folders {
		s := inbox.Step{Name: fmt.Sprintf("Open the folder %q", clip(f, 100))}
		if _, _, s.Err = conn.open(ctx, f, true); s.Err != nil {
			s.Err = fmt.Errorf("folder %q: %w", clip(f, 100), s.Err)
		}
		list = append(list, s)
	}
	return list
}

func testSMTP(ctx context.Context, c config, roots *x509.CertPool) []inbox.Step {
	if c.smtp.host == "" {
		return nil
	}
	reach, enter := inbox.Step{Name: "Connect to the SMTP server"}, inbox.Step{Name: "Log in to the SMTP server"}
	client, err := dialSMTP(ctx, c.smtp, &Service{roots: roots, timing: Timing{}.withDefaults()})
	if errors.Is(err, errLogin) {
		enter.Err = err
		return []inbox.Step{reach, enter}
	}
	if err != nil {
		reach.Err = err
		return []inbox.Step{reach}
	}
	defer client.Close()
	if c.smtp.username == "" {
		return []inbox.Step{reach} // there is no login
	}
	return []inbox.Step{reach, enter}
}
