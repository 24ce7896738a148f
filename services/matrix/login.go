package matrix

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

type loginAnswer struct {
	Token string `json:"access_token"`
	User  string `json:"user_id"`
}

// login opens a session ("Login", m.login.password). The same device again ends its former session.
func (a *Adapter) login(ctx context.Context, id string, c config, device string) (loginAnswer, error) {
	body := map[string]any{
		"type": "m.login.password", "password": c.password, "initial_device_display_name": "Weftline",
		"identifier": map[string]string{"type": "m.id.user", "user": c.user},
	}
	if device != "" {
		body["device_id"] = device
	}
	b, err := hosted.JSON(ctx, c.server+client+"/login", body)
	if err != nil {
		return loginAnswer{}, err
	}
	var v loginAnswer
	answer, err := a.caller.Do(id, b)
	switch {
	case err != nil:
		return v, fmt.Errorf("log in: %w", err)
	case answer.Status == http.StatusForbidden:
		return v, a.caller.Attention(id, "the homeserver refuses user or password")
	case !answer.OK():
		return v, a.caller.Attention(id, "log in: "+words(answer.Status, readError(answer.Body)))
	}
	if err := unmarshal(answer.Body, &v); err != nil || v.Token == "" || v.User == "" {
		return v, errors.New("log in: the homeserver's answer cannot be read")
	}
	return v, nil
}

// token is the inbox's: of its settings, or of a session that is opened and
// kept. refused names one that is known to be no good any more.
func (a *Adapter) token(ctx context.Context, id string, c config, refused string) (string, error) {
	if c.token != "" {
		return c.token, nil
	}
	acc := a.account(id)
	// One at a time: each login ends the session before.
	acc.entering.Lock()
	defer acc.entering.Unlock()
	who := sessionName(c)
	if s := acc.session; s.Who == who && s.Token != "" && s.Token != refused {
		return s.Token, nil
	}
	s, err := a.kept.session(ctx, id)
	if err != nil {
		return "", err
	}
	if s.Who != who || s.Token == "" || s.Token == refused {
		got, err := a.login(ctx, id, c, deviceOf(id))
		if err != nil {
			return "", err
		}
		s = session{Who: who, Token: got.Token}
		if err := a.kept.saveSession(ctx, id, s); err != nil {
			return "", err
		}
	}
	acc.session = s
	return s.Token, nil
}

// sessionName says for what a session was opened, without saying the password.
func sessionName(c config) string {
	sum := sha256.Sum256([]byte(c.server + "\x00" + c.user + "\x00" + c.password))
	return hex.EncodeToString(sum[:16])
}

// deviceOf is the device of an inbox: always the same, so that logging in again leaves no heap of devices.
func deviceOf(id string) string { return "WEFTLINE_" + id }

// me asks who the account is, once for each set of settings.
func (a *Adapter) me(ctx context.Context, id string, c config) (string, error) {
	acc, key := a.account(id), sessionName(c)+c.token
	acc.mu.Lock()
	user, of := acc.user, acc.userOf
	acc.mu.Unlock()
	if of == key {
		return user, nil
	}
	var who struct {
		User string `json:"user_id"`
	}
	if err := a.call(ctx, id, c, http.MethodGet, client+"/account/whoami", nil, &who); err != nil {
		return "", fmt.Errorf("ask who we are: %w", err)
	}
	if !isUser(who.User) {
		return "", errors.New("ask who we are: the homeserver's answer cannot be read")
	}
	acc.mu.Lock()
	defer acc.mu.Unlock()
	acc.user, acc.userOf = who.User, key
	return who.User, nil
}

// try is the live test of settings: who the account is.
func (a *Adapter) try(ctx context.Context, id string, c config) (string, error) {
	if c.token != "" {
		user, err := a.me(ctx, id, c)
		if refusedAs(err) {
			return "", fmt.Errorf("%w: %w", channel.ErrNeedsAttention, err)
		}
		return user, err
	}
	got, err := a.login(ctx, id, c, "")
	if err != nil {
		return "", err
	}
	if err := a.with(ctx, id, got.Token, http.MethodPost, c.server+client+"/logout", "application/json", []byte("{}"), nil); err != nil {
		return "", fmt.Errorf("log out again: %w", err)
	}
	return got.User, nil
}
