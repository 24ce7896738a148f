package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/weftline/weftline/services/console"
)

func tokenCreate(ctx context.Context, in invocation) error {
	o := flags(in, "token create", "make an API token and print it; it is shown once")
	name := o.fs.String("name", "command line", "what the token is for")
	scopes := o.fs.String("scopes", "inbox,events", "inbox (the InboxService), events (the event stream), separated by commas")
	if err := o.parse(in, 0); err != nil {
		return err
	}
	if err := console.CheckToken(*name, strings.Split(*scopes, ",")); err != nil {
		return &usageError{err.Error()}
	}
	return runTask(ctx, in, o, "token create", []string{"-name", *name, "-scopes", *scopes})
}

func taskTokenCreate(ctx context.Context, h *hub, args []string, out io.Writer) error {
	var name, scopes string
	if _, err := taskFlags("token create", args, out, func(fs *flag.FlagSet) {
		fs.StringVar(&name, "name", "", "")
		fs.StringVar(&scopes, "scopes", "", "")
	}); err != nil {
		return err
	}
	if h.console == nil {
		return errNoConsole
	}
	secret, err := h.console.CreateToken(ctx, name, strings.Split(scopes, ","))
	if err != nil {
		return err
	}
	fmt.Fprintln(out, secret)
	return nil
}

var errNoConsole = errors.New("tokens belong to the console target, which does not run in this process")

func tokenList(ctx context.Context, in invocation) error {
	o := flags(in, "token list", "name the API tokens that are in force; their secrets are not kept")
	if err := o.parse(in, 0); err != nil {
		return err
	}
	return runTask(ctx, in, o, "token list", nil)
}

func taskTokenList(ctx context.Context, h *hub, _ []string, out io.Writer) error {
	if h.console == nil {
		return errNoConsole
	}
	all, err := h.console.ListTokens(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tSCOPES\tMADE\tUSED")
	for _, t := range all {
		used := "-"
		if !t.LastUsed.IsZero() {
			used = t.LastUsed.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(w, "%s\t%q\t%s\t%s\t%s\n", t.ID, t.Name, strings.Join(t.Scopes, ","), t.Created.UTC().Format(time.RFC3339), used)
	}
	return w.Flush()
}

func tokenRevoke(ctx context.Context, in invocation) error {
	o := flags(in, "token revoke", "end an API token at once: hub token revoke [flags] ID")
	if err := o.parse(in, 1); err != nil {
		return err
	}
	if len(o.args) != 1 || o.args[0] == "" {
		o.fs.Usage()
		return &usageError{"ID is missing: `hub token list` names them"}
	}
	return runTask(ctx, in, o, "token revoke", o.args)
}

func taskTokenRevoke(ctx context.Context, h *hub, args []string, out io.Writer) error {
	if h.console == nil {
		return errNoConsole
	}
	if err := h.console.RevokeToken(ctx, args[0]); err != nil {
		return err
	}
	fmt.Fprintf(out, "revoked: %s\n", args[0])
	return nil
}
