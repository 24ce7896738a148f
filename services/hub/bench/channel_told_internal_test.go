package bench

import (
	"slices"
	"testing"
)

// What a hub could get wrong is told from what is right.
func TestSaidBy(t *testing.T) {
	t.Parallel()
	right := []string{text(7, 0), text(7, 1), text(7, 2), text(7, 3), text(7, 4)}
	if who, err := saidBy(right); who != 7 || err != nil {
		t.Errorf("a timeline that is right: customer %d, %v", who, err)
	}
	for name, change := range map[string]func(s []string) []string{
		"one is missing":     func(s []string) []string { return s[1:] },
		"one is twice":       func(s []string) []string { return append(s, s[4]) },
		"one for another":    func(s []string) []string { s[2] = s[1]; return s },
		"out of order":       func(s []string) []string { s[2], s[3] = s[3], s[2]; return s },
		"another customer's": func(s []string) []string { s[3] = text(8, 3); return s },
		"cut off":            func(s []string) []string { s[0] = s[0][:len(s[0])-1]; return s },
		"nothing of ours":    func(s []string) []string { s[0] = "Hello"; return s },
	} {
		if _, err := saidBy(change(slices.Clone(right))); err == nil {
			t.Errorf("%s: nothing was said about it", name)
		}
	}
}
