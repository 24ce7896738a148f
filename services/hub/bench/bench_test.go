package bench_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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
	names := []string{"mail", "chat", "rebuild", "channels", "mailboxes"}
	var log bytes.Buffer
	r, err := bench.Run(t.Context(), bench.Config{
		Exe: exe, Dir: t.TempDir(), Rounds: 1, Window: 500 * time.Millisecond,
		Mails: 25, Visitors: []int{3}, Events: 120, Customers: 4, Mailboxes: 5,
	}, names, &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	seen, channels := map[string]int{}, map[string]bool{}
	for _, f := range r.Figures {
		seen[f.Case]++
		if name, ok := strings.CutSuffix(f.Name, ": taken in"); ok {
			channels[name] = true
		}
		// CPU is counted in ticks, and what a few mailboxes cost may be nothing.
		if f.Value <= 0 && !slices.Contains([]string{"ms/mail", "ms/message", "ms/commit", "%", "KB"}, f.Unit) {
			t.Errorf("%s, %s: %v", f.Case, f.Name, f.Value)
		}
	}
	for _, name := range names {
		if seen[name] == 0 {
			t.Errorf("%s reported nothing", name)
		}
	}
	for _, name := range []string{"api", "sms", "telegram", "whatsapp", "messenger", "instagram", "line", "slack", "chat", "smpp", "matrix", "mastodon", "telegram-polling", "discord", "email"} {
		if !channels[name] {
			t.Errorf("nothing was taken in over %s", name)
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
