package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/weftline/weftline/services/hub/bench"
)

func benchCommand(ctx context.Context, in invocation) error {
	names := bench.Names()
	fs := flag.NewFlagSet("hub bench", flag.ContinueOnError)
	fs.SetOutput(in.stderr)
	var cfg bench.Config
	fs.StringVar(&cfg.Exe, "hub", "", "measure another `binary` of the hub, such as one from before a change (default: this one)")
	fs.StringVar(&cfg.Dir, "dir", "", "make data directories below this `directory` (default: the system's temporary one)")
	fs.BoolVar(&cfg.Keep, "keep", false, "leave the data directories")
	fs.IntVar(&cfg.Rounds, "rounds", 3, "repeat each case; the median is reported")
	fs.DurationVar(&cfg.Window, "window", 0, "length of a round of chat (default 6s)")
	fs.IntVar(&cfg.Rate, "rate", 104, "messages a second of the chat case's steady part")
	fs.IntVar(&cfg.Mails, "mails", 5000, "mails of the mail case")
	fs.StringVar(&cfg.IMAP.Address, "imap", "", "fill and read a mailbox at `host:port` on this machine, without TLS (default: a server in the bench)")
	fs.StringVar(&cfg.IMAP.User, "user", "", "user of -imap; its mailbox must be empty")
	fs.StringVar(&cfg.IMAP.Password, "password", "", "password of -imap")
	fs.StringVar(&cfg.Filled, "filled", "", "let read measure the data `directory` that a run with -keep left, too")
	fs.IntVar(&cfg.Events, "events", 100_000, "commits in the log of rebuild and idle")
	fs.IntVar(&cfg.Long, "long", 100_000, "messages of one customer in the identity case")
	fs.IntVar(&cfg.Sockets, "sockets", 10_000, "widgets that stay open in the sockets case")
	fs.IntVar(&cfg.Mailboxes, "count", 200, "mailboxes of the mailboxes case")
	fs.IntVar(&cfg.Customers, "customers", 200, "who write over each channel in a round of the channels case, at most 200; each says five messages")
	fs.StringVar(&cfg.Profile, "profile", "", "write CPU and allocation profiles of the hub into a `directory`")
	numbers(fs, "visitors", "simultaneous visitors of the chat case, separated by commas (default 16,256)", &cfg.Visitors)
	numbers(fs, "sizes", "conversations of the read case, separated by commas (default 1000,100000)", &cfg.Sizes)
	out := fs.String("json", "", "write the report to a `file` too")
	fs.Usage = func() {
		fmt.Fprintf(in.stderr, "hub bench [%s|all] [flags]: measure this hub beside its floor\n\nFlags:\n", strings.Join(names, "|"))
		fs.PrintDefaults()
	}
	args, chosen := in.args, []string{}
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		if args[0] == "all" {
			chosen = names
		} else if !slices.Contains(names, args[0]) {
			return &usageError{fmt.Sprintf("%q is no case: %s or all", args[0], strings.Join(names, ", "))}
		}
		chosen, args = append(chosen, args[0]), args[1:]
	}
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return errHelp
		}
		return &usageError{}
	}
	if fs.NArg() > 0 {
		return &usageError{fmt.Sprintf("%q: cases come before the flags", fs.Arg(0))}
	}
	if len(chosen) == 0 {
		chosen = names
	}
	report, err := bench.Run(ctx, cfg, chosen, in.stderr)
	if report == nil {
		return &usageError{err.Error()}
	}
	if tableErr := report.Table(in.stdout); err == nil {
		err = tableErr
	}
	if *out != "" && err == nil {
		err = writeReport(*out, report)
	}
	return err
}

func writeReport(path string, r *bench.Report) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return errors.Join(r.JSON(f), f.Close())
}

// numbers declares a flag that is a list of numbers.
func numbers(fs *flag.FlagSet, name, usage string, to *[]int) {
	fs.Func(name, usage, func(s string) error {
		*to = nil
		for part := range strings.SplitSeq(s, ",") {
			n, err := strconv.Atoi(strings.TrimSpace(part))
			if err != nil {
				return fmt.Errorf("%q is not a number", part)
			}
			*to = append(*to, n)
		}
		return nil
	})
}
