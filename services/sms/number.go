package sms

import (
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/handleid"
)

// address is a sender or receiver as a provider writes it. Numbers begin with
// + and mean the same everywhere. What is none, a short code or a name such as
// BANK, means something in its inbox alone.
func address(numbers handleid.Normaliser, inbox, s string) channel.Address {
	s = strings.TrimSpace(s)
	if n, ok := international(numbers, s); ok {
		return channel.Address{Kind: KindPhone, Address: n}
	}
	return channel.Address{Kind: KindPhone, Scope: inbox, Address: clip(s, 100)}
}

// international brings a number to its form with +, as it is dialled: it is not
// normalised, because what is compared is not always what can be dialled.
// Many providers leave out the + alone; what is valid with it is that number.
func international(numbers handleid.Normaliser, s string) (string, bool) {
	bare := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("-()./", r) {
			return -1
		}
		return r
	}, s)
	if digits, ok := strings.CutPrefix(bare, "00"); ok {
		bare = "+" + digits
	}
	switch {
	case strings.HasPrefix(bare, "+"):
		return bare, digitsOnly(bare[1:]) && len(bare) > 7 && len(bare) <= 16
	case !digitsOnly(bare) || len(bare) < 7:
		return "", false
	case valid("+" + bare):
		return "+" + bare, true
	}
	if n := numbers.Normalise(KindPhone, bare); dialled(n) {
		return n, true // dialled at home
	}
	return "+" + bare, bare[0] != '0' && len(bare) >= 10 && len(bare) <= 15
}

// valid says whether the plan of its country has the number.
func valid(s string) bool {
	n, err := phonenumbers.Parse(s, "")
	return err == nil && phonenumbers.IsValidNumber(n)
}

// dialled says whether it is a number with its country's code.
func dialled(s string) bool { return strings.HasPrefix(s, "+") && digitsOnly(s[1:]) }

func digitsOnly(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}
