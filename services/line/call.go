package line

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// refusal is how the API says no ("Error responses").
type refusal struct {
	Message string `json:"message"`
	Details []struct {
		Message  string `json:"message"`
		Property string `json:"property"`
	} `json:"details"`
}

// get asks; result may be nil.
func (a *Adapter) get(ctx context.Context, inboxID string, c config, path string, result any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.api+path, nil)
	if err != nil {
		return hosted.Scrub(err)
	}
	return a.do(inboxID, c, r, result)
}

// post makes a call with a JSON body.
func (a *Adapter) post(ctx context.Context, inboxID string, c config, method, path string, body, result any) error {
	r, err := hosted.JSON(ctx, c.api+path, body)
	if err != nil {
		return err
	}
	r.Method = method
	return a.do(inboxID, c, r, result)
}

// refused is a refusal for good, with its status.
type refused struct {
	hosted.Refusal
	status int
}

func (e *refused) Unwrap() error { return &e.Refusal }

// do makes one call. Errors are those of hosted.Caller.Do and *refused; a quota
// that is used up and a plan that does not allow the call wrap channel.ErrNeedsAttention.
func (a *Adapter) do(inboxID string, c config, r *http.Request, result any) error {
	r.Header.Set("Authorization", "Bearer "+c.token)
	reply, err := a.caller.Do(inboxID, r)
	var no refusal
	if json.Unmarshal(reply.Body, &no) != nil {
		no = refusal{}
	}
	switch {
	case reply.Status == http.StatusTooManyRequests && usedUp(no.Message):
		// Waiting helps until the month is over only: somebody has to buy messages. The gate is
		// closed for a while all the same, so that LINE is not asked in vain all the time.
		a.mu.Lock()
		a.spent[inboxID] = true
		a.mu.Unlock()
		return a.caller.Attention(inboxID, monthOver)
	case err != nil:
		return err
	case reply.OK(), reply.Status == http.StatusConflict && r.Header.Get(headerRetryKey) != "": // it was taken before
		if result == nil {
			return nil
		}
		if json.Unmarshal(reply.Body, result) != nil && reply.OK() {
			return fmt.Errorf("%w: LINE's answer cannot be read", hosted.ErrUnknown)
		}
		return nil
	case reply.Status == http.StatusForbidden:
		return a.caller.Attention(inboxID, "LINE does not let this account do it (403): look at its plan and permissions")
	}
	return &refused{hosted.Refusal{Detail: words(reply.Status, no)}, reply.Status}
}

const monthOver = "the account's messages of this month are used up: raise its limit or plan in LINE Official Account Manager"

// usedUp tells the monthly limit from a rate limit: both are 429, and only the message differs.
func usedUp(message string) bool { return strings.Contains(strings.ToLower(message), "monthly limit") }

// words are what an agent reads of a refusal.
func words(status int, no refusal) string {
	text := no.Message
	for _, d := range no.Details {
		text += "; " + d.Property + ": " + d.Message
	}
	switch {
	case strings.Contains(text, "'to'") || strings.Contains(text, "Failed to send messages"):
		return fmt.Sprintf("LINE does not know this customer, or he cannot be written to (%d: %s)", status, hosted.Clip(text, 300))
	case text == "":
		return fmt.Sprintf("LINE refuses it (%d)", status)
	}
	return fmt.Sprintf("LINE refuses it (%d: %s)", status, hosted.Clip(text, 300))
}

// lasting says whether an error will be the same tomorrow.
func lasting(err error) bool {
	_, no := errors.AsType[*refused](err)
	return no || errors.Is(err, channel.ErrNeedsAttention)
}

// sending is the configuration for what goes out.
func (a *Adapter) sending(id string) (config, error) {
	return hosted.Sending(a.deps.Inboxes, Name, id, readConfig)
}
