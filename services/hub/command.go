package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/weftline/weftline/services/conversation"
	"github.com/weftline/weftline/services/internal/config"
)

// command is one subcommand.
type command struct {
	name string // words: "token create"
	help string // one line
	run  func(context.Context, invocation) error
}

// invocation is one call of a command.
type invocation struct {
	args           []string
	environ        []string
	stdout, stderr io.Writer
}

// usageError: the command line or the configuration is wrong; nothing was done.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// errHelp: -h was asked for and answered.
var errHelp = errors.New("help")

func commands() []command {
	return []command{
		{"serve", "run the hub (default)", serve},
		{"token create", "make an API token and print it", tokenCreate},
		{"token list", "name the API tokens that are in force", tokenList},
		{"token revoke", "end an API token at once", tokenRevoke},
		{"config check", "say what is wrong with the configuration", configCheck},
		{"rebuild", "build the read models anew while serving", rebuild},
		{"verify", "fold every stream and check the laws", verify},
		{"accept-loss", "go on without the end of the event log that was lost", acceptLoss},
		{"backup", "copy everything consistently into a directory", backup},
		{"restore", "put a backup into an empty data directory", restore},
		{"import", "bring in history from elsewhere, at its own times; nothing is sent", importCommand},
		{"export", "write everything about customers into one zip", exportCommand},
		{"retention", "say what the retention policies would destroy, or destroy it", retention},
		{"poison", "inspect, replay or skip inputs that failed for good", poisonCommand},
		{"audit list", "who read, downloaded, changed rights, newest first", auditList},
		{"audit verify", "check that no audit entry was altered or removed", auditVerify},
		{"identity simulate", "say what other rules would make of the log", identitySimulate},
		{"identity rules", "print the rules persons are recognised by", identityRules},
		{"bench", "measure throughput and latency beside their floor", benchCommand},
	}
}

// find splits the command's words from its arguments.
func find(args []string) (command, []string) {
	all := commands()
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return all[0], args
	}
	for _, c := range all {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == c.name {
			return c, args[len(words):]
		}
	}
	unknown := strings.Join(args, " ")
	return command{run: func(_ context.Context, in invocation) error {
		if args[0] == "help" || slices.ContainsFunc(args, isHelp) {
			fmt.Fprint(in.stderr, commandList())
			return errHelp
		}
		return &usageError{fmt.Sprintf("%q is not a command. ", unknown) + strings.TrimSpace(commandList())}
	}}, nil
}

func isHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" }

func commandList() string {
	var b strings.Builder
	b.WriteString("Commands:\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  hub %-17s %s\n", c.name, c.help)
	}
	b.WriteString("Each takes -h.\n")
	return b.String()
}

// options are the flags every command that opens a hub takes.
type options struct {
	fs     *flag.FlagSet
	args   []string // what is no flag, after parse
	config string
	given  func() map[string]string
}

// flags declares the common flags. They override the environment and the file only when given.
func flags(in invocation, name, about string) *options {
	fs := flag.NewFlagSet("hub "+name, flag.ContinueOnError)
	fs.SetOutput(in.stderr)
	o := &options{fs: fs}
	defaults := config.Defaults()
	fs.StringVar(&o.config, "config", env(in.environ, "WEFTLINE_CONFIG"), "configuration `file` (YAML)")
	fs.String("data", defaults.Data, "data `directory`")
	fs.String("log-level", defaults.Log.Level, "debug, info, warn or error")
	keys := map[string]string{"data": "data", "log-level": "log.level", "listen": "listen", "target": "target", "demo": "demo", "log-format": "log.format"}
	o.given = func() map[string]string {
		m := map[string]string{}
		fs.Visit(func(f *flag.Flag) {
			if key, ok := keys[f.Name]; ok {
				m[key] = f.Value.String()
			}
		})
		return m
	}
	fs.Usage = func() {
		fmt.Fprintf(in.stderr, "hub %s: %s\n\nFlags:\n", name, about)
		fs.PrintDefaults()
	}
	return o
}

// parse reads the command line; maxArgs bounds what may stand beside the flags.
// Flags may come before, between and after: a -data that were taken for an
// argument would send the command to another directory. "--" ends them.
func (o *options) parse(in invocation, maxArgs int) error {
	for rest := in.args; ; {
		if err := o.fs.Parse(rest); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return errHelp
			}
			return &usageError{} // the flag package has said it
		}
		taken := len(rest) - o.fs.NArg()
		ended := taken > 0 && rest[taken-1] == "--"
		rest = o.fs.Args()
		if ended || len(rest) == 0 {
			o.args = append(o.args, rest...)
			break
		}
		o.args, rest = append(o.args, rest[0]), rest[1:]
	}
	if len(o.args) > maxArgs {
		o.fs.Usage()
		return &usageError{fmt.Sprintf("%q: unexpected argument", o.args[maxArgs])}
	}
	return nil
}

// load reads and checks the configuration.
func (o *options) load(in invocation) (config.Config, error) {
	cfg, err := config.Load(o.config, in.environ, o.given())
	if _, whole := errors.AsType[*config.LeftOutError](err); whole || err == nil {
		err = errors.Join(err, cfg.Validate(targetNames(), channelChecks()), checkReferences(cfg), conversation.CheckRules(cfg.Identity.Rules))
	}
	if err != nil {
		return cfg, &usageError{err.Error()}
	}
	return cfg, nil
}

func env(environ []string, name string) string {
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok && k == name {
			return v
		}
	}
	return ""
}

func configCheck(_ context.Context, in invocation) error {
	o := flags(in, "config check", "say what is wrong with the configuration; exit 2 when something is")
	if err := o.parse(in, 0); err != nil {
		return err
	}
	if _, err := o.load(in); err != nil {
		return err
	}
	fmt.Fprintln(in.stdout, "configuration is valid")
	return nil
}
