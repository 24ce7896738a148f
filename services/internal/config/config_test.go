package config_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/internal/config"
)

func write(t *testing.T, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "weftline.yaml")
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLayersLaterWins(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "pw")
	if err := os.WriteFile(secret, []byte("from a file!\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(write(t, "listen: 127.0.0.1:1\ndata: /a\nworkspace: W\ninboxes:\n  - {id: s, channel: email, settings: {address: a@b.c, poll: 30}}\n"),
		[]string{"WEFTLINE_LISTEN=127.0.0.1:2", "WEFTLINE_DATA=/b", "WEFTLINE_OWNER_PASSWORD_FILE=" + secret, "HOME=/", "WEFTLINE_TEST_X=1", "WEFTLINE_KEK=x"},
		map[string]string{"listen": "127.0.0.1:3", "target": "email,chat"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:3" || c.Data != "/b" || c.Workspace != "W" || c.Owner.Password != "from a file!" {
		t.Fatalf("layers merged wrongly: %+v", c)
	}
	if len(c.Target) != 2 || c.Runs("console") || !c.Runs("chat") {
		t.Fatalf("targets: %v", c.Target)
	}
	if got := c.Inboxes[0].Settings["poll"]; got != "30" {
		t.Fatalf("a number in settings is kept as text, got %q", got)
	}
	if c.PublicURL != "http://127.0.0.1:3" {
		t.Fatalf("public url: %s", c.PublicURL)
	}
}

func TestUnknownKeysAreRefusedByName(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ file, env, want string }{
		"top":    {file: "lisen: x\n", want: "lisen: unknown key, did you mean listen?"},
		"nested": {file: "nats: {ulr: x}\n", want: "nats.ulr: unknown key, did you mean nats.url?"},
		"inbox":  {file: "inboxes: [{id: a, chanel: email}]\n", want: "inboxes[0].chanel: unknown key, did you mean channel?"},
		"mail":   {file: "email: {listen: [{adress: x}]}\n", want: "email.listen[0].adress: unknown key, did you mean address?"},
		"list":   {file: "inboxes: {a: b}\n", want: "inboxes: a list, each after a dash"},
		"env":    {file: "{}\n", env: "WEFTLINE_LISTN=1", want: "WEFTLINE_LISTN: unknown variable, did you mean WEFTLINE_LISTEN?"},
		"broken": {file: "a: [\n", want: "config file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(write(t, tc.file), []string{tc.env}, nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want %q", err, tc.want)
			}
		})
	}
	if _, err := config.Load("/nonexistent.yaml", nil, nil); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Fatalf("missing file: %v", err)
	}
}

func TestValidateNamesKeyValueAndWhatIsAllowed(t *testing.T) {
	t.Parallel()
	targets := []string{"all", "email"}
	channels := map[string]func(map[string]string) error{"email": func(m map[string]string) error {
		if m["address"] == "" {
			return errors.New("address: required")
		}
		return nil
	}}
	if err := config.Defaults().Validate(targets, channels); err != nil {
		t.Fatalf("defaults: %v", err)
	}
	c := config.Defaults()
	c.Listen, c.Demo, c.Target, c.Log.Level = "nope", "maybe", []string{"mail"}, "loud"
	c.Owner.Email, c.Owner.Password = "a@b", "short"
	c.Inboxes = []config.Inbox{{ID: "a b", Channel: "fax"}, {ID: "x", Channel: "email"}, {ID: "x", Channel: "email", Settings: map[string]string{"address": "a"}}}
	err := c.Validate(targets, channels)
	for _, want := range []string{
		`listen: "nope" is not allowed: host:port`, `demo: "maybe" is not allowed: auto, on or off`,
		`target: "mail" is not allowed: one of all, email`,
		`log.level: "loud"`, "owner.password: at least 10 characters",
		`inboxes[0].id: "a b"`, `inboxes[0].channel: "fax" is not allowed: one of email`,
		"inboxes[1].settings: address: required", `inboxes[2].id: "x" is not allowed: each id once`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in:\n%v", want, err)
		}
	}
	c = config.Defaults()
	c.Target = []string{"email"}
	if err := c.Validate(targets, channels); err == nil || !strings.Contains(err.Error(), "nats.url: required when target is not all") {
		t.Errorf("a target of its own: %v", err)
	}
	if strings.Contains(err.Error(), "short") {
		t.Error("a secret's value is in the error")
	}
}

