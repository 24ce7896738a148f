package matrix

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Setting keys.
const (
	keyServer   = "homeserver"
	keyToken    = "access_token"
	keyUser     = "user"
	keyPassword = "password"
)

var settings = []inbox.Setting{
	{
		Key: keyServer, Label: "Homeserver", Required: true,
		Help: "The address of the account's homeserver for clients, such as https://matrix.example.org. Use an account made for this inbox alone: whoever invites it to a direct chat is answered.",
	},
	{
		Key: keyToken, Label: "Access token", Secret: true,
		Help: "Of the account. In Element: Settings, Help & About, Access Token; then close that session without logging out. Or leave it empty and give user and password.",
	},
	{Key: keyUser, Label: "User", Help: "Such as @shop:example.org or shop; only without an access token."},
	{Key: keyPassword, Label: "Password", Secret: true, Help: "The hub logs in with it once, as a device of its own, and again when the homeserver ends that session."},
	inbox.KeepDeleted,
	inbox.Mask,
}

type config struct {
	server   string
	token    string
	user     string
	password string
}

// Channel describes the settings of a Matrix inbox. Its live test asks, through
// client, who the account is; a session it opens for that it closes again.
func Channel(client *http.Client) inbox.Channel {
	return inbox.Channel{
		Name: Name, Settings: settings,
		Check: hosted.Checks(readConfig),
		Steps: func(ctx context.Context, in inbox.Inbox) []inbox.Step {
			step := inbox.Step{Name: "Ask the homeserver who the account is"}
			c, err := readConfig(in.Settings)
			if err == nil {
				if c.token == "" {
					step.Name = "Log in to the homeserver, and out again"
				}
				step.Detail, err = New(hosted.Deps{Client: client}).try(ctx, in.ID, c)
			}
			step.Err = err
			return []inbox.Step{step}
		},
		About: "Direct chats with a Matrix account of yours, without encryption.",
		Needs: []string{"An account made for this inbox alone, and its access token or password"},
		Recipient: &inbox.Recipient{
			Kind: Name, Label: "Matrix user id", Form: regexp.MustCompile(`^@[^:@\s]+:[^@\s]+$`), Such: "@ada:example.org",
			Help: "Such as @ada:example.org. Only of somebody who has a direct chat with the account.",
		},
	}
}

func readConfig(values map[string]string) (config, error) {
	s := hosted.Read(values, settings)
	c := config{server: s.URL(keyServer), token: s.Text(keyToken), user: s.Text(keyUser), password: s.Text(keyPassword)}
	s.Text(inbox.KeyKeepDeleted) // which the hub reads
	switch {
	case strings.ContainsAny(c.token, " \t\r\n"):
		s.Wrong(keyToken, "holds white space")
	case c.token != "" && (c.user != "" || c.password != ""):
		s.Wrong(keyToken, "is given as well as user or password: give one of the two")
	case c.token == "" && c.user == "" && c.password == "":
		s.Wrong(keyToken, "is missing, and so are user and password")
	case c.token == "" && c.user == "":
		s.Wrong(keyUser, "is missing")
	case c.token == "" && c.password == "":
		s.Wrong(keyPassword, "is missing")
	}
	return c, s.Err()
}
