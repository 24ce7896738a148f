package chat

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/internal/mask"
)

// Identity modes of an inbox.
const (
	identityAnonymous = "anonymous" // logins are refused
	identityOptional  = "optional"
	identityRequired  = "required" // nothing is read or written without a login
)

// Setting keys.
const (
	keyOrigins     = "allowed_origins"
	keyIdentity    = "identity"
	keyJWT         = "jwt_keys"
	keyGreeting    = "greeting"
	keyColour      = "colour"
	keyEmail       = "offline_email_capture"
	keyProve       = "prove_email"
	keyMessages    = "messages_per_minute"
	keyConnections = "connections_per_minute"
	keyVisitors    = "visitors_per_hour"
	keyUploads     = "uploads_per_minute"
)

// usualGreeting was the default and is stored with inboxes of that time: nobody chose it.
const usualGreeting = "Hello! How can we help?"

// config is an inbox's settings, read.
type config struct {
	ID, Name  string
	Rev       int64
	Origins   []string
	Identity  string
	Keys      map[string]jwtKey
	Greeting  string
	Colour    string
	Email     bool
	Prove     string // inbox that sends codes, "" for none
	Mask      mask.Kinds
	Form      form
	Hours     *hours // nil: always open
	Language  string // "": the browser's
	Texts     texts
	Invites   []invite
	MailBy    string        // inbox by which chats go on, "" for none
	SMSBy     string        // the same by SMS
	MailAfter time.Duration // the chat must be closed for so long

	Messages, Connections, Visitors, Uploads int
}

var settings = slices.Concat(generalSettings, textSettings, inviteSettings, formSettings, hoursSettings, mailSettings, smsSettings, limitSettings)

var generalSettings = []inbox.Setting{
	{Key: keyGreeting, Label: "Greeting", Help: "First line shown to a visitor, at most 500 characters. Empty: “Hello! How can we help?” in the visitor's language.", Group: groupWidget},
	{Key: keyColour, Label: "Colour", Help: "Colour of the button, as #rrggbb.", Default: "#2f5bea", Group: groupWidget},
	{Key: keyOrigins, Label: "Allowed sites", Help: "Origins whose pages may show the widget, separated by spaces or commas, such as https://shop.example. Empty: only the hub's own host.", Group: groupWidget},
	{
		Key: keyEmail, Label: "Ask for an e-mail address", Help: "on: a visitor without a login is asked where an answer may go if nobody is there. The address is shown to agents as claimed and proves nothing.", Default: "on", Values: []string{"on", "off"}, Group: groupWidget,
		Words: map[string]string{"on": "Yes, so an answer can follow", "off": "No"},
	},
	{
		Key: keyIdentity, Label: "Identity", Help: "anonymous: logins are refused. optional: a signed login is taken when the page gives one. required: nothing is shown or sent without one.", Default: identityOptional, Values: []string{identityAnonymous, identityOptional, identityRequired}, Group: groupWho,
		Words: map[string]string{identityAnonymous: "Anonymous: no logins", identityOptional: "Optional: a signed login is taken when given", identityRequired: "Required: nothing without a signed login"},
	},
	{Key: keyJWT, Label: "Login keys", Help: "One per line: key id, algorithm (HS256, EdDSA, ES256) and a secret of 32 bytes or more, or a PEM public key, separated by colons. Keep the old key beside the new one while you rotate.", Secret: true, Group: groupWho, Lines: true, When: inbox.When{Key: keyIdentity, Is: []string{identityOptional, identityRequired}}},
	{Key: keyProve, Label: "Prove addresses by", Help: "Id of the e-mail inbox that sends a code to an address a visitor left, so that he can prove it in the chat. What he proves counts as his from then on, and joins what came from that address. Empty: addresses stay claims.", Group: groupWho, Inbox: []string{mailChannel}},
}

var limitSettings = []inbox.Setting{
	{Key: keyMessages, Label: "Messages per minute", Help: "Per visitor, 1 to 100000.", Default: "30", Group: groupLimits, Advanced: true},
	{Key: keyConnections, Label: "Connections per minute", Help: "Per network address, 1 to 6000.", Default: "120", Group: groupLimits, Advanced: true},
	{Key: keyVisitors, Label: "New visitors per hour", Help: "Per network address, 1 to 100000.", Default: "120", Group: groupLimits, Advanced: true},
	{Key: keyUploads, Label: "Uploads per minute", Help: "Per visitor, 1 to 600.", Default: "10", Group: groupLimits, Advanced: true},
	inbox.Mask,
}

// Headings of the form.
const (
	groupWidget = "Widget"
	groupWords  = "Words and languages"
	groupBefore = "Before the chat"
	groupHours  = "Business hours"
	groupMail   = "By e-mail and SMS"
	groupWho    = "Who the visitor is"
	groupLimits = "Limits"
)

// Channel describes the settings of a chat inbox.
func Channel() inbox.Channel {
	return inbox.Channel{
		Name:     Name,
		Settings: settings,
		Check: func(s map[string]string) error {
			_, err := readConfig(inbox.Inbox{Settings: s})
			return err
		},
		About: "A chat on your site. It works at once, on a page of its own.",
		Needs: []string{"The address of your site, to put the chat there"},
	}
}

