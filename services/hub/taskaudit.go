package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/weftline/weftline/services/internal/audit"
)

func auditList(ctx context.Context, in invocation) error {
	o := flags(in, "audit list", "who logged in, read, downloaded, exported and changed rights, newest first")
	var args []string
	for _, f := range []struct{ name, help string }{
		{"actor", "`id` of an agent, token:<id>, operator"},
		{"action", "an `action` such as read.timeline, or a group such as right"},
		{"customer", "`id` of a customer"},
		{"since", "a `time` such as 2026-11-27T09:00:00Z, or how long ago, such as 24h"},
		{"limit", "how `many` at most; default 200, 0 for all"},
	} {
		o.fs.Func(f.name, f.help, func(v string) error {
			args = append(args, "-"+f.name+"="+v)
			return nil
		})
	}
	if err := o.parse(in, 0); err != nil {
		return err
	}
	if _, _, err := auditFilter(args, io.Discard); err != nil {
		return &usageError{err.Error()}
	}
	return runTask(ctx, in, o, "audit list", args)
}

// auditFilter reads the arguments of audit list, on both sides of the socket.
func auditFilter(args []string, out io.Writer) (audit.Filter, int, error) {
	var f audit.Filter
	limit := 200
	_, err := taskFlags("audit list", args, out, func(fs *flag.FlagSet) {
		fs.StringVar(&f.Actor, "actor", "", "")
		fs.StringVar(&f.Action, "action", "", "")
		fs.StringVar(&f.Customer, "customer", "", "")
		fs.IntVar(&limit, "limit", limit, "")
		fs.Func("since", "", func(v string) (err error) {
			f.Since, err = since(v, time.Now())
			return err
		})
	})
	if err == nil {
		err = f.Check()
	}
	if err == nil && limit < 0 {
		err = errors.New("limit: must not be negative")
	}
	return f, limit, err
}

// since is a moment, or so long before now.
func since(v string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(v); err == nil && ago > 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, v); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a time such as 2026-11-27T09:00:00Z or 2026-11-27, nor a duration such as 24h", v)
}

const auditPage = 500

func taskAuditList(ctx context.Context, h *hub, args []string, out io.Writer) error {
	f, limit, err := auditFilter(args, out)
	if err != nil {
		return err
	}
	if err := h.audit.RecordSync(ctx, audit.Entry{Action: audit.ReadAudit}); err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "NUMBER\tAT\tWHO\tDID\tON\tFROM\tOUTCOME")
	for token, left := "", limit; ; {
		n := auditPage
		if limit > 0 {
			n = min(n, left)
		}
		page, next, err := h.audit.List(ctx, f, n, token)
		if err != nil {
			return err
		}
		for _, e := range page {
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", e.N, e.At.Format(time.RFC3339), who(e.Entry), e.Action, on(e.Entry), from(e), outcome(e.Entry)+why(e))
		}
		left -= len(page)
		if next == "" || limit > 0 && left <= 0 {
			return w.Flush()
		}
		token = next
	}
}

func who(e audit.Entry) string {
	if e.Actor == "" {
		return e.Kind
	}
	return e.Actor
}

func from(e audit.Listed) string {
	if e.FromGone {
		return "(expired)"
	}
	return e.From
}

// why is what somebody wrote, quoted: no word of it is taken for ours.
func why(e audit.Listed) string {
	switch {
	case e.WhyGone:
		return "; why: (erased)"
	case e.Why != "":
		return "; why: " + strconv.QuoteToGraphic(e.Why)
	}
	return ""
}

func on(e audit.Entry) string {
	var parts []string
	for _, f := range []struct{ name, id string }{{"customer", e.Customer}, {"conversation", e.Conversation}, {"object", e.Object}} {
		if f.id != "" {
			parts = append(parts, f.name+"="+f.id)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(e.IDs)) {
		parts = append(parts, k+"="+e.IDs[k])
	}
	return strings.Join(parts, " ")
}

func outcome(e audit.Entry) string {
	if e.Reason == "" {
		return e.Outcome
	}
	return e.Outcome + ": " + e.Reason
}

func auditVerify(ctx context.Context, in invocation) error {
	o := flags(in, "audit verify", "check that no audit entry was altered, removed, moved or cut off; exit 1 names the first offender")
	head := o.fs.String("head", "", "`NUMBER:HASH` that an earlier verify printed: the log must hold it")
	if err := o.parse(in, 0); err != nil {
		return err
	}
	var args []string
	if *head != "" {
		if _, err := audit.ParseAnchor(*head); err != nil {
			return &usageError{err.Error()}
		}
		args = []string{"-head", *head}
	}
	return runTask(ctx, in, o, "audit verify", args)
}

func taskAuditVerify(ctx context.Context, h *hub, args []string, out io.Writer) error {
	var noted []audit.Anchor
	if _, err := taskFlags("audit verify", args, out, func(fs *flag.FlagSet) {
		fs.Func("head", "", func(v string) error {
			a, err := audit.ParseAnchor(v)
			noted = append(noted, a)
			return err
		})
	}); err != nil {
		return err
	}
	r, err := h.audit.Verify(ctx, noted...)
	if err != nil {
		return err
	}
	if r.First != nil {
		return errors.New(r.First.String())
	}
	fmt.Fprintf(out, "audit: %d entries, each in its place", r.Entries)
	if r.Last > 0 {
		fmt.Fprintf(out, "; head %d:%s", r.Last, r.Hash)
	}
	fmt.Fprintln(out)
	return nil
}
