package inbox_test

import (
	"errors"
	"log/slog"
	"maps"
	"testing"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/inbox"
)

// TestStoredSecretsStayWithTheirHost: whoever changes where an inbox connects to
// must know the secrets that go there; the others stay.
func TestStoredSecretsStayWithTheirHost(t *testing.T) {
	t.Parallel()
	kind := inbox.Channel{Name: "mail", Settings: []inbox.Setting{
		{Key: "imap_host"},
		{Key: "imap_port", Default: "993"},
		{Key: "imap_tls", Default: "implicit"},
		{Key: "imap_password", Secret: true},
		{Key: "smtp_host"},
		{Key: "smtp_password", Secret: true},
		{Key: "auth", Default: "password"},
		{Key: "refresh_token", Secret: true, When: inbox.When{Key: "auth", Is: []string{"oauth2"}}},
		{Key: "signing_key", Secret: true, Stays: true},
		{Key: "folder"},
	}}
	stored := map[string]string{
		"imap_host": "mail.shop.test", "imap_password": "one", "smtp_host": "mail.shop.test", "smtp_password": "two", "auth": "oauth2", "refresh_token": "three", "signing_key": "four",
	}
	for name, c := range map[string]struct {
		set   map[string]string
		wrong string // the secret that must be entered again
		lacks string // the one that is gone
	}{
		"another folder":                      {set: map[string]string{"folder": "Sales"}},
		"the default, spelt out":              {set: map[string]string{"imap_port": "993", "imap_tls": "implicit"}},
		"another host to read from":           {set: map[string]string{"imap_host": "evil.test"}, wrong: "imap_password"},
		"another port":                        {set: map[string]string{"imap_port": "1143"}, wrong: "imap_password"},
		"in clear":                            {set: map[string]string{"imap_tls": "none"}, wrong: "imap_password"},
		"another host to send by":             {set: map[string]string{"smtp_host": "evil.test"}, wrong: "smtp_password"},
		"a token goes to both":                {set: map[string]string{"imap_host": "evil.test", "imap_password": "mine"}, wrong: "refresh_token"},
		"all that go there are entered":       {set: map[string]string{"imap_host": "new.test", "imap_password": "mine", "refresh_token": "mine, too"}},
		"what is used no more is not kept":    {set: map[string]string{"imap_host": "new.test", "imap_password": "mine", "auth": "password"}, lacks: "refresh_token"},
		"what is used no more may stay there": {set: map[string]string{"auth": "password"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := inbox.NewBook(t.Context(), store(t), crypt.NewMemory(), []inbox.Channel{kind}, nil, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Save(t.Context(), inbox.Inbox{ID: "a", Channel: "mail", Name: "A", Settings: stored}); err != nil {
				t.Fatal(err)
			}
			given := map[string]string{"imap_host": "mail.shop.test", "smtp_host": "mail.shop.test", "auth": "oauth2"}
			maps.Copy(given, c.set)
			_, err = b.Save(t.Context(), inbox.Inbox{ID: "a", Channel: "mail", Name: "A", Settings: given})
			refused, _ := errors.AsType[*inbox.SecretError](err)
			if c.wrong != "" {
				if refused == nil || refused.Key != c.wrong {
					t.Fatalf("got %v, want %s to be asked for", err, c.wrong)
				}
				if in, _ := b.Get("a"); in.Settings["imap_host"] != "mail.shop.test" || in.Settings["imap_tls"] != "implicit" {
					t.Errorf("it was saved all the same: %v", in.Settings)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			in, _ := b.Get("a")
			for _, s := range kind.Settings {
				want := given[s.Key]
				if s.Secret && want == "" && s.Key != c.lacks {
					want = stored[s.Key]
				}
				if s.Secret && in.Settings[s.Key] != want {
					t.Errorf("%s is %q, want %q", s.Key, in.Settings[s.Key], want)
				}
			}
		})
	}
}
