package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Setting keys.
const (
	keySecret = "signing_secret"
	keyURL    = "url"
	keyVouch  = "vouch"
)

var settings = []inbox.Setting{
	{
		Key: keySecret, Label: "Signing secret", Secret: true, Required: true, Lines: true,
		Help: "Signs both directions (Standard Webhooks). whsec_ and 24 to 64 random bytes in base64. Two, one per line, while you replace it: both are accepted, the first signs.",
	},
	{Key: keyURL, Label: "Your address", Help: "Where answers are posted, such as https://app.example/weftline. Empty: nothing can be answered."},
	{
		Key: keyVouch, Label: "Your backend vouches for",
		Help:    "login: from.id is a user that your backend has logged in. device: an installation or a visitor that nobody has logged in.",
		Default: vouchLogin, Values: []string{vouchLogin, vouchDevice},
		Words: map[string]string{vouchLogin: "Users it has logged in", vouchDevice: "Devices nobody has logged in"},
	},
	inbox.Mask,
}

const (
	vouchLogin  = "login"
	vouchDevice = "device"
)

type config struct {
	secrets [][]byte // the first signs
	url     string
	vouch   string
}

// Channel describes the settings of an API inbox. Its live test posts a signed
// event of type ping through client.
func Channel(client *http.Client) inbox.Channel {
	return inbox.Channel{
		Name: Name, Settings: settings,
		Check: hosted.Checks(readConfig),
		Steps: func(ctx context.Context, in inbox.Inbox) []inbox.Step {
			step := inbox.Step{Name: "Post a signed ping to your address"}
			c, err := readConfig(in.Settings)
			switch {
			case err != nil:
				step.Err = err
			case c.url == "":
				return []inbox.Step{{Name: "Your address", Detail: "none is given: nothing can be answered"}}
			default:
				step.Err = New(hosted.Deps{Client: client}).ping(ctx, in.ID, c)
			}
			return []inbox.Step{step}
		},
		About: "Your own app or form: your backend posts messages and receives answers.",
		Needs: []string{"A backend that signs and checks requests (Standard Webhooks)", "A signing secret: whsec_ and 32 random bytes in base64"},
		Paste: []inbox.Paste{
			{What: "Address to post messages to", Where: "In your backend"},
			{What: "Signing secret", Where: "In your backend, for both directions", Key: keySecret},
		},
		Recipient: &inbox.Recipient{Kind: Name, Label: "User id", Help: "As your backend names its users (from.id).", Scoped: true},
	}
}

func readConfig(values map[string]string) (config, error) {
	s := hosted.Read(values, settings)
	c := config{url: s.URL(keyURL), vouch: s.Text(keyVouch)}
	for _, v := range s.Secrets(keySecret, 32) {
		b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(v, "whsec_"))
		if err != nil || !strings.HasPrefix(v, "whsec_") || len(b) < 24 || len(b) > 64 {
			s.Wrong(keySecret, fmt.Sprintf("is not whsec_ and 24 to 64 bytes in base64 (%d characters given)", len(v)))
			continue
		}
		c.secrets = append(c.secrets, b)
	}
	return c, s.Err()
}
