package config

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// validAddress says whether s is host:port with a port that exists.
func validAddress(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n <= 65535
}

// plainURL says whether s is http or https with a host and nothing else.
func plainURL(s string, path bool) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" &&
		(path || strings.Trim(u.Path, "/") == "") && u.RawQuery == "" && !u.ForceQuery && u.Fragment == "" && u.User == nil
}

// urlsOf says whether all parts of s have one of the schemes and a host; what has no scheme is a host.
func urlsOf(s string, schemes ...string) bool {
	for part := range strings.SplitSeq(s, ",") {
		scheme, _, ok := strings.Cut(part, "://")
		if !ok {
			part, scheme = schemes[0]+"://"+part, schemes[0]
		}
		u, err := url.Parse(strings.TrimSpace(part))
		if err != nil || u.Host == "" || !slices.Contains(schemes, strings.TrimSpace(scheme)) {
			return false
		}
	}
	return true
}

// bound is an address that this process binds.
type bound struct{ key, address string }

// validateAddresses: what is bound has a port of its own.
func (c Config) validateAddresses() (errs []error) {
	var all []bound
	add := func(key, address, example string) {
		if !validAddress(address) {
			errs = append(errs, &KeyError{key, address, "host:port with a port from 0 to 65535, such as " + example})
			return
		}
		all = append(all, bound{key, address})
	}
	add("listen", c.Listen, "127.0.0.1:8080")
	if c.OpsListen != "" {
		add("ops_listen", c.OpsListen, "127.0.0.1:9090")
	}
	if c.NATS.Listen != "" && c.NATS.URL == "" {
		add("nats.listen", c.NATS.Listen, "127.0.0.1:4222")
	}
	for i, l := range c.Email.Listen {
		key := fmt.Sprintf("email.listen[%d]", i)
		full, err := l.Complete()
		switch {
		case err != nil:
			errs = append(errs, Below(key, err)...)
		case full.Network() == "unix":
			all = append(all, bound{key + ".address", l.Address})
		default:
			add(key+".address", l.Address, "127.0.0.1:2525")
		}
	}
	for i, b := range all {
		for _, a := range all[:i] {
			if collide(a.address, b.address) {
				errs = append(errs, &KeyError{b.key, b.address, fmt.Sprintf("an address of its own, %s has %s", a.key, a.address)})
				break
			}
		}
	}
	return errs
}

// collide: both cannot be bound at once. Port 0 is another one each time.
func collide(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil {
		return a == b // paths
	}
	numA, _ := strconv.Atoi(portA) // valid both
	numB, _ := strconv.Atoi(portB)
	return numA == numB && numA != 0 && (anyHost(hostA) || anyHost(hostB) || hostA == hostB)
}

func anyHost(h string) bool { return h == "" || h == "0.0.0.0" || h == "::" }

// validateStores: what is reached over the network.
func (c Config) validateStores() (errs []error) {
	bad := func(key, value, allowed string) { errs = append(errs, &KeyError{key, value, allowed}) }
	// URLs may hold a password: they are not repeated.
	if c.NATS.URL != "" && !urlsOf(c.NATS.URL, "nats", "tls", "ws", "wss") {
		bad("nats.url", "", "must be URLs with nats, tls, ws or wss, separated by commas, such as nats://127.0.0.1:4222")
	}
	if c.NATS.Creds != "" && c.NATS.URL == "" {
		bad("nats.creds", c.NATS.Creds, "needs nats.url: the embedded server asks for none")
	} else if c.NATS.Creds != "" {
		if _, err := os.Stat(c.NATS.Creds); err != nil {
			bad("nats.creds", c.NATS.Creds, "a file that can be read")
		}
	}
	if c.Mongo.URI != "" && !strings.HasPrefix(c.Mongo.URI, "mongodb://") && !strings.HasPrefix(c.Mongo.URI, "mongodb+srv://") {
		bad("mongo.uri", "", "must begin with mongodb:// or mongodb+srv://")
	}
	if d := c.Mongo.Database; d == "" || len(d) > 63 || strings.ContainsAny(d, "/\\. \"$*<>:|?\x00") {
		bad("mongo.database", d, "1 to 63 bytes without a space and / \\ . \" $ * < > : | ?")
	}
	if c.Trace.OTLP != "" && !plainURL(c.Trace.OTLP, true) {
		bad("trace.otlp", c.Trace.OTLP, "an http or https URL, such as http://127.0.0.1:4318")
	}
	return errs
}

// maxWorkspace is in characters.
const maxWorkspace = 100

// validName says whether people can read s as it stands: no control characters,
// and none that turn the direction of what follows.
func validName(s string) bool {
	if strings.TrimSpace(s) == "" || utf8.RuneCountInString(s) > maxWorkspace || !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.In(r, unicode.Zl, unicode.Zp)
	})
}
