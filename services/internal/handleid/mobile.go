package handleid

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// MaxDigits is the most digits of an international number (E.164 §6.2.1).
const MaxDigits = 15

// Mobile is a number that somebody typed, as it is dialled from anywhere, if its
// country's plan says that it can take text messages. Those that only cost the
// sender money (premium rate, shared cost, personal numbers) or answer nobody
// (landlines, pagers, extensions) are none: strangers type numbers, and we pay.
func (n Normaliser) Mobile(s string) (string, bool) {
	out, ok := n.International(s)
	if !ok || strings.Contains(out, ";") {
		return "", false
	}
	num, err := phonenumbers.Parse(out, "")
	if err != nil {
		return "", false
	}
	switch phonenumbers.GetNumberType(num) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE, phonenumbers.VOIP:
		return out, true
	}
	return "", false
}

// exampleRegion is where an example comes from when no region is known: its plan
// keeps numbers for that (0114 496 0000 and its like; 07400 for mobile phones).
const exampleRegion = "GB"

// Example is how a mobile number of the region is written, for people to look at.
func (n Normaliser) Example() string {
	num := phonenumbers.GetExampleNumberForType(n.Region, phonenumbers.MOBILE)
	if num == nil {
		num = phonenumbers.GetExampleNumberForType(exampleRegion, phonenumbers.MOBILE)
	}
	return phonenumbers.Format(num, phonenumbers.INTERNATIONAL)
}
