package chat_test

import (
	"strings"
	"testing"

	"github.com/weftline/weftline/services/chat"
	"github.com/weftline/weftline/services/internal/docstore"
)

// What the adapter itself shows and keeps is masked as the transcript will be.
func TestEchoAndFileNamesAreMasked(t *testing.T) {
	t.Parallel()
	var deps chat.Deps
	w := start(t, map[string]string{"mask": "cards"}, func(d *chat.Deps) { deps = *d })
	v := w.visit(frame{})
	welcome := v.await("welcome")
	v.await("messages")
	other := w.visit(frame{"token": welcome.str("token")})
	other.await("messages")
	v.send(message(1, "card 4111 1111 1111 1111"))
	v.await("ack")
	if m, _ := other.await("message")["message"].(map[string]any); m["text"] != "card 411111xxxxxx1111" {
		t.Fatalf("the other tab sees %v", m)
	}

	if resp := w.post("/chat/shop/upload", welcome.str("ticket"), "4111-1111-1111-1111.txt", []byte("text")); resp.StatusCode != 201 {
		t.Fatalf("upload: %d", resp.StatusCode)
	}
	n := 0
	err := deps.State.Scan(t.Context(), "chat_uploads", func(d docstore.Doc) error {
		n++
		if s := string(d.JSON); strings.Contains(s, "1111-1111") || !strings.Contains(s, "411111xxxxxx1111.txt") {
			t.Errorf("kept in clear: %s", s)
		}
		return nil
	})
	if err != nil || n != 1 {
		t.Fatalf("%d uploads, %v", n, err)
	}
}

func TestMaskSetting(t *testing.T) {
	t.Parallel()
	for value, ok := range map[string]bool{"": true, "off": true, "cards": true, "cards,secrets": true, "card": false, "on": false} {
		err := chat.Channel().Check(map[string]string{"mask": value})
		if (err == nil) != ok || !ok && !strings.Contains(err.Error(), "mask: ") {
			t.Errorf("%q: %v", value, err)
		}
	}
}
