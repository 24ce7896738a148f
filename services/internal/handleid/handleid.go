// Package handleid names handles: a keyed hash of kind, scope and normalised
// address. It is the only thing of an address that appears in subjects, ids
// and logs.
//
//	email   NFC, lower case, domain by IDNA; dots and plus tags stay
//	phone   E.164, one form for the several of Brazil, Argentina and Mexico
//	matrix  the server's name in lower case; the user's stays, since old ones differ by case
//	others  trimmed; they mean something only in their scope, the account they came through
//
// Ids are in subjects and events for ever: what is normal today must stay so.
package handleid

import (
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Kinds of addresses that are the same everywhere.
const (
	kindEmail  = "email"
	kindPhone  = "phone"
	kindMatrix = "matrix"
)

// Hasher is the part of the keyring that is needed.
type Hasher interface {
	Hash(purpose string, parts ...string) string
}

// Normaliser compares addresses. The zero value knows no region: of phone
// numbers it reads those that begin with +.
type Normaliser struct {
	// Region is where a number without a country code is dialled: ISO 3166-1
	// alpha-2. It is that of the number that was called: RegionOf.
	Region string
}

// Of is the id of the handle that a is. Phone numbers must be international: an
// adapter brings them there with the Normaliser of its inbox.
func Of(k Hasher, a channel.Address) string { return Normaliser{}.Of(k, a) }

// Of is the id of the handle that a is.
func (n Normaliser) Of(k Hasher, a channel.Address) string {
	return k.Hash("handle", a.Kind, a.Scope, n.Normalise(a.Kind, a.Address))
}

// Normalise brings an address to the form that is compared, without a region.
func Normalise(kind, address string) string { return Normaliser{}.Normalise(kind, address) }

// Normalise brings an address to the form that is compared. Doing it twice does
// nothing more (but to a domain with several dots at its end, which is none). Email: NFC, lower case, domain to ASCII (IDNA 2008, RFC 5891);
// neither dots nor plus tags are folded, because whether they are the same
// mailbox is the provider's secret. Phone: see phone. Matrix: the server's name is lower case. Others are trimmed only.
func (n Normaliser) Normalise(kind, address string) string {
	s := strings.TrimSpace(norm.NFC.String(address))
	switch kind {
	case kindEmail:
		return email(s)
	case kindPhone:
		return n.phone(s)
	case kindMatrix:
		return matrix(s)
	}
	return s
}

func email(s string) string {
	s = strings.ToLower(s)
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return s
	}
	if d, err := idna.Lookup.ToASCII(strings.TrimSuffix(s[at+1:], ".")); err == nil {
		return s[:at+1] + d
	}
	return s
}

// matrix is a user id, "@local:server" (Matrix, appendices, "User Identifiers").
func matrix(s string) string {
	if at := strings.IndexByte(s, ':'); at > 0 && s[0] == '@' {
		return s[:at] + strings.Map(func(r rune) rune { // a server's name is ASCII
			if 'A' <= r && r <= 'Z' {
				return r + 'a' - 'A'
			}
			return r
		}, s[at:])
	}
	return s
}

// Scoped says whether addresses of a kind mean something only within a scope,
// the inbox or account they came through: all but email, phone and Matrix ids. Two pages
// of one network know a person by two ids, and one id may be two persons.
func Scoped(kind string) bool { return kind != kindEmail && kind != kindPhone && kind != kindMatrix }
