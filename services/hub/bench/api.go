package bench

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"github.com/weftline/weftline/pkg/weftline/inbox/v1/inboxv1connect"
)

// newAPI calls the hub as an integrator does, with a token of its own.
func newAPI(ctx context.Context, hub *child) (inboxv1connect.InboxServiceClient, error) {
	token, err := hub.token(ctx)
	if err != nil {
		return nil, err
	}
	return inboxv1connect.NewInboxServiceClient(bearer{hub.http, token}, hub.url), nil
}

type bearer struct {
	http  *http.Client
	token string
}

var _ connect.HTTPClient = bearer{}

func (b bearer) Do(r *http.Request) (*http.Response, error) {
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.http.Do(r)
}
