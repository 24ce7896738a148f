package handleid

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// shortest is the fewest digits of a number that is dialled without a country
// code: below are short codes and extensions of a switchboard.
const shortest = 7

// phone is E.164 ("+4930123456"), with ";ext=12" (RFC 3966) where the number has
// an extension. Three countries have more than one form for a subscriber; each
// gets the one that is shortest to say why:
//
//	Brazil     mobile numbers got a ninth digit from 2012 on: with it   +55 11 9 8765-4321
//	Argentina  abroad 54 9, at home 15, in some networks neither: without  +54 11 2345-6789;
//	           an area code and number is one line, mobile or not
//	Mexico     52 1 for mobile phones until 2019: without it            +52 55 1234-5678
//
// The form is compared, never dialled. What is no valid number stays as it is:
// short codes, extensions, names of senders, mistakes. It never equals a valid
// one, because those begin with + and are read as numbers.
func (n Normaliser) phone(s string) string {
	if p, ok := n.parse(s); ok {
		return p
	}
	return s
}

// parse reads a valid number in any of its forms.
func (n Normaliser) parse(s string) (string, bool) {
	bare, _ := phonenumbers.MaybeSeparateExtensionFromPhone(s)
	if len(s) > 100 || strings.ContainsFunc(bare, unicode.IsLetter) { // "1-800-FLOWERS" is a name, too
		return "", false
	}
	if !strings.HasPrefix(s, "+") && !strings.HasPrefix(s, "＋") && figures(bare) < shortest {
		return "", false
	}
	num, err := phonenumbers.Parse(s, n.Region)
	if err != nil {
		return "", false
	}
	cc, nsn := int(num.GetCountryCode()), phonenumbers.GetNationalSignificantNumber(num)
	one := single(cc, nsn)
	if !phonenumbers.IsValidNumber(num) && !valid(cc, one) && (cc != 54 || !valid(cc, "9"+one)) {
		return "", false
	}
	out := "+" + strconv.Itoa(cc) + one
	if ext := num.GetExtension(); ext != "" {
		out += ";ext=" + ext
	}
	return out, true
}

// National says whether an address is written as a telephone number without a
// country code: it can be read only where it was dialled. 00 counts as well, as
// not everybody dials it to go abroad.
func National(address string) bool {
	s := strings.TrimSpace(address)
	bare, _ := phonenumbers.MaybeSeparateExtensionFromPhone(s)
	return len(s) <= 100 && !strings.HasPrefix(s, "+") && !strings.HasPrefix(s, "＋") &&
		!strings.ContainsFunc(bare, unicode.IsLetter) && figures(bare) >= shortest
}

// International is the form in which a number of the region is dialled from
// anywhere: E.164, with the digits that Normalise leaves out. False: it is no
// valid number there, and stays as it is.
func (n Normaliser) International(s string) (string, bool) {
	s = strings.TrimSpace(s)
	normal, ok := n.parse(s)
	if !ok {
		return s, false
	}
	num, err := phonenumbers.Parse(s, n.Region)
	if err != nil || !phonenumbers.IsValidNumber(num) {
		return normal, true // an old form: what it is now
	}
	out := phonenumbers.Format(num, phonenumbers.E164)
	if ext := num.GetExtension(); ext != "" {
		out += ";ext=" + ext
	}
	return out, true
}

// KnownRegion says whether numbers of a region, by its ISO 3166-1 alpha-2 code, can be read.
func KnownRegion(region string) bool { return phonenumbers.GetSupportedRegions()[region] }

// single is the one form of a national number.
func single(cc int, nsn string) string {
	switch {
	case cc == 55 && len(nsn) == 10 && nsn[2] >= '6': // area code, then a mobile number of before
		return nsn[:2] + "9" + nsn[2:]
	case cc == 54 && len(nsn) == 11 && nsn[0] == '9':
		return nsn[1:]
	case cc == 52 && len(nsn) == 11 && nsn[0] == '1':
		return nsn[1:]
	}
	return nsn
}

func valid(cc int, nsn string) bool {
	num, err := phonenumbers.Parse("+"+strconv.Itoa(cc)+nsn, "")
	return err == nil && phonenumbers.IsValidNumber(num) && phonenumbers.GetNationalSignificantNumber(num) == nsn
}

func figures(s string) (n int) {
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// RegionOf is the region of a number in international form: of the one that
// was called, for Normaliser.Region. Empty: it has none.
func RegionOf(number string) string {
	num, err := phonenumbers.Parse(number, "")
	if err != nil {
		return ""
	}
	if r := phonenumbers.GetRegionCodeForNumber(num); r != "" && r != "001" {
		return r
	}
	return ""
}

// For is the Normaliser of an inbox: of its region, if that is given, else of
// its own number's.
func For(region, number string) Normaliser {
	region = strings.ToUpper(strings.TrimSpace(region))
	if !phonenumbers.GetSupportedRegions()[region] {
		region = RegionOf(number)
	}
	return Normaliser{Region: region}
}
