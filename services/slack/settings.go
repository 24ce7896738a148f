package slack

import (
	"context"
	"fmt"
	"net/http"
	"regexp"

	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Setting keys.
const (
	keyToken    = "bot_token"
	keySecret   = "signing_secret"
	keyChannels = "channels"
	keyAPI      = "api_url"
)

// Values of channels.
const (
	onlyMentions = "mentions"
	everything   = "all"
)

var settings = []inbox.Setting{
	{
		Key: keyToken, Label: "Bot token", Secret: true, Required: true,
		Help: "At api.slack.com/apps create an app, add the bot scopes chat:write, im:history, im:write, app_mentions:read, reactions:read, files:read, files:write, users:read, metadata.message:read (for channels also channels:history, groups:history), install it, and copy the Bot User OAuth Token, xoxb-…",
	},
	{
		Key: keySecret, Label: "Signing secret", Secret: true, Required: true, Lines: true,
		Help: "Under Basic Information. Two, one per line, while you replace it. Once this is saved its request URL is shown: enter it under Event Subscriptions and subscribe to message.im, app_mention, reaction_added, reaction_removed, app_uninstalled, tokens_revoked (for channels also message.channels, message.groups).",
	},
	{
		Key: keyChannels, Label: "In channels", Default: onlyMentions, Values: []string{onlyMentions, everything},
		Words: map[string]string{onlyMentions: "What mentions the app", everything: "Everything"},
		Help:  "mentions: only what mentions the app, and what is said below that. all: everything that people say in channels the app is in. Answers go into the thread, where everybody in the channel reads them.",
	},
	{Key: keyAPI, Label: "API address", Help: "Only for a gateway of your own.", Default: "https://slack.com/api", Advanced: true},
	inbox.KeepDeleted,
	inbox.Mask,
}

type config struct {
	token   string
	secrets []string
	all     bool // of channels: everything
	api     string
}

var tokenForm = regexp.MustCompile(`^xox[a-z](\.xox[a-z])?-[A-Za-z0-9-]{10,500}$`)

// Channel describes the settings of a Slack inbox. Its live test asks, through client, whose token it is.
func Channel(client *http.Client) inbox.Channel {
	return inbox.Channel{
		Name: Name, Settings: settings,
		Check: hosted.Checks(readConfig),
		Steps: hosted.Asks("Ask Slack whose token it is", readConfig, func(ctx context.Context, inboxID string, c config) (string, error) {
			return whoami(ctx, client, inboxID, c)
		}),
		About: "Direct messages to a Slack app, and threads of the channels it is in.",
		Needs: []string{"A Slack app, made at api.slack.com/apps and installed in your workspace", "Its bot token and signing secret"},
		Paste: []inbox.Paste{{What: "Request URL", Where: "api.slack.com/apps, Event Subscriptions"}},
		Recipient: &inbox.Recipient{
			Kind: Name, Label: "Slack member id", Help: "U and letters: in Slack open your profile, then the three dots, Copy member ID.", Scoped: true,
			Form: regexp.MustCompile(`^[UW][A-Z0-9]{2,30}$`), Such: "U012AB3CD",
		},
	}
}

// whoami is the workspace and the app's name in it, and with that the proof that the token is right.
func whoami(ctx context.Context, client *http.Client, inboxID string, c config) (string, error) {
	var me struct {
		Team string `json:"team"`
		User string `json:"user"`
	}
	if err := New(hosted.Deps{Client: client}).call(ctx, inboxID, c, "auth.test", struct{}{}, &me); err != nil {
		return "", err
	}
	return hosted.DisplayName(me.User + " in " + me.Team), nil
}

func readConfig(values map[string]string) (config, error) {
	s := hosted.Read(values, settings)
	c := config{token: s.Text(keyToken), secrets: s.Secrets(keySecret, 16), all: s.Text(keyChannels) == everything, api: s.URL(keyAPI)}
	s.Text(inbox.KeyKeepDeleted)
	s.Text(inbox.KeyMask)
	if c.token != "" && !tokenForm.MatchString(c.token) {
		s.Wrong(keyToken, fmt.Sprintf("is not a bot's token: xoxb- and letters, digits, hyphens (%d characters given)", len(c.token)))
	}
	return c, s.Err()
}
