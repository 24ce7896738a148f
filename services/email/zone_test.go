package email_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/crypt"
)

// zone is the DNS: TXT records by name, and addresses.
type zone struct {
	txt     map[string][]string
	ip      map[string]string
	trouble map[string]bool // the server fails
	slow    map[string]bool // the server never answers

	mu    sync.Mutex
	asked []string
}

func (z *zone) find(ctx context.Context, kind, name string) (string, error) {
	bare := strings.TrimSuffix(name, ".")
	z.mu.Lock()
	z.asked = append(z.asked, kind+" "+bare)
	z.mu.Unlock()
	if bare == name && kind != "ptr" {
		return bare, &net.DNSError{Err: "a relative name", Name: name, IsNotFound: true}
	}
	if z.slow[bare] {
		<-ctx.Done()
		return bare, &net.DNSError{Err: "timeout", Name: name, IsTimeout: true}
	}
	if z.trouble[bare] {
		return bare, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	}
	return bare, nil
}

func (z *zone) LookupTXT(ctx context.Context, name string) ([]string, error) {
	bare, err := z.find(ctx, "txt", name)
	if err == nil && z.txt[bare] == nil {
		err = &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return z.txt[bare], err
}

func (z *zone) LookupIPAddr(ctx context.Context, name string) ([]net.IPAddr, error) {
	bare, err := z.find(ctx, "ip", name)
	if err == nil && z.ip[bare] == "" {
		err = &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return []net.IPAddr{{IP: net.ParseIP(z.ip[bare])}}, err
}

func (z *zone) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (z *zone) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return nil, &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}
}

func (z *zone) questions() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	return slices.Clone(z.asked)
}

// signers' keys; made once.
var (
	rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return k
	})
	edKey = sync.OnceValue(func() ed25519.PrivateKey {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			panic(err)
		}
		return k
	})
)

func keyRecord(k crypto.Signer) string {
	if ed, ok := k.Public().(ed25519.PublicKey); ok {
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(ed)
	}
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		panic(err)
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
}

// testZone: victim.org signs and rejects what is not its own, evil.test too,
// quiet.test has no policy, strict.test aligns strictly.
func testZone() *zone {
	return &zone{
		txt: map[string][]string{
			"_dmarc.victim.org":           {"v=DMARC1; p=reject"},
			"s1._domainkey.victim.org":    {keyRecord(rsaKey())},
			"s2._domainkey.victim.org":    {keyRecord(edKey())},
			"victim.org":                  {"v=spf1 ip4:192.0.2.10 -all"},
			"_dmarc.evil.test":            {"v=DMARC1; p=none"},
			"s1._domainkey.evil.test":     {keyRecord(rsaKey())},
			"evil.test":                   {"v=spf1 ip4:203.0.113.66 -all"},
			"s1._domainkey.quiet.test":    {keyRecord(rsaKey())},
			"_dmarc.strict.test":          {"v=DMARC1; p=reject; adkim=s; aspf=s"},
			"s1._domainkey.strict.test":   {keyRecord(rsaKey())},
			"s1._domainkey.m.strict.test": {keyRecord(rsaKey())},
		},
		ip: map[string]string{}, trouble: map[string]bool{}, slow: map[string]bool{},
	}
}

// sign signs a mail with LF line ends for a domain.
func sign(t testing.TB, mail, domain, selector string, key crypto.Signer) string {
	t.Helper()
	var b bytes.Buffer
	err := dkim.Sign(&b, strings.NewReader(crlf(mail)), &dkim.SignOptions{
		Domain: domain, Selector: selector, Signer: key, HeaderKeys: []string{"From", "To", "Subject"},
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

// reader is the parser and verifier of an inbox with the settings.
func reader(z *zone, set map[string]string) email.Reader {
	set = maps.Clone(set)
	return email.Reader{
		Parser: testParser(),
		Verifier: email.NewVerifier(z, func(inbox string) (map[string]string, bool) {
			return set, inbox == "support"
		}),
	}
}

// verified reads a mail as the hub does.
func verified(t testing.TB, r email.Reader, mail string) channel.Message {
	t.Helper()
	raw := testRaw([]byte(crlf(mail)))
	items, err := r.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	parsed := *items[0].Message
	flags := slices.Clone(parsed.Flags)
	out := r.Verify(t.Context(), raw, items)
	if len(out) != 1 || out[0].Message == nil || out[0].Message.ID != parsed.ID {
		t.Fatalf("verifier gave other items: %+v", out)
	}
	if items[0].Message.Assurance != parsed.Assurance || items[0].Message.From != parsed.From || !slices.Equal(items[0].Message.Flags, flags) {
		t.Fatal("verifier changed what it was given")
	}
	return *out[0].Message
}

// token is what ada@victim.org got with the answer to her.
func token() string {
	return email.ReplyToken(crypt.NewDeterministic("email corpus"), "t1", "01JREPLY", channel.Address{Kind: "email", Address: "ada@victim.org"}, "shop.test")
}

var (
	own      = map[string]string{"verify": "own", "mx_host": "mx.shop.test"}
	authserv = map[string]string{"verify": "authserv", "authserv_id": "mx.shop.test", "mx_host": "mx.shop.test"}
)

const (
	byMX   = "Received: from mail.evil.test (mail.evil.test [203.0.113.66])\n\tby mx.shop.test (Postfix) with ESMTPS id 1\n\tfor <support@shop.test>; Tue, 3 Nov 2026 11:00:00 +0000\n"
	letter = "From: Ada <ada@victim.org>\nTo: support@shop.test\nSubject: Order\nMessage-ID: <m1@victim.org>\n\nWhere is it?\n"
	within = 5 * time.Second
)
