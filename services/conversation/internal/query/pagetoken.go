package query

import (
	"encoding/base64"
	"strings"
)

// A pageOf names a list: what is listed, of whom and by which filters.
type pageOf []string

// markLength is how much of a hash binds a token to its list: enough against
// mistakes, which it is for.
const markLength = 12

// pageToken holds the key that a page ended at, and for which list. It is opaque, not
// secret: a forged one finds another place in the same list, nothing else.
func (r *Reader) pageToken(of pageOf, key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(r.mark(of) + key))
}

func (r *Reader) mark(of pageOf) string { return r.keys.Hash("page", of...)[:markLength] }

// parsePageToken reads one of the same list; "" is its beginning.
func (r *Reader) parsePageToken(of pageOf, token string) (string, error) {
	if token == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	key, ours := strings.CutPrefix(string(b), r.mark(of))
	if err != nil || !ours || len(token) > 512 {
		return "", &FieldError{"page_token", "is not one of ours"}
	}
	return key, nil
}

// PageToken and ParsePageToken are for lists that are read elsewhere.
func (r *Reader) PageToken(list, key string) string { return r.pageToken(pageOf{list}, key) }

// ParsePageToken reads one of the list; "" is its beginning.
func (r *Reader) ParsePageToken(list, token string) (string, error) {
	return r.parsePageToken(pageOf{list}, token)
}
