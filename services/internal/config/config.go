// Package config reads the hub's settings: defaults, then the file, then the
// environment, then flags; each later one wins. Unknown keys are refused, and
// every complaint names the key, the value and what is allowed.
//
//	listen: 127.0.0.1:8080
//	data: ./data
//	inboxes:
//	  - id: support
//	    channel: email
//	    name: Support
//	    settings: {address: support@example.org, imap_host: imap.example.org, …}
//
// Every scalar key has an environment name: owner.email is WEFTLINE_OWNER_EMAIL,
// and WEFTLINE_OWNER_EMAIL_FILE names a file that holds it.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/weftline/weftline/pkg/subject"
)

// Config is everything the hub can be told. The koanf tags are the key names.
type Config struct {
	// Listen is the HTTP address. Default 127.0.0.1:8080.
	Listen string `koanf:"listen"`
	// OpsListen moves /livez, /readyz and /metrics to an address of their own; empty serves them on Listen.
	OpsListen string `koanf:"ops_listen"`
	// PublicURL is how browsers reach the hub; default http://<listen>.
	PublicURL string `koanf:"public_url"`
	// TrustedProxies lists the addresses or ranges of reverse proxies whose X-Forwarded-For
	// is believed. Default none: limits and the audit log then go by the peer's address.
	TrustedProxies []string `koanf:"trusted_proxies"`
	// Data is the data directory; one hub at a time. Default ./data.
	Data string `koanf:"data"`
	// Target says which parts run in this process: all, or names from -list-targets. Default all.
	Target []string `koanf:"target"`
	// Tenant is the first token of every subject. Default "default".
	Tenant string `koanf:"tenant"`
	// Workspace is the name shown in the console. Default "Weftline".
	Workspace string `koanf:"workspace"`
	// Demo: auto (on while no inbox is configured in the file), on, off. Default auto.
	Demo string `koanf:"demo"`

	NATS    NATS    `koanf:"nats"`
	Mongo   Mongo   `koanf:"mongo"`
	Owner   Owner   `koanf:"owner"`
	Log     Log     `koanf:"log"`
	Trace   Trace   `koanf:"trace"`
	Audit   Audit   `koanf:"audit"`
	Cluster Cluster `koanf:"cluster"`

	Outgoing Outgoing `koanf:"outgoing"`

	Identity Identity `koanf:"identity"`
	Email    Email    `koanf:"email"`

	Inboxes []Inbox `koanf:"inboxes"`
	// Retention says how long inboxes keep conversations that are closed. Without an entry: for ever.
	Retention []Retention `koanf:"retention"`
}

// Retention of one inbox.
type Retention struct {
	Inbox string `koanf:"inbox"`
	// Days since the last word in a closed conversation, after which it is destroyed: 1 to 36,500.
	Days int `koanf:"days"`
}

// NATS says where JetStream is.
type NATS struct {
	// URL of a JetStream cluster; empty embeds a server in this process.
	URL string `koanf:"url"`
	// Creds is a credentials file for URL.
	Creds string `koanf:"creds"`
	// Listen opens the embedded server to clients on this address; empty keeps it closed.
	Listen string `koanf:"listen"`
	// Replicas of streams on a cluster: 1 or 3. Default 1; use 3 in production.
	Replicas int `koanf:"replicas"`
}

// Mongo says where the read models are.
type Mongo struct {
	// URI of a replica set; empty uses SQLite files in the data directory.
	URI string `koanf:"uri"`
	// Database name. Default weftline.
	Database string `koanf:"database"`
}

// Owner is created at start when no agent exists yet.
type Owner struct {
	Email    string `koanf:"email"`
	Password string `koanf:"password"`
	Name     string `koanf:"name"`
}

// Log says how the hub logs, on standard error.
type Log struct {
	// Level: debug, info, warn, error. Default info.
	Level string `koanf:"level"`
	// Format: text or json. Default text.
	Format string `koanf:"format"`
}

// Trace exports OpenTelemetry spans.
type Trace struct {
	// OTLP is the base URL of an OTLP/HTTP collector; empty turns export off.
	OTLP string `koanf:"otlp"`
	// Sample is the share of traces kept, 0 to 1. Default 1.
	Sample float64 `koanf:"sample"`
}

// Audit says what the audit log watches for, and how long it keeps addresses.
type Audit struct {
	// BulkRead is how many customers' timelines and files one agent or token
	// reads in ten minutes before it is an alert; five times as many are refused.
	// Default 1000; 0 watches nothing.
	BulkRead int `koanf:"bulk_read"`
	// AddressDays is for how many days the audit log keeps IP addresses, 0 to
	// 3650. Default 90; 0 keeps none.
	AddressDays int `koanf:"address_days"`
}

// Cluster connects targets that run in several processes.
type Cluster struct {
	// Conversation is the base URL of the conversation target, for targets that run without it.
	Conversation string `koanf:"conversation"`
	// Secret authenticates targets to one another: at least 32 characters.
	Secret string `koanf:"secret"`
}

