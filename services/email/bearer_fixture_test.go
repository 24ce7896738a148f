package email_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-sasl"
)

// endpoint is our fake of a token endpoint (RFC 6749 §5, §6): it rotates its
// refresh token at every use and takes each only once.
type endpoint struct {
	srv    *httptest.Server
	expiry int // seconds

	mu      sync.Mutex
	refresh string // the one it takes now
	valid   map[string]bool
	calls   int
	grants  []string // grant types asked for
	scopes  []string
	basic   bool                                          // the secret came in the header
	fault   func(call int, w http.ResponseWriter) bool    // true: it has answered
	hold    func(call int, r *http.Request)               // before it answers
	extra   func(call int, answer map[string]interface{}) // changes a good answer
}

const clientSecret = "client & secret"

func newEndpoint(t testing.TB) *endpoint {
	t.Helper()
	e := &endpoint{expiry: 3600, refresh: "refresh-0", valid: map[string]bool{}}
	e.srv = httptest.NewServer(http.HandlerFunc(e.serve))
	t.Cleanup(e.srv.Close)
	return e
}

func (e *endpoint) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		http.Error(w, "post a form", http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	e.calls++
	call, hold, fault, extra := e.calls, e.hold, e.fault, e.extra
	e.mu.Unlock()
	if hold != nil {
		hold(call, r)
	}
	w.Header().Set("Content-Type", "application/json")
	if fault != nil && fault(call, w) {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	} else if secret == "client+%26+secret" { // RFC 6749 §2.3.1: form-encoded first
		secret = clientSecret
	}
	e.basic = basic
	e.grants = append(e.grants, r.PostForm.Get("grant_type"))
	e.scopes = append(e.scopes, r.PostForm.Get("scope"))
	refuse := func(code string) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":%q,"error_description":"Token of ada@example.org is no longer valid: %s"}`, code, r.PostForm.Get("refresh_token"))
	}
	switch {
	case id != "hub" || secret != clientSecret:
		refuse("invalid_client")
		return
	case r.PostForm.Get("grant_type") == "client_credentials":
	case r.PostForm.Get("grant_type") != "refresh_token" || r.PostForm.Get("refresh_token") != e.refresh:
		refuse("invalid_grant")
		return
	}
	access := fmt.Sprintf("access-%d", call)
	e.valid[access] = true
	answer := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": e.expiry}
	if r.PostForm.Get("grant_type") == "refresh_token" {
		e.refresh = fmt.Sprintf("refresh-%d", call)
		answer["refresh_token"] = e.refresh
	}
	if extra != nil {
		extra(call, answer)
	}
	json.NewEncoder(w).Encode(answer) //nolint:errcheck // to a test
}

func (e *endpoint) asked() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls
}

func (e *endpoint) set(fn func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	fn()
}

// settings of an inbox that gets its tokens here.
func (e *endpoint) settings() map[string]string {
	return map[string]string{
		"auth": "oauth2", "oauth_provider": "own", "oauth_token_url": e.srv.URL + "/token", "oauth_client_id": "hub", "oauth_client_secret": clientSecret,
		"oauth_refresh_token": "refresh-0", "oauth_scope": "mail offline", "imap_username": "", "imap_password": "",
	}
}

// bearerRule lets in whoever has a token the endpoint gave, as RFC 7628 and
// Google's description of XOAUTH2 have it.
type bearerRule struct {
	endpoint *endpoint
	mechs    []string
}

func (b *bearerRule) takes(user, token string) bool {
	b.endpoint.mu.Lock()
	defer b.endpoint.mu.Unlock()
	return user == ownAddress && b.endpoint.valid[token]
}

func (b *bearerRule) server(mech string, refused error, in func() error) (sasl.Server, error) {
	switch mech {
	case sasl.OAuthBearer:
		var failed error
		s := sasl.NewOAuthBearerServer(func(o sasl.OAuthBearerOptions) *sasl.OAuthBearerError {
			if !b.takes(o.Username, o.Token) || o.Host == "" || o.Port == 0 {
				return &sasl.OAuthBearerError{Status: "invalid_token", Schemes: "bearer"}
			}
			failed = in()
			return nil
		})
		return saslFunc(func(response []byte) ([]byte, bool, error) {
			challenge, done, err := s.Next(response)
			if err != nil {
				err = refused
			}
			return challenge, done, errors.Join(failed, err)
		}), nil
	case "XOAUTH2":
		said := false
		return saslFunc(func(response []byte) ([]byte, bool, error) {
			if response == nil {
				return []byte{}, false, nil
			}
			if said {
				return nil, true, refused
			}
			user, rest, ok := strings.Cut(strings.TrimPrefix(string(response), "user="), "\x01auth=Bearer ")
			token, ok2 := strings.CutSuffix(rest, "\x01\x01")
			if bytes.HasPrefix(response, []byte("user=")) && ok && ok2 && b.takes(user, token) {
				return nil, true, in()
			}
			said = true
			return []byte(`{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`), false, nil
		}), nil
	}
	return nil, refused
}

type saslFunc func([]byte) ([]byte, bool, error)

func (f saslFunc) Next(response []byte) ([]byte, bool, error) { return f(response) }

// bearerSession is an IMAP session that takes access tokens and no passwords.
type bearerSession struct {
	*officeSession
	rule *bearerRule
}

func (s *bearerSession) Login(string, string) error { return imapserver.ErrAuthFailed }

func (s *bearerSession) AuthenticateMechanisms() []string { return s.rule.mechs }

func (s *bearerSession) Authenticate(mech string) (sasl.Server, error) {
	return s.rule.server(mech, imapserver.ErrAuthFailed, func() error {
		s.office.mu.Lock()
		s.office.mechs = append(s.office.mechs, mech)
		s.office.mu.Unlock()
		return s.officeSession.Login("support", "secret")
	})
}
