package channel_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/rivo/uniseg"
	"pgregory.net/rapid"

	"github.com/weftline/weftline/pkg/channel"
)

func TestSplitAtTheBestPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		limit int
		unit  channel.TextUnit
		want  []string
	}{
		{"short", 10, channel.Characters, []string{"short"}},
		{"", 10, channel.Characters, []string{""}},
		{"unlimited text", 0, channel.Characters, []string{"unlimited text"}},
		{"one two three four", 9, channel.Characters, []string{"one two", "three", "four"}},
		{"First one. Second one.", 14, channel.Characters, []string{"First one.", "Second one."}},
		{"A paragraph.\n\nAnother. And more.", 24, channel.Characters, []string{"A paragraph.", "Another. And more."}},
		{"line one\nline two", 12, channel.Characters, []string{"line one", "line two"}},
		{"aaaaaaaaaa", 4, channel.Characters, []string{"aaaa", "aaaa", "aa"}},
		{"👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 12, channel.UTF16Units, []string{"👨‍👩‍👧‍👦", "👨‍👩‍👧‍👦"}},
		{"שלום עולם", 6, channel.Characters, []string{"שלום", "עולם"}},
		{"äöü", 4, channel.Bytes, []string{"äö", "ü"}},
	} {
		if got := channel.Split(c.text, c.limit, c.unit.Length); !slices.Equal(got, c.want) {
			t.Errorf("Split(%q, %d): %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}

// TestSplitLosesNothing: whatever the text, every piece is within the limit,
// all of them together are the text but for white space, and no character is torn.
func TestSplitLosesNothing(t *testing.T) {
	t.Parallel()
	piece := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"👨‍👩‍👧‍👦", "🇩🇪", "é", "\r\n", "\n\n", ". ", "مرحبا", "\u200f", "各種"}))
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 0, 20).Draw(t, "text"), "")
		limit := rapid.IntRange(1, 60).Draw(t, "limit")
		unit := rapid.SampledFrom([]channel.TextUnit{channel.Characters, channel.UTF16Units, channel.Bytes}).Draw(t, "unit")
		pieces := channel.Split(text, limit, unit.Length)
		for _, p := range pieces {
			if n := unit.Length(p); n > limit && len([]rune(p)) > 1 {
				t.Fatalf("%q has %d, the limit is %d", p, n, limit)
			}
		}
		bare := func(s string) string {
			return strings.Map(func(r rune) rune {
				if unicode.IsSpace(r) {
					return -1
				}
				return r
			}, s)
		}
		if got, want := bare(strings.Join(pieces, "")), bare(text); got != want {
			t.Fatalf("%q became %q", want, got)
		}
		if whole := characters(text); !slices.ContainsFunc(whole, func(c string) bool { return unit.Length(c) > limit || bare(c) != c && bare(c) != "" }) {
			var got []string
			for _, p := range pieces {
				got = append(got, characters(p)...)
			}
			visible := func(cs []string) []string {
				return slices.DeleteFunc(cs, func(c string) bool { return bare(c) == "" })
			}
			if got, want := visible(got), visible(whole); !slices.Equal(got, want) {
				t.Fatalf("a character is torn: %q became %q", want, got)
			}
		}
	})
}

// characters as a reader sees them.
func characters(s string) (all []string) {
	for g := uniseg.NewGraphemes(s); g.Next(); {
		all = append(all, g.Str())
	}
	return all
}
