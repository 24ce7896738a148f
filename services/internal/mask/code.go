package mask

import (
	"regexp"
	"strings"
)

// Security codes are never kept (PCI DSS 3.3.1).
var (
	// A name that means nothing else betrays the code by itself: people send it in a message of its own.
	named = regexp.MustCompile(`(?i)\b(?:cv[vcn]2?|cvv/cvc|cvc/cvv|kartenprüfnummer|kartenprüfziffer|cryptogramme)(?:[ -]?(?:code|number|nummer|no|nr|is|ist|lautet))*[\s:=.#-]{0,4}(\d{3,4})\b`)
	names = strings.Split("cv|kartenprüf|cryptogramme|code|csc|cid|prüf|código|codice", "|")
	// These are codes of a card when there is one.
	vague = regexp.MustCompile(`(?i)\b(?:security code|sicherheitscode|prüfziffer|prüfnummer|verification code|csc|cid|código de seguridad|codice di sicurezza|beveiligingscode)(?: (?:is|ist|lautet))?[\s:=.#-]{0,4}(\d{3,4})\b`)
	// A masked card, and what follows it: perhaps when it ends, then the code.
	shown  = regexp.MustCompile(`\d{6}` + hidden + `\d{4}`)
	behind = regexp.MustCompile(`(?i)^[ \t\x{a0},;|/:-]{1,4}(?:(?:exp[a-z]*\.?|valid[a-z]*|gültig(?: bis)?)?[ :]{0,3}(?:0?[1-9]|1[0-2]) ?[/.-] ?(?:20\d{2}|\d{2})[ \t\x{a0},;|/:-]{1,4})?(\d{3,4})(?:[^\pL\pN/.-]|[.](?:\s|$)|$)`)
)

// farBehind is more than behind can match, in bytes.
const farBehind = 96

// codes finds security codes in a text whose cards are masked, and says whether it has cards.
func codes(s string, card bool) (edits []edit, holds bool) {
	hide := func(at []int, from int) {
		edits = append(edits, edit{from + at[2], from + at[3], "xxxx"[:at[3]-at[2]]})
	}
	for _, c := range shown.FindAllStringIndex(s, -1) {
		holds = true
		rest := s[c[1]:min(len(s), c[1]+farBehind)]
		if at := behind.FindStringSubmatchIndex(rest); at != nil {
			hide(at, c[1])
		}
	}
	lower := strings.ToLower(s)
	if !holdsOne(lower, names) {
		return sorted(edits), holds
	}
	for _, at := range named.FindAllStringSubmatchIndex(s, -1) {
		hide(at, 0)
	}
	if card || holds {
		for _, at := range vague.FindAllStringSubmatchIndex(s, -1) {
			hide(at, 0)
		}
	}
	return sorted(edits), holds
}
