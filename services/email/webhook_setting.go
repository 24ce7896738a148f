package email

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"

	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Providers whose webhooks bring mail.
const (
	ProviderSES      = "ses"
	ProviderMailgun  = "mailgun"
	ProviderSendGrid = "sendgrid"
	ProviderPostmark = "postmark"
)

// Settings of inboxes that receive by webhook; docs/quirks/email-providers.md explains them.
var (
	webhookProvider = inbox.Setting{
		Key: "webhook_provider", Label: "Provider of the webhook", Help: "Who receives the mail and posts it here.", Group: groupIn, When: byWebhook,
		Values: []string{"", ProviderSES, ProviderMailgun, ProviderSendGrid, ProviderPostmark},
		Words:  map[string]string{"": "Choose…", ProviderSES: "Amazon SES", ProviderMailgun: "Mailgun", ProviderSendGrid: "SendGrid", ProviderPostmark: "Postmark"},
	}
	webhookSecret = inbox.Setting{
		Key: "webhook_secret", Label: "Webhook secret", Secret: true, Group: groupIn, When: inbox.When{Key: "webhook_provider", Is: []string{ProviderMailgun, ProviderSendGrid, ProviderPostmark}},
		Help: "Mailgun: the HTTP webhook signing key (API security). SendGrid and Postmark: a word of your own without / that ends the address they post to, or user:password before its host. 16 characters or more; two, separated by a space, while you change it.",
	}
	webhookTopic = inbox.Setting{
		Key: "webhook_topic", Label: "SNS topic", Group: groupIn, When: inbox.When{Key: "webhook_provider", Is: []string{ProviderSES}},
		Help: "The ARN of the topic of the receipt rule's SNS action, such as arn:aws:sns:eu-west-1:123456789012:mail. Two, separated by a space, are allowed. Mail of other topics is refused.",
	}
	webhookKey = inbox.Setting{
		Key: "webhook_key", Label: "Signing key", Group: groupIn, When: inbox.When{Key: "webhook_provider", Is: []string{ProviderSendGrid}},
		Help: "Only with a security policy at SendGrid: its public key. Then every request must be signed. Two, separated by a space, are allowed.",
	}
)

// byWebhook: only where a provider posts the mail.
var byWebhook = inbox.When{Key: "receive", Is: []string{ReceiveWebhook}}

// paste is what each provider has to be told.
var paste = []inbox.Paste{
	{What: "Endpoint", Where: "Amazon SNS: the topic, Create subscription, HTTPS, without raw message delivery", When: inbox.When{Key: "webhook_provider", Is: []string{ProviderSES}}},
	{What: "Forward to", Where: "Mailgun: Receiving, Create route, Forward", Tail: "/mime", When: inbox.When{Key: "webhook_provider", Is: []string{ProviderMailgun}}},
	{What: "Destination URL", Where: "SendGrid: Settings, Inbound Parse; tick “POST the raw, full MIME message”", Tail: "/{webhook_secret}", When: inbox.When{Key: "webhook_provider", Is: []string{ProviderSendGrid}}},
	{What: "Webhook", Where: "Postmark: the inbound stream, Settings; tick “Include raw email content in JSON payload”", Tail: "/{webhook_secret}", When: inbox.When{Key: "webhook_provider", Is: []string{ProviderPostmark}}},
}

// Webhook is how the mail of an inbox is posted to us.
type Webhook struct {
	Provider string
	Secrets  []string
	Topics   []string
	Keys     []*ecdsa.PublicKey
}

var topicARN = regexp.MustCompile(`^arn:aws(-[a-z-]+)?:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$`)

// ReadWebhook reads those settings; errors name key, value and what is allowed.
func ReadWebhook(set map[string]string) (Webhook, error) {
	s := hosted.Read(set, []inbox.Setting{webhookProvider, webhookSecret, webhookTopic, webhookKey})
	w := Webhook{Provider: s.Text("webhook_provider"), Topics: hosted.Secrets(s.Text("webhook_topic"))}
	keys := hosted.Secrets(s.Text("webhook_key"))
	switch w.Provider {
	case ProviderMailgun, ProviderSendGrid, ProviderPostmark:
		if w.Secrets = s.Secrets("webhook_secret", 16); len(w.Secrets) == 0 {
			s.Wrong("webhook_secret", "is missing")
		}
	case ProviderSES:
		if len(w.Topics) == 0 {
			s.Wrong("webhook_topic", "is missing: anybody can make a topic, and Amazon signs what it carries")
		}
	case "":
		s.Wrong("webhook_provider", "is missing")
	}
	for _, t := range w.Topics {
		if !topicARN.MatchString(t) {
			s.Wrong("webhook_topic", fmt.Sprintf("%q is not the ARN of an SNS topic", clip(t, 100)))
		}
	}
	if len(w.Topics) > 2 || len(keys) > 2 {
		s.Wrong("webhook_topic", "at most two topics and two keys are live at once")
	}
	for _, k := range keys {
		der, err := base64.StdEncoding.DecodeString(k)
		var pub any
		if err == nil {
			pub, err = x509.ParsePKIXPublicKey(der)
		}
		if ec, ok := pub.(*ecdsa.PublicKey); ok && err == nil {
			w.Keys = append(w.Keys, ec)
			continue
		}
		s.Wrong("webhook_key", fmt.Sprintf("%q is not a public key (ECDSA, base64)", clip(strings.TrimSpace(k), 40)))
	}
	return w, s.Err()
}
