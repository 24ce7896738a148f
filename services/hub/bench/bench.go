// Package bench measures a hub from outside, each figure beside its own floor.
//
// Every case starts the hub as a child process of the same binary, with a data
// directory of its own, drives it over HTTP and websockets on 127.0.0.1, reads
// its CPU time and memory from the kernel (Linux: /proc), and takes it down.
// The floor of a case is measured in the same run, between the same rounds:
// absolute figures belong to a machine, ratios travel.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// Config says what is measured and how long. Zero values take the defaults.
type Config struct {
	// Exe is the hub's binary. Default: this one.
	Exe string
	// Dir holds the data directories; they are removed afterwards. Default: the temporary directory.
	Dir string
	// Keep leaves the data directories where they are.
	Keep bool
	// Rounds is how often a case is repeated; the median is reported. Default 3.
	Rounds int
	// Window is how long one round of a throughput case lasts, after a warm-up
	// of a third of it. Default 6 s.
	Window time.Duration
	// Mails is how many the mail case takes in. Default 5000.
	Mails int
	// IMAP is a server that has a mailbox to fill; empty: one in this process.
	IMAP IMAP
	// Visitors are the numbers of simultaneous visitors of the chat case. Default 16 and 256.
	Visitors []int
	// Rate is how many messages a second the chat case also sends without
	// pushing, all visitors together. Default 104.
	Rate int
	// Sizes are the numbers of conversations of the read case. Default 1000 and 100000.
	Sizes []int
	// Filled is a data directory that an earlier run left (Keep), read too by the
	// read case; empty: none.
	Filled string
	// Events is the size of the log of the rebuild and idle cases. Default 100000.
	Events int
	// Long is how many messages the long customer of the identity case has. Default 100000.
	Long int
	// Sockets is how many widgets stay open in the sockets case. Default 10000.
	Sockets int
	// Mailboxes is how many the mailboxes case watches. Default 200.
	Mailboxes int
	// Customers is how many write over each channel in a round of the channels
	// case: at most 200, which is the default.
	Customers int
	// Profile, when set, is a directory for CPU and allocation profiles of the hub.
	Profile string
}

// IMAP is a mailbox that the mail case fills and the hub then reads: an account
// that holds nothing else.
type IMAP struct {
	Address, User, Password string
}

func (c *Config) defaults() error {
	if c.Exe == "" {
		exe, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find the hub's binary: %w", err)
		}
		c.Exe = exe
	}
	for _, f := range []struct {
		v *int
		d int
	}{{&c.Rounds, 3}, {&c.Mails, 5000}, {&c.Events, 100_000}, {&c.Long, 100_000}, {&c.Rate, 104}, {&c.Sockets, 10_000}, {&c.Mailboxes, 200}, {&c.Customers, mostCustomers}} {
		if *f.v == 0 {
			*f.v = f.d
		}
	}
	if c.Window == 0 {
		c.Window = 6 * time.Second
	}
	if len(c.Visitors) == 0 {
		c.Visitors = []int{16, 256}
	}
	if len(c.Sizes) == 0 {
		c.Sizes = []int{1_000, 100_000}
	}
	slices.Sort(c.Sizes)
	var errs []error
	atLeast := func(name string, v int) {
		if v < 1 {
			errs = append(errs, fmt.Errorf("%s: %d, want at least 1", name, v))
		}
	}
	atLeast("rounds", c.Rounds)
	atLeast("mails", c.Mails)
	atLeast("events", c.Events)
	atLeast("long", c.Long)
	atLeast("rate", c.Rate)
	atLeast("sockets", c.Sockets)
	atLeast("count", c.Mailboxes)
	atLeast("customers", c.Customers)
	if c.Customers > mostCustomers {
		errs = append(errs, fmt.Errorf("customers: %d, want at most %d", c.Customers, mostCustomers))
	}
	for _, n := range c.Visitors {
		atLeast("visitors", n)
	}
	for _, n := range c.Sizes {
		atLeast("sizes", n)
	}
	if c.Window < 500*time.Millisecond {
		errs = append(errs, fmt.Errorf("window: %s, want at least 500ms", c.Window))
	}
	return errors.Join(errs...)
}

// cases in the order "all" runs them.
var cases = []struct {
	name string
	run  func(context.Context, *bench) error
}{
	{"mail", mail},
	{"chat", chat},
	{"read", read},
	{"rebuild", rebuild},
	{"idle", idle},
	{"identity", identity},
	{"sockets", sockets},
	{"channels", channels},
	{"mailboxes", mailboxes},
}

// Names of the cases.
func Names() []string {
	var names []string
	for _, c := range cases {
		names = append(names, c.name)
	}
	return names
}

// bench is one run.
type bench struct {
	Config
	report *Report
	log    io.Writer // progress

	filled  map[int]*filled // logs that cases share, by the number of conversations
	cleanup []func()
}

// say tells a person at the terminal what goes on.
func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.log, "  "+format+"\n", args...) }

// Run measures the named cases and reports what it saw. Progress goes to log.
// A case that sees a wrong answer (a message lost, twice, or out of order)
// fails the run: a hub that is fast and wrong has no figures.
func Run(ctx context.Context, cfg Config, names []string, log io.Writer) (*Report, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	b := &bench{Config: cfg, report: newReport(cfg.Dir), log: log}
	defer func() {
		for _, remove := range b.cleanup {
			remove()
		}
	}()
	for _, c := range cases {
		if !slices.Contains(names, c.name) {
			continue
		}
		fmt.Fprintf(log, "%s\n", c.name)
		if err := c.run(ctx, b); err != nil {
			return b.report, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return b.report, nil
}

// tempDir makes a directory for one hub.
func (b *bench) tempDir() (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp(b.Dir, "weftline-bench-")
	if err != nil {
		return "", nil, fmt.Errorf("make data directory: %w", err)
	}
	if b.Keep {
		b.say("data stays in %s", dir)
		return dir, func() {}, nil
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}
