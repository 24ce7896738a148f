package slack

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

const (
	headerSignature = "X-Slack-Signature"
	headerTime      = "X-Slack-Request-Timestamp"
)

// admit checks time and signature over the raw body ("Verifying requests from
// Slack"): v0= and the hex HMAC-SHA256 of v0:time:body under the signing secret.
// A request that Slack sends again is signed anew.
func (a *Adapter) admit(in inbox.Inbox, r *hosted.Request) error {
	c, err := readConfig(in.Settings)
	if err != nil {
		return fmt.Errorf("%w: the inbox's settings are wrong", hosted.ErrRefused)
	}
	return signed(c.secrets, r.Header, r.Body, r.At)
}

func signed(secrets []string, h http.Header, body []byte, now time.Time) error {
	stamp := h.Get(headerTime)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %s is not a number of seconds", hosted.ErrRefused, headerTime)
	}
	if err := hosted.Fresh(time.Unix(seconds, 0), now); err != nil {
		return err
	}
	given, ok := strings.CutPrefix(h.Get(headerSignature), "v0=")
	mac, err := hex.DecodeString(given)
	if !ok || err != nil || !hosted.Signed(sha256.New, secrets, append([]byte("v0:"+stamp+":"), body...), mac) {
		return fmt.Errorf("%w: %s does not fit", hosted.ErrRefused, headerSignature)
	}
	return nil
}
