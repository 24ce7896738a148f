package chat_test

import (
	"encoding/json"
	"testing"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/chat"
)

func TestALoginClaimsAnAddressOnlyWhenItsHostVerifiedIt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		login map[string]any
		want  channel.Address
	}{
		"verified":   {map[string]any{"sub": "7", "email": "ada@example.org", "email_verified": true}, channel.Address{Kind: "email", Address: "ada@example.org"}},
		"unverified": {map[string]any{"sub": "7", "email": "ada@example.org"}, channel.Address{Kind: chat.KindExternal, Scope: "shop", Address: "7"}},
		"no address": {map[string]any{"sub": "7", "email_verified": true}, channel.Address{Kind: chat.KindExternal, Scope: "shop", Address: "7"}},
	} {
		body, err := json.Marshal(map[string]any{"v": 1, "kind": "message", "visitor": "v", "address": "sub:7", "client_id": "c", "text": "hi", "login": tc.login})
		if err != nil {
			t.Fatal(err)
		}
		items, err := chat.Parser{}.Parse(channel.Raw{Inbox: "shop", ContentType: chat.ContentType, Body: body})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := items[0].Message.ClaimsHandle; got == nil || *got != tc.want {
			t.Errorf("%s: claims %+v, want %+v", name, got, tc.want)
		}
	}
}
