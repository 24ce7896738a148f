package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/config"
	"github.com/weftline/weftline/services/internal/datadir"
)

// A command that works on a data directory runs inside the hub that holds it:
// over the socket "hub.sock" in that directory when a hub runs, else in this
// process. Both ways run the same task with the same words.

// task is the part of a command that needs an open hub.
type task func(ctx context.Context, h *hub, args []string, out io.Writer) error

// tasks by name. Everything behind them is for the operator who can read the
// data directory: the socket is 0600 inside a 0700 directory.
var tasks map[string]task

func init() { // a literal would refer to itself through runTask
	tasks = map[string]task{
		"token create": taskTokenCreate,
		"token list":   taskTokenList,
		"token revoke": taskTokenRevoke,
		"rebuild":      taskRebuild,
		"verify":       taskVerify,
		"backup":       taskBackup,
		"poison":       taskPoison,
		"audit list":   taskAuditList,
		"audit verify": taskAuditVerify,

		"identity simulate": taskIdentitySimulate,
		"identity rules":    taskIdentityRules,
		"export":            taskExport,
		"retention":         taskRetention,
	}
}

type taskRequest struct {
	Name string   `json:"name"`
	Args []string `json:"args"`
}

func socketPath(data string) string { return filepath.Join(data, "hub.sock") }

// failurePrefix marks the line that carries a task's failure over the socket.
const failurePrefix = "\x00error "

// serveAdmin answers tasks until ctx ends. It is ready once the socket takes
// them: a hub that says it is ready is not mistaken for a stranger by its own commands.
func serveAdmin(ctx context.Context, h *hub, log *slog.Logger, ready func()) error {
	path := socketPath(h.cfg.Data)
	_ = os.Remove(path) // the lock says nobody else is using it
	l, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("admin socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return fmt.Errorf("admin socket: %w", err)
	}
	mux := http.NewServeMux()
	// Profiles of a running hub, for who may read its data anyway:
	// curl --unix-socket hub.sock http://hub/debug/pprof/allocs
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("POST /input", func(w http.ResponseWriter, r *http.Request) { serveInput(h, log, w, r) })
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		var req taskRequest
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&req); err != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		t, ok := tasks[req.Name]
		if !ok {
			http.Error(w, "this hub does not know the task", http.StatusNotFound)
			return
		}
		log.Info("operator task", "task", req.Name)
		out := flusher{w, http.NewResponseController(w)}
		if err := t(actor.With(r.Context(), audit.Operator()), h, req.Args, out); err != nil {
			fmt.Fprintf(out, "%s%s\n", failurePrefix, err)
		}
	})
	ready()
	srv := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: mux}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	<-ctx.Done()
	srv.Close()
	<-done
	return nil
}

type flusher struct {
	io.Writer
	rc *http.ResponseController
}

func (f flusher) Write(b []byte) (int, error) {
	n, err := f.Writer.Write(b)
	_ = f.rc.Flush()
	return n, err
}

// runTask runs a task beside the running hub, or opens the data directory itself.
func runTask(ctx context.Context, in invocation, o *options, name string, args []string) error {
	cfg, err := o.load(in)
	if err != nil {
		return err
	}
	if err := askHub(ctx, cfg.Data, taskRequest{name, args}, in.stdout); !errors.Is(err, errNobodyHome) {
		return err
	}
	_, typed := o.given()["data"]
	if err := mustExist(cfg, name, typed); err != nil {
		return err
	}
	h, err := open(ctx, cfg, logger(cfg, in.stderr), nil)
	if err != nil {
		return err
	}
	defer h.close()
	return tasks[name](actor.With(ctx, audit.Operator()), h, args, in.stdout)
}

// mustExist refuses a directory no hub has made: a mistyped -data would be
// created, and a verify of nothing finds that all laws hold. Only a token may
// be made before the first start: where the configuration says, or in a typed
// directory that is there and empty.
func mustExist(cfg config.Config, name string, typed bool) error {
	if cfg.NATS.URL != "" {
		return nil
	}
	if name == "token create" {
		if _, err := os.Stat(cfg.Data); datadir.Fresh(cfg.Data) || !typed && errors.Is(err, os.ErrNotExist) {
			return nil
		}
	}
	if _, err := os.Stat(filepath.Join(cfg.Data, "VERSION")); errors.Is(err, os.ErrNotExist) {
		return &usageError{fmt.Sprintf("data: %s is no data directory of a hub; name it with -data", cfg.Data)}
	}
	return nil
}

// longestSocket is what every system takes as the path of a unix socket.
const longestSocket = 103

// checkSocketPath says early and in words what bind would call an invalid argument.
func checkSocketPath(data string) error {
	if n := len(socketPath(data)); n > longestSocket {
		return &usageError{fmt.Sprintf("data: the path of its hub.sock has %d bytes, at most %d are allowed: choose a shorter or a relative path", n, longestSocket)}
	}
	return nil
}

var errNobodyHome = errors.New("no hub runs on this data directory")

func askHub(ctx context.Context, data string, req taskRequest, out io.Writer) error {
	body, err := json.Marshal(req)
	if err != nil {
		return err
	}
	return callHub(ctx, data, "/", bytes.NewReader(body), out)
}

// callHub posts to the hub that runs on the directory and copies what it answers.
func callHub(ctx context.Context, data, path string, body io.Reader, out io.Writer) error {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socketPath(data))
	}
	if c, err := dial(ctx, "", ""); err != nil {
		return errNobodyHome
	} else {
		c.Close()
	}
	hr, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://hub"+path, body)
	if err != nil {
		return err
	}
	res, err := (&http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}).Do(hr)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // it would name an address that nobody has typed
	}
	if err != nil {
		return fmt.Errorf("running hub: %w", err)
	}
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	for {
		line, err := lines.ReadString('\n')
		if msg, ok := bytes.CutPrefix([]byte(line), []byte(failurePrefix)); ok {
			return errors.New(string(bytes.TrimSpace(msg)))
		}
		io.WriteString(out, line)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("running hub: %w", err)
		}
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("running hub refused the task: %s", res.Status)
	}
	return nil
}
