package sms

import (
	"context"
	"crypto/tls"
	"maps"
	"time"

	"github.com/weftline/weftline/services/internal/hosted"
)

// AdmitTwilio checks a request whose token has not the length that settings ask for.
func AdmitTwilio(settings map[string]string, r *hosted.Request) error {
	c, _ := readConfig(settings)
	return twilio{}.admit(c, r)
}

// Admit checks a request to an inbox.
func Admit(settings map[string]string, r *hosted.Request) error {
	withNumber := map[string]string{keyNumber: "+15005550006"}
	maps.Copy(withNumber, settings)
	c, err := readConfig(withNumber)
	if err != nil {
		return err
	}
	return providers[c.provider].admit(c, r)
}

// Quick makes links to SMSCs that ended come back at once, and trusts a test's certificate.
func (a *Adapter) Quick(roots *tls.Config) { a.retry, a.roots = 10*time.Millisecond, roots }

// Sweep looks through parts as the link does every minute.
func (a *Adapter) Sweep(ctx context.Context, inbox string) error {
	return a.links.get(inbox).sweep(ctx)
}
