package main

import (
	"bytes"
	"context"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/weftline/weftline/services/hub/hubtest"
	"github.com/weftline/weftline/services/internal/config"
)

// cmdToken makes an API token: token NAME SCOPES. @NAME calls with it.
func cmdToken(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	if neg || len(args) != 2 {
		ts.Fatalf("usage: token NAME SCOPES")
	}
	bin, err := exec.LookPath("hub")
	ts.Check(err)
	out, err := w.command(ts, bin, "token", "create", "-config", w.configure(ts), "-name", args[0], "-scopes", args[1])
	ts.Check(err)
	w.callers[args[0]] = hubtest.NewCaller(strings.TrimSpace(out))
	ts.Setenv(strings.ToUpper(args[0]), strings.TrimSpace(out))
}

// cmdGarble writes inputs that nobody can read into the stream, as a bug would, while no hub runs.
func cmdGarble(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	if neg || len(args) != 1 || w.hub != nil {
		ts.Fatalf("usage: garble N, while no hub runs")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	cfg, err := config.Load(w.configure(ts), nil, nil)
	ts.Check(err)
	ctx, cancel := within()
	defer cancel()
	p, err := openPlatform(ctx, cfg, slog.New(slog.DiscardHandler))
	ts.Check(err)
	defer p.close()
	for i := range n {
		m := nats.NewMsg("in.0.default.email.support.junk")
		m.Data = []byte("garbage " + strconv.Itoa(i))
		_, err := p.bus.JS.PublishMsg(ctx, m)
		ts.Check(err)
	}
}

// cmdPoisoned waits until so many inputs are set aside.
func cmdPoisoned(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	if neg || len(args) != 1 {
		ts.Fatalf("usage: poisoned N")
	}
	bin, err := exec.LookPath("hub")
	ts.Check(err)
	have := ""
	w.poll(ts, func(context.Context) bool {
		out, err := w.command(ts, bin, "poison", "-config", w.configure(ts), "list")
		ts.Check(err)
		have = out
		return strconv.Itoa(strings.Count(out, "\n")-1) == args[0] // one line is the heading
	}, func() { w.fail(ts, "poison list:\n%s", have) })
}

// cmdPlaintext looks for a word in every file of the data directory.
func cmdPlaintext(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] plaintext WORD")
	}
	where := ""
	ts.Check(filepath.WalkDir(ts.Getenv("DATA"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(args[0])) {
			where = path
		}
		return err
	}))
	if (where != "") == neg {
		ts.Fatalf("%q in the files of the data directory: %q", args[0], where)
	}
}