// Outgoing says what adapters may connect to beyond the public internet.
type Outgoing struct {
	// Allow lists ranges such as 10.0.0.0/8, for providers and backends in your
	// own network. Pictures and files that customers' messages name are never fetched from them. Default none.
	Allow []string `koanf:"allow"`
}

// Proxies are those of TrustedProxies; Validate has seen them.
func (c Config) Proxies() (list []netip.Prefix) {
	for _, s := range c.TrustedProxies {
		if p, err := prefix(s); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// prefix reads a range, or an address as the range of itself.
func prefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Prefix(a.BitLen())
	}
	return netip.ParsePrefix(s)
}

// Prefixes are those of Allow; Validate has seen them.
func (o Outgoing) Prefixes() (list []netip.Prefix) {
	for _, s := range o.Allow {
		if p, err := netip.ParsePrefix(s); err == nil {
			list = append(list, p)
		}
	}
	return list
}

// Identity says how persons are recognised.
type Identity struct {
	// Rules is a YAML file of rules; empty uses the built-in ones (`hub identity rules`).
	Rules string `koanf:"rules"`
}

// Inbox is one configured mailbox or widget.
type Inbox struct {
	ID       string            `koanf:"id"`
	Channel  string            `koanf:"channel"`
	Name     string            `koanf:"name"`
	Settings map[string]string `koanf:"settings"`
	// Paused inboxes fetch and send nothing; what is brought to them is taken.
	Paused bool `koanf:"paused"`
}

// Defaults is the configuration of a hub that is told nothing.
func Defaults() Config {
	return Config{
		Listen: "127.0.0.1:8080", Data: "./data", Target: []string{"all"},
		Tenant: subject.DefaultTenant, Workspace: "Weftline", Demo: "auto",
		NATS:  NATS{Replicas: 1},
		Mongo: Mongo{Database: "weftline"},
		Log:   Log{Level: "info", Format: "text"},
		Trace: Trace{Sample: 1},
		Audit: Audit{BulkRead: 1000, AddressDays: 90},
	}
}

// KeyError is one complaint.
type KeyError struct {
	Key     string
	Value   string // empty for secrets
	Allowed string
}

func (e *KeyError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("%s: %s", e.Key, e.Allowed)
	}
	return fmt.Sprintf("%s: %q is not allowed: %s", e.Key, e.Value, e.Allowed)
}

// Validate joins everything that is wrong. targets and channels name what exists.
func (c Config) Validate(targets []string, channels map[string]func(map[string]string) error) error {
	var errs []error
	bad := func(key, value, allowed string) { errs = append(errs, &KeyError{key, value, allowed}) }

	errs = append(errs, c.validateAddresses()...)
	errs = append(errs, c.validateStores()...)
	derived := c.PublicURL == "http://"+c.Listen // what is wrong with it is said of listen
	if c.PublicURL != "" && !derived && !plainURL(c.PublicURL, false) {
		bad("public_url", c.PublicURL, "an http or https URL without a path, a query and a password")
	}
	if !validName(c.Workspace) {
		bad("workspace", shorten(c.Workspace), fmt.Sprintf("1 to %d characters, none that control or turn the text", maxWorkspace))
	}
	for i, s := range c.TrustedProxies {
		if _, err := prefix(s); err != nil {
			bad(fmt.Sprintf("trusted_proxies[%d]", i), s, "an address such as 10.0.0.2 or a range such as 10.0.0.0/8")
		}
	}
	if c.Data == "" {
		bad("data", "", "must name a directory")
	}
	unknown := false
	for _, t := range c.Target {
		if !slices.Contains(targets, t) {
			unknown = true
			bad("target", t, "one of "+strings.Join(targets, ", "))
		}
	}
	if !subject.ValidToken(c.Tenant) {
		bad("tenant", c.Tenant, "1 to 64 of a-z A-Z 0-9 _ -")
	}
	if !slices.Contains([]string{"auto", "on", "off"}, c.Demo) {
		bad("demo", c.Demo, "auto, on or off")
	}
	if c.NATS.Replicas != 1 && c.NATS.Replicas != 3 {
		bad("nats.replicas", fmt.Sprint(c.NATS.Replicas), "1 or 3")
	}
	if c.NATS.Replicas == 3 && c.NATS.URL == "" {
		bad("nats.replicas", "3", "1 with the embedded server; 3 needs nats.url of a cluster")
	}
	if _, err := c.Log.SlogLevel(); err != nil {
		bad("log.level", c.Log.Level, "debug, info, warn or error")
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		bad("log.format", c.Log.Format, "text or json")
	}
	if !(c.Trace.Sample >= 0 && c.Trace.Sample <= 1) { // NaN is neither
		bad("trace.sample", fmt.Sprint(c.Trace.Sample), "a number from 0 to 1")
	}
	if c.Audit.BulkRead < 0 || c.Audit.BulkRead > 1_000_000 {
		bad("audit.bulk_read", fmt.Sprint(c.Audit.BulkRead), "0 to 1000000; 0 watches nothing")
	}
	for i, s := range c.Outgoing.Allow {
		if _, err := netip.ParsePrefix(s); err != nil {
			bad(fmt.Sprintf("outgoing.allow[%d]", i), s, "a range of addresses such as 10.0.0.0/8")
		}
	}
	if c.Audit.AddressDays < 0 || c.Audit.AddressDays > 3650 {
		bad("audit.address_days", fmt.Sprint(c.Audit.AddressDays), "0 to 3650; 0 keeps no addresses")
	}
	if (c.Owner.Email == "") != (c.Owner.Password == "") {
		bad("owner", "", "email and password go together")
	}
	if c.Owner.Password != "" && len([]rune(c.Owner.Password)) < 10 {
		bad("owner.password", "", "at least 10 characters")
	}
	if c.Owner.Email != "" && !strings.Contains(c.Owner.Email, "@") {
		bad("owner.email", c.Owner.Email, "an e-mail address")
	}
	if !c.All() && !unknown {
		errs = append(errs, c.validateSplit()...)
	}
	errs = append(errs, c.validateInboxes(channels)...)
	errs = append(errs, c.validateRetention()...)
	return errors.Join(errs...)
}

