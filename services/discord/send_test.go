package discord_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/pkg/channel/channeltest"
	"github.com/weftline/weftline/services/discord"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// send sends a text to Ada.
func (d *desk) send(id, text string, change ...func(out *channel.Outbound)) (channel.Receipt, error) {
	out := outbound()
	out.ID, out.Content.Text = id, text
	for _, c := range change {
		c(&out)
	}
	return d.adapter.Send(d.t.Context(), out)
}

func (d *desk) sent(id, text string, change ...func(out *channel.Outbound)) channel.Receipt {
	d.t.Helper()
	r, err := d.send(id, text, change...)
	if err != nil || r.State != channel.StateSent {
		d.t.Fatalf("%+v, %v", r, err)
	}
	return r
}

func TestAnAnswerFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	d.says("1", "hello")
	r := d.sent("r1", "*on* its way @everyone", func(out *channel.Outbound) { out.InReplyTo = adaDM + ":" + d.id("1") })
	p := d.posts[0]
	if p.Content != `\*on\* its way @everyone` || p.Channel != adaDM || p.Answers == nil || p.Answers.Message != d.id("1") || !p.Enforce || p.Nonce == "" ||
		string(p.Mentions) != `{"parse":[]}` || r.ProviderID != adaDM+":"+d.said[adaDM][1]["id"].(string) {
		t.Errorf("%+v %s, %+v", p, p.Mentions, r)
	}
	for _, a := range d.asked {
		if a == "POST /users/@me/channels" {
			t.Error("a channel that is known is opened")
		}
	}
	if err := d.adapter.Typing(t.Context(), "desk", outbound().To, true); err != nil || d.asked[len(d.asked)-1] != "POST /channels/"+adaDM+"/typing" {
		t.Errorf("%v, %q", err, d.asked[len(d.asked)-1])
	}
}

// A message that may have gone out is looked for: by its nonce, that the gateway
// told or the list shows, else by what it says. Another that says the same is not taken for it.
func TestAnOldSendIsLookedForFake(t *testing.T) {
	t.Parallel()
	old := func(out *channel.Outbound) { out.At = time.Now().Add(-time.Hour) }
	for name, prepared := range map[string]func(d *desk){
		"told":         func(*desk) {},
		"listed nonce": func(d *desk) { d.lists = true },
		"listed text":  func(*desk) {},
	} {
		d := prepare(t, newFake(t), hosted.Deps{Intake: &channeltest.Intake{}})
		prepared(d)
		if name == "told" {
			t.Cleanup(d.run())
			d.connected()
		}
		d.API("other").Script(channeltest.Answer{Lost: true})
		if r, err := d.send("r1", "On its *way*", old); err != nil || r.State != channel.StateUnknown {
			t.Fatalf("%s: %+v, %v", name, r, err)
		}
		d.mu.Lock()
		clear(d.nonces) // it was too long ago
		d.mu.Unlock()
		if name == "told" {
			s, seq := d.write("mark", "x", time.Now())
			if err := d.confirmed(t.Context(), s, seq); err != nil {
				t.Fatal(err)
			}
		}
		d.sent("r1", "On its *way*", old)
		if n := len(d.Shown()); n != 1 {
			t.Errorf("%s: shown %d times", name, n)
		}
		d.sent("r2", "On its *way*", old)
		if n := len(d.Shown()); n != 2 {
			t.Errorf("%s: another that says the same is shown %d times", name, n-1)
		}
	}
}

func TestWhoCannotBeWrittenToFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	d.blocked = true
	if r, err := d.send("r1", "hello"); err != nil || r.State != channel.StateFailed || !strings.Contains(r.Detail, "blocked") || !strings.Contains(r.Detail, "50007") {
		t.Errorf("%+v, %v", r, err)
	}
	if h := d.inboxes.Health("desk"); h.State != "ok" {
		t.Errorf("because of one customer: %+v", h)
	}
	if r, err := d.send("r2", "hello", func(out *channel.Outbound) { out.To.Address = "1" }); err != nil || r.State != channel.StateFailed || !strings.Contains(r.Detail, "does not know this customer") {
		t.Errorf("%+v, %v", r, err)
	}
	for want, out := range map[string]channel.Outbound{
		"not a Discord user's id": {To: channel.Address{Kind: discord.Name, Address: "ada"}, Content: channel.Content{Text: "x"}},
		"is empty":                {To: outbound().To},
		"at most 10 go":           {To: outbound().To, Content: channel.Content{Attachments: make([]channel.Attachment, 11)}},
		"at most 10485760":        {To: outbound().To, Content: channel.Content{Attachments: []channel.Attachment{{Name: "x", Size: 20 << 20}}}},
		"at most 10 are sent":     {To: outbound().To, Content: channel.Content{Text: strings.Repeat("long ", 10_000)}},
	} {
		out.Inbox = "desk"
		if r, err := d.adapter.Send(t.Context(), out); err != nil || r.State != channel.StateFailed || !strings.Contains(r.Detail, want) {
			t.Errorf("%s: %+v, %v", want, r, err)
		}
	}
}

// A conversation that Discord knows no more is opened anew.
func TestAnUnknownChannelIsOpenedAnewFake(t *testing.T) {
	t.Parallel()
	d := start(t, &channeltest.Intake{})
	d.sent("r1", "hello", func(out *channel.Outbound) { out.InReplyTo = "499999999999999999:1" })
	if p := d.posts[0]; p.Channel != adaDM || p.Answers != nil {
		t.Errorf("%+v", p)
	}
}

