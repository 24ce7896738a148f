package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weftline/weftline/services/hub/hubtest"
	"google.golang.org/protobuf/proto"
)

// rig is a hub that dies often, and what outlives it.
type rig struct {
	dir, bin string
	box      *hubtest.Mailbox
	sink     *hubtest.Sink
	ledger   *ledger
	log      *os.File

	integrator *integrator

	mu         sync.Mutex
	base       string
	caller     *hubtest.Caller
	hellos     map[string]hubtest.Hello
	complaints []string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	dir := os.Getenv("WEFTLINE_TEST_CRASH_KEEP") // keeps the data directory for a look at it
	if dir == "" {
		dir = t.TempDir()
	}
	r := &rig{dir: dir, bin: build(t), ledger: newLedger(), integrator: newIntegrator(), hellos: map[string]hubtest.Hello{}, base: "http://127.0.0.1:1"}
	var err error
	if r.box, err = hubtest.NewMailbox(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.box.Close)
	if r.sink, err = hubtest.NewSink(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.sink.Close)
	if r.log, err = os.Create(filepath.Join(r.dir, "hub.log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.log.Close() })
	cfg, err := json.Marshal(map[string]any{ // which is YAML
		"listen": "127.0.0.1:0", "data": filepath.Join(r.dir, "data"),
		"inboxes": []map[string]any{
			{"id": "support", "channel": "email", "settings": r.box.Settings(r.sink)},
			{"id": "shop", "channel": "chat", "settings": map[string]string{
				"messages_per_minute": "600", "connections_per_minute": "6000", "visitors_per_hour": "100000",
			}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.config(), cfg, 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

// build makes the hub: the test binary of its package, which is the hub when it
// is called so, and does not wait ten minutes before it tries a doubtful send
// once more. As shipped, the run would end before those were through.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "hub")
	if out, err := exec.Command("go", "test", "-c", "-o", bin, "github.com/weftline/weftline/services/hub").CombinedOutput(); err != nil {
		t.Fatalf("build the hub: %v\n%s", err, out)
	}
	return bin
}

func (r *rig) config() string { return filepath.Join(r.dir, "hub.yaml") }

func (r *rig) environ() []string {
	return []string{"HOME=" + r.dir, "TMPDIR=" + r.dir, "WEFTLINE_TEST_IMPATIENT=1"}
}

func (r *rig) launch() (*hubtest.Process, error) {
	return hubtest.Launch(r.bin, []string{"serve", "-config", r.config(), "-log-level", "warn"}, r.environ(), r.log)
}

// command runs another hub command on the same data.
func (r *rig) command(args ...string) (string, error) {
	cmd := exec.Command(r.bin, args...)
	cmd.Env = r.environ()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("hub %s: %w: %s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return string(out), err
}

// is tells everybody where the hub is now.
func (r *rig) is(base string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.base = base
}

func (r *rig) url() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.base
}

func (r *rig) hello(who string) hubtest.Hello {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hellos[who]
}

func (r *rig) remember(who string, h hubtest.Hello) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hellos[who] = h
}

// complain notes what must never happen.
func (r *rig) complain(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.complaints = append(r.complaints, fmt.Sprintf(format, args...))
}

// login makes an API token, once a hub has been up.
func (r *rig) login() error {
	out, err := r.command("token", "create", "-config", r.config(), "-name", "crash")
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.caller = hubtest.NewCaller(strings.TrimSpace(out))
	return nil
}

func (r *rig) call(ctx context.Context, method, body string, into proto.Message) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r.mu.Lock()
	c, base := r.caller, r.base
	r.mu.Unlock()
	answer, err := c.Call(ctx, base, method, []byte(body))
	if err != nil {
		return err
	}
	return lenient.Unmarshal(answer, into)
}
