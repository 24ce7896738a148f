package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/weftline/weftline/services/conversation"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

func identitySimulate(ctx context.Context, in invocation) error {
	o := flags(in, "identity simulate", "say what other rules would make of the log, compared with what is; changes nothing")
	rules := o.fs.String("rules", "", "`file` of rules (YAML); required")
	asJSON := o.fs.Bool("json", false, "print JSON")
	if err := o.parse(in, 0); err != nil {
		return err
	}
	if *rules == "" {
		return &usageError{"name the rules with -rules FILE; `hub identity rules` prints those in use"}
	}
	if err := conversation.CheckRules(*rules); err != nil {
		return &usageError{err.Error()}
	}
	source, err := os.ReadFile(*rules) // here: the hub may stand in another directory
	if err != nil {
		return &usageError{err.Error()}
	}
	form := "table"
	if *asJSON {
		form = "json"
	}
	return runTask(ctx, in, o, "identity simulate", []string{form, string(source)})
}

func identityRules(ctx context.Context, in invocation) error {
	o := flags(in, "identity rules", "print the rules persons are recognised by")
	if err := o.parse(in, 0); err != nil {
		return err
	}
	return runTask(ctx, in, o, "identity rules", nil)
}

var errNoConversation = errors.New("persons belong to the conversation target, which does not run in this process")

func taskIdentityRules(_ context.Context, h *hub, _ []string, out io.Writer) error {
	if h.conversation == nil {
		return errNoConversation
	}
	_, err := out.Write(h.conversation.Rules())
	return err
}

func taskIdentitySimulate(ctx context.Context, h *hub, args []string, out io.Writer) error {
	if h.conversation == nil {
		return errNoConversation
	}
	if len(args) != 2 {
		return errors.New("identity simulate: bad request")
	}
	dir, err := os.MkdirTemp(h.cfg.Data, "simulate-") // beside the data: /tmp may be too small
	if err != nil {
		return fmt.Errorf("identity simulate: %w", err)
	}
	defer os.RemoveAll(dir)
	scratch, err := sqlite.Open(ctx, filepath.Join(dir, "index.db"), sqlite.Options{})
	if err != nil {
		return fmt.Errorf("identity simulate: %w", err)
	}
	defer scratch.Close()
	r, err := h.conversation.Simulate(ctx, []byte(args[1]), scratch)
	if err != nil {
		return err
	}
	if args[0] == "json" {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	return printSimulation(out, r)
}

func printSimulation(out io.Writer, r conversation.SimulateReport) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	for _, part := range []struct {
		verb string
		all  []conversation.SimulateChange
	}{{"link", r.Link}, {"unlink", r.Unlink}, {"suggest", r.Suggest}, {"withdraw", r.Withdraw}} {
		for _, c := range part.all {
			why := make([]string, 0, len(c.Reasons))
			for _, reason := range c.Reasons {
				why = append(why, fmt.Sprintf("%s %v", reason.Kind, reason.Levels))
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", part.verb, c.A, c.B, c.Rule, strings.Join(why, ", "))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%d commits: would link %d, unlink %d, suggest %d, withdraw %d; %d automatic links stay, %d taken back by a limit\n",
		r.Commits, len(r.Link), len(r.Unlink), len(r.Suggest), len(r.Withdraw), r.Kept, r.Guarded)
	return err
}
