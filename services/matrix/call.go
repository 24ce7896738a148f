package matrix

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
)

// maxAnswer is how much of an answer is read: a sync after a long while is large.
const maxAnswer = 64 << 20

const client = "/_matrix/client/v3"

// apiError is what every refusal holds ("Standard error response").
type apiError struct {
	Code       string `json:"errcode"`
	Error      string `json:"error"`
	RetryAfter int64  `json:"retry_after_ms"`
}

func readError(b []byte) (e apiError) {
	_ = json.Unmarshal(b, &e)
	return e
}

// delay is the body's retry_after_ms; newer homeservers send Retry-After as well ("Rate limiting").
func delay(r hosted.Reply) time.Duration {
	return time.Duration(readError(r.Body).RetryAfter) * time.Millisecond
}

// refusal is what the homeserver does not do, with its code.
type refusal struct {
	status int
	code   string
	words  string
}

func (e *refusal) Error() string { return e.words }

func refusedAs(err error, codes ...string) bool {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		return false
	}
	for _, c := range codes {
		if r.code == c {
			return true
		}
	}
	return len(codes) == 0
}

// path puts ids into an address; their slashes and the like are escaped.
func path(format string, ids ...string) string {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = url.PathEscape(id)
	}
	return fmt.Sprintf(format, args...)
}

// call makes one call of an inbox's account; body and result may be nil. Errors
// are those of hosted.Caller.Do, and *refusal.
func (a *Adapter) call(ctx context.Context, id string, c config, method, where string, body, result any) error {
	var b []byte
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
	}
	return a.raw(ctx, id, c, method, where, "application/json", b, result)
}

// raw is call with a body of any type. With a password a session that has ended is opened anew, once.
func (a *Adapter) raw(ctx context.Context, id string, c config, method, where, contentType string, body []byte, result any) error {
	token, err := a.token(ctx, id, c, "")
	if err != nil {
		return err
	}
	err = a.with(ctx, id, token, method, c.server+where, contentType, body, result)
	if !errors.Is(err, channel.ErrNeedsAttention) || c.token != "" {
		return err
	}
	if token, err = a.token(ctx, id, c, token); err != nil {
		return err
	}
	return a.with(ctx, id, token, method, c.server+where, contentType, body, result)
}

func (a *Adapter) with(ctx context.Context, id, token, method, address, contentType string, body []byte, result any) error {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	r, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return hosted.Scrub(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := a.caller.Do(id, r)
	if err != nil {
		return err
	}
	if !answer.OK() {
		e := readError(answer.Body)
		return &refusal{status: answer.Status, code: e.Code, words: words(answer.Status, e)}
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Body, result); err != nil {
		return fmt.Errorf("%w: the homeserver's answer cannot be read", hosted.ErrUnknown)
	}
	return nil
}

// words are what an agent reads of a refusal.
func words(status int, e apiError) string {
	switch {
	case e.Code == "M_FORBIDDEN":
		return "the homeserver does not allow it: this inbox's account is not in the room, or may not write there"
	case e.Code == "M_TOO_LARGE", status == http.StatusRequestEntityTooLarge:
		return "the homeserver finds it too large"
	case e.Error == "":
		return fmt.Sprintf("the homeserver refuses it (%d %s)", status, hosted.Clip(e.Code, 60))
	}
	return fmt.Sprintf("the homeserver refuses it (%s: %s)", hosted.Clip(e.Code, 60), hosted.Clip(strings.ToValidUTF8(e.Error, ""), 300))
}

// config is that of an inbox.
func (a *Adapter) config(id string) (config, error) {
	return hosted.Sending(a.deps.Inboxes, Name, id, readConfig)
}
