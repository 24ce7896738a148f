package chat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/chat"
	"github.com/weftline/weftline/services/internal/blob"
	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/docstore"
)

func TestSlowReader(t *testing.T) {
	t.Parallel()
	w := start(t, nil, func(d *chat.Deps) { d.Timing.Close = 50 * time.Millisecond })
	v := w.visit(frame{})
	token := v.await("welcome").str("token")
	v.send(message(1, "hello"))
	v.await("ack")
	address := w.hub.address(0)
	// Nobody reads any more. The kernel takes some megabytes before the queue fills.
	big := strings.Repeat("x", 10_000) // the longest there is
	var last channel.Outbound
	for range 20_000 {
		last = w.hub.reply("shop", address, big)
		if _, err := w.adapter.Send(context.Background(), last); err != nil {
			t.Fatal(err)
		}
		if w.count("weftline_chat_closed_total{4008}") > 0 {
			break
		}
	}
	if n := w.count("weftline_chat_closed_total{4008}"); n != 1 {
		t.Fatalf("%v connections were closed as too slow", n)
	}
	// Nothing is lost: it is all in the transcript.
	v = w.visit(frame{"token": token, "after": last.Position[:8] + "0"})
	for {
		f := v.await("messages")
		items := f["items"].([]any)
		if len(items) > 0 && items[len(items)-1].(map[string]any)["id"] == last.ID {
			break
		}
	}
}

func TestFrameTooLarge(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	v := w.visit(frame{})
	v.await("welcome")
	v.conn.WriteMessage(1, bytes.Repeat([]byte("x"), 65<<10))
	if v.closed(); v.code != 1009 && v.code != 4400 {
		t.Errorf("closed with %d", v.code)
	}
	// The close frame may be here before it is counted there.
	v.conn.Close()
	for w.count("weftline_chat_connections") != 0 {
		select {
		case <-t.Context().Done():
			t.Fatal("the session does not end")
		case <-time.After(time.Millisecond): // until it has
		}
	}
	if n := w.count("weftline_chat_garbage_frames_total"); n != 1 {
		t.Errorf("counted %v", n)
	}
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	w := start(t, nil, func(d *chat.Deps) {
		d.Timing.Ping, d.Timing.Silence = 20*time.Millisecond, 150*time.Millisecond
	})
	v := w.visit(frame{})
	v.await("welcome")
	v.conn.SetPingHandler(func(string) error { return nil }) // plays dead
	if code := v.closed(); code != 4009 {
		t.Errorf("closed with %d", code)
	}
	silent, _, err := w.dial(w.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	silent.conn.Close()
}

func TestHelloMustCome(t *testing.T) {
	t.Parallel()
	w := start(t, nil, func(d *chat.Deps) { d.Timing.Hello = 50 * time.Millisecond })
	v, _, err := w.dial(w.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if code := v.closed(); code != 4009 {
		t.Errorf("closed with %d", code)
	}
}

func TestRatePerAddress(t *testing.T) {
	t.Parallel()
	ip := "192.0.2.1"
	w := start(t, map[string]string{"connections_per_minute": "4", "visitors_per_hour": "2"}, func(d *chat.Deps) {
		d.ClientIP = func(*http.Request) string { return ip }
	})
	token := w.visit(frame{}).await("welcome").str("token")
	w.visit(frame{}).await("welcome")
	v := w.visit(frame{})
	if f := v.next(); f.str("code") != "rate" || f["retry_after_ms"].(float64) <= 0 {
		t.Errorf("third new visitor: %v", f)
	}
	w.visit(frame{"token": token}).await("welcome") // an old one may come
	_, resp, err := w.dial(w.server.URL)
	if err == nil || resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("fifth connection: %v", resp)
	}
}

func TestDrain(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	var all []*visitor
	for range 5 {
		v := w.visit(frame{})
		v.await("welcome")
		all = append(all, v)
	}
	ended := make(chan error, 1)
	go func() { ended <- w.stop() }()
	times := map[float64]bool{}
	for _, v := range all {
		ms := v.await("bye")["retry_after_ms"].(float64)
		times[ms] = true
		if ms < 1 || ms > 2000 {
			t.Errorf("retry after %v ms", ms)
		}
		if code := v.closed(); code != 4010 {
			t.Errorf("closed with %d", code)
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if len(times) < 2 {
		t.Error("all were told to come back at once")
	}
	if _, resp, err := w.dial(w.server.URL); err == nil || resp.StatusCode != 503 {
		t.Errorf("a visitor got in while draining: %v", resp)
	}
}

func picture(t *testing.T) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 3, 3))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFiles(t *testing.T) {
	t.Parallel()
	w := start(t, map[string]string{"uploads_per_minute": "100"})
	v := w.visit(frame{})
	welcome := v.await("welcome")
	ticket := welcome.str("ticket")
	upload := func(name string, body []byte) (int, string) {
		t.Helper()
		resp := w.post("/chat/shop/upload", ticket, name, body)
		b, _ := io.ReadAll(resp.Body)
		id := ""
		if resp.StatusCode == 201 {
			id = strings.SplitN(strings.SplitN(string(b), `"id":"`, 2)[1], `"`, 2)[0]
		}
		return resp.StatusCode, id
	}
	for name, c := range map[string]struct {
		body []byte
		want int
	}{
		"page.html": {[]byte("<!doctype html><script>alert(1)</script>"), 415}, "late.txt": {[]byte("hello\n\n<script>alert(1)</script>"), 415},
		"pic.svg": {[]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), 415}, "x.xml": {[]byte(`<?xml version="1.0"?><a/>`), 415},
		"empty": {nil, 400}, "big": {make([]byte, 10<<20+1), 413}, "note.txt": {[]byte("just text"), 201},
	} {
		if got, _ := upload(name, c.body); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if resp := w.post("/chat/shop/upload", "x."+ticket, "a", []byte("a")); resp.StatusCode != 401 {
		t.Errorf("forged ticket: %d", resp.StatusCode)
	}
	_, pic := upload("..%2F..%2Fca%E2%80%8Bt.png", picture(t))
	_, text := upload(`evil%22%0d%0aX: y.png`, []byte("I am no picture"))

	thief := w.visit(frame{})
	thiefTicket := thief.await("welcome").str("ticket")
	steal := message(9, "")
	steal["attachments"] = []string{pic}
	thief.send(steal)
	if f := thief.await("error"); f.str("code") != "invalid" || f.str("field") != "attachments" {
		t.Errorf("another's upload: %v", f)
	}

	m := message(1, "")
	m["attachments"] = []string{pic, text}
	v.send(m)
	v.await("ack")
	again := w.visit(frame{"token": welcome.str("token")})
	again.await("welcome")
	files := again.await("messages")["items"].([]any)[0].(map[string]any)["files"].([]any)
	if len(files) != 2 {
		t.Fatalf("files %v", files)
	}
	path := func(i int) string { return "/chat/shop/files/" + files[i].(map[string]any)["id"].(string) }
	if name := files[0].(map[string]any)["name"]; name != "cat.png" {
		t.Errorf("name %q", name)
	}
	resp := w.get(path(0), ticket)
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "image/png" || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "inline") || !bytes.Equal(body, picture(t)) {
		t.Errorf("picture: %d %v", resp.StatusCode, resp.Header)
	}
	resp = w.get(path(1), ticket)
	h := resp.Header
	if h.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") ||
		h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X") != "" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("text in disguise: %v", h)
	}
	for name, c := range map[string]struct {
		path, ticket string
		want         int
	}{
		"no ticket": {path(0), "", 401}, "another visitor": {path(0), thiefTicket, 404}, "changed": {path(0)[:len(path(0))-4] + "AAAA", ticket, 404},
		"upload id": {"/chat/shop/files/" + pic, ticket, 404}, "blob key": {"/chat/shop/files/key-blob", ticket, 404},
	} {
		if resp := w.get(c.path, c.ticket); resp.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", name, resp.StatusCode, c.want)
		}
	}
}

