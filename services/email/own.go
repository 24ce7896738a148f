package email

import (
	"slices"
	"strings"

	"github.com/weftline/weftline/services/internal/handleid"
)

// ownList are the addresses of an inbox: the sender of answers first, then its
// aliases, then those it takes mail for in a shared mailbox. As written.
type ownList []string

func readOwn(settings map[string]string) ownList {
	return commas(settings["address"] + "," + settings["aliases"] + "," + settings["only_to"])
}

// Addresses are those whose mail arrives in an inbox with these settings.
// Owns knows their tagged forms too.
func Addresses(settings map[string]string) []string { return readOwn(settings) }

// Owns says whether what is sent to an address arrives in an inbox with these settings.
func Owns(settings map[string]string, address string) bool {
	_, ok := readOwn(settings).find(address)
	return ok
}

// find returns the address of ours that another is, or that it is a tagged
// form of (RFC 5233): support+sales@example.org is support@example.org.
func (o ownList) find(address string) (own string, ok bool) {
	want := handleid.Normalise("email", address)
	for _, form := range []string{want, untagged(want)} {
		i := slices.IndexFunc(o, func(a string) bool { return form != "" && handleid.Normalise("email", a) == form })
		if i >= 0 {
			return o[i], true
		}
	}
	return "", false
}

func (o ownList) has(address string) bool {
	_, ok := o.find(address)
	return ok
}

// untagged takes the tag out of a local part; "" when there is none. Quoted local parts have none.
func untagged(address string) string {
	at := strings.LastIndexByte(address, '@')
	plus := strings.IndexByte(address, '+')
	if plus <= 0 || plus > at || strings.HasPrefix(address, `"`) {
		return ""
	}
	return address[:plus] + address[at:]
}

// recipientFields name whom a mail is for: what its author wrote before where
// a server put it, which in a mailbox of several addresses is always the same one.
var recipientFields = []string{"to", "cc", "x-original-to", "delivered-to", "envelope-to"}

// writtenTo lists the addresses a mail is for, those it was written to first.
// Where the author named several, those a server delivered for come first of
// them. At most MaxAddresses are read.
func writtenTo(h header) []string {
	var named, delivered []string
	isNamed, left := map[string]bool{}, MaxAddresses
	for _, name := range recipientFields {
		for _, f := range h.all(name) {
			list, err := parseAddresses(f, left)
			if err != nil {
				continue // too many: whoever writes so is not sorted
			}
			left -= len(list)
			for _, a := range list {
				switch {
				case !a.valid():
				case name == "to" || name == "cc":
					named = append(named, a.addr)
					isNamed[handleid.Normalise("email", a.addr)] = true
				default:
					delivered = append(delivered, a.addr)
				}
			}
		}
	}
	var out []string
	seen := map[string]bool{}
	add := func(list []string, wanted func(key string) bool) {
		for _, a := range list {
			if key := handleid.Normalise("email", a); !seen[key] && wanted(key) {
				seen[key] = true
				out = append(out, a)
			}
		}
	}
	any := func(string) bool { return true }
	add(delivered, func(key string) bool { return isNamed[key] })
	add(named, any)
	add(delivered, any)
	return out
}

// answersFrom is the address that answers what was written to one of ours, and
// where further answers shall go when that is another: a tagged address stays
// in use, but servers that check the sender know only the address itself. What
// is not ours, or no more, is answered from the inbox's own.
func (c config) answersFrom(written string) (from, replyTo string) {
	own := ownList(slices.Concat([]string{c.address}, c.aliases, c.onlyTo))
	from, ok := own.find(written)
	if !ok {
		return c.address, ""
	}
	if handleid.Normalise("email", from) != handleid.Normalise("email", written) {
		return from, written
	}
	return from, ""
}
