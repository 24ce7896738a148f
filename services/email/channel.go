package email

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"sync"

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
	// Listens: the hub's configuration has a listener for mail.
	Listens bool
}

// Channel describes the email channel to the registry: its settings, how to
// check them, and a live test that logs in to both servers and sends nothing.
func Channel(d ChannelDeps) inbox.Channel {
	return inbox.Channel{
		Name:     ChannelName,
		Settings: settings,
		Check:    Check,
		Steps:    func(ctx context.Context, in inbox.Inbox) []inbox.Step { return steps(ctx, in, d) },
		About:    "A mailbox over IMAP, Google and Microsoft too, or mail that Amazon SES, Mailgun, SendGrid or Postmark posts. Answers go out by SMTP.",
		Needs:    []string{"The mailbox's address, user and password (many providers want an app password)", "The names of its IMAP and SMTP servers"},
		Paste:    paste, Recipient: &inbox.Recipient{Kind: "email", Label: "E-mail address", Help: "Of a mailbox you can look into.", Form: regexp.MustCompile(`^[^\s@]+@[^\s@]+$`), Such: "ada@example.org"},
	}
}

// steps tries both ways at the same time; what is wrong with one says nothing of the other, and
// a server that keeps silent takes no time from it.
func steps(ctx context.Context, in inbox.Inbox, d ChannelDeps) []inbox.Step {
	c, err := readConfig(in.Settings)
	if err == nil && c.oauth != nil && (d.State == nil || d.Keys == nil) {
		err = errors.New("an inbox that logs in by OAuth 2 cannot be tested here")
	}
	if err != nil {
		return []inbox.Step{{Name: "Read the settings", Err: err}}
	}
	timing := Timing{}.withDefaults()
	s := &Service{roots: d.Roots, timing: timing, grants: newGrants(d.State, d.Keys, d.Client, timing, func(string) {})}
	var list []inbox.Step
	if c.oauth != nil && c.imap.host+c.smtp.host != "" {
		token := inbox.Step{Name: "Get an access token from the sign-in service"}
		_, token.Err = s.grants.token(ctx, in.ID, c.oauth, "")
		if list = append(list, token); token.Err != nil {
			return list // both servers want it
		}
	}
	var mailIn, mailOut []inbox.Step
	var both sync.WaitGroup
	both.Go(func() { mailIn = s.testIn(ctx, in.ID, c, d.Listens) })
	both.Go(func() { mailOut = s.testSMTP(ctx, in.ID, c) })
	both.Wait()
	list = append(append(list, mailIn...), mailOut...)
	if c.dkim.key != nil {
		list = append(list, inbox.Step{Name: "Find the DKIM key in the DNS", Err: c.dkim.published(ctx, net.DefaultResolver)})
	}
	return list
}

// testIn tries how mail comes in. What others bring cannot be tried from here: it says so.
func (s *Service) testIn(ctx context.Context, id string, c config, listens bool) []inbox.Step {
	switch c.receive {
	case ReceiveWebhook:
		return []inbox.Step{{Name: "Mail in", Detail: "The provider posts it: nothing can be tried before the address is entered there, which is shown once this is saved."}}
	case ReceiveListener:
		step := inbox.Step{Name: "Mail in", Detail: "The hub's listener takes what is for " + c.address + "."}
		if !listens {
			step.Detail, step.Err = "", errors.New("receive: this hub has no listener: an operator adds one under email.listen in the configuration file")
		}
		return []inbox.Step{step}
	}
	if c.imap.host == "" {
		return []inbox.Step{{Name: "Mail in", Detail: "No IMAP server is given: this inbox only sends."}}
	}
	return s.testIMAP(ctx, id, c)
}

func (s *Service) testIMAP(ctx context.Context, id string, c config) []inbox.Step {
	reach, enter := inbox.Step{Name: "Connect to the IMAP server"}, inbox.Step{Name: "Log in to the IMAP server"}
	conn, err := s.openIMAP(ctx, id, c)
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
		if _, s.Err = conn.open(ctx, f, true); s.Err != nil {
			s.Err = fmt.Errorf("folder %q: %w", clip(f, 100), s.Err)
		}
		list = append(list, s)
	}
	return list
}

func (s *Service) testSMTP(ctx context.Context, id string, c config) []inbox.Step {
	if c.smtp.host == "" {
		return []inbox.Step{{Name: "Mail out", Detail: "No SMTP server is given: this inbox cannot answer."}}
	}
	reach, enter := inbox.Step{Name: "Connect to the SMTP server"}, inbox.Step{Name: "Log in to the SMTP server"}
	client, err := s.openSMTP(ctx, id, c)
	if errors.Is(err, errLogin) || errors.Is(err, errAuth) {
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
