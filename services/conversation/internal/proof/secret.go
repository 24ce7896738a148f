package proof

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
)

// codeDigits of a code: with maxTries and the limits of sends a guess is right
// once in some 30,000 days of guessing at one address.
const codeDigits = 6

var codes = big.NewInt(1_000_000)

// newID is a challenge's id: 128 random bits. Who has it may try a code.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return idPrefix + hex.EncodeToString(b[:])
}

var b64 = base64.RawURLEncoding.Strict()

// newSecret is what must come back: six digits, all equally likely, or 128 random bits.
func newSecret(method string) string {
	if method == MethodLink {
		var b [16]byte
		rand.Read(b[:])
		return b64.EncodeToString(b[:])
	}
	n, err := rand.Int(rand.Reader, codes)
	if err != nil {
		panic(err) // its reader never fails
	}
	return fmt.Sprintf("%0*d", codeDigits, n)
}

// tidy brings what somebody typed to the form that is hashed; false: it can be
// no secret of the method, and never matches.
func tidy(method, typed string) (string, bool) {
	if len(typed) > 64 {
		return "", false
	}
	if method == MethodLink {
		b, err := b64.DecodeString(typed)
		return typed, err == nil && len(b) == 16
	}
	// People write codes in groups.
	typed = strings.NewReplacer(" ", "", "-", "", "\u00a0", "", "\u2009", "").Replace(strings.TrimSpace(typed))
	if len(typed) != codeDigits {
		return "", false
	}
	for _, r := range typed {
		if r < '0' || r > '9' {
			return "", false
		}
	}
	return typed, true
}

// hash binds a secret to its challenge and tenant.
func (s *Service) hash(tenant, id, method, secret string) string {
	return s.Keys.Hash("proof/secret", tenant, id, method, secret)
}

// equal compares in constant time; nothing equals the empty hash.
func equal(a, b string) bool {
	return a != "" && b != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// Token is what a link carries.
func token(id, secret string) string { return id + "." + secret }

// SplitToken takes a link's token apart; false: it is none.
func SplitToken(t string) (id, secret string, ok bool) {
	if len(t) > 200 {
		return "", "", false
	}
	id, secret, ok = strings.Cut(t, ".")
	return id, secret, ok && Is(id) && secret != ""
}
