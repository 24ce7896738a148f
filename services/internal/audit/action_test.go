package audit_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/internal/audit"
)

// The list is written by hand; one that is forgotten in it could not be asked for.
func TestEveryActionIsListed(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("entry.go")
	if err != nil {
		t.Fatal(err)
	}
	consts, _, _ := strings.Cut(string(source), "// Outcomes.")
	found := regexp.MustCompile(`(?m)^\t\w+\s+= "([a-z_.]+)"`).FindAllStringSubmatch(consts, -1)
	if len(found) < 40 {
		t.Fatalf("%d actions in entry.go", len(found))
	}
	for _, m := range found {
		if !slices.Contains(audit.Actions(), m[1]) {
			t.Errorf("%s is not listed", m[1])
		}
	}
	if len(found) != len(audit.Actions()) {
		t.Errorf("%d are listed, there are %d", len(audit.Actions()), len(found))
	}
}

func TestAFilterNamesWhatIsAllowed(t *testing.T) {
	t.Parallel()
	for action, ok := range map[string]bool{"": true, "right": true, "login.": true, "login": true, "read.timeline": true, "nope": false, "rig": false, "read.": true} {
		err := audit.Filter{Action: action}.Check()
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "read.timeline, ") {
			t.Errorf("%q: %v", action, err)
		}
	}
}
