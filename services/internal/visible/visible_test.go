package visible_test

import (
	"testing"

	"github.com/weftline/weftline/services/internal/visible"
)

func TestWhatCanBeSeen(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]struct{ line, lines, blank bool }{
		"Ada":            {true, true, false},
		"مرحبا":          {true, true, false},
		"👩‍💻":            {true, true, false}, // joined by a format character
		"a\nb\tc":        {false, true, false},
		"\u202eevil":     {false, false, false},
		"\x00":           {false, false, true},
		"a\x00b":         {false, false, false},
		" ":              {false, false, true},
		"\u200b\u2060":   {false, false, true},
		"":               {false, false, true},
		"\u202e\u2066\n": {false, false, true},
		"a\xffb":         {false, false, false},
	} {
		if got := visible.Line(s) == ""; got != want.line {
			t.Errorf("line %q: %v (%s)", s, got, visible.Line(s))
		}
		if got := visible.Lines(s) == ""; got != want.lines {
			t.Errorf("lines %q: %v (%s)", s, got, visible.Lines(s))
		}
		if got := visible.Blank(s); got != want.blank {
			t.Errorf("blank %q: %v", s, got)
		}
	}
	if got := visible.Strip("\u202eev\nil\x00"); got != "evil" {
		t.Errorf("stripped to %q", got)
	}
}