// Limits are counted by channel; a global one holds the account.
func TestRateLimitsFake(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	const bobDM = "500000000000000003"
	f.places[bobDM] = place{shop, "700000000000000002", 1}
	d := prepare(t, f, hosted.Deps{Intake: &channeltest.Intake{}})
	toBob := func(out *channel.Outbound) { out.To.Address = "700000000000000002" }
	limit := func(header map[string]string, body string) channeltest.Answer {
		h := http.Header{}
		for k, v := range header {
			h.Set(k, v)
		}
		return channeltest.Answer{Status: 429, Header: h, Body: body}
	}
	waits := func(what string, err error, least, most time.Duration) {
		t.Helper()
		if after, ok := errors.AsType[*channel.RetryAfterError](err); !ok || after.After < least || after.After > most {
			t.Errorf("%s: %v", what, err)
		}
	}
	d.API("other").Script(limit(map[string]string{"Retry-After": "65", "X-RateLimit-Scope": "user", "X-RateLimit-Bucket": "b"}, `{"message":"You are being rate limited.","retry_after":64.57,"global":false}`))
	_, err := d.send("r1", "too many")
	waits("the body's seconds", err, 64570*time.Millisecond, 64570*time.Millisecond)
	_, err = d.send("r2", "the next")
	waits("the channel", err, 50*time.Second, 65*time.Second)
	d.sent("r3", "to Bob", toBob)
	d.API("other").Script(limit(map[string]string{"Retry-After": "31", "X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}, `{"message":"You are being rate limited.","retry_after":30.5,"global":true}`))
	_, err = d.send("r4", "to Bob", toBob)
	waits("global", err, 30*time.Second, 31*time.Second)
	_, err = d.send("r5", "to Carol", func(out *channel.Outbound) { out.To.Address = "700000000000000003" })
	waits("the account", err, 20*time.Second, 31*time.Second)
}

// A limit that is used up is not run against.
func TestALimitThatIsUsedUpFake(t *testing.T) {
	t.Parallel()
	d := prepare(t, newFake(t), hosted.Deps{Intake: &channeltest.Intake{}})
	d.header.Set("X-RateLimit-Remaining", "0")
	d.header.Set("X-RateLimit-Reset-After", "0.3")
	began := time.Now()
	d.sent("r1", "one")
	d.header.Set("X-RateLimit-Reset-After", "60")
	d.sent("r2", "two") // a short while is waited for
	if took := time.Since(began); took < 300*time.Millisecond {
		t.Errorf("it waited %s", took)
	}
	calls := d.API("other").Calls()
	_, err := d.send("r3", "three")
	if after, ok := errors.AsType[*channel.RetryAfterError](err); !ok || after.After < 50*time.Second || d.API("other").Calls() != calls {
		t.Errorf("%v", err)
	}
}

func TestFilesFake(t *testing.T) {
	t.Parallel()
	blobs, err := blob.NewDir(t.TempDir(), crypt.NewDeterministic("test"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blobs.Close() })
	f := newFake(t)
	d := prepare(t, f, hosted.Deps{Intake: &channeltest.Intake{}, Blobs: blobs})
	t.Cleanup(d.run())
	d.connected()
	key, _, err := blobs.Put(t.Context(), "k", strings.NewReader("png"), 100)
	if err != nil {
		t.Fatal(err)
	}
	files := func(out *channel.Outbound) {
		out.Content.Attachments = []channel.Attachment{{Name: `a"b.png`, ContentType: "image/png", Size: 3, Blob: key}, {Name: "../c.txt", Size: 3, Blob: key}}
	}
	d.sent("r1", "See:", files)
	d.sent("r2", "", files)
	if p := d.posts[0]; len(d.posts) != 2 || p.Content != "See:" || strings.Join(p.Files, " ") != "ab.png=png c.txt=png" || d.posts[1].Content != "" {
		t.Errorf("%+v", d.posts)
	}
	f.files["/cdn/cat.png?ex=1"], f.files["/cdn/cat.png?ex=2"] = []byte("a cat"), []byte("a cat")
	d.says("1", "", func(m map[string]any) {
		m["attachments"] = []any{map[string]any{"id": "77", "filename": "cat.png", "size": 5, "url": f.URL + "/cdn/cat.png?ex=1"}}
	})
	at := d.item("message:").Message.Content.Attachments[0]
	read := func() {
		t.Helper()
		rc, err := d.adapter.Fetch(t.Context(), "desk", at)
		if err != nil {
			t.Fatal(err)
		}
		defer rc.Close()
		if b, err := io.ReadAll(rc); err != nil || string(b) != "a cat" {
			t.Errorf("%q, %v", b, err)
		}
	}
	read()
	f.mu.Lock()
	delete(f.files, "/cdn/cat.png?ex=1") // its address has expired; the message has another
	f.written("1", adaDM, "", time.Now())["attachments"].([]any)[0].(map[string]any)["url"] = f.URL + "/cdn/cat.png?ex=2"
	f.mu.Unlock()
	read()
	for _, gone := range []string{"", "https://evil.test/x", adaDM + " 1 77 " + f.URL + "/cdn/none", adaDM + " " + d.id("1") + " 78 " + f.URL + "/cdn/none", adaDM + " 1 2 https://evil.test/x"} {
		if _, err := d.adapter.Fetch(t.Context(), "desk", channel.Attachment{Remote: gone}); !errors.Is(err, channel.ErrGone) {
			t.Errorf("%q: %v", gone, err)
		}
	}
	if d.inboxes.Health("desk").State != "ok" {
		t.Error("a file that is gone makes the inbox need attention")
	}
}

func TestSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	check := discord.Channel(nil).Check
	for want, s := range map[string]map[string]string{
		"bot_token: is missing":                 {},
		"bot_token: is not a bot's token":       {"bot_token": "Bot hunter2"},
		"api_url: \"discord.test\" is not":      {"bot_token": token, "api_url": "discord.test"},
		"keep_deleted: \"maybe\" is not one of": {"bot_token": token, "keep_deleted": "maybe"},
	} {
		if err := check(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", s, err, want)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a secret is in %v", err)
		}
	}
	if err := check(map[string]string{"bot_token": token}); err != nil {
		t.Error(err)
	}
}

func TestSettingsAreTriedFake(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c := discord.Channel(f.Client())
	good, bad := inbox.Inbox{ID: "desk", Settings: settings(f, token)}, inbox.Inbox{ID: "desk", Settings: settings(f, strings.Replace(token, "shop", "nobody", 1))}
	if err := c.Test(t.Context(), good); err != nil {
		t.Error(err)
	}
	if err := c.Test(t.Context(), bad); !errors.Is(err, channel.ErrNeedsAttention) {
		t.Error(err)
	}
	done := c.Steps(t.Context(), good)
	if len(done) != 2 || done[0].Err != nil || done[1].Err != nil || !strings.Contains(done[0].Detail, "https://discord.com/oauth2/authorize?client_id="+shop+"&permissions=0&scope=bot") || !strings.Contains(done[1].Detail, "1000") {
		t.Errorf("steps %+v", done)
	}
	if len(f.sessions) != 0 {
		t.Error("a session was begun")
	}
}
