package email

import (
	"regexp"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
)

// Flags of mail under S/MIME (RFC 8551) or OpenPGP (RFC 3156, RFC 9580). The hub has no keys
// of anybody and checks nothing: signed says only that there is a signature.
const (
	flagSigned    = "signed"
	flagEncrypted = "encrypted"
)

// Why there is no body. The mail itself can be downloaded, and its parts.
const (
	sayEncrypted = "This mail is encrypted and cannot be read here. Download the original to read it in a mail program that has the key."
	sayOpaque    = "This mail is inside its signature (S/MIME) and cannot be read here. Download the original to read it in a mail program."
	armorLeftOut = "[encrypted part (PGP): cannot be read here, download the original]"
)

var (
	armor       = regexp.MustCompile(`(?s)-----BEGIN PGP MESSAGE-----.*?(-----END PGP MESSAGE-----|\z)`)
	clearSigned = regexp.MustCompile(`(?s)-----BEGIN PGP SIGNED MESSAGE-----\r?\n(?:[A-Za-z-]+: [^\n]*\n)*\r?\n(.*?)\r?\n-----BEGIN PGP SIGNATURE-----.*?(?:-----END PGP SIGNATURE-----|\z)`)
	dashEscape  = regexp.MustCompile(`(?m)^- `)
)

// protected labels what is signed or encrypted, in the parts and in the text. Every part stays an attachment.
func protected(root *node, c *channel.Content) (flags []string) {
	signed, encrypted, opaque := protection(root)
	if strings.Contains(c.Text, "-----BEGIN PGP ") {
		if armor.MatchString(c.Text) {
			encrypted = true
			c.Text, c.HTML = strings.TrimSpace(armor.ReplaceAllString(c.Text, armorLeftOut)), ""
		}
		if m := clearSigned.FindStringSubmatch(c.Text); m != nil {
			signed = true
			inner := clearSigned.ReplaceAllStringFunc(c.Text, func(s string) string {
				return dashEscape.ReplaceAllString(clearSigned.FindStringSubmatch(s)[1], "")
			})
			text, quoted := SplitQuote(inner)
			c.Text, c.HTML = text, ""
			if quoted != "" {
				c.Quoted = strings.TrimSpace(quoted + "\n\n" + c.Quoted)
			}
		}
	}
	blank := strings.TrimSpace(c.Text) == "" && strings.TrimSpace(c.HTML) == ""
	switch {
	case blank && encrypted:
		c.Unparsed = sayEncrypted
	case blank && opaque:
		c.Unparsed = sayOpaque
	}
	if signed || opaque {
		flags = append(flags, flagSigned)
	}
	if encrypted {
		flags = append(flags, flagEncrypted)
	}
	return flags
}

// protection looks at the types of all parts; what is inside a forwarded message is not this mail's.
func protection(n *node) (signed, encrypted, opaque bool) {
	switch n.ctype.value {
	case "multipart/signed":
		signed = true
	case "multipart/encrypted":
		encrypted = true
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		switch strings.ToLower(n.ctype.params["smime-type"]) {
		case "signed-data":
			opaque = true
		case "certs-only": // certificates, no mail
		default: // enveloped-data, authEnveloped-data, compressed-data, none: nothing of it can be read here
			encrypted = true
		}
	}
	for _, child := range n.children {
		s, e, o := protection(child)
		signed, encrypted, opaque = signed || s, encrypted || e, opaque || o
	}
	return signed, encrypted, opaque
}