// defaults by key, as the form shows them.
var defaults = func() map[string]string {
	m := map[string]string{}
	for _, s := range settings {
		m[s.Key] = s.Default
	}
	return m
}()

var colourForm = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

func readConfig(in inbox.Inbox) (*config, error) {
	get := func(key string) string {
		if v := strings.TrimSpace(in.Settings[key]); v != "" {
			return v
		}
		return defaults[key]
	}
	var errs []error
	c := &config{ID: in.ID, Name: in.Name, Rev: in.Rev, Identity: get(keyIdentity), Greeting: get(keyGreeting), Colour: get(keyColour)}
	for _, o := range strings.FieldsFunc(get(keyOrigins), func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' || r == '\r' }) {
		n, err := normalOrigin(o)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", keyOrigins, err))
			continue
		}
		c.Origins = append(c.Origins, n)
	}
	switch c.Identity {
	case identityAnonymous, identityOptional, identityRequired:
	default:
		errs = append(errs, fmt.Errorf("%s: %q is not one of anonymous, optional, required", keyIdentity, c.Identity))
	}
	keys, err := parseKeys(in.Settings[keyJWT])
	if err != nil {
		errs = append(errs, fmt.Errorf("%s: %w", keyJWT, err))
	}
	c.Keys = keys
	if c.Identity == identityRequired && len(keys) == 0 && err == nil {
		errs = append(errs, fmt.Errorf("%s: identity is required, so at least one key is needed", keyJWT))
	}
	if c.Greeting == usualGreeting {
		c.Greeting = "" // the widget says it in the visitor's language
	}
	if utf8.RuneCountInString(c.Greeting) > 500 {
		errs = append(errs, fmt.Errorf("%s: longer than 500 characters", keyGreeting))
	}
	if !colourForm.MatchString(c.Colour) {
		errs = append(errs, fmt.Errorf("%s: %q is not of the form #rrggbb", keyColour, c.Colour))
	}
	switch v := get(keyEmail); v {
	case "on", "off":
		c.Email = v == "on"
	default:
		errs = append(errs, fmt.Errorf("%s: %q is not one of on, off", keyEmail, v))
	}
	if c.Prove = get(keyProve); c.Prove != "" && !subject.ValidToken(c.Prove) {
		errs = append(errs, fmt.Errorf("%s: %q is not the id of an inbox", keyProve, c.Prove))
	}
	if c.Mask, err = mask.Parse(get(inbox.KeyMask)); err != nil {
		errs = append(errs, fmt.Errorf("%s: %w", inbox.KeyMask, err))
	}
	for _, part := range []func() []error{
		func() (errs []error) { c.Form, errs = readForm(get); return errs },
		func() (errs []error) { c.Hours, errs = readHours(get); return errs },
		func() (errs []error) { c.Language, c.Texts, errs = readTexts(get); return errs },
		func() (errs []error) { c.MailBy, c.MailAfter, errs = readMail(get); return errs },
		func() (errs []error) { c.SMSBy, errs = readSMS(get); return errs },
		func() (errs []error) { c.Invites, errs = readInvites(get); return errs },
	} {
		errs = append(errs, part()...)
	}
	number := func(key string, to *int, max int) {
		n, err := strconv.Atoi(get(key))
		if err != nil || n < 1 || n > max {
			errs = append(errs, fmt.Errorf("%s: %q is not a number from 1 to %d", key, get(key), max))
		}
		*to = n
	}
	number(keyMessages, &c.Messages, 100000)
	number(keyConnections, &c.Connections, 6000)
	number(keyVisitors, &c.Visitors, 100000)
	number(keyUploads, &c.Uploads, 600)
	if c.Prove == "" { // what goes on by mail needs addresses that are proven
		c.Prove = c.MailBy
	}
	return c, errors.Join(errs...)
}

// normalOrigin accepts scheme://host[:port] only and gives it as browsers do.
func normalOrigin(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil ||
		u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(u.Host, "*;'\" ") {
		return "", fmt.Errorf("%q is not an origin such as https://shop.example", s)
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host, nil
}

// configs caches settings by revision.
type configs struct {
	mu   sync.Mutex
	byID map[string]*config
	told map[string]string // by inbox, what was said last of inboxes that are not there
}

// config is the inbox's current settings; false: no such chat inbox, or one that cannot work.
func (a *Adapter) config(id string) (*config, bool) {
	in, ok := a.d.Inboxes.Get(id)
	if !ok || in.Channel != Name {
		return nil, false
	}
	a.configs.mu.Lock()
	defer a.configs.mu.Unlock()
	if c := a.configs.byID[id]; c != nil && c.Rev == in.Rev && c.Name == in.Name {
		return c, true
	}
	c, err := readConfig(in)
	if err != nil {
		a.log.Error("chat inbox cannot work", "inbox", id, "error", err)
		a.d.Inboxes.SetHealth(id, inbox.Health{State: "needs_attention", Detail: err.Error()})
		return nil, false
	}
	if a.configs.byID == nil {
		a.configs.byID = map[string]*config{}
	}
	a.configs.byID[id] = c
	return c, true
}

func validEmail(s string) bool {
	if len(s) > 254 {
		return false
	}
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && a.Name == ""
}
