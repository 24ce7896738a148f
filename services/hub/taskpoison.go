package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/weftline/weftline/services/internal/audit"
	"github.com/weftline/weftline/services/internal/poison"
)

func taskPoison(ctx context.Context, h *hub, args []string, out io.Writer) error {
	if len(args) == 0 {
		args = []string{"list"}
	}
	var seq uint64
	if args[0] == "show" || args[0] == "replay" || args[0] == "skip" {
		if len(args) < 2 {
			return fmt.Errorf("poison %s: which? give the number that list shows", args[0])
		}
		var err error
		if seq, err = strconv.ParseUint(args[1], 10, 64); err != nil {
			return fmt.Errorf("poison %s: %q is not a number", args[0], args[1])
		}
	}
	switch args[0] {
	case "list":
		return h.poisonList(ctx, out)
	case "audit":
		return h.poisonAudit(ctx, out)
	case "show":
		e, err := h.poison.Show(ctx, seq)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "number    %d\nsubject   %s\nconsumer  %s\noriginal  %s/%d\nattempts  %d\nsince     %s\nsize      %d bytes\nreason    %s\n",
			e.Seq, e.Subject, e.Consumer, e.Stream, e.StreamSeq, e.Attempts, e.At.Format(time.RFC3339), e.Size, e.Reason)
		return nil
	case "replay":
		if err := h.poisoned(ctx, audit.PoisonReplay, seq, h.poison.Replay(ctx, seq)); err != nil {
			return err
		}
		fmt.Fprintf(out, "%d is processed again in its lane\n", seq)
		return nil
	case "skip":
		if len(args) < 3 {
			return fmt.Errorf("poison skip: say why; it is recorded")
		}
		if err := h.poisoned(ctx, audit.PoisonSkip, seq, h.poison.Skip(ctx, seq, args[2])); err != nil {
			return err
		}
		fmt.Fprintf(out, "%d is given up\n", seq)
		return nil
	}
	return fmt.Errorf("poison: %q is not list, show, replay, skip or audit", args[0])
}

// poisoned puts what was done with a message into the audit log too.
func (h *hub) poisoned(ctx context.Context, action string, seq uint64, err error) error {
	e := audit.Entry{Action: action, Object: strconv.FormatUint(seq, 10)}
	switch {
	case errors.Is(err, poison.ErrNotFound):
		e.Outcome, e.Reason = audit.OutcomeRefused, "not_found"
	case err != nil:
		e.Outcome = audit.OutcomeFailed
	}
	return errors.Join(err, h.audit.RecordSync(ctx, e))
}

const poisonPage = 200

func (h *hub) poisonList(ctx context.Context, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "NUMBER\tSINCE\tTRIES\tSUBJECT\tREASON")
	var after uint64
	for {
		page, err := h.poison.List(ctx, after, poisonPage)
		if err != nil {
			return err
		}
		for _, e := range page {
			fmt.Fprintf(w, "%d\t%s\t%d\t%s\t%s\n", e.Seq, e.At.Format(time.RFC3339), e.Attempts, e.Subject, e.Reason)
			after = e.Seq
		}
		if len(page) < poisonPage {
			return w.Flush()
		}
	}
}

func (h *hub) poisonAudit(ctx context.Context, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "AT\tWHO\tDID\tNUMBER\tSUBJECT\tWHY")
	for after := ""; ; {
		page, next, err := h.poison.Audits(ctx, after, poisonPage)
		if err != nil {
			return err
		}
		for _, a := range page {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", a.At().Format(time.RFC3339), a.Who, a.Action, a.Seq, a.Subject, a.Reason)
		}
		if next == "" {
			return w.Flush()
		}
		after = next
	}
}
