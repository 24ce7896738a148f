package hosted

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weftline/weftline/services/internal/inbox"
)

// Settings read an inbox's settings and gather everything that is wrong with
// them, so that whoever wrote them mends them at once.
type Settings struct {
	values map[string]string
	known  []inbox.Setting
	errs   []error
}

// Read begins. Defaults are those of known.
func Read(values map[string]string, known []inbox.Setting) *Settings {
	return &Settings{values: values, known: known}
}

// Text is a value without white space around it, or its default. It is at most 4,000 characters.
func (s *Settings) Text(key string) string {
	i := slices.IndexFunc(s.known, func(k inbox.Setting) bool { return k.Key == key })
	if i < 0 {
		panic("setting " + key + " is not declared") // a programming error
	}
	k, v := s.known[i], strings.TrimSpace(s.values[key])
	switch {
	case v == "":
		v = k.Default
		if v == "" && k.Required {
			s.Wrong(key, "is missing")
		}
	case utf8.RuneCountInString(v) > 4000:
		s.Wrong(key, "is longer than 4000 characters")
	case k.Values != nil && !slices.Contains(k.Values, v):
		s.Wrong(key, fmt.Sprintf("%q is not one of %s", v, strings.Join(k.Values, ", ")))
	}
	return v
}

// On is a setting of the values on and off.
func (s *Settings) On(key string) bool { return s.Text(key) == "on" }

// Secrets are one or two live secrets of at least so many bytes.
func (s *Settings) Secrets(key string, least int) []string {
	secrets := Secrets(s.Text(key))
	if len(secrets) > 2 {
		s.Wrong(key, fmt.Sprintf("holds %d secrets, at most 2 are live at once", len(secrets)))
	}
	for _, v := range secrets {
		if len(v) < least {
			s.Wrong(key, fmt.Sprintf("a secret has %d characters, %d are the least", len(v), least))
		}
	}
	return secrets
}

// URL is an http or https address without a query, without its trailing slash.
func (s *Settings) URL(key string) string {
	v := s.Text(key)
	if v == "" {
		return ""
	}
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		s.Wrong(key, fmt.Sprintf("%q is not an address such as https://api.example.org", v))
		return ""
	}
	return strings.TrimSuffix(v, "/")
}

// Wrong adds something that is wrong with a key.
func (s *Settings) Wrong(key, what string) { s.errs = append(s.errs, fmt.Errorf("%s: %s", key, what)) }

// Err is everything that is wrong.
func (s *Settings) Err() error { return errors.Join(s.errs...) }
