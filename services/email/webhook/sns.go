package webhook

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/weftline/weftline/services/internal/hosted"
)

// Types of SNS messages.
const (
	typeNotification = "Notification"
	typeSubscribe    = "SubscriptionConfirmation"
	typeUnsubscribe  = "UnsubscribeConfirmation"
)

// sns is a message of Amazon's Simple Notification Service.
type sns struct {
	Type             string
	MessageId        string //nolint:revive // Amazon's name
	Token            string
	TopicArn         string
	Subject          string
	Message          string
	SubscribeURL     string
	Timestamp        string
	SignatureVersion string
	Signature        string
	SigningCertURL   string
}

func readSNS(body []byte) (sns, error) {
	var m sns
	if err := json.Unmarshal(body, &m); err != nil {
		return m, fmt.Errorf("%w: it is no message of SNS", hosted.ErrRefused)
	}
	return m, nil
}

// signed is what the signature covers.
func (m sns) signed() (string, bool) {
	var b strings.Builder
	add := func(name, v string) { b.WriteString(name + "\n" + v + "\n") }
	add("Message", m.Message)
	add("MessageId", m.MessageId)
	switch m.Type {
	case typeNotification:
		if m.Subject != "" {
			add("Subject", m.Subject)
		}
	case typeSubscribe, typeUnsubscribe:
		add("SubscribeURL", m.SubscribeURL)
	default:
		return "", false
	}
	add("Timestamp", m.Timestamp)
	if m.Type != typeNotification {
		add("Token", m.Token)
	}
	add("TopicArn", m.TopicArn)
	add("Type", m.Type)
	return b.String(), true
}

// snsHost are the hosts SNS signs and is confirmed at. Other hosts of Amazon are its customers'.
var snsHost = regexp.MustCompile(`^sns\.[a-z0-9-]{3,40}\.amazonaws\.com(\.cn)?$`)

func amazon(u *url.URL) bool {
	return u.Scheme == "https" && u.User == nil && u.Port() == "" && snsHost.MatchString(u.Host)
}

// certificates are those SNS signs with, by their address, which names one for ever.
type certificates struct {
	client *http.Client

	mu   sync.Mutex
	kept map[string]*x509.Certificate
}

const maxCertificates = 32

// verify says whether Amazon signed the message.
func (c *certificates) verify(ctx context.Context, m sns, now time.Time) error {
	u, err := url.Parse(m.SigningCertURL)
	if err != nil || !amazon(u) || u.RawQuery != "" || !strings.HasSuffix(u.Path, ".pem") {
		return fmt.Errorf("%w: SigningCertURL is not Amazon's", hosted.ErrRefused)
	}
	text, ok := m.signed()
	if !ok {
		return fmt.Errorf("%w: type %q is unknown", hosted.ErrRefused, clip(m.Type, 40))
	}
	sig, err := base64.StdEncoding.DecodeString(m.Signature)
	if err != nil {
		return fmt.Errorf("%w: signature cannot be read", hosted.ErrRefused)
	}
	algorithm := x509.SHA1WithRSA // version 1, Amazon's default
	switch m.SignatureVersion {
	case "1":
	case "2":
		algorithm = x509.SHA256WithRSA
	default:
		return fmt.Errorf("%w: signature version %q is unknown", hosted.ErrRefused, clip(m.SignatureVersion, 10))
	}
	cert, err := c.get(ctx, u.String())
	if err != nil {
		return err
	}
	if now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return fmt.Errorf("%w: the certificate is not valid now", hosted.ErrRefused)
	}
	if err := cert.CheckSignature(algorithm, []byte(text), sig); err != nil {
		return fmt.Errorf("%w: signature is wrong", hosted.ErrRefused)
	}
	return nil
}

func (c *certificates) get(ctx context.Context, address string) (*x509.Certificate, error) {
	c.mu.Lock()
	cert := c.kept[address]
	c.mu.Unlock()
	if cert != nil {
		return cert, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: SigningCertURL cannot be read", hosted.ErrRefused)
	}
	res, err := c.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: fetch Amazon's certificate: %w", hosted.ErrLater, hosted.Scrub(err))
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	switch {
	case err != nil || res.StatusCode >= 500:
		return nil, fmt.Errorf("%w: fetch Amazon's certificate: status %d", hosted.ErrLater, res.StatusCode)
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: there is no such certificate at Amazon", hosted.ErrRefused)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("%w: Amazon's certificate cannot be read", hosted.ErrRefused)
	}
	if cert, err = x509.ParseCertificate(block.Bytes); err != nil {
		return nil, fmt.Errorf("%w: Amazon's certificate cannot be read", hosted.ErrRefused)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) >= maxCertificates {
		c.kept = map[string]*x509.Certificate{}
	}
	c.kept[address] = cert
	return cert, nil
}
