package mask_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/internal/mask"
)

// maker makes lines with a fixed seed.
type maker struct{ *rand.Rand }

func (m maker) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + m.IntN(10))
	}
	return string(b)
}

func (m maker) one(of ...string) string { return of[m.IntN(len(of))] }

// withCheck appends the check digit; written apart from the code under test (Luhn from the right).
func withCheck(s string) string {
	sum, double := 0, true
	for i := len(s) - 1; i >= 0; i-- {
		v := int(s[i] - '0')
		if double {
			v = v*2/10 + v*2%10
		}
		sum += v
		double = !double
	}
	return s + fmt.Sprint((10-sum%10)%10)
}

// card is a number and the sizes of its printed groups.
func (m maker) card() (string, []int) {
	brand := []struct {
		head   string
		n      int
		groups []int
	}{
		{"4", 16, []int{4, 4, 4, 4}},
		{"4", 16, []int{4, 4, 4, 4}},
		{"4", 13, []int{4, 3, 3, 3}},
		{"4", 19, []int{4, 4, 4, 4, 3}},
		{fmt.Sprint(51 + m.IntN(5)), 16, []int{4, 4, 4, 4}},
		{fmt.Sprint(2221 + m.IntN(500)), 16, []int{4, 4, 4, 4}},
		{"34", 15, []int{4, 6, 5}},
		{"37", 15, []int{4, 6, 5}},
		{"36", 14, []int{4, 6, 4}},
		{"6011", 16, []int{4, 4, 4, 4}},
		{fmt.Sprint(3528 + m.IntN(62)), 16, []int{4, 4, 4, 4}},
		{"62", 17, []int{4, 4, 4, 5}},
		{"6759", 18, []int{6, 12}},
		{"2202", 16, []int{8, 8}},
	}[m.IntN(14)]
	return withCheck(brand.head + m.digits(brand.n-1-len(brand.head))), brand.groups
}

func (m maker) write(card string, groups []int) string {
	switch m.IntN(9) {
	case 0, 1:
		return card
	case 2:
		return strings.Join(strings.Split(card, ""), m.one(" ", "-", "."))
	case 3:
		return strings.Map(func(r rune) rune { return r - '0' + '０' }, card)
	}
	sep := m.one(" ", " ", "-", ".", "\u00a0", "\u202f", "–", " - ", "\n", "  ", "\u200b")
	var parts []string
	for _, n := range groups {
		parts, card = append(parts, card[:n]), card[n:]
	}
	return strings.Join(parts, sep)
}

func (m maker) positive() (line string, bare []string) {
	card, groups := m.card()
	written := m.write(card, groups)
	line = m.one("my card is %s", "%s", "Visa %s please charge it again", "Karte: %s, Danke!", "(%s)", "pay with **%s** now", "numéro de carte %s svp",
		"refund 49,90 EUR to %s.", "on 2026-11-27 I used %s in order 100234", "tel +49 30 123456, card %s", "> %s")
	line = fmt.Sprintf(line, written)
	bare = []string{card}
	if m.IntN(4) == 0 {
		code := m.digits(3)
		line += m.one(" CVV ", " 12/27 ", " cvc: ", " exp 03/2029 ") + code
	}
	return line, bare
}

func (m maker) negative() string {
	return fmt.Sprintf(m.one("Where is order %s?", "Bestellung %s, bitte", "#%s", "tracking %s says delivered", "%s", "invoice %s of 2026-11-27 10:30", "https://shop.example/o/%s?x=1"), m.order())
}

