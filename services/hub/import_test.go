package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/subject"
	"github.com/weftline/weftline/services/internal/config"
)

// hubProgram is this very binary under the name that makes it the hub.
func hubProgram(ctx context.Context, t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Args[0] = "hub"
	return cmd
}

// writeHistory writes a file of customers with one conversation each.
func writeHistory(tb testing.TB, path string, customers, messages int) {
	tb.Helper()
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, `{"weftline_import":1,"source":"old"}`)
	begin := time.Date(2024, 5, 1, 8, 0, 0, 0, time.UTC)
	for c := range customers {
		fmt.Fprintf(w, `{"type":"customer","id":"%d","name":"Customer %d","handles":[{"kind":"email","address":"customer%d@example.org","assurance":1}]}`+"\n", c, c, c)
		fmt.Fprintf(w, `{"type":"conversation","id":"%d","customer":"%d","inbox":"support","channel":"email","subject":"Order %d","status":"snoozed","snoozed_until":"2024-06-01T00:00:00Z"}`+"\n", c, c, c)
		for m := range messages {
			direction := "in"
			if m%3 == 2 {
				direction = "out"
			}
			fmt.Fprintf(w, `{"type":"message","id":"%d-%d","conversation":"%d","direction":"%s","at":"%s","text":"Message %d of customer %d, and a few words more as people write them."}`+"\n",
				c, m, c, direction, begin.Add(time.Duration(c+m*60)*time.Second).Format(time.RFC3339), m, c)
		}
	}
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		tb.Fatal(err)
	}
}

// census counts what a data directory holds: events by type, and the messages
// of every other stream.
func census(t *testing.T, data string) (events map[string]int, streams map[string]uint64) {
	t.Helper()
	cfg, err := config.Load("", nil, map[string]string{"data": data})
	if err != nil {
		t.Fatal(err)
	}
	p, err := openPlatform(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	events, streams = map[string]int{}, map[string]uint64{}
	for partition := range p.events.Partitions() {
		for next := uint64(1); ; {
			commits, err := p.events.Read(t.Context(), partition, next, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if len(commits) == 0 {
				break
			}
			for _, c := range commits {
				events["commits"]++
				for _, r := range c.Records {
					events[r.Type]++
				}
				next = c.Seq + 1
			}
		}
		streams[subject.InStream(partition)] = 0
	}
	streams[subject.StreamOut], streams[subject.StreamTimers] = 0, 0
	for _, name := range slices.Collect(maps.Keys(streams)) {
		s, err := p.bus.JS.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := s.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		streams[name] = info.State.LastSeq // also of what is gone again
	}
	return events, streams
}

// An import that is killed anywhere and run again is what one that was not
// would be, and nothing of it waits to be sent, handled or woken.
func TestImportSurvivesKill9(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "old.jsonl")
	const customers, messages = 120, 25
	writeHistory(t, file, customers, messages)
	data := func(name string) string {
		d := filepath.Join(dir, name)
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
		if out, err := hubProgram(t.Context(), t, "token", "create", "-data", d).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return d
	}
	plain, torn := data("plain"), data("torn")
	run := func(d string) string {
		out, err := hubProgram(t.Context(), t, "import", "-data", d, "-inbox", "support", file).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	run(plain)
	// Killed when it has written some streams, more every time.
	killed := 0
	for n := range 4 {
		cmd := hubProgram(t.Context(), t, "import", "-data", torn, "-inbox", "support", file)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		wait, stop := context.WithTimeout(t.Context(), time.Minute)
		tick := time.NewTicker(5 * time.Millisecond)
		for size := grown(torn); size() < int64(n+1)*250<<10 && wait.Err() == nil; {
			select {
			case <-tick.C:
			case <-wait.Done():
			}
		}
		tick.Stop()
		stop()
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); err != nil {
			killed++
		}
	}
	if killed < 2 {
		t.Fatalf("only %d of 4 imports were killed: the test shows nothing", killed)
	}
	run(torn)
	again := run(torn)
	if want := fmt.Sprintf("written 0, here already %d, of erased persons 0; 0 commits", customers*messages); !strings.Contains(again, want) {
		t.Errorf("twice: %s", again)
	}
	if out, err := hubProgram(t.Context(), t, "verify", "-data", torn).CombinedOutput(); err != nil {
		t.Errorf("verify: %v: %s", err, out)
	}
	want, _ := census(t, plain)
	got, streams := census(t, torn)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("events (-never killed +killed):\n%s", d)
	}
	if got["conversation.message_received"]+got["conversation.reply_requested"] != customers*messages || got["conversation.snoozed"] != 0 {
		t.Errorf("events %v", got)
	}
	for name, n := range streams {
		if n != 0 {
			t.Errorf("%s had %d messages", name, n)
		}
	}
}

// grown tells how much larger than now the log is.
func grown(data string) func() int64 {
	size := func() (n int64) {
		_ = filepath.WalkDir(filepath.Join(data, "nats"), func(path string, d os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".blk") {
				if info, err := d.Info(); err == nil {
					n += info.Size()
				}
			}
			return nil
		})
		return n
	}
	before := size()
	return func() int64 { return size() - before }
}
