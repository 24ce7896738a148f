//go:build rig

package sms_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/sms"
	"github.com/weftline/weftline/services/sms/gsm"
)

// rigTexts go both ways: default alphabet with its extension table, several parts of it, UCS-2 with emoji, several parts of that.
var rigTexts = []string{
	"Hello, where is my order?", "Price: 5€ {yes} [no] ~ ^ | \\", strings.Repeat("A long text in the default alphabet: äöüß. ", 9),
	"שלום 👋 世界", strings.Repeat("длинный текст 👩‍👧 ", 12),
}

// TestRigKannelAndSMSC: Kannel, a real SMPP client with coders of its own, and the
// hub's adapter talk to one another through npm smpp as the SMSC.
func TestRigKannelAndSMSC(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "rig")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	kept := os.Getenv("WEFTLINE_RIG_SMSC") // where npm smpp is kept between runs
	if kept == "" {
		kept = dir
	}
	phone := &kannelHook{}
	hook := httptest.NewServer(phone)
	t.Cleanup(hook.Close)
	smscPort, sendPort := rigPort(t), rigPort(t)
	smsc := rigStart(t, smscPort, "start-smsc.sh", kept, smscPort)
	kannel := rigStart(t, sendPort, "start-kannel.sh", filepath.Join(dir, "kannel"), rigPort(t), rigPort(t), sendPort, smscPort, hook.URL)

	world := t // servers live until its end
	in := &reports{}
	w := &smscWorld{t: t, state: database(t), keys: crypt.NewMemory(), intake: in, now: time.Now}
	w.inboxes = hostedtest.Inboxes(inbox.Inbox{ID: "main", Channel: sms.Name, Name: "Main", Settings: map[string]string{
		"provider": "smpp", "number": ours, "smpp_address": "127.0.0.1:" + smscPort, "smpp_tls": "off", "smpp_system_id": "foo", "smpp_password": "bar",
	}})
	w.start()
	rigUntil(t, "both are bound", func() bool {
		log := smsc.String()
		return strings.Contains(log, "bound foo") && strings.Contains(log, "bound kannel")
	})

	t.Run("Kannel writes to us", func(t *testing.T) {
		for _, text := range rigTexts {
			before := len(in.Taken())
			kannelSends(t, sendPort, text)
			rigUntil(t, "the message", func() bool { return len(in.Taken()) > before })
			if got := messages(t, w.adapter, in.Taken()[before:])[0]; got.Content.Text != strings.TrimSpace(text) && got.Content.Text != text || got.From.Address != customer || got.To[0].Address != ours {
				t.Errorf("%q became %q from %+v", text, got.Content.Text, got.From)
			}
		}
	})
	t.Run("we write to Kannel", func(t *testing.T) {
		for i, text := range rigTexts {
			id := fmt.Sprint("out-", i)
			if r, err := w.send(id, text); err != nil || r.State != channel.StateSent {
				t.Fatalf("%+v, %v", r, err)
			}
			rigUntil(t, "it at the phone", func() bool { return slices.Contains(phone.texts(), text) })
			rigUntil(t, "its receipt", func() bool {
				return slices.ContainsFunc(in.all(), func(r channel.Receipt) bool { return r.Outbound == id && r.State == channel.StateDelivered })
			})
		}
	})
	t.Run("the SMSC dies and comes back", func(t *testing.T) {
		smsc.stop(t)
		rigUntil(t, "the health says so", func() bool { return w.inboxes.Health("main").State == "connecting" })
		if _, err := w.send("while-down", "x"); err == nil {
			t.Error("sent to nobody")
		}
		back := rigStart(world, smscPort, "start-smsc.sh", kept, smscPort)
		rigUntil(t, "both are bound again", func() bool {
			return strings.Contains(back.String(), "bound foo") && strings.Contains(back.String(), "bound kannel")
		})
		before := len(in.Taken())
		kannelSends(t, sendPort, "I am back")
		rigUntil(t, "the message", func() bool { return len(in.Taken()) > before })
		if r, err := w.send("again", "so are we"); err != nil || r.State != channel.StateSent {
			t.Errorf("%+v, %v", r, err)
		}
	})
	t.Run("a wrong password needs attention", func(t *testing.T) {
		w.inboxes.Set("main", "smpp_password", "wrong")
		rigUntil(t, "the health says so", func() bool { return w.inboxes.Health("main").State == "needs_attention" })
		w.inboxes.Set("main", "smpp_password", "bar")
		rigUntil(t, "it is well again", func() bool { return w.inboxes.Health("main").State == "ok" })
	})
	_ = kannel
}

