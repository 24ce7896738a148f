//go:build rig

package rig_test

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/hub/hubtest"
)

const (
	support       = "alice@rig.test" // the inbox of the configuration file
	ownerEmail    = "owner@rig.test"
	ownerPassword = "correct horse"
)

// world is a hub between real mail servers.
type world struct {
	dir              string
	bin, config, log string
	imapPort         string
	lmtpPort         string
	smtpPort         string
	dovecot, smtpd   *server
	imap, smtp       *wire         // on the hub's way to them
	sink             *hubtest.Sink // where OpenSMTPD delivers what goes out
	hub              *hubtest.Process
	url              string
	api              *hubtest.Caller // by token
	owner            *hubtest.Caller // by session
}

func newWorld(t *testing.T) *world {
	t.Helper()
	// Unix sockets below it allow no long path, and Dovecot's processes must reach it.
	dir, err := os.MkdirTemp("/tmp", "rig")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	w := &world{dir: dir, bin: filepath.Join(dir, "hub"), config: filepath.Join(dir, "hub.yaml"), log: filepath.Join(dir, "hub.log")}
	if out, err := exec.Command("go", "build", "-o", w.bin, "..").CombinedOutput(); err != nil {
		t.Fatalf("build the hub: %v\n%s", err, out)
	}
	if w.sink, err = hubtest.NewSink(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.sink.Close)
	_, sinkPort, _ := net.SplitHostPort(w.sink.Addr())
	w.imapPort, w.lmtpPort, w.smtpPort = freePort(t), freePort(t), freePort(t)
	w.dovecot = newServer(t, "start-dovecot.sh", w.imapPort, dir, w.imapPort, w.lmtpPort)
	w.dovecot.start(t)
	w.smtpd = newServer(t, "start-smtpd.sh", w.smtpPort, dir, w.smtpPort, w.lmtpPort, sinkPort)
	w.smtpd.start(t)
	w.imap, w.smtp = newWire(t, w.imapPort, insideALiteral), newWire(t, w.smtpPort, behindTheDot)
	cfg, err := json.Marshal(map[string]any{ // which is YAML
		"listen": "127.0.0.1:0", "data": filepath.Join(dir, "data"),
		"owner":   map[string]string{"email": ownerEmail, "password": ownerPassword, "name": "Olga Owner"},
		"inboxes": []map[string]any{{"id": "support", "channel": "email", "name": "Support", "settings": w.settings("alice", "secret")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.config, cfg, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if w.hub != nil {
			w.hub.Kill()
		}
		for _, log := range []string{w.log, filepath.Join(dir, "dovecot.log")} {
			if b, _ := os.ReadFile(log); t.Failed() {
				t.Logf("%s:\n%s", filepath.Base(log), b[max(0, len(b)-20_000):])
			}
		}
	})
	w.start(t)
	out, err := exec.Command(w.bin, "token", "create", "-config", w.config, "-name", "rig").Output()
	if err != nil {
		t.Fatalf("make a token: %v", err)
	}
	w.api = hubtest.NewCaller(strings.TrimSpace(string(out)))
	if w.owner, err = hubtest.Login(t.Context(), w.url, ownerEmail, ownerPassword); err != nil {
		t.Fatal(err)
	}
	return w
}

// settings of an inbox on the mailbox of a user.
func (w *world) settings(user, password string) map[string]string {
	return map[string]string{
		"address":   user + "@rig.test",
		"imap_host": "127.0.0.1", "imap_port": w.imapPort, "imap_tls": "none", "imap_username": user, "imap_password": password,
		"smtp_host": "127.0.0.1", "smtp_port": w.smtp.port(), "smtp_tls": "none",
	}
}

// start starts the hub, again on the same data after it was killed.
func (w *world) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(w.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if w.hub, err = hubtest.Launch(w.bin, []string{"serve", "-config", w.config}, os.Environ(), log); err != nil {
		t.Fatal(err)
	}
	if w.url, err = w.hub.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
}