// shorten keeps a complaint readable.
func shorten(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

// validateSplit: parts in several processes share their streams and their keys.
func (c Config) validateSplit() (errs []error) {
	if c.NATS.URL == "" {
		errs = append(errs, &KeyError{"nats.url", "", "required when target is not all: the targets meet there"})
	}
	if c.Mongo.URI == "" {
		errs = append(errs, &KeyError{"mongo.uri", "", "required when target is not all: keys and read models are shared"})
	}
	if len(c.Cluster.Secret) < 32 {
		errs = append(errs, &KeyError{"cluster.secret", "", "at least 32 characters, the same for every target"})
	}
	return errs
}

func (c Config) validateInboxes(channels map[string]func(map[string]string) error) (errs []error) {
	names := make([]string, 0, len(channels))
	for n := range channels {
		names = append(names, n)
	}
	slices.Sort(names)
	seen := map[string]bool{}
	for i, in := range c.Inboxes {
		key := fmt.Sprintf("inboxes[%d]", i)
		if !subject.ValidToken(in.ID) {
			errs = append(errs, &KeyError{key + ".id", in.ID, "1 to 64 of a-z A-Z 0-9 _ -"})
		}
		if seen[in.ID] {
			errs = append(errs, &KeyError{key + ".id", in.ID, "each id once"})
		}
		seen[in.ID] = true
		check, ok := channels[in.Channel]
		if !ok {
			errs = append(errs, &KeyError{key + ".channel", in.Channel, "one of " + strings.Join(names, ", ")})
			continue
		}
		if in.Channel == "email" && in.Settings["receive"] == "listener" && len(c.Email.Listen) == 0 && c.Runs("email") {
			errs = append(errs, &KeyError{key + ".settings.receive", "listener", "needs an address in email.listen"})
		}
		if check == nil {
			continue
		}
		if err := check(in.Settings); err != nil {
			errs = append(errs, Below(key+".settings", err)...)
		}
	}
	return errs
}

// Below puts where it is before each thing that is wrong.
func Below(where string, err error) (errs []error) {
	all, ok := err.(interface{ Unwrap() []error })
	if ok && errors.Join(all.Unwrap()...).Error() == err.Error() { // and not one that says more
		for _, e := range all.Unwrap() {
			errs = append(errs, Below(where, e)...)
		}
		return errs
	}
	return []error{fmt.Errorf("%s: %w", where, err)}
}

func (c Config) validateRetention() (errs []error) {
	seen := map[string]bool{}
	for i, r := range c.Retention {
		key := fmt.Sprintf("retention[%d]", i)
		if !subject.ValidToken(r.Inbox) {
			errs = append(errs, &KeyError{key + ".inbox", r.Inbox, "the id of an inbox: 1 to 64 of a-z A-Z 0-9 _ -"})
		}
		if seen[r.Inbox] {
			errs = append(errs, &KeyError{key + ".inbox", r.Inbox, "each inbox once"})
		}
		seen[r.Inbox] = true
		if r.Days < 1 || r.Days > 36_500 {
			errs = append(errs, &KeyError{key + ".days", fmt.Sprint(r.Days), "1 to 36500"})
		}
	}
	return errs
}

// At replaces port 0 of Listen, and of a PublicURL derived from it, by the port
// the system chose.
func (c Config) At(a net.Addr) Config {
	if _, port, err := net.SplitHostPort(c.Listen); err != nil || port != "0" {
		return c
	}
	if c.PublicURL == "http://"+c.Listen {
		c.PublicURL = "http://" + a.String()
	}
	c.Listen = a.String()
	return c
}

// All says whether this process runs everything.
func (c Config) All() bool { return slices.Contains(c.Target, "all") || len(c.Target) == 0 }

// Runs says whether a target runs here.
func (c Config) Runs(target string) bool { return c.All() || slices.Contains(c.Target, target) }

// SlogLevel translates Level.
func (l Log) SlogLevel() (slog.Level, error) {
	var lv slog.Level
	err := lv.UnmarshalText([]byte(l.Level))
	return lv, err
}
