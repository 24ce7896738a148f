package mastodon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
	"github.com/weftline/weftline/services/internal/inbox"
)

// delay reads when a limit is lifted ("Rate limits", X-RateLimit-Reset, ISO 8601); Retry-After wins where it is there.
func (a *Adapter) delay(r hosted.Reply) time.Duration {
	if r.Header.Get("Retry-After") != "" {
		return 0
	}
	at, err := time.Parse(time.RFC3339Nano, r.Header.Get("X-Ratelimit-Reset"))
	if err != nil {
		return 0
	}
	return max(at.Sub(a.now()), time.Second)
}

// refusal is what the instance does not do.
type refusal struct {
	status int
	words  string
}

func (e *refusal) Error() string { return e.words }

func refusedAs(err error, status ...int) bool {
	r, ok := errors.AsType[*refusal](err)
	for _, s := range status {
		if ok && r.status == s {
			return true
		}
	}
	return ok && len(status) == 0
}

// attention makes a refusal of what every account may do a person's matter.
func attention(err error) error {
	if refusedAs(err) {
		return fmt.Errorf("%w: %w", channel.ErrNeedsAttention, err)
	}
	return err
}

type request struct {
	method, path string
	query        url.Values
	body         []byte
	kind         string // of the body
	key          string // Idempotency-Key
}

// call makes one call; result may be nil. Errors are those of
// hosted.Caller.Do, and *refusal. It gives the status: 202 and 206 say "not yet".
func (a *Adapter) call(ctx context.Context, id string, c config, q request, result any) (int, error) {
	address := c.instance + q.path
	if len(q.query) > 0 {
		address += "?" + q.query.Encode()
	}
	var body io.Reader
	if q.body != nil {
		body = bytes.NewReader(q.body)
	}
	r, err := http.NewRequestWithContext(ctx, q.method, address, body)
	if err != nil {
		return 0, hosted.Scrub(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	if q.kind != "" {
		r.Header.Set("Content-Type", q.kind)
	}
	if q.key != "" {
		r.Header.Set("Idempotency-Key", q.key)
		r.GetBody = nil // or net/http would send it again by itself: the hub decides that, and says so
	}
	answer, err := a.caller.Do(id, r)
	if err != nil {
		return answer.Status, err
	}
	if !answer.OK() {
		return answer.Status, &refusal{answer.Status, words(answer)}
	}
	if result != nil {
		if err := json.Unmarshal(answer.Body, result); err != nil {
			return answer.Status, fmt.Errorf("%w: the instance's answer cannot be read", hosted.ErrUnknown)
		}
	}
	return answer.Status, nil
}

func (a *Adapter) get(ctx context.Context, id string, c config, path string, query url.Values, result any) error {
	_, err := a.call(ctx, id, c, request{method: http.MethodGet, path: path, query: query}, result)
	return err
}

// words are what an agent reads of a refusal ("Error").
func words(r hosted.Reply) string {
	var v struct {
		Error string `json:"error"`
	}
	_ = json.Unmarshal(r.Body, &v)
	text := hosted.Clip(strings.ToValidUTF8(v.Error, ""), 300)
	switch {
	case text == "":
		return fmt.Sprintf("the instance refuses it (%d)", r.Status)
	case r.Status == http.StatusForbidden:
		return "the instance does not allow it: is the account suspended, or does the access token lack a scope? (" + text + ")"
	}
	return fmt.Sprintf("the instance refuses it (%d: %s)", r.Status, text)
}

// config is that of an inbox.
func (a *Adapter) config(id string) (config, error) {
	return hosted.Sending(a.deps.Inboxes, Name, id, readConfig)
}

func (a *Adapter) note(id, state, detail string) {
	a.deps.Inboxes.SetHealth(id, inbox.Health{State: state, Detail: detail})
}
