package mask

import (
	"strings"
	"unicode/utf8"
)

// lengths of IBANs by country, from the registry of ISO 13616 (release 99).
var lengths = func() map[string]int {
	m := map[string]int{}
	for _, f := range strings.Fields(`AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27
		DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30
		KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29
		PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30`) {
		m[f[:2]] = int(f[2]-'0')*10 + int(f[3]-'0')
	}
	return m
}()

// ibans finds account numbers with the right check digits (mod 97), in one or in groups.
func ibans(s string) []edit {
	var edits []edit
	for i := 0; i+4 <= len(s); i++ {
		if !letter(s[i]) || !letter(s[i+1]) || s[i+2]-'0' > 9 || s[i+3]-'0' > 9 || i > 0 && (letter(s[i-1]) || s[i-1]-'0' <= 9) {
			continue
		}
		want := lengths[strings.ToUpper(s[i:i+2])]
		if end, text, ok := account(s[i:], want); ok {
			edits = append(edits, edit{i, i + end, text[:4] + hidden + text[len(text)-4:]})
			i += end - 1
		}
	}
	return edits
}

// minFigures of an IBAN without its check digits: words are no account.
const minFigures = 8

// account reads n characters of an IBAN at the beginning of s.
func account(s string, n int) (end int, text string, ok bool) {
	var b [34]byte
	have, gap, figures := 0, 0, 0
	for i := 0; have < n; {
		if i >= len(s) {
			return 0, "", false
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r < utf8.RuneSelf && (letter(byte(r)) || byte(r)-'0' <= 9):
			b[have] = byte(r) &^ 0x20
			if byte(r)-'0' <= 9 {
				b[have] = byte(r)
				figures++
			}
			have, gap, end = have+1, 0, i+size
		case gap < 1 && have > 0 && r != '>' && r != ',' && separator(r):
			gap++
		default:
			return 0, "", false
		}
		i += size
	}
	if n == 0 || figures < 2+minFigures || end < len(s) && (letter(s[end]) || s[end]-'0' <= 9) {
		return 0, "", false
	}
	text = string(b[:n])
	if strings.HasPrefix(text[4:], strings.ToUpper(hidden)) || remainder(text[4:]+text[:4]) != 1 {
		return 0, "", false
	}
	return end, text, true
}

// remainder by 97, letters counting from A = 10 (ISO 7064).
func remainder(s string) int {
	m := 0
	for _, c := range []byte(s) {
		if c <= '9' {
			m = (m*10 + int(c-'0')) % 97
		} else {
			m = (m*100 + int(c-'A') + 10) % 97
		}
	}
	return m
}

func letter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
