package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/weftline/weftline/services/hub/hubtest"
)

const (
	ownerEmail    = "owner@shop.test"
	ownerPassword = "correct horse"
	jwtSecret     = "0123456789abcdef0123456789abcdef"
	patience      = time.Minute // of one command
)

// world is one story's.
type world struct {
	dir      string
	box      *hubtest.Mailbox
	sink     *hubtest.Sink
	hub      *hubtest.Process
	url      string
	callers  map[string]*hubtest.Caller // "" has a token
	widgets  map[string]*visitor
	last     any      // answer of the API
	frames   []string // of the event stream
	inboxes  []any    // beside mail and chat; put there before start
	backend  *backend
	sms      *smsProvider
	bot      *botAPI
	line     *lineAPI
	slack    *slackAPI
	graph    *graphAPI
	signIn   *hubtest.SignIn
	matrix   *homeserver
	toots    *instance
	guild    *guild
	troubles []*trouble
	desks    map[string]*desk // open consoles, by @NAME
}

type worldKey struct{}

func the(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func setupWorld(env *testscript.Env) error {
	w := &world{dir: env.WorkDir, callers: map[string]*hubtest.Caller{}, widgets: map[string]*visitor{}}
	var err error
	if w.box, err = hubtest.NewMailbox(); err != nil {
		return err
	}
	if w.sink, err = hubtest.NewSink(); err != nil {
		return err
	}
	env.Defer(func() {
		for _, v := range w.widgets {
			v.hangUp()
		}
		if w.hub != nil {
			w.hub.Kill()
		}
		w.box.Close()
		w.sink.Close()
		if w.signIn != nil {
			w.signIn.Close()
		}
	})
	env.Values[worldKey{}] = w
	env.Setenv("DATA", filepath.Join(w.dir, "data"))
	env.Setenv("WEFTLINE_TEST_IMPATIENT", "1")
	env.Setenv("CHAT_IDENTITY", "optional")
	env.Setenv("MASK", "off")
	return nil
}

// configure writes hub.yaml unless the story brings its own.
func (w *world) configure(ts *testscript.TestScript) string {
	path := filepath.Join(w.dir, "hub.yaml")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	mail := w.box.Settings(w.sink)
	mail["mask"] = ts.Getenv("MASK")
	if more := ts.Getenv("MAIL"); more != "" {
		ts.Check(json.Unmarshal([]byte(more), &mail))
	}
	if w.signIn != nil {
		maps.Copy(mail, w.signIn.Settings(ts.Getenv("REFRESH")))
	}
	cfg, err := json.Marshal(map[string]any{ // which is YAML
		"listen": "127.0.0.1:0", "data": ts.Getenv("DATA"), "public_url": ts.Getenv("PUBLIC_URL"),
		"owner":    map[string]string{"email": ownerEmail, "password": ownerPassword, "name": "Olga Owner"},
		"outgoing": map[string]any{"allow": []string{"127.0.0.0/8"}},
		"inboxes": append(w.inboxes,
			map[string]any{"id": "support", "channel": "email", "name": "Shop Support", "settings": mail},
			map[string]any{"id": "shop", "channel": "chat", "name": "Shop", "settings": map[string]string{
				"identity": ts.Getenv("CHAT_IDENTITY"), "jwt_keys": "k1:HS256:" + jwtSecret, "messages_per_minute": "600", "prove_email": "support", "continue_by": "support", "continue_after": "10s", "continue_by_sms": ts.Getenv("CHAT_SMS"),
				"mask": ts.Getenv("MASK"),
			}},
		),
	})
	ts.Check(err)
	ts.Check(os.WriteFile(path, cfg, 0o600))
	return path
}

func (w *world) environ(ts *testscript.TestScript) []string {
	env := []string{
		"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "TMPDIR=" + ts.Getenv("TMPDIR"),
		"WEFTLINE_TEST_IMPATIENT=" + ts.Getenv("WEFTLINE_TEST_IMPATIENT"),
	}
	if n := ts.Getenv("WEFTLINE_AUDIT_BULK_READ"); n != "" {
		env = append(env, "WEFTLINE_AUDIT_BULK_READ="+n)
	}
	return env
}

func within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	w := the(ts)
	if neg || w.hub != nil {
		ts.Fatalf("start: once, until shutdown or crash; for a start that fails use exits")
	}
	bin, err := exec.LookPath("hub")
	ts.Check(err)
	log, err := os.OpenFile(filepath.Join(w.dir, "hub.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer log.Close()
	args = append([]string{"serve", "-config", w.configure(ts)}, args...)
	w.hub, err = hubtest.Launch(bin, args, w.environ(ts), log)
	ts.Check(err)
	ctx, cancel := within()
	defer cancel()
	if w.url, err = w.hub.Ready(ctx); err != nil {
		w.fail(ts, "start: %v", err)
	}
	ts.Setenv("ADDR", strings.TrimPrefix(w.url, "http://"))
	if w.callers[""] != nil {
		return
	}
	out, err := w.command(ts, bin, "token", "create", "-config", w.configure(ts), "-name", "story")
	if err != nil {
		w.fail(ts, "make a token: %v", err)
	}
	w.callers[""] = hubtest.NewCaller(strings.TrimSpace(out))
	ts.Setenv("TOKEN", strings.TrimSpace(out))
}

func (w *world) command(ts *testscript.TestScript, bin string, args ...string) (string, error) {
	cmd := exec.Command(bin, args...)
	cmd.Env = w.environ(ts)
	out, err := cmd.Output()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, e.Stderr)
	}
	return string(out), err
}

func cmdShutdown(ts *testscript.TestScript, _ bool, _ []string) {
	w := the(ts)
	ctx, cancel := within()
	defer cancel()
	if err := w.running(ts).Stop(ctx); err != nil {
		w.fail(ts, "shutdown: %v", err)
	}
	w.hub = nil
}

func cmdCrash(ts *testscript.TestScript, _ bool, _ []string) {
	w := the(ts)
	w.running(ts).Kill()
	w.hub = nil
}

func (w *world) running(ts *testscript.TestScript) *hubtest.Process {
	if w.hub == nil {
		ts.Fatalf("no hub runs: start one")
	}
	return w.hub
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE program [arg…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		e, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("exits: %v", err)
		}
		code = e.ExitCode()
	}
	if code != want {
		the(ts).fail(ts, "%s ended with %d, wanted %d\n%s%s", args[1], code, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// fail ends the story with what the hub complained of last.
func (w *world) fail(ts *testscript.TestScript, format string, args ...any) {
	b, _ := os.ReadFile(filepath.Join(w.dir, "hub.log"))
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	ts.Logf("hub.log:\n%s", strings.Join(lines[max(0, len(lines)-15):], "\n"))
	ts.Fatalf(format, args...)
}

// expand fills in $VARs; ${IN_2s} is the time in two seconds.
func expand(ts *testscript.TestScript, s string) string {
	return os.Expand(s, func(name string) string {
		if after, ok := strings.CutPrefix(name, "IN_"); ok {
			d, err := time.ParseDuration(after)
			ts.Check(err)
			return time.Now().Add(d).UTC().Format(time.RFC3339Nano)
		}
		return ts.Getenv(name)
	})
}
