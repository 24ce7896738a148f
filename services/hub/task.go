package main

import (
	"context"
	"flag"
	"io"
)

// taskFlags parses a task's own arguments on the side that runs it.
func taskFlags(name string, args []string, out io.Writer, declare func(*flag.FlagSet)) (*flag.FlagSet, error) {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(out)
	declare(fs)
	return fs, fs.Parse(args)
}

func rebuild(ctx context.Context, in invocation) error {
	o := flags(in, "rebuild", "build the read models anew from the first event; the old ones serve until the new ones are whole")
	if err := o.parse(in, 0); err != nil {
		return err
	}
	return runTask(ctx, in, o, "rebuild", nil)
}

func verify(ctx context.Context, in invocation) error {
	o := flags(in, "verify", "fold every stream, check the laws, compare the read models with a fresh rebuild, check the audit log; exit 1 names the first offender")
	if err := o.parse(in, 0); err != nil {
		return err
	}
	return runTask(ctx, in, o, "verify", nil)
}

func poisonCommand(ctx context.Context, in invocation) error {
	o := flags(in, "poison", "inspect, replay or skip inputs that failed for good\n\n  hub poison list            what is set aside, with the reason\n  hub poison show SEQ        one of them\n  hub poison replay SEQ      process it again in its lane\n  hub poison skip SEQ \"WHY\"  give it up; recorded with the reason\n  hub poison audit           what was replayed or skipped")
	if err := o.parse(in, 3); err != nil {
		return err
	}
	args := o.args
	if len(args) == 0 {
		args = []string{"list"}
	}
	return runTask(ctx, in, o, "poison", args)
}