func TestPortZeroBecomesTheChosenOne(t *testing.T) {
	t.Parallel()
	at := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4242}
	c := config.Config{Listen: "127.0.0.1:0", PublicURL: "http://127.0.0.1:0"}.At(at)
	if c.Listen != "127.0.0.1:4242" || c.PublicURL != "http://127.0.0.1:4242" {
		t.Errorf("got %s, %s", c.Listen, c.PublicURL)
	}
	c = config.Config{Listen: "127.0.0.1:0", PublicURL: "https://hub.example"}.At(at)
	if c.PublicURL != "https://hub.example" {
		t.Errorf("a public URL of its own was changed to %s", c.PublicURL)
	}
	if c = (config.Config{Listen: "127.0.0.1:80"}).At(at); c.Listen != "127.0.0.1:80" {
		t.Errorf("a given port was changed: %s", c.Listen)
	}
}

func TestLoadSaysWhatAValueMayBe(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"audit: {bulk_read: many}\n":                           `audit.bulk_read: "many" is not allowed: a whole number`,
		"audit: {address_days: 1.5}\n":                         `audit.address_days: "1.5" is not allowed: a whole number`,
		"trace: {sample: all}\n":                               `trace.sample: "all" is not allowed: a number`,
		"inboxes: [{id: a, channel: chat, paused: perhaps}]\n": `inboxes[0].paused: "perhaps" is not allowed: true or false`,
		"email: {listen: [{address: ':1', max_size: 1.5}]}\n":  `email.listen[0].max_size: "1.5" is not allowed: a whole number`,
		"nats: nats://x\n":                                     "nats: keys below it: url, creds, listen, replicas",
		"owner: {password: [secret]}\n":                        "owner.password: one value",
		"listen: 127.0.0.1:1\n---\nlisten: 127.0.0.1:2\n":      "second document",
	} {
		_, err := config.Load(write(t, file), nil, nil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "strconv") || strings.Contains(err.Error(), "secret]") {
			t.Errorf("%q: %v, want %q", file, err, want)
		}
	}
	c, err := config.Load(write(t, "demo: false\naudit: {bulk_read: '7', address_days: 2.0}\ntrace: {sample: 0.5}\ninboxes: [{id: a, channel: chat, settings: {x: true}}]\n"), []string{"WEFTLINE_OUTGOING_ALLOW=10.0.0.0/8,127.0.0.0/8"}, nil)
	if err != nil || c.Demo != "false" || c.Audit.BulkRead != 7 || c.Audit.AddressDays != 2 || c.Trace.Sample != 0.5 || len(c.Outgoing.Allow) != 2 || c.Inboxes[0].Settings["x"] != "true" {
		t.Errorf("%+v %v", c, err)
	}
}

