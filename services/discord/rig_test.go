//go:build rig

package discord_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/internal/hosted"
)

// reader is discord.js, which has logged into the fake as the shop's bot.
type reader struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
	log *bytes.Buffer
}

// seen is what it says of a message, and more.
type seen struct {
	ID, Channel, Author, Name, Content, Nonce, Reference string
	DM, Edited                                           bool
	Files                                                []string

	User, Application, Emoji, Text string
	Code, Status                   int
	Sent                           []string
	Limited                        []struct {
		MS     float64
		Global bool
	}
}

func (r *reader) say(question any) {
	r.t.Helper()
	b, err := json.Marshal(question)
	if err == nil {
		_, err = r.in.Write(append(b, '\n'))
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *reader) ask(question, answer any) {
	r.t.Helper()
	r.say(question)
	line, err := r.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, answer)
	}
	if err != nil {
		r.t.Fatalf("%v: %s %s", err, line, r.log)
	}
}

func (r *reader) one(question any) (s seen) {
	r.t.Helper()
	r.ask(question, &s)
	return s
}

// TestRigDiscordJS: discord.js, a community client that was written for Discord
// itself, finds our fake to be the gateway and the API that it knows, beside the adapter,
// and reads what the adapter sends as it was meant. Discord itself was not there.
func TestRigDiscordJS(t *testing.T) {
	dir := os.Getenv("WEFTLINE_RIG_DISCORD")
	if dir == "" {
		dir = t.TempDir()
	}
	f := newFake(t)
	const blocked = "700000000000000009"
	f.places["500000000000000009"] = place{another, blocked, 1} // the shop has no conversation with him
	d := prepare(t, f, hosted.Deps{Intake: &channeltest.Intake{}})
	t.Cleanup(d.run())
	d.connected()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // npm may have to install first
	defer cancel()
	cmd := exec.CommandContext(ctx, "../../deploy/rig/start-discord.sh", dir)
	var log bytes.Buffer
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	js := &reader{t, in, bufio.NewReader(out), &log}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})

	js.say(map[string]any{"api": f.URL + "/api", "token": token})
	if got := js.one(map[string]any{"login": true}); got.User != shop || got.Application != shop {
		t.Fatalf("logged in as %+v", got)
	}

	// A customer writes, edits, reacts, types and deletes: it hears the same as the adapter.
	d.says("1", "Where is it? שלום 👋")
	hears := func(event string) seen { t.Helper(); return js.one(map[string]any{"await": event}) }
	if m := hears("messageCreate"); m.ID != d.id("1") || m.Channel != adaDM || !m.DM || m.Author != ada || m.Name != "Ada Lovelace" || m.Content != "Where is it? שלום 👋" {
		t.Errorf("it reads %+v", m)
	}
	d.change("1", channel.Edited)
	if m := hears("messageUpdate"); m.Content != "after" || !m.Edited {
		t.Errorf("it reads the edit as %+v", m)
	}
	d.change("1", channel.Reacted)
	if r := hears("messageReactionAdd"); r.ID != d.id("1") || r.Emoji != "🔥" || r.User != ada {
		t.Errorf("it reads the reaction as %+v", r)
	}
	d.tell("TYPING_START", map[string]any{"user_id": ada, "channel_id": adaDM, "timestamp": time.Now().Unix()})
	if r := hears("typingStart"); r.Channel != adaDM || r.User != ada {
		t.Errorf("it reads typing as %+v", r)
	}

	// What the adapter sends is what it reads.
	d.sent("r1", "*on* its way, <@1> https://x.test/a_b", func(out *channel.Outbound) { out.InReplyTo = adaDM + ":" + d.id("1") })
	if m := hears("messageCreate"); m.Author != shop || rendered(m.Content) != "*on* its way, <@1> https://x.test/a_b" || m.Reference != d.id("1") || m.Nonce == "" || !m.DM {
		t.Errorf("it reads our answer as %+v", m)
	}

	// What it sends the fake takes, once for one nonce, and the adapter hears it and does not take it for a customer's.
	first := js.one(map[string]any{"reply": "from discord.js", "file": "a file"})
	again := js.one(map[string]any{"reply": "from discord.js", "file": "a file"})
	if first.ID == "" || again.ID != first.ID || first.Reference != d.id("1") || len(first.Files) != 1 {
		t.Errorf("it sent %+v, then %+v", first, again)
	}
	var list []seen
	js.ask(map[string]any{"history": 2}, &list)
	if len(list) != 2 || list[0].ID != first.ID || list[1].Author != shop {
		t.Errorf("it lists %+v", list)
	}
	if p := d.posts[len(d.posts)-1]; strings.Join(p.Files, "") != "js.txt=a file" || p.Content != "from discord.js" {
		t.Errorf("%+v", p)
	}

	// It waits for limits that the fake tells of as Discord does, and understands refusals.
	d.API("other").Script(channeltest.Answer{Status: 429, Header: http.Header{
		"Content-Type": {"application/json"}, "Retry-After": {"1"}, "X-Ratelimit-Scope": {"user"}, "X-Ratelimit-Bucket": {"abcd1234"}, "X-Ratelimit-Limit": {"5"},
		"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset-After": {"0.4"}, "X-Ratelimit-Reset": {"1470173023.123"},
	}, Body: `{"message":"You are being rate limited.","retry_after":0.4,"global":false}`})
	if got := js.one(map[string]any{"send": []string{"after a limit"}, "to": ada}); len(got.Sent) != 1 || len(got.Limited) != 1 || got.Limited[0].Global {
		t.Errorf("of a limit it knows %+v", got)
	}
	if got := js.one(map[string]any{"refused": blocked}); got.Code != 10013 {
		t.Errorf("it is refused with %+v", got)
	}
	f.mu.Lock()
	f.blocked = true
	f.mu.Unlock()
	if got := js.one(map[string]any{"refused": ada}); got.Code != 50007 || got.Status != 403 {
		t.Errorf("it is refused with %+v", got)
	}
	f.mu.Lock()
	f.blocked = false
	f.mu.Unlock()

	// The gateway hangs up: it resumes, too, and hears what it missed.
	d.hangUp(shop, 4000, false)
	d.write("2", "meanwhile", time.Now(), func(m map[string]any) {
		f.files["/cdn/cat.txt?ex=1"] = []byte("a cat")
		m["attachments"] = []any{map[string]any{"id": "77", "filename": "cat.txt", "size": 5, "url": f.URL + "/cdn/cat.txt?ex=1", "proxy_url": f.URL + "/cdn/cat.txt?ex=1"}}
	})
	for {
		m := hears("messageCreate") // its own are told, too
		if m.ID == d.id("2") {
			if m.Content != "meanwhile" || len(m.Files) != 1 {
				t.Errorf("it reads %+v", m)
			}
			break
		}
	}
	if got := js.one(map[string]any{"fetch": true}); got.Text != "a cat" {
		t.Errorf("the file is %+v", got)
	}
	d.await("message:" + adaDM + ":" + d.id("2"))
	d.change("1", channel.Deleted)
	if r := hears("messageDelete"); r.ID != d.id("1") {
		t.Errorf("it reads the deletion as %+v", r)
	}
	for _, text := range d.texts() {
		if strings.Contains(text, "discord.js") {
			t.Error("another program of the bot's is taken for a customer")
		}
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, log.String())
	}
}
