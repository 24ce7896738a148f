package meta

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/weftline/weftline/services/internal/handleid"
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
	keyNumber   = "number"
	keyRegion   = "region"
	keyBusiness = "business_id"
)

const (
	on, off         = "on", "off"
	public, private = "public", "private"
)

// kind is the settings of one channel.
type kind struct {
	settings []inbox.Setting
	probe    string // the field of the account that the live test asks for
	about    string
	needs    []string
	// recipient of a test message
	recipient inbox.Recipient
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
	numbers  handleid.Normaliser
	business string // whose templates they are; WhatsApp alone
}

// shared are the settings that every channel of Meta's has, around its own.
func shared(api, account, accountHelp, tokenHelp string, own ...inbox.Setting) []inbox.Setting {
	list := []inbox.Setting{
		{Key: keyAccount, Label: account, Required: true, Help: accountHelp},
		{Key: keyToken, Label: "Access token", Secret: true, Required: true, Help: tokenHelp},
		{
			Key: keySecret, Label: "App secret", Secret: true, Required: true, Lines: true,
			Help: "In the App Dashboard under App settings, Basic. Two, one per line, while you replace it: requests signed with either are accepted, the first proves our calls.",
		},
		{
			Key: keyVerify, Label: "Verify token", Secret: true, Required: true,
			Help: "A word of your own, at least 8 characters. Enter it in the App Dashboard under Webhooks, beside the callback URL that is shown once this is saved.",
		},
	}
	list = append(list, own...)
	return append(list,
		inbox.Setting{Key: keyProof, Label: "Prove calls with the app secret", Help: "appsecret_proof: a stolen token alone is of no use where the app requires it.", Default: on, Values: []string{on, off}, Advanced: true},
		inbox.Setting{Key: keyAPI, Label: "Graph API server", Help: "Only if you use a gateway of your own.", Default: api, Advanced: true},
		inbox.Setting{Key: keyVersion, Label: "Graph API version", Help: "Such as v24.0. Meta keeps each for about two years.", Default: "v24.0", Advanced: true},
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
	if has(keyNumber) {
		number, region := s.Text(keyNumber), s.Text(keyRegion)
		c.business = s.Text(keyBusiness)
		c.numbers = handleid.For(region, number)
		if number != "" && handleid.RegionOf(number) == "" {
			s.Wrong(keyNumber, fmt.Sprintf("%q is not a number such as +15005550006", hosted.Clip(number, 40)))
		}
		if region != "" && !strings.EqualFold(c.numbers.Region, region) {
			s.Wrong(keyRegion, fmt.Sprintf("%q is not a country such as DE", hosted.Clip(region, 40)))
		}
		if c.business != "" && !idForm.MatchString(c.business) {
			s.Wrong(keyBusiness, fmt.Sprintf("%q is not an id: digits only", hosted.Clip(c.business, 40)))
		}
	}
	return c, s.Err()
}

// describe is the channel for the registry. Its live test reads the account's own fields.
func (k kind) describe(name string, client *http.Client) inbox.Channel {
	return inbox.Channel{
		Name: name, Settings: k.settings,
		Check: hosted.Checks(k.read),
		Steps: func(ctx context.Context, in inbox.Inbox) []inbox.Step { return k.steps(ctx, name, client, in) },
		About: k.about, Needs: k.needs, Recipient: &k.recipient,
		Paste: []inbox.Paste{
			{What: "Callback URL", Where: "App Dashboard, Webhooks, Edit subscription"},
			{What: "Verify token", Where: "Beside it: the word you chose", Key: keyVerify},
		},
	}
}

// steps are the live test: the account's own fields, and where templates are to be listed, one of them.
func (k kind) steps(ctx context.Context, name string, client *http.Client, in inbox.Inbox) []inbox.Step {
	account := inbox.Step{Name: "Ask Meta for the account"}
	c, err := k.read(in.Settings)
	if err != nil {
		account.Err = err
		return []inbox.Step{account}
	}
	p := open(name, k, hosted.Deps{Client: client}, nil)
	var found map[string]any
	if account.Err = p.get(ctx, in.ID, c, c.account, k.probe, &found); account.Err != nil {
		return []inbox.Step{account}
	}
	if v, ok := found[k.probe].(string); ok {
		account.Detail = hosted.Clip(v, 100)
	}
	list := []inbox.Step{account}
	if c.business != "" {
		s := inbox.Step{Name: "List the templates"}
		var page templatePage
		s.Err = p.templatePage(ctx, in.ID, c, "", 1, &page)
		list = append(list, s)
	}
	return list
}
