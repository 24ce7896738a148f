package sms

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/handleid"
	"github.com/weftline/weftline/services/sms/gsm"
	"github.com/weftline/weftline/services/sms/smpp"
)

// parseSMPP reads one or more deliver_sm, one behind the other as they crossed the wire.
func parseSMPP(raw channel.Raw, with params) ([]channel.Item, error) {
	var all []smpp.Message
	for r := bytes.NewReader(raw.Body); r.Len() > 0; {
		p, err := smpp.Read(r)
		if err != nil {
			return nil, fmt.Errorf("deliver_sm %d: %w", len(all)+1, err)
		}
		m, err := smpp.Decode(p.Body)
		if err != nil {
			return nil, fmt.Errorf("deliver_sm %d: %w", len(all)+1, err)
		}
		all = append(all, m)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no deliver_sm")
	}
	text, whole, err := joined(all)
	if err != nil {
		return nil, err
	}
	first := all[0]
	m := said{id: raw.ProviderID, from: written(first.Source), to: written(first.Dest), text: text}
	if first.Source.TON == smpp.TONNational {
		m.from = handleid.Normaliser{Region: with.region}.Normalise(KindPhone, first.Source.Addr)
	}
	items, err := m.item(raw, with)
	if err == nil && !whole {
		items[0].Message.Flags = append(items[0].Message.Flags, "incomplete")
		items[0].Message.Consent = ""
	}
	if err == nil && first.Source.TON == smpp.TONAlphanumeric {
		items[0].Message.Assurance = 1
	}
	return items, err
}

// joined is the text of all parts, with a word where one is missing.
func joined(all []smpp.Message) (text string, whole bool, err error) {
	total := int(concat(all[0]).Total)
	if total < 2 {
		total = 1
	}
	parts := make([]*smpp.Message, total)
	for i := range all {
		n := max(int(concat(all[i]).Part), 1)
		if n > total {
			return "", false, fmt.Errorf("part %d of %d", n, total)
		}
		parts[n-1] = &all[i]
	}
	var b strings.Builder
	whole = true
	for i := 0; i < total; i++ {
		if parts[i] == nil {
			whole = false
			fmt.Fprintf(&b, " [part %d of %d is missing] ", i+1, total)
			continue
		}
		// Some phones cut a surrogate pair or an escape: neighbours of one coding are read as one.
		coding, data, err := content(*parts[i])
		if err != nil {
			return "", false, err
		}
		for i+1 < total && parts[i+1] != nil {
			next, more, err := content(*parts[i+1])
			if err != nil {
				return "", false, err
			}
			if next != coding {
				break
			}
			data = append(data[:len(data):len(data)], more...)
			i++
		}
		b.WriteString(coding.text(data))
	}
	text = strings.ReplaceAll(b.String(), "\x00", "")
	if !whole {
		text = strings.TrimSpace(text)
	}
	return text, whole, nil
}

// alphabet of a message, by data_coding.
type alphabet byte

const (
	alphabetGSM alphabet = iota
	alphabetASCII
	alphabetLatin1
	alphabetUCS2
)

var errBinary = errors.New("the message is no text (data_coding says binary)")

// content is what a message says without its user data header (3GPP TS 23.038, section 4; SMPP 3.4, section 5.2.19).
func content(m smpp.Message) (alphabet, []byte, error) {
	data := m.Payload()
	if m.ESMClass&smpp.ESMHeader != 0 {
		if _, rest, err := gsm.ReadHeader(data); err == nil {
			data = rest
		}
	}
	dc := m.DataCoding
	switch {
	case dc == 0, dc >= 0xc0 && dc < 0xe0, dc >= 0xf0 && dc&0x04 == 0, dc&0xf0 == 0x10 && dc&0x0c == 0:
		return alphabetGSM, data, nil
	case dc == 1:
		return alphabetASCII, data, nil
	case dc == 3:
		return alphabetLatin1, data, nil
	case dc == 8, dc >= 0xe0 && dc < 0xf0, dc&0xf0 == 0x10 && dc&0x0c == 0x08:
		return alphabetUCS2, data, nil
	case dc == 2, dc == 4, dc >= 0xf0, dc&0xf0 == 0x10 && dc&0x0c == 0x04:
		return 0, nil, errBinary
	}
	return 0, nil, fmt.Errorf("data_coding %#02x is not known", dc)
}

func (a alphabet) text(b []byte) string {
	switch a {
	case alphabetUCS2:
		return gsm.DecodeUCS2(b)
	case alphabetLatin1, alphabetASCII:
		r := make([]rune, len(b))
		for i, c := range b {
			r[i] = rune(c)
		}
		return string(r)
	}
	return gsm.Decode(b)
}
