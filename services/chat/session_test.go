package chat_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/chat"
)

func TestConversation(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	v := w.visit(frame{})
	welcome := v.await("welcome")
	if welcome.str("token") == "" || welcome.str("who") == "" || welcome.str("ticket") == "" {
		t.Fatalf("welcome %v lacks token, who or ticket", welcome)
	}
	v.await("messages")
	v.send(message(1, "Is anybody there?"))
	if got := v.await("ack").str("client_id"); got != clientID(1) {
		t.Fatalf("ack of %s", got)
	}
	if w.hub.accepted() != 1 {
		t.Fatal("acknowledged before it was accepted")
	}

	other := w.visit(frame{"token": welcome.str("token")})
	if got := other.await("welcome").str("who"); got != welcome.str("who") {
		t.Fatal("the same token is another visitor")
	}
	items := other.await("messages")["items"].([]any)
	if len(items) != 1 || items[0].(map[string]any)["client_id"] != clientID(1) {
		t.Fatalf("the second tab sees %v", items)
	}

	out := w.hub.reply("shop", w.hub.address(0), "Yes, I am.")
	r, err := w.adapter.Send(context.Background(), out)
	if err != nil || r.State != channel.StateSent || r.Outbound != out.ID || r.Customer != "c1" {
		t.Fatalf("receipt %+v, %v", r, err)
	}
	for _, tab := range []*visitor{v, other} {
		m := tab.await("message")["message"].(map[string]any)
		if m["id"] != out.ID || m["text"] != "Yes, I am." || m["from"] != "us" || m["position"] != out.Position {
			t.Fatalf("tab sees %v", m)
		}
	}
	v.send(message(2, "Great"))
	for {
		if m, _ := other.await("message")["message"].(map[string]any); m["client_id"] == clientID(2) {
			break
		}
	}

	v.send(frame{"type": "delivered", "position": out.Position})
	v.send(frame{"type": "read", "position": "zzz"}) // clamped to what was shown
	w.hub.until("the reply is read", func() bool {
		for _, r := range w.hub.reports {
			if r.Outbound == out.ID && r.State == channel.StateRead {
				return true
			}
		}
		return false
	})
}

