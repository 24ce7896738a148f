package sms

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/weftline/weftline/services/internal/hosted"
)

// signedToken is a JWT in which Vonage and MessageBird say what they have sent.
type signedToken struct {
	jwt.RegisteredClaims
	PayloadHash string `json:"payload_hash"`
	URLHash     string `json:"url_hash"`
	APIKey      string `json:"api_key"`
}

// readToken checks a JWT's signature with the live secrets, and that it is of now.
func readToken(secrets []string, methods []string, token string, now time.Time) (claims signedToken, err error) {
	p := jwt.NewParser(jwt.WithValidMethods(methods), jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithLeeway(hosted.Window))
	err = fmt.Errorf("%w: no token", hosted.ErrRefused)
	for _, s := range secrets {
		var c signedToken
		_, bad := p.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return []byte(s), nil })
		if bad == nil {
			claims, err = c, nil
		} else if err != nil {
			err = fmt.Errorf("%w: the token does not fit", hosted.ErrRefused)
		}
	}
	if err != nil {
		return claims, err
	}
	switch {
	case claims.IssuedAt != nil:
		err = hosted.Fresh(claims.IssuedAt.Time, now)
	case claims.NotBefore != nil:
		err = hosted.Fresh(claims.NotBefore.Time, now)
	default:
		err = fmt.Errorf("%w: the token says no time", hosted.ErrRefused)
	}
	return claims, err
}

// hashed says whether a claim is the SHA-256 of what came, in hexadecimal.
func hashed(claim string, b []byte) bool {
	sum := sha256.Sum256(b)
	return hmac.Equal([]byte(strings.ToLower(claim)), []byte(hex.EncodeToString(sum[:])))
}
