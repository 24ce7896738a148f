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
	webhookProvider = inbox.Setting{Key: "webhook_provider", Label: "Provider", Help: "With webhook: who posts the mail.", Group: groupIn, Advanced: true, When: inbox.When{Key: "receive", Is: []string{ReceiveWebhook}}, Values: []string{"", ProviderSES, ProviderMailgun, ProviderSendGrid, ProviderPostmark}}
	webhookSecret   = inbox.Setting{Key: "webhook_secret", Label: "Webhook secret", Secret: true, Group: groupIn, Advanced: true, When: inbox.When{Key: "webhook_provider", Is: []string{ProviderMailgun, ProviderSendGrid, ProviderPostmark}}, Help: "Mailgun: the webhook signing key. SendGrid and Postmark: user:password of the address, or a secret that is its last part. Two, separated by a space, while you change it. SES has none."}
	webhookTopic    = inbox.Setting{Key: "webhook_topic", Label: "SNS topic", Group: groupIn, Advanced: true, When: inbox.When{Key: "webhook_provider", Is: []string{ProviderSES}}, Help: "SES: the ARN of the topic, as arn:aws:sns:eu-west-1:123456789012:mail. Two are allowed. Mail of other topics is refused."}
	webhookKey      = inbox.Setting{Key: "webhook_key", Label: "Signing key", Group: groupIn, Advanced: true, When: inbox.When{Key: "webhook_provider", Is: []string{ProviderSendGrid}}, Help: "SendGrid: the public key of the security policy; then every request must be signed. Two are allowed."}
)

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
