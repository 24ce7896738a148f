package email

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/services/internal/inbox"
)

// ChannelName is the channel's name in subjects and settings.
const ChannelName = "email"

// byIMAP: only where mail is fetched from a mailbox.
var byIMAP = inbox.When{Key: "receive", Is: []string{ReceiveIMAP}}

// byOAuth: only where the inbox logs in by access tokens. byProvider is the same, for what each provider calls differently.
var (
	byOAuth    = inbox.When{Key: "auth", Is: []string{authOAuth}}
	byProvider = inbox.When{Key: "oauth_provider", Is: []string{providerGoogle, providerMicrosoft, providerOwn}}
)

// Settings of an inbox of this channel; services/email/README.md explains them.
var settings = []inbox.Setting{
	{Key: "address", Label: "Address", Help: "The mailbox's own address: the sender of answers.", Required: true, Group: groupAddress},
	{Key: "from_name", Label: "Sender's name", Help: "Shown to customers beside the agent's name. Empty: the inbox's name.", Group: groupAddress},
	{Key: "aliases", Label: "Other addresses", Help: "More addresses whose mail arrives here, separated by commas. Who wrote to one of them is answered from it.", Group: groupAddress, Advanced: true},
	{Key: "only_to", Label: "Only mail to", Help: "Where several inboxes read one mailbox: the addresses this one takes mail for, separated by commas. Other mail is left alone. Empty: all that no other inbox of the mailbox takes.", Group: groupAddress, Advanced: true},
	{Key: "signature", Label: "Signature", Help: "Below every answer. {agent}, {inbox} and {address} are filled in, {signature} is the agent's own (without it, that comes first); \\n begins a new line.", Group: groupAddress, Advanced: true},
	{Key: "signature_html", Label: "Signature as HTML", Help: "For answers with formatting. Empty: that of the text. Cleaned like all HTML.", Group: groupAddress, Advanced: true},
	{
		Key: "auth", Label: "Log in by", Help: "A password, or access tokens (OAuth 2), as Google and Microsoft want them. For IMAP and SMTP alike.", Default: authPassword, Values: []string{authPassword, authOAuth}, Group: groupLogin,
		Words: map[string]string{authPassword: "Password", authOAuth: "OAuth 2 (Google, Microsoft, other)"},
	},
	{
		Key: "oauth_provider", Label: "OAuth: provider", Default: providerGoogle, Values: []string{providerGoogle, providerMicrosoft, providerOwn}, Group: groupLogin, When: byOAuth,
		Words: map[string]string{providerGoogle: "Google", providerMicrosoft: "Microsoft", providerOwn: "Another"},
	},
	{Key: "oauth_tenant", Label: "OAuth: Microsoft directory", Help: "Id or domain of the directory (tenant). Empty: common.", Group: groupLogin, When: inbox.When{Key: "oauth_provider", Is: []string{providerMicrosoft}}},
	{Key: "oauth_token_url", Label: "OAuth: token endpoint", Help: "Such as https://login.example.org/token.", Group: groupLogin, When: inbox.When{Key: "oauth_provider", Is: []string{providerOwn}}},
	{
		Key: "oauth_client_id", Label: "OAuth: client id", Group: groupLogin, When: byProvider,
		Called: map[string]inbox.Called{
			providerGoogle:    {Label: "OAuth: client ID", Help: "…apps.googleusercontent.com: in the Google Cloud Console under APIs & Services, Credentials, OAuth 2.0 Client IDs."},
			providerMicrosoft: {Label: "OAuth: Application (client) ID", Help: "In the Entra admin center under App registrations, on the application's Overview."},
		},
	},
	{
		Key: "oauth_client_secret", Label: "OAuth: client secret", Secret: true, Group: groupLogin, When: byProvider,
		Called: map[string]inbox.Called{
			providerGoogle:    {Label: "OAuth: client secret", Help: "GOCSPX-…, beside the client ID."},
			providerMicrosoft: {Label: "OAuth: client secret", Help: "The Value (not the Secret ID) under the application's Certificates & secrets."},
		},
	},
	{
		Key: "oauth_refresh_token", Label: "OAuth: refresh token", Secret: true, Group: groupLogin, When: byProvider,
		Help: "Empty: the application logs in as itself (client credentials).",
		Called: map[string]inbox.Called{
			providerGoogle:    {Label: "OAuth: refresh token", Help: "From a sign-in of the mailbox with the scope https://mail.google.com/ for this client ID, such as with Google's OAuth 2.0 Playground."},
			providerMicrosoft: {Label: "OAuth: refresh token", Help: "From a sign-in of the mailbox with offline_access. Empty: the application logs in as itself, and the directory above must be named."},
		},
	},
	{Key: "oauth_scope", Label: "OAuth: scopes", Help: "Separated by blanks. Empty: what the provider wants for mail.", Group: groupLogin, Advanced: true, When: byOAuth},
	{Key: "oauth_secret_in", Label: "OAuth: client secret goes in", Help: "The body of the request, or its Authorization header.", Default: "body", Values: []string{"body", "header"}, Group: groupLogin, Advanced: true, When: byOAuth},
	receiveSetting,
	webhookProvider, webhookSecret, webhookTopic, webhookKey,
	{Key: "imap_host", Label: "IMAP server", Help: "Google: imap.gmail.com. Microsoft 365: outlook.office365.com. Empty: this inbox only sends.", Group: groupIn, When: byIMAP},
	{Key: "imap_tls", Label: "IMAP encryption", Help: "Without encryption to this machine only.", Default: "implicit", Values: []string{"implicit", "starttls", "none"}, Group: groupIn, Words: encryption, When: byIMAP},
	{Key: "imap_port", Label: "IMAP port", Help: "Empty: 993 with implicit TLS, else 143.", Group: groupIn, When: byIMAP},
	{Key: "imap_username", Label: "IMAP user", Help: "Empty: the address.", Group: groupIn, When: byIMAP},
	{Key: "imap_password", Label: "IMAP password", Help: "Not with OAuth 2.", Secret: true, Group: groupIn, When: byIMAP},
	{
		Key: "imap_since", Label: "First start", Help: "all: take in what is in the mailbox. now: only what arrives from now on.", Default: "all", Values: []string{"all", "now"}, Group: groupIn, When: byIMAP,
		Words: map[string]string{"all": "Take in what is in the mailbox", "now": "Only what arrives from now on"},
	},
	{Key: "imap_folders", Label: "Folders", Help: "Separated by commas.", Default: "INBOX", Group: groupIn, Advanced: true, When: byIMAP},
	{Key: "imap_seen", Label: "Mark as seen", Help: "Mark mails as seen once they are safe. “Once a mail is safe” goes before it.", Default: "no", Values: []string{"yes", "no"}, Group: groupIn, Advanced: true, When: byIMAP},
	{Key: "imap_after", Label: "Once a mail is safe", Help: "keep: leave it as it is. seen: mark it as seen. move:FOLDER: move it there, as in move:Archive.", Default: afterKeep, Group: groupIn, Advanced: true, When: byIMAP},
	{Key: "imap_sent", Label: "Folder for sent mail", Help: "Put a copy of what is sent here there. Empty with Google and Microsoft, which do it themselves.", Group: groupOut, Advanced: true, When: byIMAP},
	{Key: "imap_poll", Label: "Look for new mail every", Help: "Where the server cannot tell by itself, and for folders after the first. 10s to 1h.", Default: "1m", Group: groupIn, Advanced: true, When: byIMAP},
	{Key: "smtp_host", Label: "SMTP server", Help: "Google: smtp.gmail.com. Microsoft 365: smtp.office365.com, with STARTTLS. Empty: this inbox cannot answer.", Group: groupOut},
	{Key: "smtp_tls", Label: "SMTP encryption", Help: "Without encryption to this machine only, unless “Allow plaintext SMTP” is yes.", Default: "implicit", Values: []string{"implicit", "starttls", "none"}, Group: groupOut, Words: encryption},
	{Key: "smtp_port", Label: "SMTP port", Help: "Empty: 465 with implicit TLS, else 587.", Group: groupOut},
	{Key: "smtp_username", Label: "SMTP user", Help: "Empty: no login where no password is given, else the address.", Group: groupOut},
	{Key: "smtp_password", Label: "SMTP password", Secret: true, Group: groupOut, When: inbox.When{Key: "auth", Is: []string{authPassword}}},
	{Key: "smtp_plaintext", Label: "Allow plaintext SMTP", Help: "yes: send mail and password unencrypted to another machine.", Default: "no", Values: []string{"yes", "no"}, Group: groupOut, Advanced: true},
	{Key: "smtp_wait", Label: "Wait for the receipt", Help: "How long to wait for the server's word after the mail was sent (RFC 5321 asks for 10m). 5s to 15m.", Default: "10m", Group: groupOut, Advanced: true},
	{
		Key: "verify", Label: "Verify senders", Help: "off: any mail can claim any sender, and none is believed. authserv: believe the DMARC result of your mail server. own: check DKIM, SPF and DMARC here.", Default: verifyOff, Values: []string{verifyOff, verifyAuthserv, verifyOwn}, Group: groupTrust,
		Words: map[string]string{verifyOff: "Off: nobody is believed", verifyAuthserv: "Believe our mail server", verifyOwn: "Check here (DKIM, SPF, DMARC)"},
	},
	{
		Key: "authserv_id", Label: "Name in its results", Help: "The name your mail server begins Authentication-Results with, as mx.example.org. Several separated by commas; .example.org is every name below it.", Group: groupTrust,
		When: inbox.When{Key: "verify", Is: []string{verifyAuthserv}},
	},
	{
		Key: "mx_host", Label: "Your mail servers", Help: "The name your mail server writes after \"by\" in Received, and networks of yours behind it, separated by commas. Empty: whichever took the mail from outside; own then checks no SPF.", Group: groupTrust, Advanced: true,
		When: inbox.When{Key: "verify", Is: []string{verifyAuthserv, verifyOwn}},
	},
	unsubscribeSetting, dkimDomain, dkimSelector, dkimKey,
	inbox.Mask,
}

