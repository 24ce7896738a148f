package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// Headers of Standard Webhooks 1.0.
const (
	headerID        = "webhook-id"
	headerTime      = "webhook-timestamp"
	headerSignature = "webhook-signature"
)

// admit checks id, time and signature over the raw body.
func (a *Adapter) admit(in inbox.Inbox, r *hosted.Request) error {
	c, err := readConfig(in.Settings)
	if err != nil {
		return fmt.Errorf("%w: the inbox's settings are wrong", hosted.ErrRefused)
	}
	id, stamp := r.Header.Get(headerID), r.Header.Get(headerTime)
	if id == "" || len(id) > 128 || strings.ContainsAny(id, ".\x00") {
		return fmt.Errorf("%w: %s must have 1 to 128 characters and no dot", hosted.ErrRefused, headerID)
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %s is not a number of seconds", hosted.ErrRefused, headerTime)
	}
	if err := hosted.Fresh(time.Unix(seconds, 0), r.At); err != nil {
		return err
	}
	good := false
	for field := range strings.FieldsSeq(r.Header.Get(headerSignature)) {
		version, mac, _ := strings.Cut(field, ",")
		b, err := base64.StdEncoding.DecodeString(mac)
		if version != "v1" || err != nil {
			continue // another version's
		}
		for _, s := range c.secrets {
			good = hmac.Equal(sign(s, id, stamp, r.Body), b) || good
		}
	}
	if !good {
		return fmt.Errorf("%w: %s does not fit", hosted.ErrRefused, headerSignature)
	}
	return nil
}

func sign(secret []byte, id, stamp string, body []byte) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(id + "." + stamp + "."))
	m.Write(body)
	return m.Sum(nil)
}

// seal signs a request of ours with the first secret.
func seal(r *http.Request, c config, id string, body []byte, now time.Time) {
	stamp := strconv.FormatInt(now.Unix(), 10)
	r.Header.Set(headerID, id)
	r.Header.Set(headerTime, stamp)
	r.Header.Set(headerSignature, "v1,"+base64.StdEncoding.EncodeToString(sign(c.secrets[0], id, stamp, body)))
}
