package hosted

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/weftline/weftline/pkg/channel"
)

// Whole is a request as one input, named by its bytes: for one that cannot be
// taken apart, and for providers without ids.
func Whole(r *Request) channel.Raw {
	return channel.Raw{ProviderID: Name(r.Body), ContentType: r.Header.Get("Content-Type"), Body: r.Body}
}

// Name is an id made of bytes.
func Name(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256-" + base64.RawURLEncoding.EncodeToString(sum[:18])
}
