package line

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Setting keys.
const (
	keyToken    = "channel_access_token"
	keySecret   = "channel_secret"
	keyRegister = "webhook"
	keyAPI      = "api_url"
	keyData     = "data_api_url"
)

// Values of webhook.
const (
	registerAuto   = "auto"
	registerByHand = "by_hand"
)

var settings = []inbox.Setting{
	{
		Key: keyToken, Label: "Channel access token", Secret: true, Required: true,
		Help: "In the LINE Developers Console open your provider and its Messaging API channel; under Messaging API issue a long-lived channel access token. Turn on Use webhook there, and Webhook redelivery.",
	},
	{
		Key: keySecret, Label: "Channel secret", Secret: true, Required: true, Lines: true,
		Help: "In the LINE Developers Console under Basic settings. Two, one per line, while you replace it.",
	},
	{
		Key: keyRegister, Label: "Webhook URL", Default: registerAuto, Values: []string{registerAuto, registerByHand}, Advanced: true,
		Words: map[string]string{registerAuto: "Enter it at LINE", registerByHand: "I enter it myself"},
		Help:  "auto: where the hub has a public https address it is entered at LINE by itself. by_hand: you enter it in the LINE Developers Console.",
	},
	{Key: keyAPI, Label: "API address", Help: "Only for a gateway of your own.", Default: "https://api.line.me", Advanced: true},
	{Key: keyData, Label: "API address for files", Help: "Only for a gateway of your own.", Default: "https://api-data.line.me", Advanced: true},
	keepDeleted(),
	inbox.Mask,
}

// keepDeleted asks for what LINE's development guidelines ask for ("Recommended
// processing on receipt of unsend event"): what was unsent is not to be seen any more.
func keepDeleted() inbox.Setting {
	s := inbox.KeepDeleted
	s.Default = "no"
	s.Help += " LINE asks its partners for no."
	return s
}

type config struct {
	token    string
	secrets  []string
	register bool
	api      string
	data     string
}

var tokenForm = regexp.MustCompile(`^[A-Za-z0-9+/=._-]{20,1000}$`)

// Channel describes the settings of a LINE inbox. Its live test asks, through client, who the account is.
func Channel(client *http.Client) inbox.Channel {
	return inbox.Channel{
		Name: Name, Settings: settings,
		Check: hosted.Checks(readConfig),
		Steps: hosted.Asks("Ask LINE who the account is", readConfig, func(ctx context.Context, inboxID string, c config) (string, error) {
			return whoami(ctx, client, inboxID, c)
		}),
		About: "One-on-one chats of customers with your LINE Official Account.",
		Needs: []string{"A Messaging API channel in the LINE Developers Console", "Its channel secret, and a long-lived channel access token", "Use webhook turned on there"},
		Paste: []inbox.Paste{{What: "Webhook URL", Where: "LINE Developers Console, Messaging API", When: inbox.When{Key: keyRegister, Is: []string{registerByHand}}}},
		Recipient: &inbox.Recipient{
			Kind: Name, Label: "LINE user id", Scoped: true, Form: regexp.MustCompile(`^U[0-9a-f]{32}$`), Such: "U0123456789abcdef0123456789abcdef",
			Help: "U and 32 characters. Your own is in the LINE Developers Console under Basic settings (Your user ID); add the account as a friend first.",
		},
	}
}

// whoami is the account's name and id, and with that the proof that its token is right.
func whoami(ctx context.Context, client *http.Client, inboxID string, c config) (string, error) {
	var me struct {
		Name    string `json:"displayName"`
		BasicID string `json:"basicId"`
	}
	if err := New(hosted.Deps{Client: client}).get(ctx, inboxID, c, "/v2/bot/info", &me); err != nil {
		return "", err
	}
	return hosted.DisplayName(me.Name + " " + me.BasicID), nil
}

func readConfig(values map[string]string) (config, error) {
	s := hosted.Read(values, settings)
	c := config{
		token: s.Text(keyToken), secrets: s.Secrets(keySecret, 16), register: s.Text(keyRegister) == registerAuto,
		api: s.URL(keyAPI), data: s.URL(keyData),
	}
	s.Text(inbox.KeyKeepDeleted)
	s.Text(inbox.KeyMask)
	if c.token != "" && !tokenForm.MatchString(c.token) {
		s.Wrong(keyToken, fmt.Sprintf("is not a channel access token: 20 to 1000 of A-Z a-z 0-9 + / = . _ - (%d characters given)", len(c.token)))
	}
	return c, s.Err()
}

// webhook is the address LINE is to post to; "" where the hub does not know one that LINE takes.
func (a *Adapter) webhook(id string) string {
	if !strings.HasPrefix(a.deps.PublicURL, "https://") {
		return ""
	}
	return a.deps.PublicURL + hosted.HookPath(Name, id)
}
