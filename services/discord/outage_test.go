package discord_test

import (
	"net/http"
	"testing"

	"github.com/weftline/weftline/services/discord"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
)

// TestProviderThatIsGoneNeedsAttention: after a short interruption it does not, after minutes it does.
func TestProviderThatIsGoneNeedsAttention(t *testing.T) {
	t.Parallel()
	hostedtest.Gone(t, inbox.Inbox{Channel: discord.Name, Settings: map[string]string{"bot_token": token}},
		func(inboxes inbox.Registry, client *http.Client) hostedtest.Runner {
			return discord.New(hosted.Deps{Inboxes: inboxes, Client: client})
		})
}
