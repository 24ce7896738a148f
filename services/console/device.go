package console

import (
	"net/http"
	"strings"
	"time"
)

// A device that an agent has logged in with before carries a cookie that says so: guesses
// of others, from his own network or from everywhere, then do not lock him out. It is
// signed, for one agent and his present password, lets nobody in and has bounds of its own.

// deviceAge is how long a device is remembered.
const deviceAge = 365 * 24 * time.Hour

func (c *Console) deviceCookie() string {
	if c.tls() {
		return "__Host-weftline-device"
	}
	return "weftline_device"
}

// rememberDevice is the cookie to set after a right password.
func (c *Console) rememberDevice(a agentDoc) *http.Cookie {
	nonce := secret()
	return &http.Cookie{
		Name: c.deviceCookie(), Value: nonce + "." + c.deviceMark(nonce, a), Path: "/", HttpOnly: true, Secure: c.tls(),
		SameSite: http.SameSiteLaxMode, MaxAge: int(deviceAge / time.Second),
	}
}

func (c *Console) deviceMark(nonce string, a agentDoc) string {
	return c.deps.Keys.Hash("console-device", nonce, a.ID, a.Password)
}

// device is what a device that the agent has used before is called, else "".
// For an unknown agent it does the same work.
func (c *Console) device(r *http.Request, a agentDoc) string {
	ck, err := r.Cookie(c.deviceCookie())
	if err != nil || len(ck.Value) > 200 {
		return ""
	}
	nonce, mark, _ := strings.Cut(ck.Value, ".")
	if right := equal(mark, c.deviceMark(nonce, a)); !right || a.ID == "" {
		return ""
	}
	return nonce
}
