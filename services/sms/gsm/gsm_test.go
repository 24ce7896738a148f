package gsm_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/weftline/weftline/services/sms/gsm"
)

// TestAlphabet has the codes from the tables of 3GPP TS 23.038, section 6.2.1.
func TestAlphabet(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"@£$¥èéùìò": "\x00\x01\x02\x03\x04\x05\x06\x07\x08", "Çä": "\x09\x7b", "\n\r": "\x0a\x0d", "Δ_ΦΓΛΩΠΨΣΘΞ": "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a",
		"ÆæßÉ": "\x1c\x1d\x1e\x1f", "¤": "\x24", "¡AZÄÖÑÜ§": "\x40AZ\x5b\x5c\x5d\x5e\x5f", "¿az": "\x60az", "öñüà": "\x7c\x7d\x7e\x7f",
		"^{}\\[~]|€\f": "\x1b\x14\x1b\x28\x1b\x29\x1b\x2f\x1b\x3c\x1b\x3d\x1b\x3e\x1b\x40\x1b\x65\x1b\x0a",
	} {
		got, ok := gsm.Encode(text)
		if !ok || string(got) != want {
			t.Errorf("%q is % x, want % x", text, got, want)
		}
		if back := gsm.Decode([]byte(want)); back != text {
			t.Errorf("% x is %q, want %q", want, back, text)
		}
	}
	for _, text := range []string{"ç", "`", "’", "á", "ё", "😀", "\x1b", "\x00"} {
		if _, ok := gsm.Encode(text); ok {
			t.Errorf("%q is not in the alphabet", text)
		}
	}
	for in, want := range map[string]string{"a\x1b": "a ", "\x1b\x1bx": " x", "\x1bA": "A", "\xe1": "a"} {
		if got := gsm.Decode([]byte(in)); got != want {
			t.Errorf("% x is %q, want %q", in, got, want)
		}
	}
}

// TestPack: "hello" is E8329BFD06, known from every example of a PDU.
func TestPack(t *testing.T) {
	t.Parallel()
	if got := gsm.Pack([]byte("hello"), 0); !bytes.Equal(got, []byte{0xe8, 0x32, 0x9b, 0xfd, 0x06}) {
		t.Errorf("% x", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		septets := rapid.SliceOf(rapid.ByteRange(0, 0x7f)).Draw(t, "septets")
		fill := rapid.IntRange(0, 6).Draw(t, "fill")
		packed := gsm.Pack(septets, fill)
		if want := (len(septets)*7 + fill + 7) / 8; len(packed) != want {
			t.Fatalf("%d bytes, want %d", len(packed), want)
		}
		if got := gsm.Unpack(packed, len(septets), fill); !bytes.Equal(got, septets) {
			t.Fatalf("% x, want % x", got, septets)
		}
	})
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		units int
		parts int
	}{
		{"", 0, 1},
		{strings.Repeat("a", 160), 160, 1},
		{strings.Repeat("a", 161), 161, 2},
		{strings.Repeat("a", 1530), 1530, 10},
		{strings.Repeat("a", 1531), 1531, 11},
		{strings.Repeat("€", 80), 160, 1},
		{strings.Repeat("€", 153), 306, 3}, // 76 in each part: an escape is not torn
		{strings.Repeat("я", 70), 70, 1},
		{strings.Repeat("я", 71), 71, 2},
		{strings.Repeat("😀", 35), 70, 1},
		{strings.Repeat("😀", 67), 134, 3}, // 33 in each part: a pair is not torn
		{strings.Repeat("a", 159) + "’", 160, 3},
	} {
		got := gsm.Measure(c.text)
		if got.Units != c.units || got.Parts != c.parts {
			t.Errorf("%.10q… × %d: %+v, want %d units in %d parts", c.text, utf8.RuneCountInString(c.text), got, c.units, c.parts)
		}
	}
}

// TestSplit: what the parts say together is the text, each is within its limit,
// none is torn, and Measure has counted right.
func TestSplit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := sample(t)
		size := gsm.Measure(text)
		parts, err := gsm.Split(text, 7, 0)
		if size.Parts > gsm.MaxParts {
			if !errors.Is(err, gsm.ErrTooLong) {
				t.Fatalf("%d parts, %v", size.Parts, err)
			}
			return
		}
		if err != nil || len(parts) != size.Parts {
			t.Fatalf("%d parts, %v, measured are %d", len(parts), err, size.Parts)
		}
		if err := sound(text, parts); err != "" {
			t.Fatal(err)
		}
	})
}

