//go:build rig

package matrix_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/matrix"
)

// dendrite starts a homeserver. WEFTLINE_RIG_DENDRITE names where its programs are kept.
func dendrite(t *testing.T) place {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	log, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("../../deploy/rig/start-dendrite.sh", t.TempDir(), port)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cmd.Wait()
	}()
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		<-ended
		if t.Failed() {
			b, _ := os.ReadFile(log.Name())
			t.Logf("homeserver: %s", b[max(0, len(b)-4000):])
		}
	})
	base := "http://127.0.0.1:" + port
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(15 * time.Minute); ; { // it may have to be built first
		r, err := http.Get(base + "/_matrix/client/versions")
		if err == nil {
			r.Body.Close()
			break
		}
		select {
		case <-tick.C:
		case <-ended:
			t.Fatal("the homeserver does not start")
		case <-deadline:
			t.Fatal("waited for the homeserver in vain")
		}
	}
	var n atomic.Int64
	return place{base: base, lags: true, transport: &http.Client{Timeout: 60 * time.Second}, account: func(name string) (string, string) {
		var v struct {
			Token string `json:"access_token"`
		}
		last := ""
		rigUntil(t, "registration of "+name, func() bool {
			// A name whose registration failed halfway is taken for ever.
			b, _ := json.Marshal(map[string]any{
				"username": fmt.Sprintf("%s%d", name, n.Add(1)), "password": "secretsecret", "auth": map[string]string{"type": "m.login.dummy"},
			})
			r, err := http.Post(base+"/_matrix/client/v3/register", "application/json", bytes.NewReader(b))
			if err != nil {
				return false
			}
			defer r.Body.Close()
			answer, _ := io.ReadAll(r.Body)
			if json.Unmarshal(answer, &v) == nil && v.Token != "" {
				return true
			}
			if s := r.Status + " " + string(answer); s != last {
				last = s
				t.Log("registration: " + s)
			}
			return false
		})
		return base, v.Token
	}}
}

// TestRigDendrite: all questions of the suite, a real homeserver answers them. What fails by script fails in a proxy before it.
func TestRigDendrite(t *testing.T) {
	server := dendrite(t)
	var users sync.Map
	channeltest.Run(t, channeltest.Harness{
		Name: "Matrix, Dendrite", Counterpart: channeltest.RealServer + ", Dendrite 0.13.8", Wait: 30 * time.Second,
		Without: map[string]string{
			"ForgedIsRefused": noHook, "OldProofIsRefused": noHook, "TwoSecretsAreLive": noHook,
			"ProviderTimeIsKept": "a homeserver's clock says when something was said: nobody can say it for it",
		},
		Outbound: func(s channeltest.Subject) channel.Outbound {
			user, _ := users.Load(s.Adapter)
			return outboundTo(user.(string))
		},
		New: func(t *testing.T, intake channel.Intake) channeltest.Subject {
			p := proxy(t, server.base)
			at := server
			at.api = p.URL
			d := meet(t, prepare(t, at, intake))
			users.Store(channel.Adapter(d.adapter), d.ada.user)
			// A homeserver does not say how far somebody has read it: what is stored has been taken.
			return subject(t, d, p.API("second"), func(event string) bool { _, ok := d.taken(event); return ok })
		},
	})
}

// TestRigDendriteTellsAStory: what the fake of the other tests is believed to do, a real homeserver does.
func TestRigDendriteTellsAStory(t *testing.T) {
	server := dendrite(t)
	server.api = server.base
	blobs, err := blob.NewDir(t.TempDir(), crypt.NewDeterministic("test"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	server.blobs = blobs
	for name, story := range stories {
		t.Run(name, func(t *testing.T) {
			story(t, prepare(t, server, &channeltest.Intake{}))
		})
	}
	t.Run("files both ways", func(t *testing.T) {
		d := meet(t, prepare(t, server, &channeltest.Intake{}))
		key, _, err := blobs.Put(t.Context(), "k", strings.NewReader("a picture"), 100)
		if err != nil {
			t.Fatal(err)
		}
		out := outboundTo(d.ada.user)
		out.ID, out.Content.Attachments = "r1", []channel.Attachment{{Name: "a b.png", ContentType: "image/png", Size: 9, Blob: key}}
		if r, err := d.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateSent {
			t.Fatalf("%+v, %v", r, err)
		}
		var uri string
		for _, e := range d.ada.sees(d.room) {
			if e.Content["msgtype"] == "m.image" {
				uri = e.Content["url"].(string)
			}
		}
		rc, err := d.adapter.Fetch(t.Context(), "desk", channel.Attachment{Remote: uri})
		if err != nil {
			t.Fatalf("%s: %v", uri, err)
		}
		defer rc.Close()
		if b, err := io.ReadAll(rc); err != nil || string(b) != "a picture" {
			t.Errorf("%q, %v", b, err)
		}
	})
	t.Run("a password that is right and one that is not", func(t *testing.T) {
		_, token := server.account("login")
		user := newCustomer(t, server.base, token).user
		in := deskOf(server.base, user, "secretsecret")
		if err := matrix.Channel(http.DefaultClient).Test(t.Context(), in); err != nil {
			t.Error(err)
		}
		in.Settings["password"] = "wrong"
		if err := matrix.Channel(http.DefaultClient).Test(t.Context(), in); err == nil {
			t.Error("a wrong password is taken")
		}
	})
}

func rigUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); !ok(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited for %s in vain", what)
		}
	}
}

// proxy stands before a homeserver and lets it fail by script.
func proxy(t testing.TB, base string) *hostedtest.Provider {
	forward := &http.Client{}
	return (&hostedtest.Provider{Sends: sends, Serve: func(w http.ResponseWriter, r *http.Request, body []byte) {
		to, err := http.NewRequestWithContext(r.Context(), r.Method, base+r.URL.RequestURI(), bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		to.Header = r.Header.Clone()
		res, err := forward.Do(to)
		if err != nil {
			if r.Context().Err() == nil && !strings.Contains(err.Error(), "refused") {
				t.Logf("homeserver: %v", err)
			}
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		for k, v := range res.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(res.StatusCode)
		io.Copy(w, res.Body)
	}}).Start(t)
}
