package meta

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// graphError is how the Graph API says no ("Handle errors").
type graphError struct {
	Error struct {
		Message string `json:"message"`
		Code    int    `json:"code"`
		Subcode int    `json:"error_subcode"`
		Data    struct {
			Details string `json:"details"`
		} `json:"error_data"`
	} `json:"error"`
}

// address of a node or edge, with the proof that we know the app's secret.
func (c config) address(path string, query url.Values) string {
	if query == nil {
		query = url.Values{}
	}
	if c.proof && len(c.secrets) > 0 {
		m := hmac.New(sha256.New, []byte(c.secrets[0]))
		m.Write([]byte(c.token))
		query.Set("appsecret_proof", hex.EncodeToString(m.Sum(nil)))
	}
	u := c.api + "/" + c.version + "/" + path
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	return u
}

func (p *platform) get(ctx context.Context, inboxID string, c config, path, fields string, result any) error {
	query := url.Values{}
	if fields != "" {
		query.Set("fields", fields)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address(path, query), nil)
	if err != nil {
		return hosted.Scrub(err)
	}
	return p.do(inboxID, c, r, result)
}

func (p *platform) post(ctx context.Context, inboxID string, c config, path string, body, result any) error {
	r, err := hosted.JSON(ctx, c.address(path, nil), body)
	if err != nil {
		return err
	}
	return p.do(inboxID, c, r, result)
}

// do makes one call; result may be nil. Errors are those of hosted.Caller.Do
// and *refused, which is a *hosted.Refusal with the code.
func (p *platform) do(inboxID string, c config, r *http.Request, result any) error {
	r.Header.Set("Authorization", "Bearer "+c.token)
	reply, err := p.caller.Do(inboxID, r)
	if err != nil && !(errors.Is(err, hosted.ErrUnknown) && reply.Status >= 500) {
		return err
	}
	if err == nil && reply.OK() {
		if result == nil {
			return nil
		}
		if json.Unmarshal(reply.Body, result) != nil {
			return fmt.Errorf("%w: the Graph API's answer cannot be read", hosted.ErrUnknown)
		}
		return nil
	}
	var e graphError
	if json.Unmarshal(reply.Body, &e) != nil || e.Error.Code == 0 && e.Error.Message == "" {
		if err != nil {
			return err // not the Graph API's own words: nobody knows
		}
		return &refused{hosted.Refusal{Detail: fmt.Sprintf("Meta refuses it (%d)", reply.Status)}, 0, 0}
	}
	return p.judge(r.Context(), inboxID, reply, e)
}

// refused is a refusal for good.
type refused struct {
	hosted.Refusal
	code, subcode int
}

func (e *refused) Unwrap() error { return &e.Refusal }

// judge sorts the codes: what passes by itself, what a person must mend, what never will be.
func (p *platform) judge(ctx context.Context, inboxID string, reply hosted.Reply, e graphError) error {
	code, sub := e.Error.Code, e.Error.Subcode
	no := &refused{hosted.Refusal{Detail: words(code, sub, e.Error.Message, e.Error.Data.Details)}, code, sub}
	switch {
	case outsideWindow(code, sub):
		return no // before 10, which is otherwise about permissions
	case code == 131056: // one pair of numbers is too fast, the account is not
		return &channel.RetryAfterError{After: 10 * time.Second, Err: errors.New("too many messages to one customer (code 131056)")}
	case throttled[code]:
		after := time.Minute
		if d := regain(reply); d > 0 {
			after = d
		}
		return p.caller.Hold(ctx, inboxID, after)
	case passing[code]:
		return fmt.Errorf("the Graph API asks to try again (code %d)", code)
	case code == 190 || code == 102:
		return p.caller.Attention(inboxID, no.Detail)
	case hosted.Asking(ctx):
		return no // of another right than that to send
	case mend[code] || code == 10 || code >= 200 && code <= 219 && sub != 1545041:
		return p.caller.Attention(inboxID, no.Detail)
	}
	return no
}

// regain is how long Meta says an account is throttled still, in minutes
// ("Rate limiting", X-Business-Use-Case-Usage).
func regain(r hosted.Reply) time.Duration {
	var usage map[string][]struct {
		Minutes int `json:"estimated_time_to_regain_access"`
	}
	if json.Unmarshal([]byte(r.Header.Get("X-Business-Use-Case-Usage")), &usage) != nil {
		return 0
	}
	longest := 0
	for _, list := range usage {
		for _, u := range list {
			longest = max(longest, u.Minutes)
		}
	}
	return time.Duration(min(longest, 24*60)) * time.Minute
}

// sending is the configuration for what goes out.
func (p *platform) sending(id string) (config, error) {
	return hosted.Sending(p.deps.Inboxes, p.name, id, p.kind.read)
}
