package email_test

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/inbox"
)

// A server that takes the connection and keeps silent must not use up the time in which the other is tried.
func TestLiveTestOfASilentServerLeavesTheOtherItsTime(t *testing.T) {
	t.Parallel()
	s, mute, door := newSink(t, "none", nil), listen(t), listen(t)
	reached := make(chan struct{})
	go func() {
		conn, err := mute.Accept()
		if err != nil {
			return
		}
		<-reached // it says nothing before the other server was asked
		conn.Close()
	}()
	go func() {
		in, err := door.Accept()
		if err != nil {
			return
		}
		close(reached)
		out, err := net.Dial("tcp", s.l.Addr().String())
		if err != nil {
			in.Close()
			return
		}
		go func() { _, _ = io.Copy(out, in); out.Close() }()
		_, _ = io.Copy(in, out)
		in.Close()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // where it hangs, the test ends
	defer cancel()
	got := inSteps(email.Channel(email.ChannelDeps{}).Steps(ctx, mailboxOf("support", port(t, mute), map[string]string{
		"smtp_host": "127.0.0.1", "smtp_port": port(t, door), "smtp_tls": "none", "smtp_username": "support", "smtp_password": "secret",
	})))
	if got != "Connect to the IMAP server: failed, Connect to the SMTP server: ok, Log in to the SMTP server: ok" {
		t.Error(got)
	}
}

// Whoever logs in by OAuth 2 learns whether it is the sign-in service that refuses, or the mail server.
func TestLiveTestNamesTheSignInService(t *testing.T) {
	t.Parallel()
	w := newOAuthWorld(t)
	ch := email.Channel(email.ChannelDeps{State: w.state, Keys: w.keys})
	in := w.inbox(nil)
	if got := inSteps(ch.Steps(t.Context(), in)); !strings.HasPrefix(got, "Get an access token from the sign-in service: ok, Connect to the IMAP server: ok, ") || strings.Contains(got, "failed") {
		t.Error(got)
	}
	in.Settings["oauth_token_url"] = "http://" + listen(t).Addr().String() + "/nobody-answers"
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := inSteps(ch.Steps(ctx, in)); got != "Get an access token from the sign-in service: failed" {
		t.Error(got)
	}
}

// What is brought to the hub cannot be tried: the test says what there is instead of “connected”.
func TestLiveTestOfMailThatIsBrought(t *testing.T) {
	t.Parallel()
	hook := inbox.Inbox{Channel: email.ChannelName, Settings: map[string]string{
		"address": ownAddress, "receive": "webhook", "webhook_provider": "mailgun", "webhook_secret": "0123456789abcdef",
	}}
	steps := email.Channel(email.ChannelDeps{}).Steps(t.Context(), hook)
	if got := inSteps(steps); got != "Mail in: ok, Mail out: ok" || !strings.Contains(steps[0].Detail, "nothing can be tried") || !strings.Contains(steps[1].Detail, "cannot answer") {
		t.Errorf("%s: %+v", got, steps)
	}
	brought := inbox.Inbox{Channel: email.ChannelName, Settings: map[string]string{"address": ownAddress, "receive": "listener"}}
	if steps := email.Channel(email.ChannelDeps{}).Steps(t.Context(), brought); steps[0].Err == nil || !strings.Contains(steps[0].Err.Error(), "email.listen") {
		t.Errorf("no listener: %+v", steps)
	}
	if got := inSteps(email.Channel(email.ChannelDeps{Listens: true}).Steps(t.Context(), brought)); got != "Mail in: ok, Mail out: ok" {
		t.Error(got)
	}
}

// Every provider of webhooks is told an address, and nobody sees a setting of the other ways in.
func TestFormOfMailIn(t *testing.T) {
	t.Parallel()
	ch := email.Channel(email.ChannelDeps{})
	for _, provider := range []string{"ses", "mailgun", "sendgrid", "postmark"} {
		set := map[string]string{"receive": "webhook", "webhook_provider": provider}
		if !slices.ContainsFunc(ch.Paste, func(p inbox.Paste) bool { return p.Key == "" && p.When.Holds(set) }) {
			t.Errorf("%s is told no address", provider)
		}
	}
	for _, s := range ch.Settings {
		if strings.HasPrefix(s.Key, "imap_") && s.When.Holds(map[string]string{"receive": "webhook"}) {
			t.Errorf("%s is asked for where a provider posts", s.Key)
		}
		if strings.HasPrefix(s.Key, "webhook_") && s.When.Holds(map[string]string{"receive": "imap"}) {
			t.Errorf("%s is asked for where a mailbox is read", s.Key)
		}
	}
}