// order is an order, invoice, parcel or product number as shops and carriers
// make them. One in fifty is nothing but 13 to 19 random digits.
func (m maker) order() string {
	switch m.IntN(50) {
	case 0:
		return m.digits(13 + m.IntN(7))
	case 1, 2, 3, 4, 5:
		return fmt.Sprintf("%s-%s-%s", m.digits(3), m.digits(7), m.digits(7)) // Amazon
	case 6, 7, 8, 9:
		return fmt.Sprintf("%s-%s-%s", m.digits(2), m.digits(5), m.digits(5)) // eBay
	case 10, 11, 12, 13:
		return fmt.Sprintf("2026%02d%02d-%s", 1+m.IntN(12), 1+m.IntN(28), m.digits(6))
	case 14, 15, 16:
		return "0034043" + m.digits(13) // SSCC
	case 17, 18, 19:
		return "1Z" + strings.ToUpper(fmt.Sprintf("%03x", m.IntN(4096))) + m.digits(13) // UPS
	case 20, 21:
		return "94001" + m.digits(17) // USPS
	case 22, 23:
		return fmt.Sprint(1764225144123 + m.Int64N(1e10)) // milliseconds
	case 24, 25, 26:
		return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", m.Uint32(), m.IntN(1<<16), m.IntN(1<<12), m.IntN(1<<12), m.Int64N(1<<48))
	case 27, 28:
		return "978" + m.digits(10) // EAN
	case 29, 30:
		return "5" + m.digits(12) // Shopify
	case 31, 32:
		return m.digits(4) + " " + m.digits(4) + " " + m.digits(4) // DHL
	}
	return m.digits(6 + m.IntN(7))
}

func TestRecallAndPrecision(t *testing.T) {
	t.Parallel()
	m := maker{rand.New(rand.NewPCG(20261127, 1))}
	var found, missed, wrong int
	for range 5000 {
		line, bare := m.positive()
		got, hit := mask.Cards.Text(line)
		whole := false
		for _, c := range bare {
			whole = whole || strings.Contains(ascii(got), c)
		}
		if hit && !whole {
			found++
		} else {
			missed++
			t.Logf("missed %q", line)
		}
	}
	for range 5000 {
		line := m.negative()
		if got, hit := mask.Cards.Text(line); hit {
			wrong++
			t.Logf("wrong: %q became %q", line, got)
		}
	}
	recall, precision := float64(found)/5000, float64(found)/float64(found+wrong)
	t.Logf("recall %.4f, precision %.4f of 10,000 lines", recall, precision)
	if recall < 0.995 || precision < 0.99 {
		t.Errorf("recall %.4f (want 0.995), precision %.4f (want 0.99); missed %d, wrong %d", recall, precision, missed, wrong)
	}
}

// ascii is a line's digits alone.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r == 'x':
			return r
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		}
		return -1
	}, s)
}

func TestOrderNumbersStay(t *testing.T) {
	t.Parallel()
	m := maker{rand.New(rand.NewPCG(20261127, 2))}
	wrong := 0
	for range 1_000_000 {
		if _, hit := mask.Cards.Text(m.order()); hit {
			wrong++
		}
	}
	t.Logf("%d of 1,000,000 order numbers were taken for cards", wrong)
	if wrong > 1000 {
		t.Errorf("%d of 1,000,000 order numbers were taken for cards, want at most 1,000", wrong)
	}
	// The worst that can be: nothing but random digits of a card's usual length. One in ten passes the
	// check digit, so it is the issuers' ranges alone that tell.
	wrong = 0
	for range 100_000 {
		if _, hit := mask.Cards.Text(m.digits(16)); hit {
			wrong++
		}
	}
	t.Logf("%d of 100,000 random numbers of 16 digits were taken for cards", wrong)
	if wrong > 3000 {
		t.Errorf("%d of 100,000 random numbers of 16 digits were taken for cards, want at most 3,000", wrong)
	}
}

func TestIBANRates(t *testing.T) {
	t.Parallel()
	m := maker{rand.New(rand.NewPCG(20261127, 3))}
	for range 10_000 {
		bban := m.digits(18)
		var rest int64
		for _, c := range bban + "131400" { // DE00 at the end
			rest = (rest*10 + int64(c-'0')) % 97
		}
		iban := fmt.Sprintf("DE%02d%s", 98-rest, bban)
		if m.IntN(2) == 0 {
			iban = iban[:4] + " " + iban[4:8] + " " + iban[8:12] + " " + iban[12:16] + " " + iban[16:20] + " " + iban[20:]
		}
		if got, hit := mask.Secrets.Text("IBAN: " + iban); !hit || strings.Contains(ascii(got), bban) {
			t.Fatalf("%q became %q", iban, got)
		}
	}
}
