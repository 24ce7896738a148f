package meta

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Setting keys.
const (
	keySecret  = "app_secret"
	keyVerify  = "verify_token"
	keyToken   = "access_token"
	keyProof   = "appsecret_proof"
	keyAPI     = "api_url"
	keyVersion = "api_version"

	keyAccount  = "account_id"
	keyRead     = "mark_read"
	keyHuman    = "human_agent"
	keyComments = "comment_replies"
)

const (
	on, off         = "on", "off"
	public, private = "public", "private"
)

// kind is the settings of one channel.
type kind struct {
	settings []inbox.Setting
	probe    string // fields that the live test asks of the account
}

type config struct {
	secrets  []string // of the app; the first proves our calls
	verify   string
	token    string
	proof    bool
	api      string
	version  string
	account  string
	markRead bool
	human    bool
	comments string
}

// shared are the settings that every channel of Meta's has, around its own.
func shared(api, account, accountHelp, tokenHelp string, own ...inbox.Setting) []inbox.Setting {
	list := []inbox.Setting{
		{Key: keyAccount, Label: account, Required: true, Help: accountHelp},
		{Key: keyToken, Label: "Access token", Secret: true, Required: true, Help: tokenHelp},
		{
			Key: keySecret, Label: "App secret", Secret: true, Required: true,
			Help: "In the App Dashboard under App settings, Basic. Two, one per line, while you replace it: requests signed with either are accepted, the first proves our calls.",
		},
		{
			Key: keyVerify, Label: "Verify token", Secret: true, Required: true,
			Help: "A word of your own, at least 8 characters. Enter it in the App Dashboard under Webhooks, beside this inbox's callback address /hooks/<channel>/<inbox> on the hub's public address.",
		},
	}
	list = append(list, own...)
	return append(list,
		inbox.Setting{Key: keyProof, Label: "Prove calls with the app secret", Help: "appsecret_proof: a stolen token alone is of no use where the app requires it.", Default: on, Values: []string{on, off}},
		inbox.Setting{Key: keyAPI, Label: "Graph API server", Help: "Only if you use a gateway of your own.", Default: api},
		inbox.Setting{Key: keyVersion, Label: "Graph API version", Help: "Such as v24.0. Meta keeps each for about two years.", Default: "v24.0"},
		inbox.Mask,
	)
}

var (
	idForm      = regexp.MustCompile(`^[0-9]{1,30}$`)
	versionForm = regexp.MustCompile(`^v[0-9]{1,3}\.[0-9]$`)
)

func (k kind) read(values map[string]string) (config, error) {
	s := hosted.Read(values, k.settings)
	c := config{
		secrets: s.Secrets(keySecret, 16), verify: s.Text(keyVerify), token: s.Text(keyToken), proof: s.On(keyProof),
		api: s.URL(keyAPI), version: s.Text(keyVersion), account: s.Text(keyAccount),
	}
	if c.account != "" && !idForm.MatchString(c.account) {
		s.Wrong(keyAccount, fmt.Sprintf("%q is not an id: digits only", c.account))
	}
	if !versionForm.MatchString(c.version) {
		s.Wrong(keyVersion, fmt.Sprintf("%q is not a version such as v24.0", c.version))
	}
	if c.verify != "" && len(c.verify) < 8 {
		s.Wrong(keyVerify, fmt.Sprintf("has %d characters, 8 are the least", len(c.verify)))
	}
	has := func(key string) bool {
		return slices.ContainsFunc(k.settings, func(s inbox.Setting) bool { return s.Key == key })
	}
	if has(keyRead) {
		c.markRead = s.On(keyRead)
	}
	if has(keyHuman) {
		c.human = s.On(keyHuman)
	}
	if has(keyComments) {
		c.comments = s.Text(keyComments)
	}
	return c, s.Err()
}

// describe is the channel for the registry. Its live test reads the account's own fields.
func (k kind) describe(name string, client *http.Client) inbox.Channel {
	return inbox.Channel{
		Name: name, Settings: k.settings,
		Check: func(s map[string]string) error {
			_, err := k.read(s)
			return err
		},
		Test: func(ctx context.Context, in inbox.Inbox) error {
			c, err := k.read(in.Settings)
			if err != nil {
				return err
			}
			p := open(name, k, hosted.Deps{Client: client}, nil)
			return p.get(ctx, in.ID, c, c.account, k.probe, &struct{}{})
		},
	}
}
