package handleid_test

import (
	"testing"

	"github.com/weftline/weftline/services/internal/handleid"
)

func TestWhichNumbersTakeTexts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ region, typed, want string }{
		{"DE", "0151 23456789", "+4915123456789"},
		{"DE", " +49 (0)151 2345-6789 ", "+4915123456789"},
		{"DE", "0049 151 23456789", "+4915123456789"},
		{"DE", "+1 415 555 0123", "+14155550123"}, // the plan does not tell mobile numbers from others
		{"AR", "+54 9 11 2345-6789", "+5491123456789"},
		{"", "+44 7400 123456", "+447400123456"},
		{"", "07400 123456", ""}, // nobody knows where
		{"DE", "030 12345678", ""},
		{"DE", "0900 1234567", ""},
		{"GB", "070 1234 5678", ""}, // a personal number, dear to call
		{"US", "+1 900 234 5678", ""},
		{"DE", "+49 151 23456789 ext. 5", ""},
		{"DE", "110", ""},
		{"DE", "+49 151", ""},
		{"DE", "+49 151 2345678901234567", ""},
		{"US", "1-800-FLOWERS", ""},
		{"DE", "call me", ""},
		{"DE", "", ""},
	} {
		got, ok := handleid.Normaliser{Region: c.region}.Mobile(c.typed)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%q in %q is %q, %v; want %q", c.typed, c.region, got, ok, c.want)
		}
	}
}

func TestAnExampleCanBeWrittenTo(t *testing.T) {
	t.Parallel()
	for _, region := range []string{"", "DE", "US", "BR", "AR", "JP", "XX"} {
		n := handleid.Normaliser{Region: region}
		if e := n.Example(); e == "" {
			t.Errorf("%q has none", region)
		} else if _, ok := n.Mobile(e); !ok {
			t.Errorf("%q of %q cannot be written to", e, region)
		}
	}
}