// Headings of the form.
const (
	groupAddress = "Address"
	groupLogin   = "Login"
	groupIn      = "Mail in"
	groupOut     = "Mail out (SMTP)"
	groupTrust   = "Who the sender is"
)

var encryption = map[string]string{"implicit": "TLS", "starttls": "STARTTLS", "none": "None (this machine only)"}

// config is the settings of an inbox, checked.
type config struct {
	address  string
	domain   string
	aliases  []string
	onlyTo   []string
	fromName string
	receive  string
	imap     server
	folders  []string
	since    string
	after    string // afterKeep, afterSeen or afterMove
	moveTo   string // with afterMove
	sent     string // folder of copies; empty: none
	poll     time.Duration
	smtp     server
	smtpWait time.Duration
	verify   verification
	sig      signature
	oauth    *oauth // nil: login with a password
	dkim     signing

	unsubscribe bool
}

// server is where to connect and how.
type server struct {
	host, port         string
	tls                string
	username, password string
}

func (s server) address() string { return net.JoinHostPort(s.host, s.port) }

func (s server) tlsConfig(roots *x509.CertPool) *tls.Config {
	return &tls.Config{ServerName: s.host, RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// Check says what is wrong with settings, everything at once.
func Check(set map[string]string) error {
	_, err := readConfig(set)
	return err
}

func readConfig(set map[string]string) (config, error) {
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: "+format, append([]any{key}, args...)...))
	}
	get := func(key string) string {
		v := strings.TrimSpace(set[key])
		i := slices.IndexFunc(settings, func(s inbox.Setting) bool { return s.Key == key })
		if v == "" {
			v = settings[i].Default
		}
		if values := settings[i].Values; values != nil && !slices.Contains(values, v) {
			bad(key, "%q is not allowed; allowed are %s", v, strings.Join(values, ", "))
		}
		return v
	}
	for key := range set {
		if !slices.ContainsFunc(settings, func(s inbox.Setting) bool { return s.Key == key }) {
			bad(key, "no such setting")
		}
	}
	address := func(key, v string) string {
		list, err := parseAddresses(v, 2)
		if err != nil || len(list) != 1 || list[0].odd || !list[0].valid() || list[0].addr != v {
			bad(key, "%q is not an address like support@example.org", clip(v, 100))
			return ""
		}
		return v
	}
	get(inbox.KeyMask) // the hub masks, not the adapter
	c := config{fromName: get("from_name"), since: get("imap_since"), unsubscribe: get("unsubscribe") == "yes"}
	if v := get("address"); v == "" {
		bad("address", "is required")
	} else if c.address = address("address", v); c.address != "" {
		c.domain = domainOf(c.address)
	}
	for _, a := range commas(get("aliases")) {
		c.aliases = append(c.aliases, address("aliases", a))
	}
	for _, a := range commas(get("only_to")) {
		c.onlyTo = append(c.onlyTo, address("only_to", a))
	}
	c.folders = commas(get("imap_folders"))
	folder := func(key, f string) {
		if f == "" || strings.ContainsAny(f, "\r\n\x00*%") || len(f) > 200 {
			bad(key, "%q is not a folder's name", clip(f, 100))
		}
	}
	for _, f := range c.folders {
		folder("imap_folders", f)
	}
	if c.after, c.moveTo = readAfter(get("imap_after"), get("imap_seen")); c.after == "" {
		bad("imap_after", "%q is not allowed; allowed are keep, seen, move:FOLDER", clip(get("imap_after"), 100))
	}
	c.sent = get("imap_sent")
	for key, f := range map[string]string{"imap_after": c.moveTo, "imap_sent": c.sent} {
		if f == "" {
			continue
		}
		folder(key, f)
		if slices.ContainsFunc(c.folders, func(read string) bool { return strings.EqualFold(read, f) }) {
			bad(key, "%q is one of imap_folders: what is put there would come in as new mail", clip(f, 100))
		}
	}
	duration := func(key string, low, high time.Duration) time.Duration {
		d, err := time.ParseDuration(get(key))
		if err != nil || d < low || d > high {
			bad(key, "%q is not a duration from %s to %s", clip(get(key), 40), low, high)
		}
		return d
	}
	c.poll = duration("imap_poll", 10*time.Second, time.Hour)
	c.smtpWait = duration("smtp_wait", 5*time.Second, 15*time.Minute)
	read := func(name string, implicit, plain string, plaintext bool) server {
		s := server{host: get(name + "_host"), port: get(name + "_port"), tls: get(name + "_tls"), username: get(name + "_username"), password: set[name+"_password"]}
		if s.host == "" {
			return s
		}
		if strings.ContainsAny(s.host, " \t\r\n/\x00@") || len(s.host) > 253 {
			bad(name+"_host", "%q is not a host name", clip(s.host, 100))
		}
		if s.port == "" {
			s.port = plain
			if s.tls == "implicit" {
				s.port = implicit
			}
		} else if n, err := strconv.Atoi(s.port); err != nil || n < 1 || n > 65535 {
			bad(name+"_port", "%q is not a port from 1 to 65535", clip(s.port, 20))
		}
		if s.tls == "none" && !plaintext && !loopback(s.host) {
			bad(name+"_tls", "none is allowed to this machine only; allowed to %s are implicit, starttls", s.host)
		}
		if strings.ContainsAny(s.username+s.password, "\r\n\x00") {
			bad(name+"_password", "user and password cannot hold line ends")
		}
		if s.username == "" && (s.password != "" || c.oauth != nil) {
			s.username = c.address
		}
		return s
	}
	get("verify") // for its allowed values
	verify, err := readVerify(set)
	c.verify = verify
	if err != nil {
		errs = append(errs, err)
	}
	c.sig = readSignature(get, bad)
	if get("auth") == authOAuth {
		c.oauth = readOAuth(get, bad)
	}
	if c.dkim, err = readSigning(set, c.domain); err != nil {
		errs = append(errs, err)
	}
	c.imap = read("imap", "993", "143", false)
	c.smtp = read("smtp", "465", "587", get("smtp_plaintext") == "yes" && c.oauth == nil)
	c.receive = get("receive")
	if c.receive == ReceiveWebhook {
		if _, err := ReadWebhook(set); err != nil {
			errs = append(errs, err)
		}
	}
	if c.receive != ReceiveIMAP && c.imap.host != "" {
		bad("imap_host", "must be empty where receive is %s", c.receive)
	}
	if c.receive == ReceiveIMAP && c.imap.host == "" && c.smtp.host == "" {
		bad("imap_host", "imap_host or smtp_host is required")
	}
	if c.imap.host != "" && c.imap.password == "" && c.oauth == nil {
		bad("imap_password", "is required")
	}
	return c, errors.Join(errs...)
}

// Values of the setting verify.
const (
	verifyOff      = "off"
	verifyAuthserv = "authserv"
	verifyOwn      = "own"
)

// verification is how senders are verified.
type verification struct {
	how      string
	authserv []string // lower case; as in mailServers
	mx       mailServers
}

// readVerify reads the settings of verification alone.
func readVerify(set map[string]string) (verification, error) {
	v := verification{how: strings.TrimSpace(set["verify"])}
	if v.how == "" {
		v.how = verifyOff
	}
	var errs []error
	mx, bad := readMailServers(set["mx_host"])
	if bad != "" {
		errs = append(errs, fmt.Errorf("mx_host: %q is not a host name, address or network", clip(bad, 100)))
	}
	v.mx = mx
	for _, id := range commas(set["authserv_id"]) {
		if id = strings.ToLower(id); strings.ContainsAny(id, " \t;()\"") || id == "." || len(id) > 253 {
			errs = append(errs, fmt.Errorf("authserv_id: %q is not a name such as mx.example.org", clip(id, 100)))
		}
		v.authserv = append(v.authserv, id)
	}
	if v.how == verifyAuthserv && len(v.authserv) == 0 {
		errs = append(errs, errors.New("authserv_id: is required where verify is authserv"))
	}
	return v, errors.Join(errs...)
}

// commas splits a list.
func commas(s string) []string {
	var out []string
	for v := range strings.SplitSeq(s, ",") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// loopback: this machine by name or number. A name that merely resolves to it is not.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
