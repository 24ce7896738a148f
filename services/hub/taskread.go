package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/weftline/weftline/services/conversation"
	"github.com/weftline/weftline/services/internal/docstore/sqlite"
)

func taskRebuild(ctx context.Context, h *hub, _ []string, out io.Writer) error {
	if h.conversation == nil {
		return fmt.Errorf("the read models belong to the conversation target, which does not run in this process")
	}
	if !h.rebuilding.TryLock() { // two would build the same generation
		return errors.New("a rebuild is running already")
	}
	defer h.rebuilding.Unlock()
	if err := h.checkLog(ctx); err != nil { // what is rebuilt from less would hide the loss
		return err
	}
	began := time.Now()
	report, err := h.conversation.Rebuild(ctx, sometimes(time.Second, func(p conversation.RebuildProgress) {
		fmt.Fprintf(out, "generation %d: partition %d at %d of %d, %s\n", p.Generation, p.Partition, p.Applied, p.Head, time.Since(began).Round(time.Second))
	}))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "rebuilt: %d commits in %s; generation %d serves now\n", report.Commits, report.Took.Round(time.Millisecond), report.Generation)
	return nil
}

// sometimes tells of progress, one at a time and not more often than every so long; partitions report at the same time.
func sometimes(every time.Duration, tell func(conversation.RebuildProgress)) func(conversation.RebuildProgress) {
	var mu sync.Mutex
	var last time.Time
	return func(p conversation.RebuildProgress) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(last) < every {
			return
		}
		last = time.Now()
		tell(p)
	}
}

func taskVerify(ctx context.Context, h *hub, _ []string, out io.Writer) error {
	if h.conversation == nil {
		return fmt.Errorf("verify needs the conversation target, which does not run in this process")
	}
	if err := h.checkLog(ctx); err != nil {
		return err
	}
	// The fresh rebuild goes to a place of its own, beside the data: /tmp may be too small.
	dir, err := os.MkdirTemp(h.cfg.Data, "verify-")
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	defer os.RemoveAll(dir)
	scratch, err := sqlite.Open(ctx, filepath.Join(dir, "views.db"), sqlite.Options{})
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	defer scratch.Close()
	r, err := h.conversation.Verify(ctx, scratch)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "streams %d, commits %d, events %d: customers %d, handles %d, conversations %d, messages %d, replies %d\n",
		r.Streams, r.Commits, r.Events, r.Customers, r.Handles, r.Conversations, r.Messages, r.Replies)
	if r.Unbuilt {
		fmt.Fprintln(out, "read models: there were none to compare; the hub builds them when it starts")
	}
	if r.Digest != "" {
		verdict := "equal to"
		if !r.OK() {
			verdict = "compared with"
		}
		fmt.Fprintf(out, "read models: %d documents, sha256 %s, %s a fresh rebuild\n", r.Documents, r.Digest, verdict)
	}
	if !r.OK() {
		return fmt.Errorf("%d offences; the first: %s", r.Offences, r.First)
	}
	if err := taskAuditVerify(ctx, h, nil, out); err != nil {
		return err
	}
	fmt.Fprintf(out, "all laws hold (%s)\n", r.Took.Round(time.Millisecond))
	return nil
}
