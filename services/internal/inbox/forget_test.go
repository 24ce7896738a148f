package inbox_test

import (
	"log/slog"
	"testing"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/inbox"
)

// TestForgottenSecretsGo: a secret that is not wanted any more can be taken out, and no other goes with it.
func TestForgottenSecretsGo(t *testing.T) {
	t.Parallel()
	kind := inbox.Channel{Name: "chats", Settings: []inbox.Setting{{Key: "token", Secret: true}, {Key: "user"}, {Key: "password", Secret: true}}}
	b, err := inbox.NewBook(t.Context(), store(t), crypt.NewMemory(), []inbox.Channel{kind}, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	in := inbox.Inbox{ID: "a", Channel: "chats", Name: "A", Settings: map[string]string{"token": "one", "password": "two"}}
	if _, err := b.Save(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	in.Settings, in.Forget = map[string]string{"user": "shop"}, []string{"token", "user", "unheard-of"}
	if _, err := b.Save(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	got, _ := b.Get("a")
	if got.Settings["token"] != "" || got.Settings["password"] != "two" || got.Settings["user"] != "shop" {
		t.Errorf("%v", got.Settings)
	}
	// What is given anew is kept, whatever is to be forgotten.
	in.Settings = map[string]string{"token": "three"}
	if saved, err := b.Save(t.Context(), in); err != nil || saved.Settings["token"] != "three" || saved.Forget != nil {
		t.Errorf("%v %v (%v)", saved.Settings, saved.Forget, err)
	}
}
