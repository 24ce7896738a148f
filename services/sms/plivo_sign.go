package sms

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/weftline/weftline/services/internal/hosted"
)

// admit checks X-Plivo-Signature-V3: HMAC-SHA256 with the auth token over the
// address with its query sorted, the parameters sorted and strung together, and a
// nonce. It covers no time: an old request that comes again has the same ids. The header may
// hold several signatures while the token is replaced.
func (plivo) admit(c config, r *hosted.Request) error {
	v := url.Values{}
	if r.Method != http.MethodGet {
		var err error
		if v, err = url.ParseQuery(string(r.Body)); err != nil {
			return fmt.Errorf("%w: the body is not a form", hosted.ErrRefused)
		}
	}
	nonce := r.Header.Get("X-Plivo-Signature-V3-Nonce")
	if nonce == "" {
		return fmt.Errorf("%w: X-Plivo-Signature-V3-Nonce is missing", hosted.ErrRefused)
	}
	message, err := plivoSigned(r.URL, v)
	if err != nil {
		return fmt.Errorf("%w: the address is none", hosted.ErrRefused)
	}
	for one := range strings.SplitSeq(r.Header.Get("X-Plivo-Signature-V3"), ",") {
		mac, err := base64.StdEncoding.DecodeString(strings.TrimSpace(one))
		if err == nil && len(mac) > 0 && hosted.Signed(sha256.New, c.signing, []byte(message+"."+nonce), mac) {
			return nil
		}
	}
	return fmt.Errorf("%w: X-Plivo-Signature-V3 does not fit; public_url must be the address Plivo calls", hosted.ErrRefused)
}

func plivoSigned(address string, v url.Values) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	base := u.Scheme + "://" + u.Host + u.Path
	query := plivoString(u.Query(), "=", "&")
	if query != "" || len(v) > 0 {
		base += "?" + query
	}
	if query != "" && len(v) > 0 {
		base += "."
	}
	return base + plivoString(v, "", ""), nil
}

func plivoString(v url.Values, is, and string) string {
	var pairs []string
	keys := make([]string, 0, len(v))
	for k := range v {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		values := slices.Clone(v[k])
		slices.Sort(values)
		for _, one := range values {
			pairs = append(pairs, k+is+one)
		}
	}
	return strings.Join(pairs, and)
}
