package email

import (
	"net/url"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// Values of the setting auth.
const (
	authPassword = "password"
	authOAuth    = "oauth2"
)

// Values of the setting oauth_provider.
const (
	providerGoogle    = "google"
	providerMicrosoft = "microsoft"
	providerOwn       = "own"
)

// oauth is how an inbox gets access tokens (RFC 6749): with a refresh token
// where it has one, else for itself as an application (client credentials).
type oauth struct {
	tokenURL     string
	clientID     string
	clientSecret string
	refreshToken string // the one in the settings; a newer one may be stored
	scopes       []string
	inHeader     bool // the client's secret goes in the Authorization header
}

// complain notes what is wrong with a setting.
type complain func(key, format string, args ...any)

// readOAuth reads the settings of OAuth 2; get gives a setting trimmed.
func readOAuth(get func(string) string, bad complain) *oauth {
	o := &oauth{
		clientID: get("oauth_client_id"), clientSecret: get("oauth_client_secret"), refreshToken: get("oauth_refresh_token"),
		scopes: strings.Fields(get("oauth_scope")), inHeader: get("oauth_secret_in") == "header",
	}
	provider := get("oauth_provider")
	switch provider {
	case providerGoogle:
		o.tokenURL = "https://oauth2.googleapis.com/token"
		if o.refreshToken == "" {
			bad("oauth_refresh_token", "is required with %s", provider)
		}
	case providerMicrosoft:
		o.microsoft(get("oauth_tenant"), bad)
	default:
		o.tokenURL = checkTokenURL(get("oauth_token_url"), bad)
	}
	if o.clientID == "" {
		bad("oauth_client_id", "is required where auth is %s", authOAuth)
	}
	if o.refreshToken == "" && o.clientSecret == "" {
		bad("oauth_refresh_token", "a refresh token, or a client secret of an application that may read mail by itself, is required")
	}
	for key, v := range map[string]string{"oauth_client_id": o.clientID, "oauth_client_secret": o.clientSecret, "oauth_refresh_token": o.refreshToken} {
		if len(v) > 16<<10 || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			bad(key, "holds control characters or more than 16 KiB")
		}
	}
	return o
}

func (o *oauth) microsoft(tenant string, bad complain) {
	if tenant == "" {
		tenant = "common"
	}
	if len(tenant) > 253 || strings.ContainsFunc(tenant, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.')
	}) {
		bad("oauth_tenant", "%q is not a directory's id or domain, common, organizations or consumers", clip(tenant, 100))
	}
	o.tokenURL = "https://login.microsoftonline.com/" + tenant + "/oauth2/v2.0/token"
	if len(o.scopes) > 0 {
		return
	}
	if o.refreshToken == "" {
		o.scopes = []string{"https://outlook.office365.com/.default"}
		return
	}
	o.scopes = []string{"https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send", "offline_access"}
}

func checkTokenURL(s string, bad complain) string {
	u, err := url.Parse(s)
	switch {
	case s == "":
		bad("oauth_token_url", "is required where oauth_provider is %s", providerOwn)
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(s) > 2000:
		bad("oauth_token_url", "%q is not an address like https://login.example.org/token", clip(s, 200))
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		bad("oauth_token_url", "must be https; http is allowed to this machine only")
	}
	return s
}

// request is what asks the token endpoint, with the newest refresh token.
func (o *oauth) request(refreshToken string) *clientcredentials.Config {
	c := &clientcredentials.Config{
		ClientID: o.clientID, ClientSecret: o.clientSecret, TokenURL: o.tokenURL, Scopes: o.scopes, AuthStyle: oauth2.AuthStyleInParams,
	}
	if o.inHeader {
		c.AuthStyle = oauth2.AuthStyleInHeader
	}
	if refreshToken != "" {
		c.EndpointParams = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}} // RFC 6749 §6
	}
	return c
}
