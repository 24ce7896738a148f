package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/weftline/weftline/services/internal/hosted"
)

// reply is what every method answers ("Making requests").
type reply struct {
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	ErrorCode   int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter int `json:"retry_after"`
	} `json:"parameters"`
}

// delay is the body's retry_after ("ResponseParameters").
func delay(r hosted.Reply) time.Duration {
	var v reply
	if json.Unmarshal(r.Body, &v) != nil {
		return 0
	}
	return time.Duration(v.Parameters.RetryAfter) * time.Second
}

// errConflict: another program asks for the bot's updates, or a webhook is set.
var errConflict = errors.New("another program reads this bot's messages")

// call makes one call; result may be nil. Errors are those of hosted.Caller.Do,
// errConflict, and *hosted.Refusal for what will never be.
func (a *Adapter) call(ctx context.Context, inboxID string, c config, method string, body, result any) error {
	r, err := hosted.JSON(ctx, c.api+"/bot"+c.token+"/"+method, body)
	if err != nil {
		return err
	}
	return a.do(inboxID, r, result)
}

func (a *Adapter) do(inboxID string, r *http.Request, result any) error {
	answer, err := a.caller.Do(inboxID, r)
	if err != nil {
		return err
	}
	var v reply
	if json.Unmarshal(answer.Body, &v) != nil {
		v = reply{}
	}
	switch {
	case answer.OK() && v.OK:
		if result == nil {
			return nil
		}
		if err := json.Unmarshal(v.Result, result); err != nil {
			return fmt.Errorf("%w: Telegram's answer cannot be read", hosted.ErrUnknown)
		}
		return nil
	case answer.OK():
		return fmt.Errorf("%w: Telegram's answer cannot be read", hosted.ErrUnknown)
	case answer.Status == http.StatusNotFound:
		// "Not Found" is the answer to a token that never was one.
		return a.caller.Attention(inboxID, "Telegram does not know this bot token (404)")
	case answer.Status == http.StatusConflict:
		return fmt.Errorf("%w (409: %s)", errConflict, hosted.Clip(v.Description, 200))
	}
	return &hosted.Refusal{Detail: words(answer.Status, v.Description)}
}

// words are what an agent reads of a refusal.
func words(status int, description string) string {
	d := strings.ToLower(description)
	switch {
	case strings.Contains(d, "blocked by the user"):
		return "the customer has blocked the bot"
	case strings.Contains(d, "user is deactivated"):
		return "the customer's Telegram account is deleted"
	case strings.Contains(d, "can't initiate conversation"), strings.Contains(d, "chat not found"):
		return "the customer has not written to this bot: it may not write first"
	case status == http.StatusRequestEntityTooLarge, strings.Contains(d, "too big"), strings.Contains(d, "too large"):
		return "Telegram finds the file too large"
	case description == "":
		return fmt.Sprintf("Telegram refuses it (%d)", status)
	}
	return fmt.Sprintf("Telegram refuses it (%d: %s)", status, hosted.Clip(description, 300))
}

// sending is the configuration for what goes out.
func (a *Adapter) sending(id string) (config, error) {
	return hosted.Sending(a.deps.Inboxes, Name, id, readConfig)
}
