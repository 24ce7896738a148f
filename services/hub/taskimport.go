package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/weftline/weftline/services/conversation"
	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/hub/importer"
	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/handleid"
)

// list is a flag that may be given several times, or with commas.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(s string) error {
	for v := range strings.SplitSeq(s, ",") {
		if v = strings.TrimSpace(v); v != "" {
			*l = append(*l, v)
		}
	}
	return nil
}

// pairs are OLD=NEW; without OLD it is for all that are not named.
func (l list) pairs(name string, all bool) (map[string]string, error) {
	m := map[string]string{}
	for _, v := range l {
		from, to, ok := strings.Cut(v, "=")
		if !ok && all {
			from, to = "", v
		}
		if to == "" || from == "" && !all {
			return nil, &usageError{fmt.Sprintf("-%s %q: wanted OLD=NEW", name, v)}
		}
		m[from] = to
	}
	return m, nil
}

// regions are [OLD=]REGION.
func (l list) regions() (map[string]string, error) {
	m, err := l.pairs("region", true)
	for inbox, region := range m {
		if m[inbox] = strings.ToUpper(region); !handleid.KnownRegion(m[inbox]) {
			return nil, &usageError{fmt.Sprintf("-region %q: wanted two letters of ISO 3166-1, such as DE", region)}
		}
	}
	return m, err
}

const importAbout = `bring in history from elsewhere, at its own times; nothing is sent and nobody is told

  hub import [flags] FILE…   or - for standard input

It goes on where it was cut off, and adds nothing twice. docs/import.md describes the files.`

func importCommand(ctx context.Context, in invocation) error {
	o := flags(in, "import", importAbout)
	var own, inboxes, agents, regions list
	format := o.fs.String("format", importer.JSONL, "of the files: "+strings.Join(importer.Formats(), ", "))
	source := o.fs.String("source", "", "name of where the history comes from; part of every id (default: the format's name; jsonl names its own)")
	o.fs.Var(&own, "own", "mbox: an `address` of yours; mails from it are your replies (several, or with commas)")
	o.fs.Var(&inboxes, "inbox", "`[OLD=]NEW`: the inbox here for one of the source, or for all that are not named (several)")
	o.fs.Var(&agents, "agent", "`OLD=NEW`: the agent here (id or e-mail address) for one of the source (several)")
	o.fs.Var(&regions, "region", "`[OLD=]DE`: the region in which telephone numbers without a country code were dialled, for an inbox of the source or for all that are not named (several)")
	dry := o.fs.Bool("dry-run", false, "say what would be done and which lines are bad; write nothing")
	strict := o.fs.Bool("strict", false, "import nothing when a line is bad")
	asJSON := o.fs.Bool("json", false, "print the report as JSON")
	if err := o.parse(in, 10_000); err != nil {
		return err
	}
	if len(o.args) == 0 {
		o.fs.Usage()
		return &usageError{"FILE is missing"}
	}
	// What is wrong with the command line is said before anything is read.
	if _, err := inboxes.pairs("inbox", true); err != nil {
		return err
	}
	if _, err := agents.pairs("agent", false); err != nil {
		return err
	}
	if _, err := regions.regions(); err != nil {
		return err
	}
	opts := importer.Options{Format: *format, Source: *source, Own: own}
	if err := opts.Check(); err != nil {
		return &usageError{err.Error()}
	}
	for _, name := range o.args {
		if _, err := os.Stat(name); err != nil && name != "-" {
			return &usageError{fmt.Sprintf("%s: %s", name, errors.Unwrap(err))}
		}
	}
	args := []string{fmt.Sprintf("-dry-run=%t", *dry), fmt.Sprintf("-strict=%t", *strict), "-inbox=" + inboxes.String(), "-agent=" + agents.String(), "-region=" + regions.String()}
	out := newImportView(in.stdout, in.stderr, *asJSON)
	input, stop := importer.Open(ctx, opts, o.args, os.Stdin)
	defer stop()
	return out.end(runInputTask(ctx, in, o, "import", args, input, out))
}

// Lines a task prints for the command to show in its way.
const (
	importProgress = "\x01progress "
	importReport   = "\x01report "
)

func taskImport(ctx context.Context, h *hub, args []string, file *os.File, out io.Writer) error {
	if h.conversation == nil {
		return errors.New("import needs the conversation target, which does not run in this process")
	}
	var cfg conversation.ImportConfig
	var inboxes, agents, regions list
	if _, err := taskFlags("import", args, out, func(fs *flag.FlagSet) {
		fs.BoolVar(&cfg.DryRun, "dry-run", false, "")
		fs.BoolVar(&cfg.Strict, "strict", false, "")
		fs.Var(&inboxes, "inbox", "")
		fs.Var(&agents, "agent", "")
		fs.Var(&regions, "region", "")
	}); err != nil {
		return err
	}
	var err error
	if cfg.Inboxes, err = inboxes.pairs("inbox", true); err != nil {
		return err
	}
	if cfg.Agents, err = agents.pairs("agent", false); err != nil {
		return err
	}
	if cfg.Regions, err = regions.regions(); err != nil {
		return err
	}
	if !h.importing.TryLock() { // two of one file would be in each other's way
		return errors.New("an import is running already")
	}
	defer h.importing.Unlock()
	say := func(prefix string, v any) {
		if b, err := json.Marshal(v); err == nil {
			fmt.Fprintf(out, "%s%s\n", prefix, b)
		}
	}
	cfg.Progress = func(p conversation.ImportProgress) { say(importProgress, p) }
	deps := conversation.ImportDeps{Sanitise: email.Sanitise}
	if h.console != nil {
		deps.Agent = h.console.FindAgent
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	report, err := h.conversation.Import(ctx, cfg, deps, file, info.Size())
	if report.Source != "" {
		say(importReport, report)
		err = errors.Join(err, h.noteImport(ctx, report, err))
	}
	if err == nil && report.BadLines > 0 {
		err = fmt.Errorf("%d lines are bad; all others are imported", report.BadLines)
		if cfg.DryRun {
			err = fmt.Errorf("%d lines are bad", report.BadLines)
		}
	}
	return err
}

// noteImport records what came in: whose it was stands in the events.
func (h *hub) noteImport(ctx context.Context, r conversation.ImportReport, failed error) error {
	if r.DryRun {
		return nil
	}
	e := audit.Entry{Action: audit.ImportHistory, Object: audit.ID(r.Source), Outcome: audit.OutcomeOK, IDs: map[string]string{
		"customers": strconv.Itoa(r.Customers), "written": strconv.Itoa(r.Written), "already": strconv.Itoa(r.Already),
		"commits": strconv.Itoa(r.Commits), "bad_lines": strconv.Itoa(r.BadLines),
	}}
	if failed != nil {
		e.Outcome = audit.OutcomeFailed
	}
	return h.audit.RecordSync(context.WithoutCancel(ctx), e)
}
