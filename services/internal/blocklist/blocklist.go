// Package blocklist knows addresses that say nothing about who a person is:
// mailboxes of a task, relays of marketplaces, and what stands for no address.
// They never link or suggest anybody. The list is list.txt, with a version.
package blocklist

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/weftline/weftline/services/internal/handleid"
)

// Reasons.
const (
	Role  = "role"  // info@, support@, noreply@
	Relay = "relay" // of a marketplace, a network or a mask: the address is not the person's
	Null  = "null"  // none@none.com, anonymous, 0000000
	Own   = "own"   // of an inbox of ours: never a customer's. It is in no file, the inboxes know it
)

//go:embed list.txt
var list string

var known = func() table {
	t, err := parse(list)
	if err != nil {
		panic("blocklist: " + err.Error()) // embedded; a test reads it
	}
	return t
}()

// Version of the list: it grows with every change.
func Version() int { return known.version }

// Reason says why an address names no person; "" when it may.
func Reason(kind, address string) string { return known.reason(kind, address) }

type table struct {
	version int
	roles   map[string]bool
	domains map[string]bool
	null    map[string]bool // "kind address"
}

func parse(s string) (table, error) {
	t := table{roles: map[string]bool{}, domains: map[string]bool{}, null: map[string]bool{}}
	section := ""
	for i, line := range strings.Split(s, "\n") {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		var into map[string]bool
		switch {
		case line == "":
			continue
		case strings.HasPrefix(line, "["):
			section = strings.Trim(line, "[]")
			continue
		case section == "" && strings.HasPrefix(line, "version "):
			v, err := strconv.Atoi(line[len("version "):])
			if err != nil || v < 1 {
				return t, fmt.Errorf("line %d: version %q is no number from 1", i+1, line)
			}
			t.version = v
			continue
		case section == Role:
			into = t.roles
		case section == Relay:
			into = t.domains
		case section == Null && strings.Contains(line, " "):
			kind, address, _ := strings.Cut(line, " ")
			line, into = kind+" "+strings.TrimSpace(address), t.null
		default:
			return t, fmt.Errorf("line %d: %q stands in no section", i+1, line)
		}
		if line != strings.ToLower(line) || into[line] {
			return t, fmt.Errorf("line %d: %q stands there twice, or not in lower case", i+1, line)
		}
		into[line] = true
	}
	if t.version == 0 {
		return t, fmt.Errorf("no version")
	}
	return t, nil
}

func (t table) reason(kind, address string) string {
	s := strings.ToLower(handleid.Normalise(kind, address))
	if s == "" || t.null[kind+" "+s] || empty(kind, s) {
		return Null
	}
	if kind != "email" {
		return ""
	}
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return ""
	}
	if t.relays(s[at+1:]) {
		return Relay
	}
	local, _, _ := strings.Cut(s[:at], "+") // support+ticket7@ is the same task
	if t.roles[local] {
		return Role
	}
	return ""
}

// relays looks the domain up: as it is, with * for what is before its end, and
// with * for what is after its beginning.
func (t table) relays(domain string) bool {
	if t.domains[domain] {
		return true
	}
	for i, c := range []byte(domain) {
		if c == '.' && (t.domains["*"+domain[i:]] || t.domains[domain[:i]+".*"]) {
			return true
		}
	}
	return false
}

// empty numbers are one digit again and again, or the digits in a row.
func empty(kind, s string) bool {
	if kind != "phone" {
		return false
	}
	digits := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
	if len(digits) < 5 || strings.ContainsFunc(s, unicode.IsLetter) {
		return false
	}
	return strings.Count(digits, digits[:1]) == len(digits) || strings.HasPrefix("01234567890", digits) || strings.HasPrefix("1234567890", digits)
}
