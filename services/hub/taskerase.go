package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/weftline/weftline/services/conversation"
)

func exportCommand(ctx context.Context, in invocation) error {
	o := flags(in, "export", "write everything about customers into one zip: hub export CUSTOMER… -o FILE")
	file := o.fs.String("o", "", "the `file` to write; it must not be there")
	if err := o.parse(in, 50); err != nil {
		return err
	}
	if len(o.args) == 0 || *file == "" {
		o.fs.Usage()
		return &usageError{"CUSTOMER and -o FILE are required"}
	}
	path, err := filepath.Abs(*file)
	if err != nil {
		return err
	}
	return runTask(ctx, in, o, "export", append([]string{"-o", path, "--"}, o.args...))
}

func taskExport(ctx context.Context, h *hub, args []string, out io.Writer) (err error) {
	var path string
	fs, err := taskFlags("export", args, out, func(fs *flag.FlagSet) { fs.StringVar(&path, "o", "", "") })
	if err != nil {
		return err
	}
	if h.conversation == nil {
		return errors.New("export needs the conversation target, which does not run in this process")
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	err = h.conversation.Export(ctx, fs.Args(), f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("export: %w", err), os.Remove(path))
	}
	fmt.Fprintf(out, "written: %s; whoever has it reads everything in it\n", path)
	return nil
}

func retention(ctx context.Context, in invocation) error {
	o := flags(in, "retention", "say what the retention policies would destroy now; with -run, destroy it")
	run := o.fs.Bool("run", false, "destroy what the policies are over for")
	if err := o.parse(in, 0); err != nil {
		return err
	}
	return runTask(ctx, in, o, "retention", []string{fmt.Sprintf("-run=%t", *run)})
}

func taskRetention(ctx context.Context, h *hub, args []string, out io.Writer) error {
	var run bool
	if _, err := taskFlags("retention", args, out, func(fs *flag.FlagSet) { fs.BoolVar(&run, "run", false, "") }); err != nil {
		return err
	}
	if h.conversation == nil {
		return errors.New("retention belongs to the conversation target, which does not run in this process")
	}
	var figures []conversation.RetentionFigures
	var err error
	if run {
		figures, err = h.conversation.Retain(ctx)
	} else {
		figures, err = h.conversation.PreviewRetention(ctx)
	}
	if err != nil {
		return err
	}
	if len(figures) == 0 {
		fmt.Fprintln(out, "no retention policies are configured: everything is kept")
	}
	word := "would be destroyed"
	if run {
		word = "destroyed"
	}
	for _, f := range figures {
		fmt.Fprintf(out, "%s: %d conversations with %d messages %s, %d kept back by holds", f.Policy, f.Conversations, f.Messages, word, f.Held)
		if !f.Oldest.IsZero() {
			fmt.Fprintf(out, ", the oldest silent since %s", f.Oldest.Format("2006-01-02"))
		}
		if _, ok := h.book.Get(f.Inbox); !ok {
			fmt.Fprintf(out, " (there is no inbox %s here now: is it spelled so?)", f.Inbox)
		}
		fmt.Fprintln(out)
	}
	return nil
}
