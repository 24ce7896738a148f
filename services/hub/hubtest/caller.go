package hubtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"

	consolev1 "github.com/weftline/weftline/pkg/weftline/console/v1"
	identityv1 "github.com/weftline/weftline/pkg/weftline/identity/v1"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// own has connections of its own: httptest.Server.Close ends idle ones of the
// default transport, also those another test is about to write to.
var own = http.DefaultTransport.(*http.Transport).Clone()

// Client is for tests that call what a hub or a counterpart serves.
var Client = &http.Client{Transport: own}

// Caller calls the API of a hub.
type Caller struct {
	Token string       // API token; "" with an agent's session
	HTTP  *http.Client // its cookies are the session
}

// NewCaller calls with an API token.
func NewCaller(token string) *Caller {
	return &Caller{Token: token, HTTP: &http.Client{Transport: own}}
}

// Login makes a Caller with the session of an agent.
func Login(ctx context.Context, base, email, pass string) (*Caller, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	c := &Caller{HTTP: &http.Client{Transport: own, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	form := url.Values{"email": {email}, "password": {pass}}
	status, _, err := c.do(ctx, http.MethodPost, base+"/login", "application/x-www-form-urlencoded", []byte(form.Encode()))
	if err != nil {
		return nil, err
	}
	if status != http.StatusSeeOther {
		return nil, fmt.Errorf("log in as %s: status %d", email, status)
	}
	return c, nil
}

// CallError is an answer that is no success.
type CallError struct {
	Method string
	Status int
	Code   string // Connect's code
	Body   []byte
}

func (e *CallError) Error() string { return fmt.Sprintf("%s: %d %s", e.Method, e.Status, e.Body) }

// Call calls a method of InboxService, IdentityService or ConsoleService with JSON.
func (c *Caller) Call(ctx context.Context, base, method string, body []byte) ([]byte, error) {
	service := "weftline.inbox.v1.InboxService"
	if consolev1.File_weftline_console_v1_console_proto.Services().ByName("ConsoleService").Methods().ByName(protoreflect.Name(method)) != nil {
		service = "weftline.console.v1.ConsoleService"
	}
	if identityv1.File_weftline_identity_v1_identity_proto.Services().ByName("IdentityService").Methods().ByName(protoreflect.Name(method)) != nil {
		service = "weftline.identity.v1.IdentityService"
	}
	status, answer, err := c.do(ctx, http.MethodPost, base+"/"+service+"/"+method, "application/json", body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	if status != http.StatusOK {
		e := &CallError{Method: method, Status: status, Body: answer}
		var refused struct {
			Code string `json:"code"`
		}
		if json.Unmarshal(answer, &refused) == nil {
			e.Code = refused.Code
		}
		return answer, e
	}
	return answer, nil
}

// Get fetches a path.
func (c *Caller) Get(ctx context.Context, target string) (status int, body []byte, err error) {
	return c.do(ctx, http.MethodGet, target, "", nil)
}

// Post sends a body of a type.
func (c *Caller) Post(ctx context.Context, target, kind string, body []byte) (status int, answer []byte, err error) {
	return c.do(ctx, http.MethodPost, target, kind, body)
}

func (c *Caller) do(ctx context.Context, method, target, kind string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}
