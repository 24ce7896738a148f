//go:build rig

package rig_test

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// server is a script of deploy/rig. It is stopped and started within a test.
type server struct {
	script string
	args   []string
	port   string // answers when the server is up
	cmd    *exec.Cmd
	log    bytes.Buffer
}

func newServer(t *testing.T, script, port string, args ...string) *server {
	s := &server{script: script, args: args, port: port}
	t.Cleanup(func() {
		s.stop(t)
		if t.Failed() {
			b := s.log.Bytes()
			t.Logf("%s:\n%s", script, b[max(0, len(b)-40000):])
		}
	})
	return s
}

// start waits until the server answers.
func (s *server) start(t *testing.T, env ...string) {
	t.Helper()
	s.cmd = exec.Command(filepath.Join("../../../deploy/rig", s.script), s.args...)
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, s.script+" answers", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+s.port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// stop ends the server and everything it started.
func (s *server) stop(t *testing.T) {
	t.Helper()
	if s.cmd == nil {
		return
	}
	syscall.Kill(-s.cmd.Process.Pid, syscall.SIGTERM) //nolint:errcheck // it may have ended
	s.cmd.Wait()                                      //nolint:errcheck // ended by the signal
	s.cmd = nil
	until(t, s.script+" is gone", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+s.port)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(90 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("not in 90 seconds: %s", what)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// submit gives a mail to OpenSMTPD as any server of the world would, byte for byte.
func (w *world) submit(t *testing.T, from, to string, mail []byte) {
	t.Helper()
	c, err := smtp.Dial("127.0.0.1:" + w.smtpPort)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SendMail(from, []string{to}, io.MultiReader(bytes.NewReader(mail))); err != nil {
		t.Fatalf("submit a mail from %s: %v", from, err)
	}
}

// deliver gives a mail to Dovecot without OpenSMTPD.
func (w *world) deliver(t *testing.T, from, to string, mail []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+w.lmtpPort)
	if err != nil {
		t.Fatal(err)
	}
	c := smtp.NewClientLMTP(conn)
	defer c.Close()
	if err := c.SendMail(from, []string{to}, io.MultiReader(bytes.NewReader(mail))); err != nil {
		t.Fatalf("deliver a mail from %s: %v", from, err)
	}
}
