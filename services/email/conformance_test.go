package email_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/email"
)

// oneInbox is the channel as an adapter of a single inbox.
type oneInbox struct {
	email.Reader
	channel.Sender
	svc *email.Service
}

func (oneInbox) Channel() string                      { return email.ChannelName }
func (o oneInbox) Capabilities() channel.Capabilities { return o.svc.Capabilities() }
func (o oneInbox) Run(ctx context.Context) error      { return o.svc.Run(ctx) }

// tap tells what an intake has taken.
type tap struct {
	channel.Intake
	mu    sync.Mutex
	taken []string
}

func (t *tap) Accept(ctx context.Context, inputs ...channel.Raw) error {
	if err := t.Intake.Accept(ctx, inputs...); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range inputs {
		t.taken = append(t.taken, string(r.Body))
	}
	return nil
}

func (t *tap) has(mail string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Contains(t.taken, mail)
}

func TestConformance(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, channeltest.Harness{
		Name: "Email", Counterpart: channeltest.Emulator + ": go-imap's and go-smtp's servers; Dovecot and OpenSMTPD in the rig",
		Without: map[string]string{
			"ForgedIsRefused":            "mail is fetched; who may have written it is the Verifier's",
			"OldProofIsRefused":          "mail is fetched, nothing is signed for us",
			"TwoSecretsAreLive":          "a mailbox has one password",
			"TextLimitIsKept":            "mail has none",
			"RetryAfterIsObeyed":         "SMTP has no such answer; 4xx is tried later in TestSendOutcomes",
			"RefusedTokenNeedsAttention": "a login, not a token: TestRefusedLoginNeedsAttentionAndHarmsNoOther",
			"RevokedTokenIsNoticed":      "the mailbox is logged in to all the time: TestRefusedLoginNeedsAttentionAndHarmsNoOther",
			"LostAnswerIsUnknown":        "the connection closes after DATA in TestSendOutcomes: unknown",
			"ServerErrorIsTried":         "421 to 554 at every step in TestSendOutcomes",
			"HealthTellsInAndOut":        "a mailbox tells in TestRefusedLoginNeedsAttentionAndHarmsNoOther and TestInboxesComeAndGoWithoutTouchingOthers",
		},
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			office, out := newPostOffice(t, officeOptions{idle: true}), newSink(t, "none", nil)
			w := newWorld(t, mailboxOf("support", port(t, office.l), map[string]string{"smtp_host": "127.0.0.1", "smtp_port": port(t, out.l), "smtp_tls": "none", "verify": "own"}))
			in := &tap{Intake: intake}
			svc, err := email.New(email.Deps{Intake: in, Inboxes: w.book, State: w.state, Keys: w.keys, Blobs: w.blobs, Timing: w.timing, Resolver: testZone()})
			if err != nil {
				t.Fatal(err)
			}
			w.run(t, svc)
			sender, ok := svc.Sender("support")
			if !ok {
				t.Fatal("no sender")
			}
			var mu sync.Mutex
			stored := map[string]bool{}
			deliver := func(ctx context.Context, id, header, text string) error {
				mail := "From: ada@example.org\r\nMessage-ID: <" + id + "@example.org>\r\nSubject: x\r\n" + header + "\r\n" + text + "\r\n"
				mu.Lock()
				if !stored[id] { // a mailbox offers a mail until it is taken, it does not put it in twice
					stored[id] = true
					office.deliver("INBOX", mail)
				}
				mu.Unlock()
				for !in.has(mail) {
					select {
					case <-ctx.Done():
						return ctx.Err()
					case <-time.After(5 * time.Millisecond):
					}
				}
				return nil
			}
			return channeltest.Subject{
				Adapter: oneInbox{svc.Parser(), sender, svc},
				Deliver: func(ctx context.Context, id, text string) error { return deliver(ctx, id, "", text) },
				SaidAt: func(ctx context.Context, id, text string, at time.Time) error {
					return deliver(ctx, id, "Date: "+at.Format(time.RFC1123Z)+"\r\n", text)
				},
				Shown: func() (texts []string) {
					for _, d := range out.all() {
						items, err := testParser().Parse(testRaw([]byte(d.data)))
						if err == nil {
							texts = append(texts, strings.TrimSpace(items[0].Message.Content.Text))
						}
					}
					return texts
				},
			}
		},
		Outbound: func(channeltest.Subject) channel.Outbound {
			return channel.Outbound{Inbox: "support", Customer: "c1", To: channel.Address{Kind: "email", Address: "ada@example.org"}}
		},
	})
}
