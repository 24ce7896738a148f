// Package webhook takes mail that a provider receives for us and posts: Amazon SES
// (by SNS), Mailgun, SendGrid and Postmark.
//
//	provider ── POST /hooks/email/<inbox>[/<secret>] ──► is it he? ──► the mail, whole (RFC 5322) ──► Intake.Accept ──► 200
//
// What is stored is the mail itself, so everything behind it works as for any other mail.
// What the provider says of its way is in channel.Raw.Via. A request without a whole mail in it is stored as it came and shown as unread.
// Answers go out by SMTP.
package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/internal/safedial"
)

const (
	limit  = 72 << 20 // bytes of a request: a mail of 50 MiB in base64, and what is around it
	atOnce = 4        // requests that are worked on at once, since each is in memory several times then

	// window is how old a signature may be. Providers bring a mail again for hours, SendGrid for three
	// days, and some with the first signature: a shorter one would lose mail after an outage. A copied
	// request is harmless, since the same mail is stored once.
	window = 72 * time.Hour
	ahead  = 5 * time.Minute
)

// provider is one provider's protocol.
type provider interface {
	// early refuses by what is known before the body is read.
	early(c email.Webhook, r *http.Request) error
	admit(c email.Webhook, r *hosted.Request) error
	// split finds the mails; none: there is nothing to keep. An error: it holds none that can be read.
	split(r *hosted.Request) ([]found, error)
}

// found is a mail in a request.
type found struct {
	id     string // the provider's, "" where it has none that lasts
	mail   []byte
	from   string
	to     []string
	client string
	helo   string
}

// Webhook takes what providers post for the inboxes of the email channel.
type Webhook struct {
	door      *hosted.Door
	inboxes   inbox.Registry
	providers map[string]provider
}

// New makes one.
func New(d hosted.Deps) *Webhook {
	now := d.Now
	if now == nil {
		now = time.Now
	}
	client := d.Client
	if client == nil {
		client = safedial.Client(safedial.Config{Timeout: 10 * time.Second})
	}
	w := &Webhook{inboxes: d.Inboxes, providers: map[string]provider{
		email.ProviderSES: newSES(client, now), email.ProviderMailgun: &mailgun{used: map[string]used{}}, email.ProviderSendGrid: sendgrid{}, email.ProviderPostmark: postmark{},
	}}
	w.door = (&hosted.Door{Channel: email.ChannelName, Limit: limit, AtOnce: atOnce, Admit: w.admit, Split: w.split}).Open(d)
	return w
}

// Routes mounts the door, also below a secret.
func (w *Webhook) Routes(mux *http.ServeMux) {
	mux.Handle(hosted.HookPath(email.ChannelName, "{inbox}"), w)
	mux.Handle(hosted.HookPath(email.ChannelName, "{inbox}")+"/{secret}", w)
}

// ServeHTTP refuses strangers before it reads what they send, where the provider's protocol allows that.
func (w *Webhook) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	in, ok := w.inboxes.Get(r.PathValue("inbox"))
	if ok && r.Method == http.MethodPost {
		c, p, err := w.of(in)
		if err == nil {
			err = p.early(c, r)
		}
		if err != nil {
			http.Error(rw, "signature or secret is wrong", http.StatusUnauthorized)
			return
		}
	}
	w.door.ServeHTTP(rw, r)
}

// of is how an inbox receives. An inbox with a mailbox has no door.
func (w *Webhook) of(in inbox.Inbox) (email.Webhook, provider, error) {
	if in.Channel != email.ChannelName || in.Settings["receive"] != email.ReceiveWebhook {
		return email.Webhook{}, nil, fmt.Errorf("%w: the inbox does not receive by webhook", hosted.ErrRefused)
	}
	c, err := email.ReadWebhook(in.Settings)
	if err != nil {
		return c, nil, fmt.Errorf("%w: the inbox's settings are wrong", hosted.ErrRefused)
	}
	return c, w.providers[c.Provider], nil
}

func (w *Webhook) admit(in inbox.Inbox, r *hosted.Request) error {
	c, p, err := w.of(in)
	if err != nil {
		return err
	}
	return p.admit(c, r)
}

func (w *Webhook) split(in inbox.Inbox, r *hosted.Request) (raws []channel.Raw) {
	_, p, err := w.of(in)
	var list []found
	if err == nil {
		list, err = p.split(r)
	}
	if err != nil {
		w.inboxes.SetHealth(in.ID, inbox.Health{State: "needs_attention", Detail: "webhook: " + err.Error()})
		return []channel.Raw{hosted.Whole(r)} // shown as unread, and kept
	}
	for _, f := range list {
		via := map[string]string{email.ViaBy: email.ViaWebhook, email.ViaFrom: clip(f.from, 320), email.ViaClient: clip(f.client, 64), email.ViaHelo: clip(f.helo, 255), email.ViaTo: ours(in, f.to)}
		for k, v := range via {
			if v == "" {
				delete(via, k)
			}
		}
		raws = append(raws, email.Received(in.ID, f.id, f.mail, via))
	}
	return raws
}

// ours are the recipients that are addresses of the inbox, each on a line.
func ours(in inbox.Inbox, to []string) (list string) {
	for _, a := range to {
		if email.Owns(in.Settings, a) && len(list)+len(a) < 8<<10 {
			if list != "" {
				list += "\n"
			}
			list += a
		}
	}
	return list
}

// fresh refuses signatures that are older than window.
func fresh(signed, now time.Time) error {
	if age := now.Sub(signed); age > window || age < -ahead {
		return fmt.Errorf("%w: signed %s ago, at most %s is allowed", hosted.ErrRefused, age.Round(time.Second), window)
	}
	return nil
}

var errNoMail = errors.New("the request holds no whole mail")

// secret says whether the request carries one of the secrets: as user:password of
// basic auth, or as the last part of the path.
func secret(secrets []string, auth func() (string, string, bool), urlPath string) error {
	if user, password, ok := auth(); ok && hosted.Matches(secrets, user+":"+password) {
		return nil
	}
	if hosted.Matches(secrets, path.Base(urlPath)) {
		return nil
	}
	return fmt.Errorf("%w: no secret of the inbox", hosted.ErrRefused)
}
