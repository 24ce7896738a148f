package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// verdict is in every answer ("Evaluating responses"): Slack says no with 200.
type verdict struct {
	OK     bool   `json:"ok"`
	Error  string `json:"error"`
	Needed string `json:"needed"` // the scope that is missing
}

// call makes a call with a JSON body; result may be nil.
func (a *Adapter) call(ctx context.Context, inboxID string, c config, method string, body, result any) error {
	r, err := hosted.JSON(ctx, c.api+"/"+method, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	return a.do(inboxID, c, method, r, result)
}

// ask makes a call that changes nothing.
func (a *Adapter) ask(ctx context.Context, inboxID string, c config, method string, args url.Values, result any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.api+"/"+method+"?"+args.Encode(), nil)
	if err != nil {
		return hosted.Scrub(err)
	}
	return a.do(inboxID, c, method, r, result)
}

// refused is a refusal for good, with Slack's word for it.
type refused struct {
	hosted.Refusal
	code string
}

func (e *refused) Unwrap() error { return &e.Refusal }

func (a *Adapter) do(inboxID string, c config, method string, r *http.Request, result any) error {
	r.Header.Set("Authorization", "Bearer "+c.token)
	reply, err := a.caller.Do(inboxID, r)
	if err != nil {
		return err
	}
	var v verdict
	if json.Unmarshal(reply.Body, &v) != nil {
		v = verdict{}
	}
	switch {
	case v.OK && reply.OK():
		if result != nil && json.Unmarshal(reply.Body, result) != nil {
			return fmt.Errorf("%w: Slack's answer cannot be read", hosted.ErrUnknown)
		}
		return nil
	case v.Error == "" && reply.OK():
		return fmt.Errorf("%w: Slack's answer cannot be read", hosted.ErrUnknown)
	case v.Error == "":
		return &refused{hosted.Refusal{Detail: fmt.Sprintf("Slack refuses it (%d)", reply.Status)}, ""}
	}
	return a.judge(inboxID, method, reply, v)
}

// mend are refusals that a person has to do something about, in words.
var mend = map[string]string{
	"not_authed": "no token was given", "invalid_auth": "Slack does not know the bot token", "token_revoked": "the bot token was revoked",
	"token_expired": "the bot token has expired", "account_inactive": "the app was removed, or the workspace is gone",
	"org_login_required": "the workspace is being moved into an organisation", "ekm_access_denied": "the workspace's administrators have suspended posting",
	"team_access_not_granted": "the app may not use this workspace", "not_allowed_token_type": "it is not a bot's token", "access_denied": "the app may not do it",
	"no_permission": "the app may not do it", "missing_scope": "the app lacks a scope", "two_factor_setup_required": "the workspace asks for a second factor",
	"accesslimited": "the workspace's network rules keep the hub out", "invalid_app_id": "the app is gone", "app_missing_action_url": "the app is not complete",
}

// lasting are those of them that a good token does not rule out.
var lasting = map[string]bool{"missing_scope": true, "no_permission": true, "access_denied": true, "ekm_access_denied": true}

// never are refusals that agents meet, in words.
var never = map[string]string{
	"channel_not_found": "there is no such channel, or the app is not in it", "not_in_channel": "the app is not in the channel: invite it",
	"is_archived": "the channel is archived", "user_not_found": "Slack does not know this customer", "users_not_found": "Slack does not know this customer",
	"user_disabled": "the customer's Slack account is closed", "cannot_dm_bot": "it is a bot", "msg_too_long": "Slack finds the text too long",
	"messages_tab_disabled": "the app takes no direct messages: turn on the Messages Tab under App Home", "restricted_action": "the workspace does not let the app post there",
	"restricted_action_read_only_channel": "only some may post in the channel", "restricted_action_thread_only_channel": "only answers in threads are allowed there",
	"thread_not_found": "the message that started the thread is gone", "message_not_found": "the message that started the thread is gone", "file_not_found": "Slack does not have the file",
}

// judge sorts what Slack says: what passes by itself, what a person must mend, what never will be.
func (a *Adapter) judge(inboxID, method string, reply hosted.Reply, v verdict) error {
	code := hosted.Clip(v.Error, 60)
	if words, ok := mend[code]; ok {
		detail := fmt.Sprintf("%s (%s of %s)", words, code, method)
		if v.Needed != "" {
			detail += ": " + hosted.Clip(v.Needed, 200)
		}
		if lasting[code] {
			a.suffers(inboxID, detail) // the token is good, and auth.test would say that all is well
		}
		return a.caller.Attention(inboxID, detail)
	}
	switch code {
	case "ratelimited", "rate_limited":
		after := time.Minute
		if reply.Header.Get("Retry-After") != "" {
			after = hosted.RetryAfter(reply.Header, a.now())
		}
		return &channel.RetryAfterError{After: after, Err: errors.New("asked to wait by Slack (" + code + ")")}
	case "service_unavailable", "request_timeout", "team_added_to_org":
		return fmt.Errorf("asked to try again by Slack (%s)", code)
	case "internal_error", "fatal_error":
		return fmt.Errorf("%w (%s)", hosted.ErrUnknown, code) // "some aspect of the operation" may have succeeded
	}
	if words, ok := never[code]; ok {
		return &refused{hosted.Refusal{Detail: fmt.Sprintf("%s (%s)", words, code)}, code}
	}
	return &refused{hosted.Refusal{Detail: fmt.Sprintf("Slack refuses it (%s)", code)}, code}
}

// sending is the configuration for what goes out.
func (a *Adapter) sending(id string) (config, error) {
	return hosted.Sending(a.deps.Inboxes, Name, id, readConfig)
}
