package inbox

import "github.com/weftline/weftline/services/internal/mask"

// KeyMask is the setting that every channel has: what is masked of what comes in.
const KeyMask = "mask"

// groupPrivacy is the heading of what every channel has.
const groupPrivacy = "Privacy"

// Mask describes it.
var Mask = Setting{
	Key: KeyMask, Label: "Mask cards and secrets",
	Help: "cards: card numbers and their security codes are masked before a message is stored. " +
		"cards,secrets: also IBANs, keys, tokens and passwords of pasted requests. " +
		"The original of a message in which something was masked is destroyed and cannot be downloaded; its attachments are kept, " +
		"text files among them masked. Pictures, PDFs and archives are not looked into.",
	Default: mask.Off, Values: []string{mask.Off, mask.OnlyCards, mask.CardsAndSecrets},
	Group: groupPrivacy, Advanced: true,
	Words: map[string]string{mask.Off: "Nothing", mask.OnlyCards: "Cards", mask.CardsAndSecrets: "Cards and secrets"},
}
