package bench_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/weftline/weftline/services/hub/bench"
)

// Cases against a real hub, as small as they go: figures of this size mean
// nothing, but every message must be seen once and the log must be whole.
func TestCasesRun(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts hubs")
	}
	t.Parallel()
	exe := filepath.Join(t.TempDir(), "hub")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", exe, "github.com/weftline/weftline/services/hub").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	names := []string{"mail", "chat", "rebuild"}
	var log bytes.Buffer
	r, err := bench.Run(t.Context(), bench.Config{
		Exe: exe, Dir: t.TempDir(), Rounds: 1, Window: 500 * time.Millisecond,
		Mails: 25, Visitors: []int{3}, Events: 120,
	}, names, &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	seen := map[string]int{}
	for _, f := range r.Figures {
		seen[f.Case]++
		if f.Value <= 0 && f.Unit != "ms/mail" && f.Unit != "ms/message" && f.Unit != "ms/commit" {
			t.Errorf("%s, %s: %v", f.Case, f.Name, f.Value)
		}
	}
	for _, name := range names {
		if seen[name] == 0 {
			t.Errorf("%s reported nothing", name)
		}
	}
	var table, doc bytes.Buffer
	if err := r.Table(&table); err != nil || table.Len() == 0 {
		t.Error("no table")
	}
	if err := r.JSON(&doc); err != nil || !json.Valid(doc.Bytes()) {
		t.Error("no JSON")
	}
}
