package email

import (
	"encoding/hex"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/handleid"
)

// A reply token is the Message-ID of every mail we send:
//
//	wl.<reply id>.<mac>.<recipient mac>@<domain of the inbox>
//
// Mail programs return it in In-Reply-To and References. mac authenticates
// the reply id: whoever returns it has seen the mail. The recipient mac binds
// the handle it was sent to: whoever returns it from that address is whom we
// wrote to. Both are 128 bits in lower-case hex, keyed by the hub and bound
// to the tenant. A token that is not exactly of this form, in length and
// case, is no token: there is no older or shorter form to fall back to.
const (
	tokenPrefix  = "wl."
	macHex       = 32
	purposeReply = "email.reply"
	purposeTo    = "email.reply.to"
)

// tokens makes and checks reply tokens.
type tokens struct{ keys crypt.Keyring }

// messageID is the Message-ID (without angle brackets) of the reply id to an
// address. The same for every attempt.
func (t tokens) messageID(tenant, reply string, to channel.Address, domain string) string {
	mac := t.keys.MAC(purposeReply, macData(tenant, reply))
	rcpt := t.keys.MAC(purposeTo, macData(tenant, reply, handleid.Of(t.keys, to)))
	return tokenPrefix + reply + "." + hex.EncodeToString(mac) + "." + hex.EncodeToString(rcpt) + "@" + domain
}

// verify reads a Message-ID. ok: it is a token of ours; reply is its reply id;
// same: from is the address it was sent to.
func (t tokens) verify(tenant, id string, from channel.Address) (reply string, same, ok bool) {
	rest, found := strings.CutPrefix(id, tokenPrefix)
	if !found {
		return "", false, false
	}
	local, _, found := strings.Cut(rest, "@")
	if !found {
		return "", false, false
	}
	parts := strings.Split(local, ".")
	if len(parts) != 3 || !ValidReplyID(parts[0]) {
		return "", false, false
	}
	mac, ok1 := lowerHex(parts[1])
	rcpt, ok2 := lowerHex(parts[2])
	if !ok1 || !ok2 || !t.keys.VerifyMAC(purposeReply, macData(tenant, parts[0]), mac) {
		return "", false, false
	}
	same = from.Address != "" && t.keys.VerifyMAC(purposeTo, macData(tenant, parts[0], handleid.Of(t.keys, from)), rcpt)
	return parts[0], same, true
}

// ValidReplyID says whether an id can stand in a token: 1 to 64 letters,
// digits, dashes and underscores.
func ValidReplyID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

func macData(tenant string, parts ...string) []byte {
	if tenant == "" {
		tenant = "default"
	}
	return []byte(tenant + "\x00" + strings.Join(parts, "\x00"))
}

func lowerHex(s string) ([]byte, bool) {
	if len(s) != macHex || strings.ToLower(s) != s {
		return nil, false
	}
	b, err := hex.DecodeString(s)
	return b, err == nil
}

// ReplyToken is the Message-ID, without angle brackets, that a mail with the
// reply id to the address has. Senders make it themselves; this is for tools and tests.
func ReplyToken(keys crypt.Keyring, tenant, reply string, to channel.Address, domain string) string {
	return tokens{keys}.messageID(tenant, reply, to, domain)
}
