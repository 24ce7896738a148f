package gsm_test

import (
	"testing"
	"unicode/utf8"

	"github.com/weftline/weftline/services/sms/gsm"
)

func FuzzSplit(f *testing.F) {
	f.Add("hello €")
	f.Add("👩‍👩‍👧‍👦 שלום")
	f.Add("\xff\x1b")
	f.Fuzz(func(t *testing.T, text string) {
		parts, err := gsm.Split(text, 7, 0)
		if err != nil {
			return
		}
		if len(parts) != gsm.Measure(text).Parts {
			t.Errorf("%d parts, measured are %d", len(parts), gsm.Measure(text).Parts)
		}
		if err := sound(text, parts); err != "" {
			t.Error(err)
		}
	})
}

// FuzzRead: whatever comes is read, to valid text.
func FuzzRead(f *testing.F) {
	f.Add([]byte("\x05\x00\x03\x2a\x03\x02xy"))
	f.Add([]byte("\xd8\x3d\xde\x00\x1b"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, rest, _ := gsm.ReadHeader(b)
		for _, s := range []string{gsm.Decode(rest), gsm.DecodeUCS2(rest), gsm.Decode(gsm.Unpack(b, len(b)*2, len(b)%7))} {
			if !utf8.ValidString(s) {
				t.Errorf("%q", s)
			}
		}
		if text := gsm.Decode(b); text != "" {
			if _, ok := gsm.Encode(text); !ok {
				t.Errorf("%q is not of the alphabet", text)
			}
		}
	})
}
