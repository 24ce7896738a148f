package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The owner of every hub the bench starts.
const (
	ownerEmail    = "bench@example.org"
	ownerPassword = "bench-bench-bench"
)

// child is a hub in a process of its own.
type child struct {
	exe, data, config string
	url               string
	cmd               *exec.Cmd
	stderr            *tail
	exited            chan struct{} // closed when it has ended
	exit              error         // read after exited
	took              time.Duration // from the start to ready
	http              *http.Client
}

// startChild runs a hub on data until stop. inboxes is the YAML list of its
// inboxes, environ more of its environment.
func startChild(ctx context.Context, exe, data, inboxes string, environ ...string) (*child, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	c := &child{
		exe: exe, data: data, config: filepath.Join(data, "bench.yaml"), url: "http://" + port,
		stderr: &tail{}, exited: make(chan struct{}),
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}},
	}
	if err := os.WriteFile(c.config, []byte("inboxes:\n"+inboxes), 0o600); err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	c.cmd = exec.Command(exe, "serve", "-config", c.config, "-data", data, "-listen", port, "-log-level", "warn", "-demo", "off")
	c.cmd.Env = append(clean(os.Environ()),
		"WEFTLINE_OWNER_EMAIL="+ownerEmail, "WEFTLINE_OWNER_PASSWORD="+ownerPassword, "WEFTLINE_OWNER_NAME=Bench")
	c.cmd.Env = append(c.cmd.Env, environ...)
	c.cmd.Stderr = c.stderr
	began := time.Now()
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start hub: %w", err)
	}
	go func() { // ends with the process, which stop waits for
		c.exit = c.cmd.Wait()
		close(c.exited)
	}()
	if err := c.ready(ctx); err != nil {
		c.kill()
		return nil, fmt.Errorf("start hub: %w\n%s", err, c.stderr)
	}
	c.took = time.Since(began)
	return c, nil
}

// clean drops settings of a hub that are meant for another.
func clean(environ []string) []string {
	var out []string
	for _, kv := range environ {
		if !strings.HasPrefix(kv, "WEFTLINE_") {
			out = append(out, kv)
		}
	}
	return out
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (c *child) ready(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if res, err := c.http.Get(c.url + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-c.exited:
			return fmt.Errorf("it ended: %w", errors.Join(c.exit))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// stop ends the hub as an operator would and waits.
func (c *child) stop() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.exited:
	case <-time.After(60 * time.Second):
		c.kill()
		return errors.New("the hub did not stop within a minute")
	}
	if c.exit != nil {
		return fmt.Errorf("the hub failed: %w\n%s", c.exit, c.stderr)
	}
	return nil
}

func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.exited
}

// command runs another command of the binary on the same data directory.
func (c *child) command(ctx context.Context, args ...string) (string, error) {
	args = append(args, "-config", c.config, "-data", c.data)
	cmd := exec.CommandContext(ctx, c.exe, args...)
	cmd.Env = clean(os.Environ())
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("hub %s: %w\n%s", strings.Join(args, " "), err, errs.String())
	}
	return strings.TrimSpace(out.String()), nil
}

// token makes an API token.
func (c *child) token(ctx context.Context) (string, error) {
	return c.command(ctx, "token", "create")
}

// tail keeps the end of what is written to it. One writer; read it when the writer has ended.
type tail struct{ b []byte }

const tailBytes = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > 2*tailBytes {
		t.b = append(t.b[:0], t.b[len(t.b)-tailBytes:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.b) }
