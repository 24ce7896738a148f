package email

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-sasl"
)

// errTokenRefused: a server does not take an access token. Another one may do.
var errTokenRefused = errors.New("access token refused")

const mechXOAuth2 = "XOAUTH2"

// bearerClient logs in with an access token by what the server offers: the
// standard (RFC 7628) before XOAUTH2, which Google and Microsoft had before
// it. false: it offers neither.
func bearerClient(offers func(mech string) bool, s server, port int, token string) (sasl.Client, bool) {
	switch {
	case offers(sasl.OAuthBearer):
		// Commas and equals signs of the name are written as in GS2 (RFC 5801 §4).
		user := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s.username)
		return sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: user, Token: token, Host: s.host, Port: port}), true
	case offers(mechXOAuth2):
		return xoauth2{s.username, token}, true
	}
	return nil, false
}

// xoauth2 is the client side of XOAUTH2. It has one message; a challenge can
// only be the reason of a refusal.
type xoauth2 struct{ user, token string }

func (x xoauth2) Start() (mech string, first []byte, err error) {
	return mechXOAuth2, []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

func (x xoauth2) Next(challenge []byte) ([]byte, error) { return nil, readRefusal(challenge) }

// refusal is the JSON with which a server says why it refuses a token, the
// same in XOAUTH2 and in RFC 7628 §3.2.2.
type refusal struct {
	Status string `json:"status"`
	Scope  string `json:"scope"`
}

func readRefusal(challenge []byte) error {
	var r refusal
	if err := json.Unmarshal(challenge, &r); err != nil || r.Status == "" {
		return fmt.Errorf("%w, without a reason", errTokenRefused)
	}
	if r.Scope != "" {
		return fmt.Errorf("%w: status %s, wants scope %s", errTokenRefused, clip(toLine(r.Status), 40), clip(toLine(r.Scope), 200))
	}
	return fmt.Errorf("%w: status %s", errTokenRefused, clip(toLine(r.Status), 40))
}

// refusedBearer tells a refused token in the error of a login that used one.
func refusedBearer(err error) error {
	var std *sasl.OAuthBearerError
	if errors.As(err, &std) {
		return fmt.Errorf("%w: status %s", errTokenRefused, clip(toLine(std.Status), 40))
	}
	return err
}
