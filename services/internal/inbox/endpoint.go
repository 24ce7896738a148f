package inbox

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Moved guards a stored secret: it goes to the hosts it was entered for alone,
// never to one that somebody has just typed in, who may not know it. The setting
// by which what it opens would be reached elsewhere; "": it would not.
//
// A password is for the endpoints that share its prefix where there are some,
// such as imap_password; everything else is for all of them.
func (c Channel) Moved(secret Setting, now, stored map[string]string) string {
	if secret.Stays {
		return ""
	}
	prefix, _ := strings.CutSuffix(secret.Key, "password")
	if prefix == secret.Key || !slices.ContainsFunc(c.Settings, func(s Setting) bool { return endpoint(s) && strings.HasPrefix(s.Key, prefix) }) {
		prefix = ""
	}
	for _, s := range c.Settings {
		if endpoint(s) && strings.HasPrefix(s.Key, prefix) && cmp.Or(now[s.Key], s.Default) != cmp.Or(stored[s.Key], s.Default) {
			return s.Key
		}
	}
	return ""
}

// endpoint says whether a setting is where a connection goes, or whether it is
// in clear, by the names that settings have.
func endpoint(s Setting) bool {
	return !s.Secret && slices.ContainsFunc([]string{"host", "url", "_address", "_port", "_tls", "_plaintext", "provider", "tenant", "homeserver", "instance"}, func(end string) bool {
		return strings.HasSuffix(s.Key, end)
	})
}

// SecretError refuses to keep a stored secret that would be sent elsewhere.
type SecretError struct{ Key, Moved string }

func (e *SecretError) Error() string {
	return fmt.Sprintf("%s: enter it again, since %s was changed: what is stored is sent nowhere but where it was entered for", e.Key, e.Moved)
}
