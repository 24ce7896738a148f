package backup_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOrder watches the server's advisories: the moments of the streams are in
// the order of the package comment.
func TestOrder(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	h := open(t, filepath.Join(tmp, "data"), false)
	sub, err := h.bus.NC.SubscribeSync("$JS.EVENT.ADVISORY.STREAM.SNAPSHOT_CREATE.>")
	if err != nil {
		t.Fatal(err)
	}
	h.backup(filepath.Join(tmp, "copy"))
	var got []string
	for range 13 {
		m, err := sub.NextMsgWithContext(within(t))
		if err != nil {
			t.Fatal(err)
		}
		var a struct{ Stream string }
		if err := json.Unmarshal(m.Data, &a); err != nil {
			t.Fatal(err)
		}
		kind, _, _ := strings.Cut(a.Stream, "-")
		if len(got) == 0 || got[len(got)-1] != kind {
			got = append(got, kind)
		}
	}
	if d := cmp.Diff([]string{"OUT", "TIMERS", "AUDIT", "PUB", "IN", "POISON", "EVT"}, got); d != "" {
		t.Error(d)
	}
}
