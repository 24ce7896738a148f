package inbox_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/weftline/weftline/services/internal/crypt"
	"github.com/weftline/weftline/services/internal/inbox"
)

// TestSaveKnowsTheInboxesThatSettingsName: of the file and of the console; others are refused by the setting's name.
func TestSaveKnowsTheInboxesThatSettingsName(t *testing.T) {
	t.Parallel()
	kinds := []inbox.Channel{
		{Name: "email"},
		{Name: "chat", Settings: []inbox.Setting{{Key: "prove_email", Inbox: []string{"email"}}, {Key: "greeting"}}},
	}
	file := []inbox.Inbox{{ID: "support", Channel: "email", Name: "Support", Source: inbox.SourceFile}}
	b, err := inbox.NewBook(t.Context(), store(t), crypt.NewMemory(), kinds, file, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for id, channel := range map[string]string{"own": "email", "shop": "chat"} {
		if _, err := b.Save(t.Context(), inbox.Inbox{ID: id, Channel: channel, Name: id}); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]string{
		"":        "",
		"support": "",
		"own":     "",
		"nope":    `prove_email: there is no inbox "nope"; it must be the id of one of channel email`,
		"shop":    `prove_email: inbox "shop" is of channel chat; it must be the id of one of channel email`,
	} {
		_, err := b.Save(t.Context(), inbox.Inbox{ID: "shop", Channel: "chat", Name: "Shop", Settings: map[string]string{"prove_email": id, "greeting": "nope"}})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", id, err, want)
		}
	}
}
