package blocklist

import (
	"strings"
	"testing"
)

func TestListIsChecked(t *testing.T) {
	t.Parallel()
	for bad, want := range map[string]string{
		"[role]\ninfo\n":                     "no version",
		"version x\n":                        "no number",
		"version 1\ninfo\n":                  "no section",
		"version 1\n[role]\ninfo\ninfo\n":    "twice",
		"version 1\n[role]\nInfo\n":          "lower case",
		"version 1\n[null]\nnone@none.com\n": "no section",
		"version 1\n[other]\nx\n":            "no section",
	} {
		if _, err := parse(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", bad, err, want)
		}
	}
}
