package matrix_test

import (
	"net/http"
	"testing"

	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/hosted/hostedtest"
	"github.com/weftline/weftline/services/internal/inbox"
	"github.com/weftline/weftline/services/matrix"
)

// TestProviderThatIsGoneNeedsAttention: after a short interruption it does not, after minutes it does.
func TestProviderThatIsGoneNeedsAttention(t *testing.T) {
	t.Parallel()
	hostedtest.Gone(t, inbox.Inbox{Channel: matrix.Name, Settings: map[string]string{"homeserver": "https://gone.example", "access_token": "x"}},
		func(inboxes inbox.Registry, client *http.Client) hostedtest.Runner {
			return matrix.New(hosted.Deps{Inboxes: inboxes, Client: client})
		})
}
