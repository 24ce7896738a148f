package hubtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-sasl"
)

// SignIn is our fake of a provider's sign-in service (RFC 6749 §6): a token
// endpoint that takes each refresh token once, and the servers' side of OAUTHBEARER.
type SignIn struct {
	srv *httptest.Server

	mu      sync.Mutex
	refresh string
	access  string
	count   int
}

// NewSignIn serves until Close. Its first refresh token is refresh.
func NewSignIn(refresh string) *SignIn {
	s := &SignIn{refresh: refresh}
	s.srv = httptest.NewServer(http.HandlerFunc(s.token))
	return s
}

// Close ends the endpoint.
func (s *SignIn) Close() { s.srv.Close() }

// Revoke makes everything given out worthless; refresh is what a new sign-in would give.
func (s *SignIn) Revoke(refresh string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh, s.access = refresh, ""
}

// Settings of an inbox that logs in here.
func (s *SignIn) Settings(refresh string) map[string]string {
	return map[string]string{
		"auth": "oauth2", "oauth_provider": "own", "oauth_token_url": s.srv.URL + "/token", "oauth_client_id": "hub", "oauth_refresh_token": refresh, "imap_password": "", "smtp_password": "",
	}
}

func (s *SignIn) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.PostFormValue("grant_type") != "refresh_token" || r.PostFormValue("refresh_token") != s.refresh {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_grant","error_description":"Token has been expired or revoked."}`)
		return
	}
	s.count++
	s.access, s.refresh = fmt.Sprint("access-", s.count), fmt.Sprint("refresh-", s.count)
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": s.access, "token_type": "Bearer", "expires_in": 3600, "refresh_token": s.refresh})
}

func (s *SignIn) server(in func() error) sasl.Server {
	return sasl.NewOAuthBearerServer(func(o sasl.OAuthBearerOptions) *sasl.OAuthBearerError {
		s.mu.Lock()
		defer s.mu.Unlock()
		if o.Username != Address || s.access == "" || o.Token != s.access || in() != nil {
			return &sasl.OAuthBearerError{Status: "invalid_token", Schemes: "bearer"}
		}
		return nil
	})
}

// signedIn is an IMAP session that takes access tokens only.
type signedIn struct {
	imapserver.SessionIMAP4rev2
	rule *SignIn
}

func (s *signedIn) Login(string, string) error { return imapserver.ErrAuthFailed }

func (s *signedIn) AuthenticateMechanisms() []string { return []string{sasl.OAuthBearer} }

func (s *signedIn) Authenticate(string) (sasl.Server, error) {
	return s.rule.server(func() error { return s.SessionIMAP4rev2.Login(Address, password) }), nil
}