func sound(text string, parts []gsm.Part) string {
	var joined strings.Builder
	for i, p := range parts {
		limit := map[bool]map[gsm.Coding]int{
			false: {gsm.SevenBit: gsm.SingleSeptets, gsm.UCS2: 2 * gsm.SingleUnits},
			true:  {gsm.SevenBit: gsm.PartSeptets, gsm.UCS2: 2 * gsm.PartUnits},
		}[len(parts) > 1][p.Coding]
		if len(p.Data) > limit {
			return "a part is over its limit"
		}
		if len(parts) > 1 {
			c, rest, err := gsm.ReadHeader(append(p.Header[:len(p.Header):len(p.Header)], p.Data...))
			if err != nil || c.Ref != 7 || int(c.Total) != len(parts) || int(c.Part) != i+1 || !bytes.Equal(rest, p.Data) {
				return "the header is wrong"
			}
		} else if len(p.Header) != 0 {
			return "one part has a header"
		}
		joined.WriteString(p.Text())
	}
	if want := strings.ToValidUTF8(text, "\ufffd"); joined.String() != want && utf8.ValidString(text) {
		return "together they say something else: " + joined.String()
	}
	return ""
}

func sample(t *rapid.T) string {
	chars := rapid.SampledFrom([]rune("aZ0 @€[]|ñ\nΩ"))
	if rapid.Bool().Draw(t, "wide") {
		chars = rapid.SampledFrom([]rune("a €я世😀👩\u200d\ufe0f"))
	}
	return string(rapid.SliceOfN(chars, 0, 2000).Draw(t, "text"))
}

func TestSplitRefuses(t *testing.T) {
	t.Parallel()
	if _, err := gsm.Split(strings.Repeat("a", 1531), 1, 10); !errors.Is(err, gsm.ErrTooLong) || !strings.Contains(err.Error(), "takes 11 parts, at most 10") {
		t.Error(err)
	}
}

func TestReadHeader(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want gsm.Concat
		rest string
		bad  bool
	}{
		{in: "\x05\x00\x03\x2a\x03\x02xy", want: gsm.Concat{Ref: 0x2a, Total: 3, Part: 2}, rest: "xy"},
		{in: "\x06\x08\x04\x01\x02\x03\x01x", want: gsm.Concat{Ref: 0x102, Total: 3, Part: 1, Wide: true}, rest: "x"},
		{in: "\x0b\x05\x04\x00\x00\x00\x00\x00\x03\x01\x02\x02z", want: gsm.Concat{Ref: 1, Total: 2, Part: 2}, rest: "z"}, // ports first
		{in: "\x05\x00\x03\x01\x02\x03x", rest: "x"},                                                                      // part 3 of 2
		{in: "\x05\x00\x03\x01\x00\x00x", rest: "x"},
		{in: "\x02\x00\x03x", rest: "x"}, // an element longer than the header
		{in: "\x00x", rest: "x"},
		{in: "", bad: true},
		{in: "\x05\x00", rest: "\x05\x00", bad: true},
	} {
		got, rest, err := gsm.ReadHeader([]byte(c.in))
		if got != c.want || string(rest) != c.rest || (err != nil) != c.bad {
			t.Errorf("% x: %+v, %q, %v", c.in, got, rest, err)
		}
	}
}

func TestUCS2(t *testing.T) {
	t.Parallel()
	if got := gsm.EncodeUCS2("я😀"); !bytes.Equal(got, []byte{0x04, 0x4f, 0xd8, 0x3d, 0xde, 0x00}) {
		t.Errorf("% x", got)
	}
	for in, want := range map[string]string{"\x00a\xd8\x3d": "a\ufffd", "\x00a\x00": "a\ufffd", "\xde\x00\x00b": "\ufffdb"} {
		if got := gsm.DecodeUCS2([]byte(in)); got != want {
			t.Errorf("% x is %q, want %q", in, got, want)
		}
	}
}
