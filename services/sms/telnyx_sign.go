package sms

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strconv"
	"time"

	"github.com/weftline/weftline/services/internal/hosted"
)

func publicKey(s string) (ed25519.PublicKey, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("is not a public key of 32 bytes in base64 (%d characters given)", len(s))
	}
	return b, nil
}

// admit checks telnyx-signature-ed25519 over the time, a bar and the body.
func (telnyx) admit(c config, r *hosted.Request) error {
	stamp := r.Header.Get("Telnyx-Timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: telnyx-timestamp is missing or no number", hosted.ErrRefused)
	}
	sig, err := base64.StdEncoding.DecodeString(r.Header.Get("Telnyx-Signature-Ed25519"))
	if err != nil {
		return fmt.Errorf("%w: telnyx-signature-ed25519 is no base64", hosted.ErrRefused)
	}
	good := false
	for _, s := range c.signing {
		if key, err := publicKey(s); err == nil && ed25519.Verify(key, append([]byte(stamp+"|"), r.Body...), sig) {
			good = true
		}
	}
	if !good {
		return fmt.Errorf("%w: telnyx-signature-ed25519 does not fit", hosted.ErrRefused)
	}
	return hosted.Fresh(time.Unix(seconds, 0), r.At)
}
