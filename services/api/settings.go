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
		Key: keySecret, Label: "Signing secret", Secret: true, Required: true,
		Help: "Signs both directions (Standard Webhooks). whsec_ and 24 to 64 random bytes in base64. Two, one per line, while you replace it: both are accepted, the first signs.",
	},
	{Key: keyURL, Label: "Your address", Help: "Where answers are posted, such as https://app.example/weftline. Empty: nothing can be answered."},
	{
		Key: keyVouch, Label: "Your backend vouches for",
		Help:    "login: from.id is a user that your backend has logged in. device: an installation or a visitor that nobody has logged in.",
		Default: vouchLogin, Values: []string{vouchLogin, vouchDevice},
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
		Check: func(s map[string]string) error {
			_, err := readConfig(s)
			return err
		},
		Test: func(ctx context.Context, in inbox.Inbox) error {
			c, err := readConfig(in.Settings)
			if err != nil || c.url == "" {
				return err
			}
			return New(hosted.Deps{Client: client}).ping(ctx, in.ID, c)
		},
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
