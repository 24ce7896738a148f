package handleid

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Variants are other ways to write what may be the same address, for
// suggestions alone: an agent decides. Never for identity: another person can
// have each of them. They are ascending, and without the normal form itself.
//
//	email   without a plus tag; at Gmail without dots, and googlemail.com as gmail.com
//	phone   as it is dialled at home, without the +, and the other forms of its country
//
// Two addresses may be the same when what is normal or a variant of one is so of the other.
func Variants(kind, address string) []string {
	s := Normalise(kind, address)
	var all []string
	switch kind {
	case kindEmail:
		all = foldings(s)
	case kindPhone:
		all = writings(s)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(all, func(v string) bool { return v == s })
}

func foldings(s string) []string {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 {
		return nil
	}
	local, domain := s[:at], s[at+1:]
	bare, _, tagged := strings.Cut(local, "+")
	var all []string
	if tagged && bare != "" {
		all = append(all, bare+"@"+domain)
	} else {
		bare = local
	}
	if domain == "gmail.com" || domain == "googlemail.com" {
		if folded := strings.ReplaceAll(bare, ".", ""); folded != "" {
			all = append(all, folded+"@gmail.com")
		}
	}
	return all
}

func writings(s string) []string {
	if !strings.HasPrefix(s, "+") {
		return nil
	}
	bare, _, _ := strings.Cut(s, ";")
	num, err := phonenumbers.Parse(bare, "")
	if err != nil {
		return nil
	}
	cc, nsn := int(num.GetCountryCode()), phonenumbers.GetNationalSignificantNumber(num)
	if p, ok := (Normaliser{}).parse(bare); !ok || p != bare {
		return nil
	}
	var all []string
	for _, n := range others(cc, nsn) {
		digits := strconv.Itoa(cc) + n
		all = append(all, "+"+digits, digits, "00"+digits, n)
		if trunk := phonenumbers.GetNddPrefixForRegion(phonenumbers.GetRegionCodeForCountryCode(cc), true); trunk != "" {
			all = append(all, trunk+n)
		}
	}
	return all
}

// others are all forms of a single national number, itself first.
func others(cc int, nsn string) []string {
	switch {
	case cc == 55 && len(nsn) == 11 && nsn[2] == '9' && nsn[3] >= '6':
		return []string{nsn, nsn[:2] + nsn[3:]}
	case cc == 54 && len(nsn) == 10:
		return []string{nsn, "9" + nsn}
	case cc == 52 && len(nsn) == 10:
		return []string{nsn, "1" + nsn}
	}
	return []string{nsn}
}
