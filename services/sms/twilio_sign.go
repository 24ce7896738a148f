package sms

import (
	"crypto/sha1" //nolint:gosec // Twilio signs with it; an HMAC is not harmed by SHA-1's collisions
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/weftline/weftline/services/internal/hosted"
)

// admit checks X-Twilio-Signature: HMAC-SHA1 with the auth token over the whole
// address and the parameters, sorted and strung together. It covers no time, so an
// old request can be sent again; its MessageSid makes it the same message.
func (twilio) admit(c config, r *hosted.Request) error {
	mac, err := base64.StdEncoding.DecodeString(r.Header.Get("X-Twilio-Signature"))
	if err != nil || len(mac) == 0 {
		return fmt.Errorf("%w: X-Twilio-Signature is missing or no base64", hosted.ErrRefused)
	}
	v, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return fmt.Errorf("%w: the body is not a form", hosted.ErrRefused)
	}
	tail := twilioParameters(v)
	for _, address := range withAndWithoutPort(r.URL) {
		if hosted.Signed(sha1.New, c.signing, []byte(address+tail), mac) {
			return nil
		}
	}
	return fmt.Errorf("%w: X-Twilio-Signature does not fit; public_url must be the address Twilio calls", hosted.ErrRefused)
}

func twilioParameters(v url.Values) string {
	var b strings.Builder
	keys := make([]string, 0, len(v))
	for k := range v {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		values := slices.Clone(v[k])
		slices.Sort(values)
		for _, one := range slices.Compact(values) {
			b.WriteString(k + one)
		}
	}
	return b.String()
}

// withAndWithoutPort: Twilio signs an address with its scheme's port in some cases
// and without it in others, which its own libraries try as well.
func withAndWithoutPort(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return []string{address}
	}
	port := map[string]string{"https": "443", "http": "80"}[u.Scheme]
	head, tail, ok := strings.Cut(address, u.Host)
	switch {
	case !ok || port == "":
		return []string{address}
	case u.Port() == "":
		return []string{address, head + u.Host + ":" + port + tail}
	}
	return []string{address, head + u.Hostname() + tail}
}
