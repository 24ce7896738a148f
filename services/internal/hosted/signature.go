package hosted

import (
	"crypto/hmac"
	"fmt"
	"hash"
	"strings"
	"time"
)

// Secrets are the ones that are live: one, or two while a new one replaces the
// old. They are written on lines of their own, or separated by spaces.
func Secrets(setting string) []string { return strings.Fields(setting) }

// Signed says whether one of the secrets makes mac of message, in constant
// time for each. Without a secret nothing is signed.
func Signed(h func() hash.Hash, secrets []string, message, mac []byte) bool {
	good := false
	for _, s := range secrets {
		m := hmac.New(h, []byte(s))
		m.Write(message)
		// No early end: which secret matched is nobody's business.
		good = hmac.Equal(m.Sum(nil), mac) || good
	}
	return good
}

// Matches says whether got is one of the secrets, in constant time for each.
func Matches(secrets []string, got string) bool {
	good := false
	for _, s := range secrets {
		good = hmac.Equal([]byte(s), []byte(got)) || good
	}
	return good
}

// Window is how far a signed time may be from ours: long enough for a slow
// delivery and a clock that is wrong, short enough that a copied request is of little use.
const Window = 5 * time.Minute

// Fresh refuses what was signed more than Window ago or ahead.
func Fresh(signed, now time.Time) error {
	if d := now.Sub(signed); d > Window || d < -Window {
		return fmt.Errorf("%w: signed %s from now, at most %s is allowed", ErrRefused, d.Round(time.Second), Window)
	}
	return nil
}
