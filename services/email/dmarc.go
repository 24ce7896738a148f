package email

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"

	"blitiri.com.ar/go/spf"
	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-msgauth/dmarc"
	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Bounds of one mail's check. A mail is checked whatever its size (up to
// MaxSize), because a mail too large to be checked would be a way around the check.
const (
	maxSignatures = 10      // DKIM-Signature fields looked at, from the top
	maxKeys       = 4       // of them with a key, whose body is hashed
	maxKeyRecord  = 4 << 10 // bytes of a key record: an RSA key of 16,384 bits and more costs too much
)

// checked is a mail as DMARC (RFC 7489) sees it.
type checked struct {
	domain string     // of From, ASCII
	fields [][]byte   // whole header fields as they came
	body   []byte     // behind the empty line
	client netip.Addr // who gave it to our mail server; invalid: not known
	sender string     // envelope sender; "": not known or none
}

// result of a check, in the words of RFC 8601.
type result struct {
	value string // pass, fail, none, temperror
	by    string // evidence of a pass: "dkim=example.org"
}

// check asks the DNS whether the owner of the From domain says this mail is his.
// Only identities aligned with From are looked up: what else a mail is signed
// with does not matter, and its sender cannot choose whose slow servers are waited for.
//
// temperror means that the policy itself could not be read. Once a policy is known,
// only a pass helps: trouble with a key or an SPF record that the sender named is
// as good as none.
func check(ctx context.Context, dns Resolver, m checked) result {
	record, err := published(ctx, dns, m.domain)
	switch {
	case errors.Is(err, dmarc.ErrNoPolicy):
		return result{value: "none"}
	case err != nil:
		return result{value: "temperror"}
	}
	if d := signer(ctx, dns, m, record.DKIMAlignment); d != "" {
		return result{"pass", "dkim=" + d}
	}
	if d := permitted(ctx, dns, m, record.SPFAlignment); d != "" {
		return result{"pass", "spf=" + d}
	}
	return result{value: "fail"}
}

// published finds the record of a domain, else of its organisational domain
// (RFC 7489 §6.6.3). Records nobody can read, and several, are none.
func published(ctx context.Context, dns Resolver, domain string) (*dmarc.Record, error) {
	txt := func(name string) ([]string, error) {
		all, err := dns.LookupTXT(ctx, name)
		var out []string
		for _, s := range all {
			if len(s) <= maxKeyRecord && strings.HasPrefix(s, "v=DMARC1") {
				out = append(out, s)
			}
		}
		if len(out) > 1 {
			out = nil
		}
		return out, err
	}
	names := []string{domain}
	if org := orgDomain(domain); org != domain {
		names = append(names, org)
	}
	for _, name := range names {
		record, err := dmarc.LookupWithOptions(name, &dmarc.LookupOptions{LookupTXT: txt})
		if err == nil {
			return record, nil
		}
		if dmarc.IsTempFail(err) {
			return nil, err
		}
	}
	return nil, dmarc.ErrNoPolicy
}

// signer is the domain of an aligned DKIM signature (RFC 6376) that holds, or "".
// Signatures are verified one by one: go-msgauth starts goroutines for several,
// and a panic there could not be kept to this mail.
func signer(ctx context.Context, dns Resolver, m checked, mode dmarc.AlignmentMode) string {
	keys, seen := 0, 0
	for i, f := range m.fields {
		if fieldName(f) != "dkim-signature" {
			continue
		}
		if seen++; seen > maxSignatures || keys >= maxKeys {
			return ""
		}
		lookup := func(name string) ([]string, error) {
			none := &net.DNSError{Err: "no key wanted", Name: name, IsNotFound: true}
			_, d, ok := strings.Cut(strings.ToLower(name), "._domainkey.")
			if !ok || !aligned(d, m.domain, mode) {
				return nil, none
			}
			all, err := dns.LookupTXT(ctx, name)
			if err != nil {
				return nil, err
			}
			for _, s := range all {
				if len(s) > maxKeyRecord {
					return nil, none
				}
			}
			keys++
			return all, nil
		}
		rest := append(append([][]byte{f}, m.fields[:i]...), m.fields[i+1:]...)
		r := io.MultiReader(bytes.NewReader(bytes.Join(rest, nil)), strings.NewReader("\r\n"), until{ctx, bytes.NewReader(m.body)})
		found, err := dkim.VerifyWithOptions(r, &dkim.VerifyOptions{LookupTXT: lookup, MaxVerifications: 1})
		if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) || len(found) != 1 || found[0].Err != nil {
			continue
		}
		if d := strings.ToLower(found[0].Domain); aligned(d, m.domain, mode) {
			return d
		}
	}
	return ""
}

// permitted is the domain of the envelope sender if it is aligned and lets the client send (RFC 7208), or "".
func permitted(ctx context.Context, dns Resolver, m checked, mode dmarc.AlignmentMode) string {
	if !m.client.IsGlobalUnicast() || m.client.IsPrivate() || !strings.Contains(m.sender, "@") {
		return ""
	}
	d, err := asciiDomain(domainOf(m.sender))
	if err != nil || !aligned(d, m.domain, mode) {
		return ""
	}
	got, _ := spf.CheckHostWithSender(net.IP(m.client.AsSlice()), d, m.sender[:strings.LastIndexByte(m.sender, '@')+1]+d,
		spf.WithContext(ctx), spf.WithResolver(dns))
	if got != spf.Pass {
		return ""
	}
	return d
}

// aligned: d speaks for the From domain (RFC 7489 §3.1). Both ASCII, lower case.
func aligned(d, from string, mode dmarc.AlignmentMode) bool {
	if d == from {
		return true
	}
	return mode != dmarc.AlignmentStrict && orgDomain(d) == orgDomain(from)
}

// orgDomain is the domain under a public suffix; a public suffix is its own.
func orgDomain(d string) string {
	if org, err := publicsuffix.EffectiveTLDPlusOne(d); err == nil {
		return org
	}
	return d
}

// asciiDomain brings a domain to the form in which names are compared and looked up.
func asciiDomain(d string) (string, error) {
	d, err := idna.Lookup.ToASCII(strings.ToLower(strings.TrimSuffix(d, ".")))
	if err == nil && (!strings.Contains(d, ".") || len(d) > 253) {
		err = errors.New("not a domain of the internet")
	}
	return d, err
}

// until reads as long as ctx lives.
type until struct {
	ctx context.Context
	r   io.Reader
}

func (u until) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(b)
}
