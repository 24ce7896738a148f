package mask

import "slices"

// minDigits of a card.
const minDigits = 13

// numbers finds cards and IBANs. An IBAN is never read as a card, also where
// it may stay.
func (k Kinds) numbers(s string) []edit {
	accounts := ibans(s)
	var edits []edit
	if k&Secrets != 0 {
		edits = slices.Clone(accounts)
	}
	if k&Cards != 0 {
		edits = append(edits, cards(s, accounts)...)
	}
	return sorted(edits)
}

// cards finds runs of groups that make a card number. Every group begins at
// most one window of each length, so the work is linear.
func cards(s string, not []edit) []edit {
	all := groups(s)
	var edits []edit
	for i := 0; i < len(all); {
		for len(not) > 0 && not[0].end <= all[i].start {
			not = not[1:]
		}
		n := window(all, i)
		if n == 0 || coded(s, all[i].start, all[i+n-1].end) || len(not) > 0 && not[0].start < all[i+n-1].end {
			i++
			continue
		}
		var digits []byte
		for _, g := range all[i : i+n] {
			digits = append(digits, g.digits[:g.n]...)
		}
		for j := range digits {
			digits[j] += '0'
		}
		edits = append(edits, edit{all[i].start, all[i+n-1].end, string(digits[:6]) + hidden + string(digits[len(digits)-4:])})
		i += n
	}
	return edits
}

// preferred are the lengths of cards, the most usual first: of a number and the
// code behind it the number is meant.
var preferred = [maxDigits + 1]int{16: 1, 15: 2, 14: 3, 19: 4, 18: 5, 17: 6, 13: 7}

// window is how many groups from i on are a card; 0: none.
func window(all []group, i int) (groups int) {
	var digits [maxDigits]byte
	n, best := 0, 0
	for j := i; j < len(all); j++ {
		g := &all[j]
		if g.left || j > i && !g.joined || n+g.n > maxDigits {
			break
		}
		copy(digits[n:], g.digits[:g.n])
		n += g.n
		if n < minDigits {
			continue
		}
		if (best == 0 || preferred[n] < best) && shaped(all, i, j+1) && issued(digits[:n]) {
			best, groups = preferred[n], j+1-i
		}
	}
	return groups
}

// shaped says whether somebody would write a card as all[i:end]: in one, as it
// is printed, with four digits or more first, or in equal groups. The last two
// must not be cut out of something longer: of many numbers some fit by chance.
func shaped(all []group, i, end int) bool {
	groups := all[i:end]
	size := groups[0].n
	equal, long, printed, comma := true, size >= 4, size == 4 && len(groups) >= 3, false
	for j, g := range groups[1:] {
		last := j+2 == len(groups)
		equal = equal && (g.n == size || last && g.n < size)
		long = long && g.n >= 2
		printed = printed && (g.n == 4 || last && g.n <= 5 || g.n == 6 && j == 0 && len(groups) == 3)
		comma = comma || g.comma
	}
	if comma { // tones of a telephone, read out
		return equal && size == 1 && alone(all, i, end)
	}
	if len(groups) == 1 || printed {
		return true
	}
	tight := all[i].tight || end < len(all) && all[end].tight
	return long && !tight || equal && (size < 4 || !tight) && alone(all, i, end)
}

// alone: no other group of this size stands beside all[i:end].
func alone(all []group, i, end int) bool {
	size := all[i].n
	return (i == 0 || !all[i].joined || all[i-1].n != size) && (end == len(all) || !all[end].joined || all[end].n != size)
}

// maxLetters is how far coded looks.
const maxLetters = 8

// coded: the digits are a part of a code of figures and letters, like 1Z999….
func coded(s string, start, end int) bool {
	i := start
	for i > 0 && start-i < maxLetters && letter(s[i-1]) {
		i--
	}
	j := end
	for j < len(s) && j-end < maxLetters && letter(s[j]) {
		j++
	}
	return i < start && i > 0 && s[i-1]-'0' <= 9 || j > end && j < len(s) && s[j]-'0' <= 9
}
