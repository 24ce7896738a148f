// Package mask takes payment cards and secrets out of text.
//
//	cards    4111 1111 1111 1111  →  411111xxxxxx1111, the code beside it → xxx
//	secrets  DE89 3704 0044 0532 0130 00 → DE89xxxxxx3000, ghp_… → [masked GitHub token]
//
// It is pure, takes time linear in its input, changes nothing that is not a
// hit, and finds nothing in what it returned: mask(mask(x)) = mask(x).
//
// What it can't see: digits written as words, in pictures or inside files, and
// a card split over two messages.
package mask

import (
	"fmt"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
)

// Kinds is what is masked: a set.
type Kinds uint8

// The kinds.
const (
	Cards   Kinds = 1 << iota // payment card numbers (PCI DSS 3.4: first six and last four stay) and their security codes
	Secrets                   // IBANs, access keys, tokens, private keys, credentials of pasted HTTP requests
	None    Kinds = 0
)

// Values of a setting that Parse reads.
const (
	Off             = "off"
	OnlyCards       = "cards"
	CardsAndSecrets = "cards,secrets"
)

// Parse reads a setting; an empty one is off.
func Parse(setting string) (Kinds, error) {
	switch setting {
	case "", Off:
		return None, nil
	case OnlyCards:
		return Cards, nil
	case CardsAndSecrets:
		return Cards | Secrets, nil
	}
	return None, fmt.Errorf("%q is not allowed; allowed are %s, %s, %s", setting, Off, OnlyCards, CardsAndSecrets)
}

// Text masks plain text. hit: something was.
func (k Kinds) Text(s string) (masked string, hit bool) {
	d := doc{text: s}
	k.run(&d, false)
	return d.text, d.text != s
}

// Content masks everything of it that is text: subject, text, quoted text,
// HTML, names of files. A code that only a card beside it betrays is found
// when the card is in another of its fields.
func (k Kinds) Content(c channel.Content) (masked channel.Content, hit bool) {
	if k == None {
		return c, false
	}
	files := append([]channel.Attachment(nil), c.Attachments...)
	c.Attachments = files
	if c.Forwarded != nil {
		claim := *c.Forwarded
		c.Forwarded = &claim
	}
	card := false
	for range 2 { // a second time when a card was found
		fields := []*string{&c.Subject, &c.Text, &c.Quoted, &c.Unparsed}
		if c.Forwarded != nil {
			fields = append(fields, &c.Forwarded.Name, &c.Forwarded.Address)
		}
		for i := range files {
			fields = append(fields, &files[i].Name)
		}
		found := false
		for _, f := range fields {
			d := doc{text: *f}
			found = k.run(&d, card) || found
			hit = hit || d.text != *f
			*f = d.text
		}
		html, with, changed := k.html(c.HTML, card)
		c.HTML, hit = html, hit || changed
		if found = found || with; card || !found {
			break
		}
		card = true
	}
	return c, hit
}

// rounds bounds how often a text is gone over. What one round leaves can be a
// hit for the next only where a hit stood between its parts.
const rounds = 4

// run masks d. card: a card is known to be near. It says whether d holds one, masked by now.
func (k Kinds) run(d *doc, card bool) (holds bool) {
	if k == None || d.text == "" {
		return false
	}
	for range rounds {
		before := d.text
		if k&Secrets != 0 {
			lower := strings.ToLower(d.text) // of the text before the rules: they only take away
			for _, r := range rules {
				d.apply(r.find(d.text, lower))
			}
		}
		d.apply(k.numbers(d.text))
		if k&Cards != 0 {
			edits, found := codes(d.text, card)
			d.apply(edits)
			holds = holds || found
		}
		if d.text == before {
			break
		}
	}
	return holds
}
