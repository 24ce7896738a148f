package discord

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weftline/weftline/pkg/channel"
	"github.com/weftline/weftline/services/internal/hosted"
)

// shortWait is how long a call waits by itself for a limit that is used up.
const shortWait = 5 * time.Second

// lane is what Discord counts apart: a route, and of channels each one ("Rate Limits").
func lane(r *http.Request) string {
	_, path, _ := strings.Cut(r.URL.Path, "/channels/")
	if path == "" {
		return r.Method + " " + r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	}
	id, rest, _ := strings.Cut(path, "/")
	route, _, _ := strings.Cut(rest, "/") // ids of messages are not told apart
	return r.Method + " " + route + " " + id
}

// limited is the body of a 429; its seconds have decimals, which the header has not.
type limited struct {
	After  float64 `json:"retry_after"`
	Global bool    `json:"global"`
}

// shortest is what is waited for at least: nobody may be asked again and again without a pause.
const shortest = 50 * time.Millisecond

// delay is how long a 429 asks to wait; 0: as its header says, which is no shorter.
func delay(r hosted.Reply) time.Duration {
	var v limited
	_ = json.Unmarshal(r.Body, &v)
	if after := seconds(v.After); after > 0 {
		return max(after, shortest)
	}
	if hosted.RetryAfter(r.Header, time.Now()) < time.Second {
		return time.Second
	}
	return 0
}

// seconds is a number of seconds with decimals, at most a day.
func seconds(s float64) time.Duration {
	if !(s > 0) { // not a number, too
		return 0
	}
	return time.Duration(math.Ceil(min(s, 86400)*1000)) * time.Millisecond
}

// room waits until there is room in the lane of a call.
func (a *Adapter) room(ctx context.Context, id string, r *http.Request) error {
	err := a.full.Closed(id + " " + lane(r))
	if err == nil {
		return nil
	}
	after := hosted.Patience(err, 0)
	if after > shortWait {
		return err
	}
	if !hosted.Pause(ctx, after) {
		return ctx.Err()
	}
	return nil
}

// used reads what an answer says of limits. One that is used up closes its lane
// before Discord has to say so; a 429 that is not the lane's own closes the account.
func (a *Adapter) used(ctx context.Context, id string, r *http.Request, answer hosted.Reply) {
	if answer.Status == http.StatusTooManyRequests {
		var v limited
		known := json.Unmarshal(answer.Body, &v) == nil
		scope := answer.Header.Get("X-Ratelimit-Scope")
		if v.Global || answer.Header.Get("X-Ratelimit-Global") != "" || !known || scope != "user" && scope != "shared" && answer.Header.Get("X-Ratelimit-Bucket") == "" {
			after := delay(answer)
			if after == 0 {
				after = hosted.RetryAfter(answer.Header, a.now())
			}
			_ = a.caller.Hold(ctx, id, after) // the call's own error says it
		}
		return
	}
	if answer.Header.Get("X-Ratelimit-Remaining") != "0" {
		return
	}
	if s, err := strconv.ParseFloat(answer.Header.Get("X-Ratelimit-Reset-After"), 64); err == nil && s > 0 {
		_ = a.full.Close(id+" "+lane(r), seconds(s))
	}
}

// tooFast makes a refusal that passes by itself one that is tried again.
func tooFast(err error) error {
	if refusedAs(err, codeTooFast) {
		return &channel.RetryAfterError{After: time.Minute, Err: err}
	}
	return err
}
