//go:build rig

package telegram_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/telegram"
)

// client has connections of its own.
var client = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}

// TestRigTelegramTestAPI: somebody else's emulator of the Bot API gives us
// what its client says and takes what we answer. It knows texts alone, and holds no question.
func TestRigTelegramTestAPI(t *testing.T) {
	dir := os.Getenv("WEFTLINE_RIG_TELEGRAM")
	if dir == "" {
		dir = t.TempDir()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	var log bytes.Buffer
	cmd := exec.Command("../../deploy/rig/start-telegram.sh", dir, port)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		if t.Failed() {
			t.Logf("emulator: %s", log.String())
		}
	})
	base := "http://127.0.0.1:" + port
	rigUntil(t, "the emulator", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	in := &channeltest.Intake{}
	inboxes := hostedtest.Inboxes(inbox.Inbox{ID: "bot", Channel: telegram.Name, Settings: map[string]string{"bot_token": token, "api_url": base}})
	a := telegram.New(hosted.Deps{Intake: in, Inboxes: inboxes, Client: client})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	const text = "Where is it? שלום 👋"
	rigPost(t, base+"/sendMessage", map[string]any{"botToken": token, "from": ada(), "chat": adaChat(), "date": time.Now().Unix(), "text": text})
	rigUntil(t, "the message", func() bool { return len(in.Taken()) == 1 })
	items, err := a.Parse(in.Taken()[0])
	if err != nil || items[0].Message.Content.Text != text || items[0].Message.From.Address != fmt.Sprint(adaID) {
		t.Fatalf("%+v, %v", items, err)
	}
	out := outbound(channeltest.Subject{})
	out.ID, out.Content.Text, out.InReplyTo = "r1", "On its way 🚚", items[0].Message.ID
	if r, err := a.Send(t.Context(), out); err != nil || r.State != channel.StateSent || r.ProviderID == "" {
		t.Fatalf("%+v, %v", r, err)
	}
	var got struct {
		Result []struct {
			Message struct {
				Text string `json:"text"`
			} `json:"message"`
		} `json:"result"`
	}
	if err := json.Unmarshal(rigPost(t, base+"/getUpdates", map[string]any{"token": token, "chatId": adaID}), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Result) != 1 || got.Result[0].Message.Text != "On its way 🚚" {
		t.Errorf("the client sees %+v", got)
	}
}

// rigUntil waits longer than tests of ours: npm may have to install first.
func rigUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(2 * time.Minute); !ok(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited for %s in vain", what)
		}
	}
}

func rigPost(t *testing.T, address string, body any) []byte {
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := client.Post(address, "application/json", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(r.Body); err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v: %s", address, r.Status, err, answer.String())
	}
	return answer.Bytes()
}