func TestValidateRefusesWhatWouldFailLater(t *testing.T) {
	t.Parallel()
	listen := func(addresses ...string) (l []config.MailListener) {
		for _, a := range addresses {
			l = append(l, config.MailListener{Address: a})
		}
		return l
	}
	for want, change := range map[string]func(*config.Config){
		`listen: "127.0.0.1:99999" is not allowed: host:port with a port from 0 to 65535`: func(c *config.Config) { c.Listen = "127.0.0.1:99999" },
		`listen: "127.0.0.1:-1" is not allowed`:                                           func(c *config.Config) { c.Listen, c.PublicURL = "127.0.0.1:-1", "http://127.0.0.1:-1" },
		`public_url: "http://h/path" is not`:                                              func(c *config.Config) { c.PublicURL = "http://h/path" },
		`public_url: "http://h?x=1" is not`:                                               func(c *config.Config) { c.PublicURL = "http://h?x=1" },
		`trace.otlp: "::bad" is not allowed`:                                              func(c *config.Config) { c.Trace.OTLP = "::bad" },
		`nats.creds: "/nope" is not allowed: needs nats.url`:                              func(c *config.Config) { c.NATS.Creds = "/nope" },
		`nats.creds: "/nope" is not allowed: a file`:                                      func(c *config.Config) { c.NATS.Creds, c.NATS.URL = "/nope", "nats://h:1" },
		`nats.listen: "x" is not allowed`:                                                 func(c *config.Config) { c.NATS.Listen = "x" },
		`nats.url: must be URLs with nats`:                                                func(c *config.Config) { c.NATS.URL = "http://x" },
		`mongo.uri: must begin with mongodb://`:                                           func(c *config.Config) { c.Mongo.URI = "foo://x" },
		`mongo.database: "a b/$" is not allowed`:                                          func(c *config.Config) { c.Mongo.Database = "a b/$" },
		`email.listen[1].address: ":2525" is not allowed: an address of its own, email.listen[0].address has 127.0.0.1:2525`: func(c *config.Config) { c.Email.Listen = listen("127.0.0.1:2525", ":2525") },
		`email.listen[0].address: "127.0.0.1:8080" is not allowed: an address of its own, listen has`:                        func(c *config.Config) { c.Email.Listen = listen("127.0.0.1:8080") },
		`ops_listen: "127.0.0.1:8080" is not allowed: an address of its own`:                                                 func(c *config.Config) { c.OpsListen = "127.0.0.1:8080" },
		`workspace: 1 to 100 characters`:                                 func(c *config.Config) { c.Workspace = "" },
		`…" is not allowed: 1 to 100 characters`:                         func(c *config.Config) { c.Workspace = strings.Repeat("w", 5000) },
		`is not allowed: 1 to 100 characters, none that control or turn`: func(c *config.Config) { c.Workspace = "a\u202eb" },
		`inboxes[0].settings.receive: "listener" is not allowed: needs an address in email.listen`: func(c *config.Config) {
			c.Inboxes = []config.Inbox{{ID: "a", Channel: "email", Settings: map[string]string{"receive": "listener"}}}
		},
	} {
		c := config.Defaults()
		change(&c)
		err := c.Validate([]string{"all", "email"}, map[string]func(map[string]string) error{"email": nil})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
			continue
		}
		if lines := strings.Split(err.Error(), "\n"); len(lines) != 1 || len(lines[0]) > 200 {
			t.Errorf("one complaint was wanted: %v", err)
		}
	}
	c := config.Defaults()
	c.Target = []string{"nope"}
	if err := c.Validate([]string{"all", "email"}, nil); err == nil || strings.Contains(err.Error(), "nats") {
		t.Errorf("an unknown target: %v", err)
	}
	good := config.Defaults()
	good.PublicURL, good.Trace.OTLP, good.NATS.URL, good.Mongo.URI = "https://hub.example", "http://h:4318/base", "nats://u:p@a:4222,tls://b:4222,c:4222", "mongodb+srv://u:p@h/x"
	good.Listen, good.OpsListen, good.Email.Listen = "127.0.0.1:0", "127.0.0.1:0", listen("/run/a.sock", "127.0.0.1:2525", "127.0.0.2:2525")
	good.Workspace = "Ünïcode 👩‍🚀 שלום"
	if err := good.Validate([]string{"all"}, nil); err != nil {
		t.Errorf("refused what is right: %v", err)
	}
}

// One typing error hides no other, and each problem says where it is.
func TestEverythingThatIsWrongIsSaidWithItsPath(t *testing.T) {
	t.Parallel()
	channels := map[string]func(map[string]string) error{"sms": func(map[string]string) error {
		return errors.Join(errors.New("account: is missing"), errors.New("api_key: is missing"))
	}}
	const file = `lisen: x
demo: maybe
nats: {ulr: y}
email: {listen: [{protocol: ftp}]}
inboxes: [{id: a, channel: sms}, {id: b, channel: sms, nam: z}]
`
	c, err := config.Load(write(t, file), []string{"WEFTLINE_LISTN=1"}, nil)
	if _, rest := errors.AsType[*config.LeftOutError](err); !rest {
		t.Fatalf("error = %v", err)
	}
	got := errors.Join(err, c.Validate([]string{"all"}, channels)).Error()
	for _, want := range []string{
		"\nlisen: unknown key", "\nnats.ulr: unknown key", ": inboxes[1].nam: unknown key", "\nenvironment WEFTLINE_LISTN: unknown variable", "\ndemo: ",
		"\nemail.listen[0]: protocol: ", "\nemail.listen[0]: address: ",
		"\ninboxes[0].settings: account: ", "\ninboxes[0].settings: api_key: ", "\ninboxes[1].settings: api_key: ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said:\n%s", want, got)
		}
	}
	_, err = config.Load(write(t, "lisen: x\nlog: loud\n"), nil, nil)
	if err == nil || !strings.Contains(err.Error(), "lisen: unknown") || !strings.Contains(err.Error(), "log: keys below it") {
		t.Errorf("error = %v", err)
	}
}
