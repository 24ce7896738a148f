package sms

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Values of the setting provider.
const (
	providerTwilio      = "twilio"
	providerVonage      = "vonage"
	providerTelnyx      = "telnyx"
	providerMessageBird = "messagebird"
	providerPlivo       = "plivo"
	providerSMPP        = "smpp"
)

// Setting keys.
const (
	keyProvider = "provider"
	keyNumber   = "number"
	keyRegion   = "region"
	keyAccount  = "account"
	keyAPIKey   = "api_key"
	keySigning  = "signing_key"
	keyParts    = "max_parts"
	keyAPI      = "api_url"
)

var settings = []inbox.Setting{
	{
		Words: map[string]string{
			providerTwilio: "Twilio", providerVonage: "Vonage", providerTelnyx: "Telnyx", providerMessageBird: "MessageBird", providerPlivo: "Plivo",
			providerSMPP: "An SMSC or gateway of your own (SMPP 3.4)",
		},
		Key: keyProvider, Label: "Provider", Required: true, Values: []string{providerTwilio, providerVonage, providerTelnyx, providerMessageBird, providerPlivo, providerSMPP},
		Help: "Who carries the messages. All but an SMSC post incoming messages to this hub: the address to enter there is shown once this is saved.",
	},
	{Key: keyNumber, Label: "Number or sender", Required: true, Help: "From which answers are sent, such as +15005550006: one of your numbers at the provider, a short code, or a sender name of at most 11 characters, which nobody can answer."},
	{Key: keyRegion, Label: "Country", Help: "Where numbers without a country's code are dialled, such as DE. Empty: the country of the number.", Advanced: true},
	{
		Key: keyAccount, Label: "Account", Help: "Twilio: Account SID (AC…). Plivo: Auth ID. Vonage: API key.", When: inbox.When{Key: keyProvider, Is: []string{providerTwilio, providerPlivo, providerVonage}},
		Called: map[string]inbox.Called{
			providerTwilio: {Label: "Account SID", Help: "AC and 32 characters, on the first page of the Twilio Console."},
			providerPlivo:  {Label: "Auth ID", Help: "On the first page of the Plivo console."},
			providerVonage: {Label: "API key", Help: "In the Vonage dashboard under API settings. The API secret stands beside it."},
		},
	},
	{
		Key: keyAPIKey, Label: "API key", Secret: true, Lines: true,
		When: inbox.When{Key: keyProvider, Is: []string{providerTwilio, providerVonage, providerTelnyx, providerMessageBird, providerPlivo}},
		Help: "Twilio: Auth Token. Plivo: Auth Token. Vonage: API secret. Telnyx: API key (KEY…). MessageBird: live access key. Two, one per line, while you replace it: the first is used, both are accepted where it signs webhooks.",
		Called: map[string]inbox.Called{
			providerTwilio:      {Label: "Auth Token", Help: "Beside the Account SID. It signs webhooks, too. Two, one per line, while you replace it: the first is used, both are accepted."},
			providerPlivo:       {Label: "Auth Token", Help: "Beside the Auth ID. It signs webhooks, too. Two, one per line, while you replace it: the first is used, both are accepted."},
			providerVonage:      {Label: "API secret", Help: "Beside the API key. Two, one per line, while you replace it: the first is used."},
			providerTelnyx:      {Label: "API key", Help: "KEY…, in the Mission Control Portal under Keys & Credentials. Two, one per line, while you replace it: the first is used."},
			providerMessageBird: {Label: "Live access key", Help: "In the dashboard under Developers, API access. Two, one per line, while you replace it: the first is used."},
		},
	},
	{
		Key: keySigning, Label: "Key of webhooks", Secret: true, Lines: true,
		When: inbox.When{Key: keyProvider, Is: []string{providerVonage, providerTelnyx, providerMessageBird}},
		Help: "Telnyx: public key (Keys & Credentials). Vonage: signature secret (API settings). MessageBird: signing key (Developer settings). Twilio and Plivo sign with the Auth Token: empty. Two, one per line, while you replace it.",
		Called: map[string]inbox.Called{
			providerVonage:      {Label: "Signature secret", Help: "In the Vonage dashboard under API settings: it signs what Vonage posts. Two, one per line, while you replace it."},
			providerTelnyx:      {Label: "Public key", Help: "In the Mission Control Portal under Keys & Credentials, Public Key: it proves what Telnyx posts. Two, one per line, while you replace it."},
			providerMessageBird: {Label: "Signing key", Help: "In the dashboard under Developer settings: it signs what MessageBird posts. Two, one per line, while you replace it."},
		},
	},
	{Key: keyParts, Label: "Most parts", Default: "10", Advanced: true, Help: "A longer text is sent as several messages that the phone joins, and each is paid for. A text that takes more is refused: 1 to 10."},
	{Key: keyAPI, Label: "API address", Advanced: true, When: inbox.When{Key: keyProvider, Is: []string{providerTwilio, providerVonage, providerTelnyx, providerMessageBird, providerPlivo}}, Help: "Empty: the provider's own. Another one for a gateway that speaks the provider's API, or a regional address."},
}

func init() {
	for i := range smppSettings {
		smppSettings[i].Group = "SMSC"
		smppSettings[i].When = inbox.When{Key: keyProvider, Is: []string{providerSMPP}}
	}
	settings = append(append(settings, smppSettings...), inbox.Mask)
}

// Number is an inbox's own number in its settings, and numbers as they are read there.
func Number(settings map[string]string) (string, handleid.Normaliser) {
	n := strings.TrimSpace(settings[keyNumber])
	return n, handleid.For(settings[keyRegion], n)
}

