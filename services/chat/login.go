package chat

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
)

// jwtKey verifies logins. The algorithm belongs to the key, never to the token.
type jwtKey struct {
	alg string
	key any
}

// login is what a host's page proved about its visitor.
type login struct {
	Sub   string
	Email string
	// Verified: the host says it has proven that the visitor receives mail at Email (OpenID Connect's email_verified).
	Verified bool
	Name     string
	Kid      string
	Expires  time.Time
}

const (
	maxJWT      = 8 << 10
	maxLoginAge = time.Hour
	loginLeeway = 30 * time.Second
)

var (
	errLogin        = errors.New("login not valid")
	errLoginExpired = errors.New("login expired")
	kidForm         = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// parseKeys reads "kid:alg:secret" lines; a PEM block may take the place of the secret.
func parseKeys(s string) (map[string]jwtKey, error) {
	keys := map[string]jwtKey{}
	lines := strings.Split(strings.ReplaceAll(s, `\n`, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		if line == "" {
			continue
		}
		f := strings.SplitN(line, ":", 3)
		if len(f) != 3 || !kidForm.MatchString(f[0]) {
			return nil, fmt.Errorf("entry %d is not of the form kid:alg:secret", len(keys)+1)
		}
		kid, alg, secret := f[0], f[1], f[2]
		if strings.HasPrefix(secret, "-----BEGIN") {
			for !strings.Contains(lines[i], "-----END") {
				if i++; i == len(lines) {
					return nil, fmt.Errorf("key %s: PEM block has no end", kid)
				}
				secret += "\n" + strings.TrimSpace(lines[i])
			}
		}
		if _, twice := keys[kid]; twice {
			return nil, fmt.Errorf("key %s is there twice", kid)
		}
		key, err := readKey(alg, secret)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", kid, err)
		}
		keys[kid] = jwtKey{alg: alg, key: key}
	}
	return keys, nil
}

func readKey(alg, secret string) (any, error) {
	switch alg {
	case "HS256":
		// A public key taken as a shared secret is the classic confusion; refuse it here already.
		if strings.Contains(secret, "-----BEGIN") {
			return nil, errors.New("HS256 takes a secret, not a PEM key")
		}
		if len(secret) < 32 {
			return nil, fmt.Errorf("secret has %d bytes, 32 are the least", len(secret))
		}
		return []byte(secret), nil
	case "EdDSA":
		k, err := jwt.ParseEdPublicKeyFromPEM([]byte(secret))
		if err != nil {
			return nil, fmt.Errorf("read Ed25519 public key: %w", err)
		}
		if pub, ok := k.(ed25519.PublicKey); ok {
			return pub, nil
		}
		return nil, errors.New("not an Ed25519 public key")
	case "ES256":
		k, err := jwt.ParseECPublicKeyFromPEM([]byte(secret))
		if err != nil {
			return nil, fmt.Errorf("read P-256 public key: %w", err)
		}
		return k, checkCurve(k)
	}
	return nil, fmt.Errorf("algorithm %q is not one of HS256, EdDSA, ES256", alg)
}

func checkCurve(k *ecdsa.PublicKey) error {
	if k.Curve != elliptic.P256() {
		return errors.New("ES256 needs a P-256 key")
	}
	return nil
}

type claims struct {
	jwt.RegisteredClaims
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
	Name          string `json:"name"`
}

// verifyLogin checks a token for one inbox: key by kid, the key's own
// algorithm, aud the inbox, sub and iat present, exp in the future and at most
// an hour after iat. Headers such as jku, jwk and x5u are never looked at.
func verifyLogin(c *config, token string, now time.Time) (*login, error) {
	if token == "" || len(token) > maxJWT {
		return nil, errLogin
	}
	var cl claims
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"HS256", "EdDSA", "ES256"}),
		jwt.WithAudience(c.ID), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithLeeway(loginLeeway), jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return now }),
	)
	t, err := parser.ParseWithClaims(token, &cl, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		k, ok := c.Keys[kid]
		if !ok || t.Method.Alg() != k.alg {
			return nil, errLogin
		}
		return k.key, nil
	})
	switch {
	case errors.Is(err, jwt.ErrTokenExpired) && !errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return nil, errLoginExpired
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errLogin, err)
	}
	if cl.IssuedAt == nil || cl.ExpiresAt.Sub(cl.IssuedAt.Time) > maxLoginAge {
		return nil, fmt.Errorf("%w: exp must be at most an hour after iat", errLogin)
	}
	if !cleanClaim(cl.Subject, 255) {
		return nil, fmt.Errorf("%w: sub must be 1 to 255 printable characters", errLogin)
	}
	l := &login{Sub: cl.Subject, Kid: t.Header["kid"].(string), Expires: cl.ExpiresAt.Time}
	if cleanClaim(cl.Name, 120) {
		l.Name = cl.Name
	}
	if validEmail(cl.Email) {
		l.Email, l.Verified = cl.Email, cl.EmailVerified
	}
	return l, nil
}

func cleanClaim(s string, max int) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= max && s == strings.TrimSpace(s) &&
		strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) < 0
}