// TestRigLiveTest: the console's test of settings against npm smpp.
func TestRigLiveTest(t *testing.T) {
	dir := os.Getenv("WEFTLINE_RIG_SMSC")
	if dir == "" {
		dir = t.TempDir()
	}
	port := rigPort(t)
	rigStart(t, port, "start-smsc.sh", dir, port)
	settings := map[string]string{"provider": "smpp", "number": ours, "smpp_address": "127.0.0.1:" + port, "smpp_tls": "off", "smpp_system_id": "foo", "smpp_password": "bar"}
	if err := sms.Channel(nil, new(net.Dialer).DialContext).Test(t.Context(), inbox.Inbox{ID: "x", Settings: settings}); err != nil {
		t.Error(err)
	}
	settings["smpp_password"] = "no"
	if err := sms.Channel(nil, new(net.Dialer).DialContext).Test(t.Context(), inbox.Inbox{ID: "x", Settings: settings}); err == nil || !strings.Contains(err.Error(), "smpp_password: bind: SMSC answers: password is wrong") {
		t.Errorf("%v", err)
	}
}

// kannelHook is where Kannel posts what a phone would show.
type kannelHook struct {
	mu   sync.Mutex
	list []string
}

func (h *kannelHook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	text := q.Get("text")
	if q.Get("coding") == "2" { // UTF-16, big endian
		text = utf16Text([]byte(text))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, text)
}

func (h *kannelHook) texts() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.list)
}

func kannelSends(t *testing.T, port, text string) {
	t.Helper()
	v := url.Values{"username": {"hub"}, "password": {"hubpw"}, "from": {customer}, "to": {ours}, "text": {text}, "charset": {"UTF-8"}, "coding": {"0"}}
	if !inGSM(text) {
		v.Set("coding", "2")
	}
	res, err := http.Get("http://127.0.0.1:" + port + "/cgi-bin/sendsms?" + v.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusAccepted {
		t.Fatalf("Kannel answers %s", res.Status)
	}
}

type rigServer struct {
	cmd *exec.Cmd
	mu  sync.Mutex
	log bytes.Buffer
}

func (s *rigServer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(b)
}

func (s *rigServer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func rigStart(t *testing.T, port, script string, args ...string) *rigServer {
	t.Helper()
	s := &rigServer{cmd: exec.Command(filepath.Join("../../deploy/rig", script), args...)}
	s.cmd.Stdout, s.cmd.Stderr = s, s
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.stop(t)
		if t.Failed() {
			log := s.String()
			t.Logf("%s:\n%s", script, log[max(0, len(log)-6000):])
		}
	})
	rigUntil(t, script+" answers", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return s
}

// stop ends a server and what it started. Kannel does not end by SIGTERM while messages wait.
func (s *rigServer) stop(t *testing.T) {
	t.Helper()
	if s.cmd.ProcessState != nil {
		return
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		_ = s.cmd.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	<-done
}

func rigPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func rigUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("not in a minute: %s", what)
		}
		<-time.After(10 * time.Millisecond)
	}
}

func inGSM(text string) bool { return gsm.Measure(text).Coding == gsm.SevenBit }

func utf16Text(b []byte) string { return gsm.DecodeUCS2(b) }
