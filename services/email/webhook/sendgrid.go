package webhook

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/hosted"
)

// sendgrid: Inbound Parse with "POST the raw, full MIME message" posts it in the field email.
// The address carries a secret; with a security policy the request is signed as well.
type sendgrid struct{}

const (
	sendgridSignature = "X-Twilio-Email-Event-Webhook-Signature"
	sendgridTimestamp = "X-Twilio-Email-Event-Webhook-Timestamp"
)

func (sendgrid) early(c email.Webhook, r *http.Request) error {
	return secret(c.Secrets, r.BasicAuth, r.URL.Path)
}

func (sendgrid) admit(c email.Webhook, r *hosted.Request) error {
	u, err := url.Parse(r.URL)
	if err != nil {
		return fmt.Errorf("%w: address cannot be read", hosted.ErrRefused)
	}
	if err := secret(c.Secrets, (&http.Request{Header: r.Header}).BasicAuth, u.Path); err != nil {
		return err
	}
	if len(c.Keys) == 0 {
		return nil
	}
	at := r.Header.Get(sendgridTimestamp)
	sig, err := base64.StdEncoding.DecodeString(r.Header.Get(sendgridSignature))
	if err != nil || len(sig) == 0 {
		return fmt.Errorf("%w: it is not signed", hosted.ErrRefused)
	}
	sum := sha256.New()
	sum.Write([]byte(at))
	sum.Write(r.Body)
	good := false
	for _, k := range c.Keys {
		good = ecdsa.VerifyASN1(k, sum.Sum(nil), sig) || good
	}
	if !good {
		return fmt.Errorf("%w: signature is wrong", hosted.ErrRefused)
	}
	sec, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: timestamp cannot be read", hosted.ErrRefused)
	}
	return fresh(time.Unix(sec, 0), r.At)
}

func (sendgrid) split(r *hosted.Request) ([]found, error) {
	f, err := form(r)
	if err != nil {
		return nil, err
	}
	if f["email"] == "" {
		return nil, fmt.Errorf("%w: the field email is missing; switch on “POST the raw, full MIME message”", errNoMail)
	}
	var e struct {
		To   []string `json:"to"`
		From string   `json:"from"`
	}
	_ = json.Unmarshal([]byte(f["envelope"]), &e) // the mail is whole without it
	return []found{{mail: []byte(f["email"]), from: e.From, to: e.To, client: f["sender_ip"]}}, nil
}