var apiDefaults = map[string]string{
	providerTwilio:      "https://api.twilio.com",
	providerVonage:      "https://api.nexmo.com",
	providerTelnyx:      "https://api.telnyx.com",
	providerMessageBird: "https://rest.messagebird.com",
	providerPlivo:       "https://api.plivo.com",
}

type config struct {
	provider string
	number   string
	numbers  handleid.Normaliser
	account  string
	keys     []string // the first is used
	signing  []string // webhooks are signed with one of them
	parts    int
	api      string
	smpp     smppConfig
}

func readConfig(values map[string]string) (config, error) {
	s := hosted.Read(values, settings)
	c := config{
		provider: s.Text(keyProvider), number: s.Text(keyNumber), account: s.Text(keyAccount), api: s.URL(keyAPI),
	}
	region := s.Text(keyRegion)
	c.numbers = handleid.For(region, c.number)
	if region != "" && !strings.EqualFold(c.numbers.Region, region) {
		s.Wrong(keyRegion, fmt.Sprintf("%q is not a country such as DE", region))
	}
	if n, err := strconv.Atoi(s.Text(keyParts)); err == nil && n >= 1 && n <= 10 {
		c.parts = n
	} else {
		s.Wrong(keyParts, fmt.Sprintf("%q is not 1 to 10", s.Text(keyParts)))
	}
	c.keys, c.signing = s.Secrets(keyAPIKey, 8), s.Secrets(keySigning, 8)
	if c.api == "" {
		c.api = apiDefaults[c.provider]
	}
	need := func(there bool, key string) {
		if !there {
			s.Wrong(key, "is missing: "+c.provider+" needs it")
		}
	}
	if _, known := apiDefaults[c.provider]; known {
		need(len(c.keys) > 0, keyAPIKey)
	}
	switch c.provider {
	case providerTwilio, providerPlivo:
		need(c.account != "", keyAccount)
		c.signing = c.keys
	case providerVonage:
		need(c.account != "", keyAccount)
		need(len(c.signing) > 0, keySigning)
	case providerTelnyx:
		need(len(c.signing) > 0, keySigning)
		for _, k := range c.signing {
			if _, err := publicKey(k); err != nil {
				s.Wrong(keySigning, err.Error())
			}
		}
	case providerMessageBird:
		need(len(c.signing) > 0, keySigning)
	case providerSMPP:
		c.smpp = readSMPP(s)
	}
	return c, s.Err()
}

func checkInbox(in inbox.Inbox) error {
	_, err := readConfig(in.Settings)
	return err
}

// Channel describes the settings of an SMS inbox. Its live test asks the
// provider through client for something harmless with the credentials.
func Channel(client *http.Client, dial hosted.Dial) inbox.Channel {
	return inbox.Channel{
		Name: Name, Settings: settings,
		Check: hosted.Checks(readConfig),
		Steps: hosted.Asks("Log in to the provider", readConfig, func(ctx context.Context, inboxID string, c config) (string, error) {
			ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
			defer cancel()
			return "", New(hosted.Deps{Client: client, Dial: dial}).probe(ctx, inboxID, c)
		}),
		About: "Text messages over a provider or an SMSC of your own.",
		Needs: []string{"A number at Twilio, Vonage, Telnyx, MessageBird or Plivo and the account's API key", "or an SMPP account: host, port, system id and password"},
		Paste: paste, Recipient: &inbox.Recipient{Kind: KindPhone, Label: "Phone number", Help: "With + and the country's code. It is a real message and costs what one does."},
	}
}

// paste is what each HTTP provider has to be told.
var paste = []inbox.Paste{
	{What: "A message comes in", Where: "Twilio: the number's Messaging configuration, Webhook, HTTP POST", When: inbox.When{Key: keyProvider, Is: []string{providerTwilio}}},
	{What: "Inbound URL and Status URL", Where: "Vonage: API settings, Messages API", When: inbox.When{Key: keyProvider, Is: []string{providerVonage}}},
	{What: "Webhook URL", Where: "Telnyx: the messaging profile, Inbound", When: inbox.When{Key: keyProvider, Is: []string{providerTelnyx}}},
	{What: "Forward to URL", Where: "MessageBird: Flow Builder", When: inbox.When{Key: keyProvider, Is: []string{providerMessageBird}}},
	{What: "Message URL", Where: "Plivo: the application", When: inbox.When{Key: keyProvider, Is: []string{providerPlivo}}},
}

// try asks whether the provider takes the credentials at an HTTP provider; a link to an SMSC tells of its own.
func (a *Adapter) try(ctx context.Context, in inbox.Inbox) error {
	c, err := readConfig(in.Settings)
	if err != nil || c.provider == providerSMPP {
		return hosted.ErrNotAsked
	}
	return a.probe(ctx, in.ID, c)
}

func (a *Adapter) probe(ctx context.Context, inboxID string, c config) error {
	p, ok := providers[c.provider]
	if !ok {
		return a.probeSMSC(ctx, c.smpp)
	}
	r, err := p.probe(ctx, c)
	if err != nil {
		return err
	}
	p.authorise(c, r)
	reply, err := a.caller.Do(inboxID, r)
	switch {
	case err != nil:
		return err
	case !reply.OK():
		return fmt.Errorf("%s: %s answers %d to a test call, wanted is 200", keyAPIKey, c.provider, reply.Status)
	case !json.Valid(reply.Body): // some other web server's page
		return fmt.Errorf("%s: what answers there does not speak the API of %s", keyAPI, c.provider)
	}
	return nil
}
