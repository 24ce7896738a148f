package webhook

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/weftline/weftline/services/email"
	"github.com/weftline/weftline/services/internal/hosted"
)

// postmark posts JSON; with "Include raw email content in JSON payload" the whole mail is RawEmail. Nothing is
// signed: the address carries user and password, or a secret.
type postmark struct{}

func (postmark) early(c email.Webhook, r *http.Request) error {
	return secret(c.Secrets, r.BasicAuth, r.URL.Path)
}

func (postmark) admit(c email.Webhook, r *hosted.Request) error {
	u, err := url.Parse(r.URL)
	if err != nil {
		return fmt.Errorf("%w: address cannot be read", hosted.ErrRefused)
	}
	return secret(c.Secrets, (&http.Request{Header: r.Header}).BasicAuth, u.Path)
}

func (postmark) split(r *hosted.Request) ([]found, error) {
	var p struct {
		MessageID         string
		OriginalRecipient string
		RawEmail          string
	}
	if err := json.Unmarshal(r.Body, &p); err != nil {
		return nil, fmt.Errorf("%w: it is no JSON", errNoMail)
	}
	if p.RawEmail == "" {
		return nil, fmt.Errorf("%w: RawEmail is missing; switch on “Include raw email content in JSON payload”", errNoMail)
	}
	id := ""
	if p.MessageID != "" {
		id = "postmark/" + clip(p.MessageID, 500)
	}
	return []found{{id: id, mail: []byte(p.RawEmail), to: []string{p.OriginalRecipient}}}, nil
}