func TestUploadRate(t *testing.T) {
	t.Parallel()
	w := start(t, map[string]string{"uploads_per_minute": "2"})
	ticket := w.visit(frame{}).await("welcome").str("ticket")
	for i := range 3 {
		resp := w.post("/chat/shop/upload", ticket, "a.txt", []byte(fmt.Sprint("text ", i)))
		if want := []int{201, 201, 429}[i]; resp.StatusCode != want {
			t.Errorf("upload %d: %d", i, resp.StatusCode)
		}
	}
}

func TestUploadsNobodySentAreRemoved(t *testing.T) {
	t.Parallel()
	var deps chat.Deps
	w := start(t, nil, func(d *chat.Deps) { deps = *d })
	v := w.visit(frame{})
	ticket := v.await("welcome").str("ticket")
	var ids []string
	for i := range 2 {
		var up struct{ ID string }
		if err := json.NewDecoder(w.post("/chat/shop/upload", ticket, "a.txt", []byte(fmt.Sprint("text ", i))).Body).Decode(&up); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, up.ID)
	}
	m := message(1, "see there")
	m["attachments"] = ids[:1]
	v.send(m)
	v.await("ack")
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	blobs := map[string]string{}
	err := deps.State.Scan(t.Context(), "chat_uploads", func(d docstore.Doc) error {
		var up struct{ Blob string }
		err := json.Unmarshal(d.JSON, &up)
		blobs[d.ID] = up.Blob
		return err
	})
	if err != nil || len(blobs) != 2 {
		t.Fatalf("uploads %v, %v", blobs, err)
	}

	sealed := map[string]crypt.Sealed{} // as a backup has it
	for _, id := range ids {
		if sealed[id], err = deps.Keys.Seal(t.Context(), "blob/"+id, []byte("x"), nil); err != nil {
			t.Fatal(err)
		}
	}
	deps.Now = func() time.Time { return time.Now().Add(25 * time.Hour) }
	deps.Metrics = nil
	later, err := chat.New(deps)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- later.Run(ctx) }()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		n := 0
		if err := deps.State.Scan(t.Context(), "chat_uploads", func(docstore.Doc) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("old uploads stay")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := deps.Blobs.Get(t.Context(), blobs[ids[0]]); err != nil {
		t.Errorf("a sent file is gone: %v", err)
	}
	if _, err := deps.Blobs.Get(t.Context(), blobs[ids[1]]); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("a file nobody sent: %v", err)
	}
	if _, err := deps.Keys.Open(t.Context(), sealed[ids[0]], nil); err != nil {
		t.Errorf("the key of a sent file is gone: %v", err)
	}
	if _, err := deps.Keys.Open(t.Context(), sealed[ids[1]], nil); !errors.Is(err, crypt.ErrShredded) {
		t.Errorf("the key of a file nobody sent: %v", err)
	}
}
