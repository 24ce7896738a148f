package email

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/weftline/weftline/services/internal/inbox"
)

// Settings of DKIM (RFC 6376, RFC 8463).
var (
	dkimDomain   = inbox.Setting{Key: "dkim_domain", Label: "DKIM domain", Group: groupOut, Advanced: true, Help: "Sign what is sent for this domain: the address's own or one above it. Empty: the SMTP server signs, or nobody does."}
	dkimSelector = inbox.Setting{Key: "dkim_selector", Label: "DKIM selector", Group: groupOut, Advanced: true, Help: "Names the key in the DNS: the record stands at <selector>._domainkey.<domain>. The connection test says what must stand there."}
	dkimKey      = inbox.Setting{Key: "dkim_key", Label: "DKIM private key", Secret: true, Stays: true, Lines: true, Group: groupOut, Advanced: true, Help: "PEM or base64, PKCS #8 or PKCS #1: RSA of 2048 to 4096 bits, or Ed25519. openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"}
)

// oversigned are signed once more often than they stand in the mail, present or not: who
// adds or changes one of them breaks the signature (RFC 6376 §8.15). The last two must be signed (RFC 8058 §4).
var oversigned = []string{
	"From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
	"MIME-Version", "Content-Type", "Content-Transfer-Encoding", "List-Unsubscribe", "List-Unsubscribe-Post",
}

// signing is a key and its place. The zero value signs nothing.
type signing struct {
	domain, selector string
	key              crypto.Signer
}

var (
	selectorName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)
	pemLine      = regexp.MustCompile(`-----[A-Z0-9 ]+-----`)
)

// readSigning reads the settings of DKIM. from is the domain of the inbox's address.
func readSigning(set map[string]string, from string) (signing, error) {
	s := signing{domain: strings.TrimSpace(set["dkim_domain"]), selector: strings.TrimSpace(set["dkim_selector"])}
	key := strings.TrimSpace(set["dkim_key"])
	if s.domain == "" {
		if s.selector != "" || key != "" {
			return signing{}, errors.New("dkim_domain: is required with dkim_selector and dkim_key")
		}
		return signing{}, nil
	}
	var errs []error
	d, err := asciiDomain(s.domain)
	own, ownErr := asciiDomain(from)
	switch {
	case err != nil:
		errs = append(errs, fmt.Errorf("dkim_domain: %q is not a domain", clip(s.domain, 100)))
	case ownErr == nil && own != d && !strings.HasSuffix(own, "."+d):
		errs = append(errs, fmt.Errorf("dkim_domain: %s cannot sign for %s; allowed are %s and domains above it", d, own, own))
	}
	s.domain = d
	if !selectorName.MatchString(s.selector) {
		errs = append(errs, fmt.Errorf("dkim_selector: %q is not a name of 1 to 63 letters, digits, dots and dashes", clip(s.selector, 100)))
	}
	if s.key, err = readPrivateKey(key); err != nil {
		errs = append(errs, err)
	}
	return s, errors.Join(errs...)
}

// readPrivateKey reads PEM, also where a form has taken its line ends, and bare base64.
func readPrivateKey(s string) (crypto.Signer, error) {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(pemLine.ReplaceAllString(s, "")), ""))
	if err != nil || len(der) == 0 {
		return nil, errors.New("dkim_key: is not a private key in PEM or base64")
	}
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		if k, err = x509.ParsePKCS1PrivateKey(der); err != nil {
			return nil, errors.New("dkim_key: is not a private key of PKCS #8 or PKCS #1")
		}
	}
	switch k := k.(type) {
	case *rsa.PrivateKey:
		if n := k.N.BitLen(); n < 2048 || n > 4096 {
			return nil, fmt.Errorf("dkim_key: RSA of %d bits, allowed are 2048 to 4096", n)
		}
		return k, nil
	case ed25519.PrivateKey:
		return k, nil
	}
	return nil, errors.New("dkim_key: is neither RSA nor Ed25519")
}

// sign puts a signature above a mail with CRLF line ends.
func (s signing) sign(mail []byte) ([]byte, error) {
	if s.key == nil {
		return mail, nil
	}
	h, _, err := splitHeader(mail)
	if err != nil {
		return nil, fmt.Errorf("sign mail: %w", err)
	}
	var keys []string
	for _, name := range oversigned {
		for range len(h.all(strings.ToLower(name))) + 1 {
			keys = append(keys, name)
		}
	}
	var out bytes.Buffer
	err = dkim.Sign(&out, bytes.NewReader(mail), &dkim.SignOptions{
		Domain: s.domain, Selector: s.selector, Signer: s.key, HeaderKeys: keys,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	if err != nil {
		return nil, fmt.Errorf("sign mail: %w", err)
	}
	return out.Bytes(), nil
}

// record is what must stand in the DNS, and where.
func (s signing) record() (name, value string) {
	kind, pub := "ed25519", []byte(nil)
	switch k := s.key.Public().(type) {
	case ed25519.PublicKey:
		pub = k
	case *rsa.PublicKey:
		kind = "rsa"
		pub, _ = x509.MarshalPKIXPublicKey(k) // cannot fail for RSA
	}
	return s.selector + "._domainkey." + s.domain, "v=DKIM1; k=" + kind + "; p=" + base64.StdEncoding.EncodeToString(pub)
}

// CheckDKIM looks whether the DNS has the key that an inbox signs with. The error says what must stand there.
func CheckDKIM(ctx context.Context, set map[string]string, dns Resolver) error {
	c, err := readConfig(set)
	if err != nil || c.dkim.key == nil {
		return err
	}
	return c.dkim.published(ctx, dns)
}

func (s signing) published(ctx context.Context, dns Resolver) error {
	name, want := s.record()
	found, err := dns.LookupTXT(ctx, name+".")
	_, key, _ := strings.Cut(want, "p=")
	if err == nil && slices.ContainsFunc(found, func(r string) bool {
		return strings.Contains(strings.Join(strings.Fields(r), ""), "p="+key)
	}) {
		return nil
	}
	return fmt.Errorf("dkim: the DNS does not have the key; the TXT record of %s must be: %s", name, want)
}
