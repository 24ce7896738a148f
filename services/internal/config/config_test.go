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
		"list":   {file: "inboxes: {a: b}\n", want: "a list of inboxes"},
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
		`target: "mail" is not allowed: one of all, email`, `log.level: "loud"`, "owner.password: at least 10 characters",
		`inboxes[0].id: "a b"`, `inboxes[0].channel: "fax" is not allowed: one of email`,
		"inboxes[1].settings: address: required", `inboxes[2].id: "x" is not allowed: each id once`,
		"nats.url: required when target is not all",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in:\n%v", want, err)
		}
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
