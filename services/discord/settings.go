package discord

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"

	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Setting keys.
const (
	keyToken = "bot_token"
	keyAPI   = "api_url"
)

const usualAPI = "https://discord.com/api/v10"

var settings = []inbox.Setting{
	{
		Key: keyToken, Label: "Bot token", Secret: true, Required: true,
		Help: "At discord.com/developers/applications: New Application, then Bot, Reset Token, and copy it. No privileged intent is needed. The live test shows the link by which the bot is added to a server: people can write to it once they share a server with it.",
	},
	{Key: keyAPI, Label: "API address", Help: "Only for a gateway of your own.", Default: usualAPI, Advanced: true},
	inbox.KeepDeleted,
	inbox.Mask,
}

type config struct {
	token string
	api   string
}

// tokenForm: who copies "Bot " along, or a client secret, hears of it at once.
var (
	tokenForm = regexp.MustCompile(`^[A-Za-z0-9_-]{10,100}\.[A-Za-z0-9_-]{3,100}\.[A-Za-z0-9_-]{10,200}$`)
	idForm    = regexp.MustCompile(`^[0-9]{1,20}$`)
)

// Channel describes the settings of a Discord inbox. Its live test asks, through client, whose token it is.
func Channel(client *http.Client) inbox.Channel {
	return inbox.Channel{
		Name: Name, Settings: settings,
		Check: hosted.Checks(readConfig),
		Steps: func(ctx context.Context, in inbox.Inbox) []inbox.Step { return steps(ctx, client, in) },
		About: "Direct messages to a Discord bot of yours.",
		Needs: []string{"An application with a bot, made at discord.com/developers/applications", "The bot's token", "A server that the bot and your customers are on"},
		Recipient: &inbox.Recipient{
			Kind: Name, Label: "Discord user id", Scoped: true, Form: regexp.MustCompile(`^[0-9]{15,20}$`), Such: "80351110224678912",
			Help: "A number: in Discord turn on Developer Mode under Advanced, then right-click your name, Copy User ID. You must share a server with the bot.",
		},
	}
}

// steps is the live test: who the bot is and how people get to it, and whether it may connect.
func steps(ctx context.Context, client *http.Client, in inbox.Inbox) []inbox.Step {
	who, gate := inbox.Step{Name: "Ask Discord whose token it is"}, inbox.Step{Name: "Ask Discord where to connect"}
	c, err := readConfig(in.Settings)
	if err != nil {
		who.Err = err
		return []inbox.Step{who}
	}
	a := New(hosted.Deps{Client: client})
	var app struct {
		ID  string `json:"id"`
		Bot user   `json:"bot"`
	}
	err = a.get(ctx, in.ID, c, "/applications/@me", &app)
	if err == nil && !idForm.MatchString(app.ID) {
		err = errNotDiscord
	}
	if err != nil {
		who.Err = attention(err)
		return []inbox.Step{who}
	}
	who.Detail = app.Bot.called() + "; add it to a server: " + invitation(app.ID)
	g, err := a.gateway(ctx, in.ID, c)
	if err == nil {
		if _, no := c.socket(g.URL); no != nil {
			err = fmt.Errorf("%w (%w)", errNotDiscord, no)
		}
	}
	if gate.Err = attention(err); err == nil {
		gate.Detail = fmt.Sprintf("%d connections left today", g.Limit.Remaining)
	}
	return []inbox.Step{who, gate}
}

// invitation is where an administrator of a server adds the bot; it asks for no permission there ("OAuth2", bot authorization flow).
func invitation(application string) string {
	return "https://discord.com/oauth2/authorize?" + url.Values{"client_id": {application}, "scope": {"bot"}, "permissions": {"0"}}.Encode()
}

func readConfig(values map[string]string) (config, error) {
	s := hosted.Read(values, settings)
	c := config{token: s.Text(keyToken), api: s.URL(keyAPI)}
	s.Text(inbox.KeyKeepDeleted) // which the hub reads
	s.Text(inbox.KeyMask)
	if c.token != "" && !tokenForm.MatchString(c.token) {
		s.Wrong(keyToken, fmt.Sprintf("is not a bot's token: three parts with points between them (%d characters given)", len(c.token)))
	}
	return c, s.Err()
}
