package resolve_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/conversation/internal/resolve"
)

func TestBuiltInRulesAreGood(t *testing.T) {
	t.Parallel()
	r := resolve.BuiltIn()
	if len(r.Rules) == 0 || r.Digest() == "" {
		t.Fatal("there are none")
	}
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, append(r.Source(), "# mine\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	mine, err := resolve.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if mine.Digest() == r.Digest() {
		t.Error("another file has the same digest")
	}
}

// Whatever a file says, what is less than attested does not link.
func TestRulesAreChecked(t *testing.T) {
	t.Parallel()
	good := string(resolve.BuiltIn().Source())
	for name, tc := range map[string]struct{ from, to, complaint string }{
		"a weak link":        {"    claim: 2\n    owner: 2\n    outcome: link", "    claim: 1\n    owner: 2\n    outcome: link", "at least 2"},
		"a variant links":    {"    when: variant\n    outcome: suggest", "    when: variant\n    claim: 4\n    owner: 4\n    outcome: link", "can only suggest"},
		"same claim links":   {"    when: same_claim\n    outcome: suggest", "    when: same_claim\n    claim: 4\n    owner: 4\n    outcome: link", "can only suggest"},
		"a word misspelt":    {"outcome: suggest", "outcom: suggest", "outcom"},
		"an outcome unknown": {"outcome: suggest", "outcome: merge", "merge"},
		"a fact unknown":     {"when: variant", "when: hunch", "hunch"},
		"the agents' name":   {"name: variant", "name: agent", "agent"},
		"a name twice":       {"name: variant", "name: typed", "typed"},
		"no version":         {"version: 1", "version: 0", "version"},
		"no limit":           {"members: 50", "members: 1", "members"},
		"sharing too soon":   {"owners: 2", "owners: 1", "owners"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(good, tc.from) {
				t.Fatalf("%q is not in the built-in rules", tc.from)
			}
			_, err := resolve.Parse([]byte(strings.Replace(good, tc.from, tc.to, 1)))
			if err == nil || !strings.Contains(err.Error(), tc.complaint) {
				t.Errorf("got %v, want a complaint about %s", err, tc.complaint)
			}
		})
	}
}

// Who gives another file than one of rules is told so in words.
func TestFilesThatAreNoRulesAreSaidSo(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"":                      "the file is empty: it needs rules, limits and shared",
		"# nothing\n":           "the file is empty",
		"hello\n":               "line 1: not allowed here: !!str `hello`; what is allowed, `hub identity rules` prints",
		"rules: []\nruels: 1\n": "line 2: field ruels not found; what is",
	} {
		_, err := resolve.Parse([]byte(source))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "resolve.") {
			t.Errorf("%q: %v", source, err)
		}
	}
}
