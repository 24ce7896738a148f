package email

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"golang.org/x/oauth2"
)

// refusedError: the provider refuses a grant; asking again changes nothing.
type refusedError struct{ words string }

func (e *refusedError) Error() string { return e.words }

// refusedGrant is what operators are told.
func refusedGrant(words string) error {
	return fmt.Errorf("%w by the sign-in service: %s: %w", errAuth, words, channel.ErrNeedsAttention)
}

// ask calls the token endpoint once (RFC 6749 §5, §6).
func (g *grants) ask(ctx context.Context, o *oauth, refreshToken string) (*oauth2.Token, error) {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, g.client)
	tok, err := o.request(refreshToken).Token(ctx)
	if err != nil {
		return nil, endpointError(err, o, refreshToken)
	}
	if strings.ContainsFunc(tok.AccessToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the token endpoint gives an access token that cannot be one")
	}
	return tok, nil
}

// endpointError sorts what a token endpoint says: for a person, or for later.
// The answer's body is never repeated, and no secret out of its words.
func endpointError(err error, o *oauth, refreshToken string) error {
	var e *oauth2.RetrieveError
	if !errors.As(err, &e) {
		return fmt.Errorf("call the token endpoint: %w", err)
	}
	status := 0
	if e.Response != nil {
		status = e.Response.StatusCode
	}
	said := fmt.Sprintf("status %d", status)
	if e.ErrorCode != "" {
		said = e.ErrorCode
	}
	if e.ErrorDescription != "" {
		said += ": " + e.ErrorDescription
	}
	for _, secret := range []string{refreshToken, o.refreshToken, o.clientSecret} {
		if secret != "" {
			said = strings.ReplaceAll(said, secret, "…")
		}
	}
	said = clip(addressLike.ReplaceAllString(toLine(said), "…"), 300)
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		if n, perr := strconv.Atoi(e.Response.Header.Get("Retry-After")); perr == nil && n > 0 {
			return &channel.RetryAfterError{After: time.Duration(min(n, 3600)) * time.Second, Err: fmt.Errorf("the token endpoint says %s", said)}
		}
	}
	switch e.ErrorCode {
	case "temporarily_unavailable", "server_error", "slow_down":
		return fmt.Errorf("the token endpoint says %s", said)
	case "invalid_grant":
		said += ". The refresh token has ended or was revoked: sign in again and set a new one"
	case "invalid_client":
		said += ". Client id or secret are wrong, or the secret has ended"
	}
	switch {
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
		return fmt.Errorf("the token endpoint says %s", said)
	}
	return &refusedError{said}
}