func TestReceiptsOnce(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	v := w.visit(frame{})
	token := v.await("welcome").str("token")
	v.send(message(1, "hello"))
	v.await("ack")
	var outs []channel.Outbound
	for i := range 3 {
		out := w.hub.reply("shop", w.hub.address(0), fmt.Sprint(i))
		outs = append(outs, out)
		if _, err := w.adapter.Send(context.Background(), out); err != nil {
			t.Fatal(err)
		}
		v.await("message")
	}
	v.send(frame{"type": "read", "position": outs[0].Position})
	w.hub.until("one is read", func() bool { return len(w.hub.reports) >= 1 })
	v.conn.Close()

	// Another connection, which was shown nothing of it, reads on.
	v = w.visit(frame{"token": token})
	v.await("welcome")
	v.await("messages")
	v.send(frame{"type": "read", "position": outs[0].Position})
	v.send(frame{"type": "read", "position": outs[2].Position})
	v.send(frame{"type": "read", "position": outs[1].Position})
	w.hub.until("all are read", func() bool { return len(w.hub.reports) >= 3 })
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range w.hub.reports {
		got = append(got, r.Outbound+" "+string(r.State))
	}
	want := []string{outs[0].ID + " read", outs[1].ID + " read", outs[2].ID + " read"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestSameClientIDIsOneMessage(t *testing.T) {
	t.Parallel()
	w := start(t, map[string]string{"messages_per_minute": "600"})
	v := w.visit(frame{})
	token := v.await("welcome").str("token")
	var wg sync.WaitGroup
	for range 10 {
		tab := w.visit(frame{"token": token})
		wg.Go(func() {
			for range 10 {
				tab.send(message(7, "again"))
			}
			for acks := 0; acks < 10; {
				f := tab.next()
				if f == nil {
					t.Errorf("closed with %d after %d acks", tab.code, acks)
					return
				}
				if f.str("type") == "ack" {
					acks++
				}
			}
		})
	}
	wg.Wait()
	if n := w.hub.accepted(); n != 1 {
		t.Errorf("%d messages", n)
	}
}

func TestNoAckWithoutIntake(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	v := w.visit(frame{})
	v.await("welcome")
	w.hub.mu.Lock()
	w.hub.fail = errors.New("disk full")
	w.hub.mu.Unlock()
	v.send(message(1, "hello"))
	for {
		f := v.next()
		if f.str("type") == "ack" {
			t.Fatal("acknowledged what was not stored")
		}
		if f.str("type") == "error" {
			if f.str("code") != "unavailable" || f.str("client_id") != clientID(1) || f["retry_after_ms"] == nil {
				t.Fatalf("error %v", f)
			}
			break
		}
	}
	w.hub.mu.Lock()
	w.hub.fail = nil
	w.hub.mu.Unlock()
	v.send(message(1, "hello"))
	v.await("ack")
}

func TestInvalidAndRate(t *testing.T) {
	t.Parallel()
	w := start(t, map[string]string{"messages_per_minute": "3"})
	v := w.visit(frame{})
	v.await("welcome")
	v.send(message(1, strings.Repeat("ü", 10_001)))
	if f := v.await("error"); f.str("code") != "invalid" || f.str("field") != "text" || f.str("client_id") != clientID(1) {
		t.Fatalf("too long: %v", f)
	}
	v.send(message(2, " \x00\n "))
	if f := v.await("error"); f.str("field") != "text" {
		t.Fatalf("empty: %v", f)
	}
	v.send(frame{"type": "email", "client_id": clientID(3), "address": "ada@x.example\r\nBcc: all@x.example"})
	if f := v.await("error"); f.str("field") != "address" {
		t.Fatalf("address: %v", f)
	}
	for i := range 4 {
		v.send(message(10+i, strings.Repeat("ü", 10_000)))
	}
	f := v.await("error")
	if f.str("code") != "rate" || f.str("client_id") != clientID(13) || f["retry_after_ms"].(float64) < 1000 {
		t.Fatalf("rate: %v", f)
	}
	if n := w.hub.accepted(); n != 3 {
		t.Errorf("%d accepted", n)
	}
}

func TestEmailCapture(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	v := w.visit(frame{})
	if v.await("welcome")["email_capture"] != true {
		t.Error("not offered")
	}
	v.send(frame{"type": "email", "client_id": clientID(1), "address": "ada@example.org"})
	v.await("ack")
	items, err := w.adapter.Parse(w.hub.raw(0))
	if err != nil {
		t.Fatal(err)
	}
	m := items[0].Message
	if !strings.Contains(m.Content.Text, "ada@example.org") || m.ClaimsHandle == nil || *m.ClaimsHandle != (channel.Address{Kind: "email", Address: "ada@example.org"}) || m.Assurance > 2 || m.From.Kind != chat.Name || !cmp.Equal(m.Flags, []string{"offline_capture"}) {
		t.Errorf("message %+v", m)
	}
}

func TestGarbage(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no json": "{", "unknown type": `{"type":"grant"}`, "client id": `{"type":"message","client_id":"../1","text":"x"}`,
		"position": `{"type":"read","position":"a b"}`, "hello twice": `{"type":"hello"}`, "deep": strings.Repeat("[", 20_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, nil)
			v := w.visit(frame{})
			v.await("welcome")
			for range 3 {
				v.conn.WriteMessage(1, []byte(text))
			}
			if code := v.closed(); code != 4400 {
				t.Errorf("closed with %d", code)
			}
			if n := w.count("weftline_chat_garbage_frames_total"); n != 1 {
				t.Errorf("counted %v", n)
			}
		})
	}
}
