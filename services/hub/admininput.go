package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"

	"github.com/weftline/weftline/services/internal/actor"
	"github.com/weftline/weftline/services/internal/audit"
)

// Some tasks read a file that the command sends, because the hub that works may
// not be able to: it comes as the body of the request, the task in the query.

// inputTask is a task with a file.
type inputTask func(ctx context.Context, h *hub, args []string, file *os.File, out io.Writer) error

// inputTasks by name; see tasks.
var inputTasks map[string]inputTask

func init() { inputTasks = map[string]inputTask{"import": taskImport} }

func serveInput(h *hub, log *slog.Logger, w http.ResponseWriter, r *http.Request) {
	var args []string
	t, ok := inputTasks[r.FormValue("task")]
	if !ok || json.Unmarshal([]byte(r.URL.Query().Get("args")), &args) != nil {
		http.Error(w, "this hub does not know the task", http.StatusNotFound)
		return
	}
	log.Info("operator task", "task", r.FormValue("task"))
	out := flusher{w, http.NewResponseController(w)}
	if err := withSpool(h.cfg.Data, r.Body, func(f *os.File) error { return t(actor.With(r.Context(), audit.Operator()), h, args, f, out) }); err != nil {
		fmt.Fprintf(out, "%s%s\n", failurePrefix, err)
	}
}

// withSpool keeps input in a file that has no name: it is gone with the process,
// however that ends.
func withSpool(dir string, input io.Reader, fn func(*os.File) error) error {
	f, err := os.CreateTemp(dir, "input-")
	if err != nil {
		return fmt.Errorf("keep the input: %w", err)
	}
	defer f.Close()
	if err := os.Remove(f.Name()); err != nil {
		return fmt.Errorf("keep the input: %w", err)
	}
	if _, err := io.Copy(f, input); err != nil {
		return fmt.Errorf("read the input: %w", err)
	}
	return fn(f)
}

// runInputTask runs a task with input beside the running hub, or opens the data
// directory itself.
func runInputTask(ctx context.Context, in invocation, o *options, name string, args []string, input io.Reader, out io.Writer) error {
	cfg, err := o.load(in)
	if err != nil {
		return err
	}
	words, err := json.Marshal(args)
	if err != nil {
		return err
	}
	path := "/input?" + url.Values{"task": {name}, "args": {string(words)}}.Encode()
	if err := callHub(ctx, cfg.Data, path, input, out); !errors.Is(err, errNobodyHome) {
		return err
	}
	if err := mustExist(cfg, name, true); err != nil {
		return err
	}
	h, err := open(ctx, cfg, logger(cfg, in.stderr), nil)
	if err != nil {
		return err
	}
	defer h.close()
	return withSpool(cfg.Data, input, func(f *os.File) error { return inputTasks[name](actor.With(ctx, audit.Operator()), h, args, f, out) })
}
