package telegram

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
	keyToken  = "bot_token"
	keyMode   = "receive"
	keySecret = "webhook_secret"
	keyAPI    = "api_url"
)

// Values of receive.
const (
	modeAuto    = "auto"
	modeWebhook = "webhook"
	modePolling = "polling"
)

var settings = []inbox.Setting{
	{
		Key: keyToken, Label: "Bot token", Secret: true, Required: true,
		Help: "In Telegram write to @BotFather, send /newbot, choose a name, and copy the token it answers with, such as 123456789:AA… It is all you need.",
	},
	{
		Key: keyMode, Label: "How messages come",
		Help:    "auto: Telegram posts them where the hub has a public https address, else the hub asks for them. webhook and polling insist on one of the two. With polling only one hub may use the bot.",
		Default: modeAuto, Values: []string{modeAuto, modeWebhook, modePolling}, Advanced: true,
	},
	{
		Key: keySecret, Label: "Webhook secret", Secret: true, Lines: true, Advanced: true,
		Help: "Empty: one is made of the hub's key. Else 16 to 256 of a-z A-Z 0-9 _ -, which Telegram sends along. Two, one per line, while you replace it: both are accepted, the first is registered.",
	},
	{Key: keyAPI, Label: "Bot API server", Help: "Only if you run your own.", Default: "https://api.telegram.org", Advanced: true},
	inbox.Mask,
}

type config struct {
	token   string
	mode    string
	secrets []string // the first is registered
	api     string
	webhook string // our address; empty: poll
}

var (
	tokenForm  = regexp.MustCompile(`^[0-9]{1,20}:[A-Za-z0-9_-]{20,100}$`)
	secretForm = regexp.MustCompile(`^[A-Za-z0-9_-]{16,256}$`)
)

// Channel describes the settings of a Telegram inbox. Its live test asks, through client, who the bot is.
func Channel(client *http.Client) inbox.Channel {
	return inbox.Channel{
		Name: Name, Settings: settings,
		Check: hosted.Checks(readConfig),
		Steps: hosted.Asks("Ask Telegram who the bot is", readConfig, func(ctx context.Context, inboxID string, c config) (string, error) {
			return whoami(ctx, client, inboxID, c)
		}),
		About: "Private chats of customers with a bot of yours.",
		Needs: []string{"A bot's token: in Telegram write to @BotFather and send /newbot"},
		Recipient: &inbox.Recipient{
			Kind: Name, Label: "Telegram user id", Scoped: true, Form: regexp.MustCompile(`^[0-9]{1,20}$`), Such: "123456789",
			Help: "A number. Only of somebody who has written to the bot: write to it yourself, and your id stands in your conversation.",
		},
	}
}

// whoami is the bot's name, and with that the proof that its token is right.
func whoami(ctx context.Context, client *http.Client, inboxID string, c config) (string, error) {
	var me struct {
		Username string `json:"username"`
	}
	if err := New(hosted.Deps{Client: client}).call(ctx, inboxID, c, "getMe", struct{}{}, &me); err != nil {
		return "", err
	}
	return "@" + hosted.Clip(me.Username, 64), nil
}

func readConfig(values map[string]string) (config, error) {
	s := hosted.Read(values, settings)
	c := config{token: s.Text(keyToken), mode: s.Text(keyMode), secrets: s.Secrets(keySecret, 16), api: s.URL(keyAPI)}
	if c.token != "" && !tokenForm.MatchString(c.token) {
		s.Wrong(keyToken, fmt.Sprintf("is not a bot's token: digits, a colon and letters (%d characters given)", len(c.token)))
	}
	for _, v := range c.secrets {
		if !secretForm.MatchString(v) {
			s.Wrong(keySecret, "may hold a-z A-Z 0-9 _ - only, at most 256 of them")
		}
	}
	return c, s.Err()
}

// config is that of an inbox with what the hub knows: its address and its key.
func (a *Adapter) config(in inbox.Inbox) (config, error) {
	c, err := readConfig(in.Settings)
	if err != nil {
		return c, err
	}
	public := strings.HasPrefix(a.deps.PublicURL, "https://")
	if c.mode == modeWebhook && !public {
		return c, fmt.Errorf("%s: webhook needs a public_url with https in the hub's configuration", keyMode)
	}
	if len(c.secrets) == 0 && a.deps.Keys != nil {
		c.secrets = []string{a.deps.Keys.Hash("telegram webhook", in.ID, c.token)}
	}
	if public && c.mode != modePolling && len(c.secrets) > 0 {
		c.webhook = a.deps.PublicURL + hosted.HookPath(Name, in.ID)
	}
	return c, nil
}
