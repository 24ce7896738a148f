package email

import (
	"net/netip"
	"regexp"
	"strings"
)

// What a sender can plant: everything he hands to our mail server. The server
// puts its own fields on top, so a mail reads from the top
//
//	fields of inner delivery          (LMTP, filters, folders of the provider)
//	Received: from him by our server  the border; below it the server may have put its results
//	Received: …                       from here on he can have written all of it
//
// He can write "by our server" below as often as he likes. So the border is found from
// above: hop by hop, over those that are certainly inner ones, to the first
// that took the mail from elsewhere. Only if that one was ours is anything believed.

// hop is a Received field (RFC 5321 §4.4).
type hop struct {
	by, with string
	from     bool       // it has a from clause
	client   netip.Addr // who connected; invalid when that is not certain
}

// border finds the field in which our mail server took the mail over: its index
// in h and who connected. mx names our servers (see mailServers); empty: any is ours.
func border(h header, mx mailServers) (at int, client netip.Addr, ok bool) {
	for i, f := range h {
		if f.name != "received" {
			continue
		}
		p := readHop(f.value)
		if inner(p, mx) {
			continue
		}
		if len(mx.names) > 0 && !mx.named(p.by) {
			return 0, netip.Addr{}, false
		}
		return i, p.client, true
	}
	return 0, netip.Addr{}, false
}

// inner hops have no client from elsewhere: a program on the machine, a mailbox
// delivery, a filter that hands the mail back, a server of ours by its address.
// A private address is not enough: behind some proxies everybody has one.
func inner(p hop, mx mailServers) bool {
	return !p.from || strings.HasPrefix(p.with, "lmtp") || p.client.IsLoopback() || mx.has(p.client)
}

// mailServers are the names and networks of our own mail servers.
type mailServers struct {
	names []string // lower case; ".example.org" is every name below example.org
	nets  []netip.Prefix
}

func readMailServers(s string) (mailServers, string) {
	var out mailServers
	for _, v := range commas(s) {
		if p, err := netip.ParsePrefix(v); err == nil {
			out.nets = append(out.nets, p.Masked())
		} else if a, err := netip.ParseAddr(v); err == nil {
			out.nets = append(out.nets, netip.PrefixFrom(a, a.BitLen()))
		} else if name := strings.ToLower(strings.TrimSuffix(v, ".")); hostName.MatchString(name) {
			out.names = append(out.names, name)
		} else {
			return out, v
		}
	}
	return out, ""
}

var hostName = regexp.MustCompile(`^\.?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)

func (m mailServers) named(host string) bool { return matchHost(m.names, host) }

func (m mailServers) has(a netip.Addr) bool {
	for _, p := range m.nets {
		if a.IsValid() && p.Contains(a) {
			return true
		}
	}
	return false
}

// matchHost says whether a host is one of the names, or below one that begins with a dot.
func matchHost(names []string, host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, n := range names {
		if host == n || strings.HasPrefix(n, ".") && strings.HasSuffix(host, n) && len(host) > len(n) {
			return true
		}
	}
	return false
}

// readHop reads what is needed of a Received field:
//
//	from HELO (name [192.0.2.1]) by mx.example.org (Postfix) with ESMTPS id …   Postfix, Sendmail, Gmail
//	from name ([192.0.2.1] helo=HELO) by …                                       Exim
//	from name (HELO helo) (192.0.2.1) by …                                       qmail
//	from name (192.0.2.1) by …                                                   Exchange
//
// The client says HELO, so an address it may have come from there does not count. Two addresses that
// could be meant, and there is none.
func readHop(s string) hop {
	var p hop
	var clients []netip.Addr
	literal, heloSaid := netip.Addr{}, false
	clause := ""
	words := 0 // since the clause began
	s = clip(s, 4000)
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '(':
			end, ok := closing(s, i)
			if !ok {
				return hop{from: true} // of nobody's
			}
			if clause == "from" {
				inside := strings.TrimSuffix(s[i+1:end], ")")
				found, helo := addressesIn(inside)
				clients = append(clients, found...)
				heloSaid = heloSaid || helo
			}
			i = end
		case c == ';':
			i = len(s)
		case c <= ' ':
			i++
		default:
			end := i
			for end < len(s) && s[end] > ' ' && s[end] != '(' && s[end] != ';' {
				end++
			}
			word := strings.ToLower(s[i:end])
			i = end
			switch {
			case word == "from" && clause == "" || word == "by" && (clause == "from" && words > 0 || clause == "") || word == "with" && clause == "by" && words > 0:
				clause, words = word, 0
				p.from = p.from || word == "from"
				continue
			case word == "id" || word == "for" || word == "via":
				if clause == "by" || clause == "with" {
					clause = "rest"
				}
			}
			if words == 0 {
				switch clause {
				case "from":
					literal = addressOf(word)
				case "by":
					p.by = strings.TrimSuffix(word, ".")
				case "with":
					p.with = word
				}
			}
			words++
		}
	}
	if len(clients) == 0 && heloSaid && literal.IsValid() { // Exim, without a name of the client
		clients = append(clients, literal)
	}
	for i, a := range clients {
		if i > 0 && a != clients[0] {
			return p
		}
	}
	if len(clients) > 0 {
		p.client = clients[0]
	}
	return p
}

// addressesIn finds the addresses in a comment of a from clause, without what was said as HELO.
func addressesIn(s string) (out []netip.Addr, helo bool) {
	words := strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == '(' || r == ')' || r == ',' })
	for i := 0; i < len(words); i++ {
		w := strings.ToLower(words[i])
		switch {
		case w == "helo" || w == "ehlo":
			helo = true
			i++
		case strings.HasPrefix(w, "helo=") || strings.HasPrefix(w, "ehlo="):
			helo = true
		default:
			if a := addressOf(w); a.IsValid() {
				out = append(out, a)
			}
		}
	}
	return out, helo
}

// addressOf reads 192.0.2.1, [192.0.2.1], [IPv6:2001:db8::1] and [192.0.2.1]:25.
func addressOf(w string) netip.Addr {
	if rest, ok := strings.CutPrefix(w, "["); ok {
		w, _, _ = strings.Cut(rest, "]")
	}
	a, err := netip.ParseAddr(strings.TrimPrefix(w, "ipv6:"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}
